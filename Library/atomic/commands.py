"""The operator's hands: commands checked, carried out once, answered.

The same commands arrive through LEAN (``lean live command <project> --data '{"action": "close", ...}'``, delivered to
``on_command``) and through ``atomic command`` on the embedded live mode. A malformed command changes nothing and says
why. A command with an id that was carried out already answers the same again without acting (LEAN can deliver one
twice); without an id, commands are idempotent by state: closing a closed group is answered with "closed already".
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

#: answers kept for repeated ids
REMEMBERED = 256


class Answer(NamedTuple):
    """What became of a command: JSON-able by `_asdict()`."""

    ok: bool
    action: str
    text: str
    data: Any = None


class Desk(Protocol):
    """What the executor lets an operator do; every call answers with one sentence, or raises ValueError with the cure."""  # noqa: E501

    def status(self) -> Mapping[str, Any]:
        """Health, counts, tripped limits; JSON-able."""

    def list_groups(self, which: str) -> list[Mapping[str, Any]]:
        """Groups as JSON-able records; `which` is open or all."""

    def close_group(self, group_id: str, why: str) -> str:
        """Take an open group to zero."""

    def roll_back_group(self, group_id: str, why: str) -> str:
        """Take an opening group back to nothing."""

    def hold_group(self, group_id: str, why: str) -> str:
        """Only what protects or reduces is sent for it."""

    def release_group(self, group_id: str, why: str) -> str:
        """End a hold."""

    def accept_account(self, group_id: str, why: str) -> str:
        """The account is right: the held group takes over what it shows, and goes back by policy."""

    def pause(self, why: str) -> str:
        """No group opens until `resume`."""

    def resume(self, why: str) -> str:
        """Groups may open again."""

    def flatten_all(self, why: str) -> str:
        """Every group to zero, nothing opens until `resume`."""

    def reset_limit(self, limit: str, by: str) -> str:
        """A tripped limit starts again."""

    def acknowledge(self, group_id: str, why: str) -> str:
        """The operator has seen the newest alert of a group (or of all: empty id)."""


class _Form(NamedTuple):
    """Fields a command takes: required ones first; every command also takes id, reason and $type."""

    required: tuple[str, ...]
    call: Callable[[Desk, Mapping[str, str]], tuple[str, Any]]
    help: str


def _text(method: str, *names: str) -> Callable[[Desk, Mapping[str, str]], tuple[str, Any]]:
    def call(desk: Desk, fields: Mapping[str, str]) -> tuple[str, Any]:
        return getattr(desk, method)(*(fields.get(name, "") for name in names)), None

    return call


def _status(desk: Desk, fields: Mapping[str, str]) -> tuple[str, Any]:
    status = desk.status()
    return "status", dict(status)


def _groups(desk: Desk, fields: Mapping[str, str]) -> tuple[str, Any]:
    which = fields.get("which") or "open"
    if which not in ("open", "all"):
        raise ValueError(f"which={which!r}: use open or all")
    groups = [dict(group) for group in desk.list_groups(which)]
    return f"{len(groups)} groups", groups


#: every command, its required fields and what it does
FORMS: dict[str, _Form] = {
    "status": _Form((), _status, "health, counts and tripped limits"),
    "groups": _Form((), _groups, "groups that are not closed (which=all: also recent ends)"),
    "close": _Form(("group_id",), _text("close_group", "group_id", "reason"), "take an open group to zero"),
    "rollback": _Form(("group_id",), _text("roll_back_group", "group_id", "reason"), "take an opening group back"),
    "hold": _Form(("group_id",), _text("hold_group", "group_id", "reason"), "send only what protects or reduces"),
    "release": _Form(("group_id",), _text("release_group", "group_id", "reason"), "end a hold"),
    "accept": _Form(("group_id",), _text("accept_account", "group_id", "reason"), "a held group believes the account"),
    "pause": _Form((), _text("pause", "reason"), "no group opens until resume"),
    "resume": _Form((), _text("resume", "reason"), "groups may open again"),
    "flatten": _Form((), _text("flatten_all", "reason"), "every group to zero, nothing opens until resume"),
    "reset": _Form(("limit",), _text("reset_limit", "limit", "reason"), "a tripped limit starts again"),
    "acknowledge": _Form((), _text("acknowledge", "group_id", "reason"), "the newest alert was seen"),
}
_FIELDS = ("action", "group_id", "limit", "reason", "which", "id")


def fields_of(data: Any) -> dict[str, str]:
    """The known fields of a command, from a mapping or an object with attributes (LEAN's dynamic command data).

    Raises:
        ValueError: a field is neither text nor a number.
    """
    found: dict[str, str] = {}
    # LEAN's command data answers every name, `get` too, with None where there is nothing (Command.cs: GetProperty)
    mapping = isinstance(data, Mapping)
    for name in _FIELDS:
        value = data.get(name) if mapping else getattr(data, name, None)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ValueError(f"{name} is {type(value).__name__}: give text")
        found[name] = str(value).strip()
    return found


class Control:
    """Carries out operator commands on a desk.

    Args:
        desk: the executor.
        log: where every command and its answer is written (the audit of the operator's hands).
    """

    def __init__(self, desk: Desk, log: Callable[[str], Any]) -> None:
        self._desk, self._log = desk, log
        self._answers: OrderedDict[str, Answer] = OrderedDict()

    def handle(self, data: Any) -> Answer:
        """Check and carry out one command. Never raises."""
        if data is None:
            # LEAN reads a half-written command file as an empty command (facts of FileCommandHandler)
            return Answer(False, "", "empty command ignored; send it again")
        try:
            fields = fields_of(data)
        except ValueError as error:
            return self._refuse("", str(error))
        key = fields.get("id", "")
        if key and key in self._answers:
            return self._answers[key]
        answer = self._carry_out(fields)
        if key and answer.ok:
            self._answers[key] = answer
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return answer

    def _carry_out(self, fields: Mapping[str, str]) -> Answer:
        action = fields.get("action", "").lower()
        form = FORMS.get(action)
        if form is None:
            return self._refuse(action, f"unknown action {action!r}: use one of {', '.join(FORMS)}")
        missing = [name for name in form.required if not fields.get(name)]
        if missing:
            return self._refuse(action, f"{action} needs {', '.join(missing)}")
        try:
            text, data = form.call(self._desk, fields)
        except ValueError as error:
            return self._refuse(action, str(error))
        except Exception as error:  # our own fault must not end the algorithm
            return self._refuse(action, f"{type(error).__name__}: {error}")
        shown = f"\n{json.dumps(data, default=str)}" if data is not None else ""
        self._log(f"command {_shown(fields)}: {text}{shown}")
        return Answer(True, action, text, data)

    def _refuse(self, action: str, why: str) -> Answer:
        self._log(f"command refused: {why}")
        return Answer(False, action, why)


def _shown(fields: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items())
