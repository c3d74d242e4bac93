"""What the command line says when something cannot be done: one line with the cure, and the exit code."""

from __future__ import annotations

import click


class UsageProblem(click.ClickException):
    """The command was asked for something that cannot be; nothing was run."""

    exit_code = 2


class RunFailed(click.ClickException):
    """The command ran and failed; results so far are kept."""

    exit_code = 1
