"""hausbote upgrade: what an upgrade does to the box itself.

`make upgrade` on the machine (tools/upgrade.py) is in charge of images and containers.  It has
`conduct` run in a container, which does with the volume what it is told to.
"""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import click

from hausbote.backup import restoring, upgrading
from hausbote.backup.errors import BackupError
from hausbote.base.file_locks import Held, locked
from hausbote.base.settings import Settings, SettingsError
from hausbote.base.trial import take_charge
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, state_option
from hausbote.storage import StorageError

_PATIENCE: Final = 60.0  # seconds that services may take to end


@click.group("upgrade")
def command() -> None:
    """Take back an upgrade. On a machine with containers, 'make upgrade' makes one."""


@command.command("undo")
@state_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def undo(state: Path, yes: bool) -> None:
    """Put back the database that a newer Hausbote has brought up to date.

    To be called with the older Hausbote that shall have it. The box must not run. What came since
    is lost to it, and kept beside it.
    """
    if not yes and not sys.stdin.isatty():
        raise Problem("Nothing was changed: there is no terminal to ask. --yes does not ask.")
    if not yes:
        click.confirm(
            "Put back the database of before? What people wrote since is lost", abort=True
        )
    try:
        with restoring.alone(state) as recovered:
            if recovered:
                click.echo(recovered)
            done = upgrading.undo(load_settings(state))
    except BackupError as error:
        raise Problem(str(error)) from None
    except StorageError as error:
        raise Problem(f"{error}.") from None
    if done is None:
        click.echo("This Hausbote can use the database as it is.")
    else:
        click.echo(f"{done[0]} is the database now. What came since is in {done[1]}.")


@command.command("conduct", hidden=True)
@state_option
def conduct(state: Path) -> None:
    """Be in charge of an upgrade until there is no more input.

    A line is a step: save, take-back, keep. Each is answered by a line of JSON: the reason why it
    could not be done, or null; the first null says that it is in charge.
    """
    lock = take_charge(state)
    if lock is None:
        raise Problem("Another upgrade of this box is under way.")
    with ExitStack() as held:
        _Steps(state, held).follow()


class _Steps:
    """What whoever is in charge is told to do."""

    def __init__(self, state: Path, held: ExitStack) -> None:
        self._state = state
        self._held = held

    def follow(self) -> None:
        self._answer(None)
        steps: dict[str, Callable[[], None]] = {
            "save": self._save,
            "take-back": lambda: upgrading.take_back(self._state),
            "keep": lambda: upgrading.keep(self._state),
        }
        for line in sys.stdin:
            try:
                with locked(self._state / "box.lock", patience=_PATIENCE):
                    steps[line.strip()]()
                self._answer(None)
            except Held:
                self._answer("Something still uses the box: a backup, or a service.")
            except SettingsError as error:
                self._answer(error.problems[0])
            except (StorageError, BackupError) as error:
                self._answer(f"{error}.")
            except OSError as error:
                self._answer(f"{error.filename or self._state}: {error.strerror}.")

    def _answer(self, what: object) -> None:
        click.echo(json.dumps(what))
        sys.stdout.flush()

    def _save(self) -> None:
        settings = Settings.load(self._state)
        settings.backup_dir.mkdir(mode=0o700, exist_ok=True)
        # As long as somebody is in charge nobody removes a file: what is taken back may need it.
        self._held.enter_context(locked(settings.files_lock, shared=True, patience=_PATIENCE))
        upgrading.save(settings)
