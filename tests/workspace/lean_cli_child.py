"""Run one real `lean` command with only its Docker client replaced; started by the tests as a process of its own.

Usage: python lean_cli_child.py WORKSPACE CAPTURE lean-argument...

Writes to CAPTURE what the CLI handed to Docker: image, volumes and the final LEAN configuration. HOME must be a
throw-away folder (the CLI computes its paths from it at import). Nothing is downloaded and nothing is written
outside of the workspace: the list of modules, which `import lean` would fetch, is given here.
"""

import importlib.util
import json
import os
import socket
import sys
import types
from hashlib import md5
from pathlib import Path
from typing import Any

#: the three modules that the tested commands ask for, as far as they ask
MODULES = [
    {
        "id": "QuantConnectBrokerage",
        "display-id": "Paper Trading",
        "type": ["brokerage"],
        "platform": ["cli"],
        "installs": False,
        "live-cash-balance-state": "optional",
        "live-holdings-state": "optional",
        "configurations": [{"id": "live-mode-brokerage", "type": "info", "value": "PaperBrokerage"}],
    },
    {
        "id": "Custom data only",
        "display-id": "Custom data only",
        "type": ["data-queue-handler"],
        "platform": ["cli"],
        "installs": False,
        "configurations": [
            {
                "id": "data-queue-handler",
                "type": "info",
                "value": '["QuantConnect.Lean.Engine.DataFeeds.Queues.LiveDataQueue"]',
            }
        ],
    },
    {
        "id": "Local",
        "display-id": "Local",
        "type": ["data-downloader"],
        "platform": ["cli"],
        "installs": False,
        "configurations": [
            {
                "id": "data-provider",
                "type": "info",
                "value": "QuantConnect.Lean.Engine.DataFeeds.DefaultDataProvider",
            }
        ],
    },
]


def stub_modules() -> None:
    """Stand in for `lean.models`, whose import downloads the list of modules into site-packages."""
    spec = importlib.util.find_spec("lean")
    assert spec is not None
    assert spec.origin is not None
    models: Any = types.ModuleType("lean.models")
    models.__path__ = [str(Path(spec.origin).parent / "models")]
    models.json_modules = MODULES
    sys.modules["lean.models"] = models


def go_offline() -> None:
    """Refuse every connection: what is tested must not need the network, nor wait for it."""

    def refused(*_: object, **__: object) -> None:
        raise ConnectionRefusedError("offline for this test")

    socket.socket.connect = refused  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = refused  # type: ignore[assignment]


def main(workspace: str, capture: str, *arguments: str) -> int:
    """Run the command in the workspace and write what reached Docker."""
    stub_modules()
    go_offline()
    from lean.commands import lean as cli
    from lean.components.docker.docker_manager import DockerManager
    from lean.container import container

    class RecordingDocker(DockerManager):
        """Answers as if Docker were there and keeps what it is asked to run."""

        runs: list[dict[str, Any]] = []  # noqa: RUF012

        def image_installed(self, image: object) -> bool:
            return True

        def get_local_digest(self, image: object) -> None:
            return None

        def get_image_label(self, image: object, label: str, default: str) -> str:
            return default

        def create_volume(self, name: str) -> None:
            pass

        def is_missing_permission(self) -> bool:
            return False

        def create_site_packages_volume(self, requirements_file: Path) -> str:
            return md5(requirements_file.read_bytes()).hexdigest()

        def run_image(self, image: object, **options: Any) -> bool:
            mounted = {mount["Target"]: mount["Source"] for mount in options["mounts"]}
            config = next(
                source for target, source in mounted.items() if target.endswith("/Launcher/bin/Debug/config.json")
            )
            optimizer = [s for t, s in mounted.items() if t.endswith("/Optimizer.Launcher/bin/Debug/config.json")]
            self.runs.append(
                {
                    "image": str(image),
                    "volumes": {volume["bind"]: source for source, volume in options["volumes"].items()},
                    "config": json.loads(Path(config).read_text()),
                    "optimizer": json.loads(Path(optimizer[0]).read_text()) if optimizer else None,
                }
            )
            return True

    os.chdir(workspace)
    docker = RecordingDocker(container.logger, container.temp_manager, container.platform_manager)
    container.initialize(docker_manager=docker)
    cli.main(list(arguments), standalone_mode=False)
    Path(capture).write_text(json.dumps(docker.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
