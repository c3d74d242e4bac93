"""Operator commands: checked, carried out once, answered; malformed ones change nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from atomic.commands import FORMS, Control


class Desk:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def status(self):
        return {"ready": True}

    def list_groups(self, which):
        return [{"id": "condor-000001", "which": which}]

    def __getattr__(self, name):
        def call(*args):
            self.calls.append((name, *args))
            if args and args[0] == "nope":
                raise ValueError("no group 'nope': see groups")
            if args and args[0] == "bug":
                raise RuntimeError("boom")
            return f"{name} done"

        return call


@pytest.fixture
def control():
    desk = Desk()
    lines: list[str] = []
    return Control(desk, lines.append), desk, lines


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"action": "close", "group_id": "g1", "reason": "why"}, ("close_group", "g1", "why")),
        ({"action": "rollback", "group_id": "g1"}, ("roll_back_group", "g1", "")),
        ({"action": "hold", "group_id": "g1"}, ("hold_group", "g1", "")),
        ({"action": "release", "group_id": "g1"}, ("release_group", "g1", "")),
        ({"action": "PAUSE"}, ("pause", "")),
        ({"action": "resume"}, ("resume", "")),
        ({"action": "flatten", "reason": "news"}, ("flatten_all", "news")),
        ({"action": "reset", "limit": "drawdown"}, ("reset_limit", "drawdown", "")),
        ({"action": "acknowledge"}, ("acknowledge", "", "")),
    ],
)
def test_every_command_reaches_its_one_action(control, data, expected):
    """A valid command is carried out with its fields and logged with its answer."""
    hands, desk, lines = control
    answer = hands.handle(data)

    assert answer.ok
    assert desk.calls == [expected]
    assert "done" in lines[0]


class LeanCommand:
    """A command as LEAN hands it over: a field for every name, None where the command has none."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> None:
        return None


def test_commands_of_lean_are_read(control):
    """LEAN's command data has every attribute, `get` too; one that was not sent is None."""
    hands, desk, _ = control

    assert hands.handle(LeanCommand(action="close", group_id="g1", id="7")).ok
    assert desk.calls == [("close_group", "g1", "")]


def test_commands_with_attributes_are_read_like_mappings(control):
    """LEAN hands over an object whose missing fields are None."""
    hands, desk, _ = control
    data = SimpleNamespace(action="close", group_id="g1", limit=None, reason=None, which=None, id=7)

    assert hands.handle(data).ok
    assert desk.calls == [("close_group", "g1", "")]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "empty command"),
        ({}, "unknown action ''"),
        ({"action": "explode"}, "unknown action 'explode'"),
        ({"action": "close"}, "close needs group_id"),
        ({"action": "reset"}, "reset needs limit"),
        ({"action": "close", "group_id": ["g1"]}, "group_id is list"),
        ({"action": "groups", "which": "some"}, "use open or all"),
        ({"action": "close", "group_id": "nope"}, "no group 'nope'"),
        ({"action": "close", "group_id": "bug"}, "RuntimeError: boom"),
    ],
)
def test_a_malformed_command_says_why_and_raises_nothing(control, data, why):
    """Whatever arrives, the answer names the fault and nothing is raised."""
    hands, _, _ = control
    answer = hands.handle(data)

    assert not answer.ok
    assert why in answer.text


def test_a_command_delivered_twice_acts_once(control):
    """The same id answers the same again without acting."""
    hands, desk, _ = control
    first = hands.handle({"action": "flatten", "id": "42"})
    again = hands.handle({"action": "flatten", "id": "42"})

    assert first == again
    assert len(desk.calls) == 1


def test_status_and_groups_answer_with_data(control):
    """Questions are answered with JSON-able data."""
    hands, _, _ = control

    assert hands.handle({"action": "status"}).data == {"ready": True}
    assert hands.handle({"action": "groups", "which": "all"}).data == [{"id": "condor-000001", "which": "all"}]


def test_every_form_has_a_help_text():
    """The command list can be shown to a person."""
    assert all(form.help for form in FORMS.values())
