"""hausbote files: what people have uploaded."""

import json
from pathlib import Path

import click

from hausbote.base.clock import timestamp
from hausbote.base.settings import Settings
from hausbote.cli.addresses import jid_argument, local_part
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.core.bus.control import notify
from hausbote.storage import Store
from hausbote.upload.depot import Depot, remove_files
from hausbote.upload.scrub import damaged, strays

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, one object per line.")


@click.group("files")
def command() -> None:
    """Look after uploaded files."""


@command.command("list")
@state_option
@jid_argument
@json_option
def list_files(state: Path, jid: str, as_json: bool) -> None:
    """List the files of an account, the oldest first."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        _known(store, local, jid)
        uploads = store.uploads.of(local)
    for one in uploads:
        told = one._asdict() | {"digest": one.digest.hex()}
        line = f"{one.id}  {timestamp(one.uploaded)}  {one.size:>12}  {one.type}  {one.name}"
        click.echo(json.dumps(told, ensure_ascii=False) if as_json else line)


@command.command("usage")
@state_option
@json_option
def usage(state: Path, as_json: bool) -> None:
    """Tell how much each account has uploaded, and all together."""
    settings = load_settings(state)
    with opened_store(settings) as store:
        rows = store.uploads.usage()
    for row in rows:
        jid = f"{row.local}@{settings.domain}"
        told = {"jid": jid, "files": row.files, "bytes": row.bytes}
        click.echo(json.dumps(told) if as_json else f"{row.bytes:>14} {row.files:>7}  {jid}")
    if not as_json:
        total = sum(row.bytes for row in rows), sum(row.files for row in rows)
        click.echo(f"{total[0]:>14} {total[1]:>7}  all together")


@command.command("delete")
@state_option
@jid_argument
@click.option("--file", "id", metavar="ID", help="Only this one.")
def delete(state: Path, jid: str, id: str | None) -> None:
    """Delete all files of an account, or one of them."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        _known(store, local, jid)
        if id is not None and id not in {one.id for one in store.uploads.of(local)}:
            raise Problem(f"{jid} has no file {id}.")
        count = len(store.uploads.of(local)) if id is None else 1
        store.uploads.delete(local, id)
        if not notify(settings.bus_dir, "upload", {"change": "deleted"}):
            _remove_now(settings, store)
    click.echo(f"{count} {'file was' if count == 1 else 'files were'} deleted.")


@command.command("scrub")
@state_option
def scrub(state: Path) -> None:
    """Read all files and tell which are damaged, missing, or nobody's."""
    settings = load_settings(state)
    depot = Depot(settings.uploads_dir)
    with opened_store(settings) as store:
        uploads = store.uploads.all()
        problems = [*damaged(depot, store, uploads), *strays(depot, store)]
    if problems:
        raise Problem(*problems)
    click.echo(f"{len(uploads)} {'file is' if len(uploads) == 1 else 'files are'} as uploaded.")


def _remove_now(settings: Settings, store: Store) -> None:
    """What the service would do if it ran; while a backup is made, it is left to that."""
    depot = Depot(settings.uploads_dir)
    while (ids := store.uploads.gone(100)) and remove_files(depot, ids, settings.files_lock):
        store.uploads.forget(ids)


def _known(store: Store, local: str, jid: str) -> None:
    if not store.accounts.exists(local):
        raise Problem(f"There is no account {jid}.")
