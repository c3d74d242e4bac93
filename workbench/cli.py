"""`atomic`: the command line around the embedded engine, the data generator and the journal.

Commands are imported when they are run, not before: `atomic --help` and a short backtest must start at once.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

#: name: (module, attribute, one line of help)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "backtest": ("workbench.commands.backtest", "backtest", "Run an algorithm on the embedded engine."),
    "chaos": ("workbench.campaign.command", "chaos", "Run groups under an adversarial broker, judged by an oracle."),
    "command": ("workbench.commands.live", "command", "Send an operator command to a running session."),
    "data": ("workbench.commands.data", "data", "Generate sample data in LEAN's format."),
    "live": ("workbench.commands.live", "live", "Trade an algorithm on paper over a data day."),
    "groups": ("workbench.commands.groups", "groups", "List, show, verify and repair what the journals hold."),
    "metrics": ("workbench.commands.metrics", "metrics", "Show a running session's figures as Prometheus text."),
    "watch": ("workbench.commands.watch", "watch", "Alert when nobody looks after open groups."),
}

#: packages that only some commands need, and the extra of pyproject.toml that brings them
EXTRAS = {"joblib": "campaign"}


class LazyGroup(click.Group):
    """A group whose commands are imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands without importing them."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, naming the ones there are when it does not exist."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise click.UsageError(f"no command {args[0]!r}: there is {', '.join(self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="atomic-lean", prog_name="atomic")
@click.option("--verbose", is_flag=True, help="Show the traceback of a failure.")
def cli(verbose: bool) -> None:
    """Order safety for QuantConnect LEAN: run, look at and test atomic option groups."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; every failure is one line on standard error.

    Returns:
        0 when done, 1 when a run failed, 2 when it was asked for something that cannot be, 130 when interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        result: Any = cli.main(arguments, prog_name="atomic", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else error.format_message())
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        problem: BaseException = error
        text, code = _line(error, arguments), error.exit_code
    except BrokenPipeError:
        return 0
    except ModuleNotFoundError as error:
        problem = error
        extra = EXTRAS.get(error.name or "")
        cure = f"install it with: pip install -e '.[{extra}]'" if extra else "is the project installed?"
        text, code = f"this needs the package {error.name}: {cure}", 2 if extra else 1
    except Exception as error:
        problem = error
        text, code = f"unexpected {type(error).__name__}: {error} (atomic --verbose ... shows the traceback)", 1
    if "--verbose" in arguments and (problem.__cause__ or not isinstance(problem, click.ClickException)):
        import traceback

        traceback.print_exception(problem)
    click.echo(f"Error: {text}", err=True)
    return code


def _line(error: click.ClickException, arguments: list[str]) -> str:
    """Return a failure as one line that names the cure."""
    text = " ".join(error.format_message().split())
    if isinstance(error, click.BadOptionUsage) and error.option_name in _FORMS:
        return f"{text.rstrip('.')}: write {_FORMS[error.option_name]}"
    if isinstance(error, click.UsageError) and ":" not in text.rstrip(":"):
        asked = next((name for name in arguments if name in COMMANDS), "COMMAND")
        command = error.ctx.command_path if error.ctx is not None else f"atomic {asked}"
        text = f"{text.rstrip('.')}: see {command} --help"
    return text


#: how options that take more than one value are written
_FORMS = {"--parameter": "--parameter NAME VALUE, such as --parameter quantity 2"}


def run() -> None:
    """Entry of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
