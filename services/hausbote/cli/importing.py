"""hausbote import: accounts that another server, or another box, has exported (XEP-0227)."""

import sys
import time
from pathlib import Path
from typing import Final

import click

from hausbote.base.settings import Settings
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.core.bus.control import notify
from hausbote.moving.files import MovingError, Place, files_of
from hausbote.moving.importing import Imported, Importer, Survey, survey
from hausbote.storage import Store
from hausbote.xmpp.sasl import HASHES

_DAY: Final = 86_400.0  # seconds
_MOST_TOLD: Final = 20  # things that could not be taken over


@click.command("import")
@state_option
@click.option("--admins", is_flag=True, help="Who administered the other box does so here.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE...",
)
def command(state: Path, admins: bool, files: tuple[Path, ...]) -> None:
    """Make the accounts that are in FILE, which another server or another box has written
    (XEP-0227): with their passwords, contacts, messages, bookmarks and what they publish.

    FILE may as well be the directory in which Prosody keeps its data, or what 'ejabberdctl dump'
    has written. Any other directory stands for all files in it that are called something.xml. The
    box may run meanwhile: each account is there when all of it is. Accounts that are there already
    are left alone.
    """
    settings = load_settings(state)
    try:
        _import(settings, files_of(list(files)), admins)
    except MovingError as error:
        raise Problem(str(error)) from None


def _import(settings: Settings, files: list[Path], admins: bool) -> None:
    size = sum(map(_size, files))  # what they include comes on top
    with click.progressbar(length=size, label="Looking", file=sys.stderr) as bar:
        found = survey(settings, files, bar.update)
    _tell_of_others(settings, found)
    if not found.names:
        raise Problem(f"There are no accounts of {settings.domain} in it; nothing was changed.")
    notes = _Notes()
    with opened_store(settings) as store:
        importer = Importer(
            settings, store, notes.note, lambda local: _tell_service(settings, local), admins=admins
        )
        try:
            with click.progressbar(length=size, label="Writing", file=sys.stderr) as bar:
                importer.run(files, bar.update)
        finally:
            notes.tell()
            _sum_up(settings, store, importer.done)
    if importer.done.taken:
        raise Problem(
            f"{len(importer.done.taken)} accounts were there already and were left alone:"
            f" {_some(importer.done.taken)}."
        )


def _size(path: Path) -> int:
    """Of a file, or of all in a directory."""
    if path.is_dir():
        return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    return path.stat().st_size


def _tell_of_others(settings: Settings, found: Survey) -> None:
    for domain, number in found.others.items():
        click.echo(
            f"{number} accounts of {domain} are left out: this box is {settings.domain}.", err=True
        )


def _tell_service(settings: Settings, local: str) -> None:
    """A running box reads some lists once, and looks again."""
    notify(settings.bus_dir, "c2s", {"change": "imported", "account": local})


def _sum_up(settings: Settings, store: Store, done: Imported) -> None:
    click.echo(f"{len(done.made)} accounts were made.")
    if done.without:
        click.echo(
            f"Nobody can log in to {_some(done.without)} yet: 'hausbote user passwd' gives a"
            " password.",
            err=True,
        )
    lacking = [hash for hash in HASHES if not store.accounts.everybody_has(hash)]
    if done.made and lacking and len(lacking) < len(HASHES):
        click.echo(
            f"Some accounts have no keys for SCRAM-{lacking[0]}, so it is offered to nobody until"
            " these have a new password.",
            err=True,
        )
    _warn_of_old_messages(settings, store, done)


def _warn_of_old_messages(settings: Settings, store: Store, done: Imported) -> None:
    days = settings.retention.archive_days
    before = time.time() - days * _DAY
    old = sum(store.usage.older(before, local) for local in done.made) if days else 0
    if old:
        click.echo(
            f"{old} messages are older than {days} days, and a running box deletes them within the"
            " hour: raise retention.archive_days before that to keep them.",
            err=True,
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


class _Notes:
    """What could not be taken over: the first of it, and how much else."""

    def __init__(self) -> None:
        self._told: list[str] = []
        self._number = 0

    def note(self, place: Place, why: str) -> None:
        self._number += 1
        if self._number <= _MOST_TOLD:
            self._told.append(f"{place}: {why}; it is left out.")

    def tell(self) -> None:
        for sentence in self._told:
            click.echo(sentence, err=True)
        if self._number > _MOST_TOLD:
            click.echo(f"{self._number - _MOST_TOLD} more things were left out.", err=True)
