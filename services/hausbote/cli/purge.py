"""hausbote purge: makes room on the disk."""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from hausbote.base.believed_clock import possible_times
from hausbote.base.settings import Settings
from hausbote.cli.addresses import local_part
from hausbote.cli.leftovers import backups, old_logs, remove, size_of
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.cli.supervision import processes
from hausbote.storage import StorageError, Store, path_of, shrink

_DAY: Final = 86_400.0  # seconds
_MB: Final = 1_048_576


@click.command("purge")
@state_option
@click.option("--logs", is_flag=True, help="Logs that were put aside.")
@click.option("--backups", "copies", is_flag=True, help="Copies of the database before updates.")
@click.option("--days", type=click.IntRange(0), help="Messages in archives older than that.")
@click.option("--account", "jid", metavar="JID", help="With --days: only of this account.")
@click.option("--room", metavar="NAME", help="With --days: only of this room.")
@click.option("--shrink", "smaller", is_flag=True, help="Give back what is free in the database.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(
    state: Path,
    logs: bool,
    copies: bool,
    days: int | None,
    jid: str | None,
    room: str | None,
    smaller: bool,
    yes: bool,
) -> None:
    """Delete what can be done without, after saying what that is. Without options: only say it.

    What is deleted from the database leaves room inside it, which is used before the disk is.
    """
    settings = load_settings(state)
    if (jid or room) and days is None:
        raise Problem("--account and --room go with --days.")
    if smaller and processes(settings) is not None:
        raise Problem("The database can only be made smaller while the box does not run.")
    files = [*(old_logs(settings) if logs else ()), *(backups(settings) if copies else ())]
    if not (logs or copies or days is not None or smaller):
        _propose(settings)
        return
    if files:
        click.echo(f"{_mb(size_of(files))} in {len(files)} files: {', '.join(map(_name, files))}.")
    if days is not None:
        _refuse_doubted_clock(settings)
    if days is None:
        if files:
            _ask(yes)
        remove(files)  # first of all, and without the database: it may need the room to be opened
    else:
        _purge_archives(settings, files, days, jid, room, yes)
    if smaller:
        _shrink(settings)


def _propose(settings: Settings) -> None:
    logs, copies = old_logs(settings), backups(settings)
    click.echo(f"--logs would delete {_mb(size_of(logs))} in {len(logs)} logs put aside.")
    click.echo(f"--backups would delete {_mb(size_of(copies))} in {len(copies)} old databases.")
    now = min(possible_times(settings.clock_mark))
    with opened_store(settings) as store:
        for days in (0, 7, 30):
            accounts, rooms = _counts(store, now - days * _DAY, None, None)
            click.echo(
                f"--days {days} would delete {accounts} messages in archives of accounts and"
                f" {rooms} in those of rooms."
            )
        spare = store.usage.spare()
    click.echo(f"--shrink would give back {_mb(spare)}, which are free in the database.")


def _purge_archives(
    settings: Settings, files: list[Path], days: int, jid: str | None, room: str | None, yes: bool
) -> None:
    local = None if jid is None else local_part(settings, jid)
    before = time.time() - days * _DAY
    if not yes:
        with opened_store(settings) as store:
            _known(store, local, room)
            accounts, rooms = _counts(store, before, local, room)
        click.echo(
            f"{accounts} messages in archives of accounts and {rooms} in those of rooms, which are"
            f" older than {days} days."
        )
    _ask(yes)
    remove(files)
    with opened_store(settings) as store:
        _known(store, local, room)
        gone, said = 0, 0
        if local is not None or room is None:
            gone = store.usage.purge_archives(before, local)
        if room is not None or local is None:
            said = store.usage.purge_rooms(before, room)
        store.usage.shorten_log()
        spare = store.usage.spare()
    click.echo(f"{gone} messages of accounts and {said} of rooms were deleted.")
    click.echo(f"{_mb(spare)} are free in the database now, for what comes next.")


def _refuse_doubted_clock(settings: Settings) -> None:
    """By a clock that runs ahead everything is old."""
    wall, right = possible_times(settings.clock_mark)
    if wall != right:
        says, was = (datetime.fromtimestamp(one, UTC) for one in (wall, right))
        raise Problem(
            f"Nothing was deleted: the clock of this machine says {says:%Y-%m-%d %H:%M} UTC, and it"
            f" was {was:%Y-%m-%d %H:%M} UTC when it was last known to be right. If it is right now,"
            " 'hausbote clock accept' says so."
        )


def _counts(store: Store, before: float, local: str | None, room: str | None) -> tuple[int, int]:
    accounts = 0 if room is not None and local is None else store.usage.older(before, local)
    rooms = 0 if local is not None and room is None else store.usage.older_in_rooms(before, room)
    return accounts, rooms


def _known(store: Store, local: str | None, room: str | None) -> None:
    if local is not None and not store.accounts.exists(local):
        raise Problem(f"There is no account {local}.")
    if room is not None and store.rooms.find(room) is None:
        raise Problem(f"There is no room {room}.")


def _ask(yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem("Nothing was deleted: there is no terminal to ask. --yes does not ask.")
    click.confirm("Delete that for ever?", abort=True)


def _shrink(settings: Settings) -> None:
    try:
        freed = shrink(settings.database_url)
    except StorageError as error:
        raise Problem(str(error)) from None
    click.echo(f"{path_of(settings.database_url).name} is {_mb(freed)} smaller.")


def _mb(size: int) -> str:
    return f"{size / _MB:.1f} MB"


def _name(path: Path) -> str:
    return path.name
