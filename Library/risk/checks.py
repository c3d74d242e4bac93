"""The answer of a check: nothing, or a refusal that names the rule, the value and the limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something may not be sent.

    `rule` is a stable name (`max-loss`), `value` what was found, `limit` what the rule allows, both as they are shown.
    """

    rule: str
    value: str
    limit: str
    reason: str

    @property
    def check(self) -> str:
        """The rule's name, as the executor asks for it."""
        return self.rule

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason} (is {self.value}, allowed {self.limit})"
