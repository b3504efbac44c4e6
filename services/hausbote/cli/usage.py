"""hausbote usage: what fills the disk, and whose it is."""

import json
from pathlib import Path
from typing import Any, Final

import click

from hausbote.base.settings import Settings
from hausbote.cli.addresses import jid_argument, local_part
from hausbote.cli.leftovers import backups, old_logs, size_of
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.storage import AccountUsage, RoomUsage, Store, path_of

_MB: Final = 1_048_576
_ACCOUNT: Final = ("archive", "offline", "published", "private", "rooms", "files", "total")
_ROOM: Final = ("archive", "config", "described", "total")

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.command("usage")
@state_option
@json_option
def command(state: Path, as_json: bool) -> None:
    """Tell what fills the disk: all together, then every account and every room in bytes, the
    largest first.

    Of an account: messages in its archive and those that wait for it, what it publishes, what it
    keeps for itself (private XML, vCard, contacts and lists), rooms that it has made, and files. A
    message in the archives of two people is on the disk once and counts for both.
    """
    settings = load_settings(state)
    with opened_store(settings) as store:
        disk = _disk(settings, store)
        accounts = sorted(store.usage.accounts(settings.domain), key=lambda u: -u.total)
        rooms = sorted(store.usage.rooms(), key=lambda u: -u.total)
    told = [_account(settings, one) for one in accounts]
    if as_json:
        found = {"disk": disk, "accounts": told, "rooms": [_room(settings, one) for one in rooms]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for name, size in disk.items():
        click.echo(f"{size / _MB:>12,.1f} MB  {name.replace('_', ' ')}")
    _table(told, _ACCOUNT, "account")
    _table([_room(settings, one) for one in rooms], _ROOM, "room")


@click.command("show")
@state_option
@jid_argument
@json_option
def show(state: Path, jid: str, as_json: bool) -> None:
    """Tell how many bytes of an account are on the disk; 'hausbote usage' says what they are."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        found = store.usage.accounts(settings.domain, local)
    if not found:
        raise Problem(f"There is no account {jid}.")
    told = _account(settings, found[0])
    if as_json:
        click.echo(json.dumps(told))
    else:
        _table([told], _ACCOUNT, "account")


def _disk(settings: Settings, store: Store) -> dict[str, int]:
    """Bytes of everything that has a place of its own."""
    database, usage = path_of(settings.database_url), store.usage
    log = database.with_name(f"{database.name}-wal")
    return {
        "free": store.reserve.free,
        "reserved": store.reserve.size,
        "database": size_of((database, log)),
        "free_in_database": usage.spare(),
        "waiting_for_other_servers": usage.outgoing(),
        "files": sum(one.bytes for one in store.uploads.usage()),
        "logs": size_of(settings.log_dir.glob("*")),
        "old_logs": size_of(old_logs(settings)),
        "backups": size_of(backups(settings)),
    }


def _account(settings: Settings, usage: AccountUsage) -> dict[str, Any]:
    jid = f"{usage.local}@{settings.domain}"
    return {"account": jid, **usage._asdict(), "total": usage.total}


def _room(settings: Settings, usage: RoomUsage) -> dict[str, Any]:
    jid = f"{usage.local}@{settings.names.rooms}"
    return {"room": jid, **usage._asdict(), "total": usage.total}


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...], name: str) -> None:
    if rows:
        click.echo("\n" + "".join(f"{column:>13}" for column in columns) + f"  {name}")
    for row in rows:
        click.echo("".join(f"{row[column]:>13}" for column in columns) + f"  {row[name]}")
