"""hausbote export: accounts as other servers can read them (XEP-0227)."""

import os
import sys
from pathlib import Path

import click

from hausbote.base.settings import Settings
from hausbote.cli.addresses import local_part
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.moving.exporting import export
from hausbote.storage import Account, Store


@click.command("export")
@state_option
@click.option("--account", "jid", metavar="JID", help="This account alone.")
@click.option("--all", "everybody", is_flag=True, help="All accounts.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def command(state: Path, jid: str | None, everybody: bool, file: Path) -> None:
    """Write accounts into FILE, for another box or another server (XEP-0227).

    With contacts, messages, bookmarks, what people publish and the keys of their passwords; without
    rooms and files. The box may run meanwhile.
    """
    if (jid is None) == (not everybody):
        raise Problem("Say which: --account NAME@DOMAIN, or --all.")
    settings = load_settings(state)
    if file.exists():
        raise Problem(f"{file} exists already.")
    with opened_store(settings) as store:
        accounts = _accounts(settings, store, jid)
        size = _write(settings, store, accounts, file)
    click.echo(
        f"{len(accounts)} accounts are in {file} ({size:,} bytes). It holds the keys of passwords,"
        " and messages: keep it as you keep these, and delete it when it has been used."
    )


def _accounts(settings: Settings, store: Store, jid: str | None) -> list[Account]:
    if jid is None:
        return store.accounts.all()
    account = store.accounts.get(local_part(settings, jid))
    if account is None:
        raise Problem(f"There is no account {jid}.")
    return [account]


def _write(settings: Settings, store: Store, accounts: list[Account], file: Path) -> int:
    """Beside its place first, so that the file is there whole or not at all; its owner's eyes only
    from its first moment on."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}.part")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with (
            os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out,
            click.progressbar(length=len(accounts), label="Accounts", file=sys.stderr) as bar,
        ):
            for piece in export(settings, store, accounts):
                out.write(piece)
                if piece == "</user>\n":
                    bar.update(1)
            out.flush()
            os.fsync(out.fileno())
            size = out.tell()
        os.link(unfinished, file)  # never in the place of a file that has come meanwhile
    finally:
        unfinished.unlink(missing_ok=True)
    return size
