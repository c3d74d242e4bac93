"""What the generator wrote, with checksums: it replaces its own files and refuses to touch any other."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NAME = ".atomic-generated.json"


class DataError(Exception):
    """Data could not be generated or written; the message names the cause and the cure."""


def checksum(content: bytes) -> str:
    """Return the checksum under which a file is remembered."""
    return hashlib.sha256(content).hexdigest()


@dataclass(slots=True)
class Manifest:
    """Checksums of the files of one data folder that were generated, and the runs that made them."""

    folder: Path
    #: path below the folder: checksums under which the file is ours (two while it is being replaced)
    files: dict[str, list[str]] = field(default_factory=dict)
    #: one row for each generated day: ticker, date, expiry, seed
    runs: list[dict[str, object]] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest of a folder; empty when there is none.

        Raises:
            DataError: it is there and cannot be read.
        """
        path = folder / NAME
        try:
            content = json.loads(path.read_text("utf-8"))
            return cls(folder, dict(content["files"]), list(content["runs"]))
        except (FileNotFoundError, NotADirectoryError):
            return cls(folder)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} cannot be read ({error}): move the folder away or choose another with --out"
            ) from error

    def is_ours(self, name: str) -> bool:
        """Say whether a file is there as we wrote it."""
        path = self.folder / name
        return name in self.files and path.is_file() and checksum(path.read_bytes()) in self.files[name]

    def foreign(self, names: Mapping[str, bytes]) -> list[str]:
        """Return those names whose files exist and are not as we wrote them."""
        return [name for name in names if (self.folder / name).exists() and not self.is_ours(name)]

    def write(self, contents: Mapping[str, bytes], run: dict[str, object]) -> None:
        """Write files and remember them.

        Old and new checksums are on record while files are replaced, so that a run that is cut short can be repeated.
        """
        fresh = {name: checksum(content) for name, content in contents.items()}
        changed = [name for name in contents if not (self.folder / name).exists() or [fresh[name]] != self._of(name)]
        self.runs = [row for row in self.runs if (row["ticker"], row["date"]) != (run["ticker"], run["date"])]
        self.runs.append(run)
        if changed:
            self.files.update({name: [*self._of(name), fresh[name]] for name in changed})
            self._save()
        for name in changed:
            self._replace(name, contents[name])
        self.files.update({name: [mark] for name, mark in fresh.items()})
        self._save()

    def _of(self, name: str) -> list[str]:
        return self.files.get(name, [])

    def _save(self) -> None:
        document = {"files": dict(sorted(self.files.items())), "runs": self.runs}
        self._replace(NAME, (json.dumps(document, indent=1) + "\n").encode())

    def _replace(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_bytes(content)
        os.replace(temporary, path)
