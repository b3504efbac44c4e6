"""The hausbote command: makes a box, runs it, asks it, and looks after its accounts."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from hausbote import __version__
from hausbote.cli.problem import Problem

# One module per command, imported when it is used: a command stays quick, and needs no more than
# it uses.
_COMMANDS: Final = {
    "init": "initialise",
    "run": "run",
    "status": "status",
    "check": "check",
    "clock": "clock",
    "user": "user",
    "invite": "invite",
    "certificate": "certificate",
    "circle": "circle",
    "files": "files",
    "usage": "usage",
    "purge": "purge",
    "backup": "backup",
    "export": "exporting",
    "import": "importing",
    "config": "config",
    "federation": "federation",
    "relay": "relay",
    "front": "front",
    "upgrade": "upgrade",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(f"hausbote.cli.{module}").command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hausbote")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    envvar="HAUSBOTE_STATE",
    show_default=True,
    help="Directory of the box.",
)
@click.pass_context
def hausbote(context: click.Context, state: Path) -> None:
    """A private messenger box: an XMPP server for a household, a club or a small firm."""
    context.obj = state


def main() -> None:
    """The entry point: every problem ends as a sentence."""
    try:
        hausbote(standalone_mode=False)
    except Problem as problem:
        for sentence in problem.sentences:
            click.echo(sentence, err=True)
        sys.exit(problem.code)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"{where}{error.strerror or error}", err=True)
        sys.exit(1)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
