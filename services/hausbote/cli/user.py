"""hausbote user: accounts, while the box runs or not."""

import json
import sys
from pathlib import Path
from typing import Final, TextIO

import click

from hausbote.base.jid import InvalidJID, prepare_password
from hausbote.base.settings import Settings
from hausbote.cli.addresses import jid_argument, local_part
from hausbote.cli.clients import clients
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.cli.usage import show
from hausbote.core.bus.control import notify
from hausbote.features.account_names import doubts
from hausbote.storage import AccountExists, Store
from hausbote.xmpp.sasl import keys_for

_BATCH: Final = 200  # accounts per transaction

password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group("user")
def command() -> None:
    """Look after accounts."""


command.add_command(clients)
command.add_command(show)


@command.command("add")
@state_option
@jid_argument
@password_option
@click.option("--admin", is_flag=True, help="May administer the box.")
def add(state: Path, jid: str, password_stdin: bool, admin: bool) -> None:
    """Make an account."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    keys = keys_for(_password(password_stdin))
    with opened_store(settings) as store:
        doubt = doubts(settings, local, store.accounts.names())
        try:
            store.accounts.create(local, keys, admin=admin)
        except AccountExists:
            raise Problem(f"{jid} exists already.") from None
    click.echo(f"{local}@{settings.domain} can log in now.")
    if doubt is not None:
        click.echo(doubt, err=True)


@command.command("passwd")
@state_option
@jid_argument
@password_option
def passwd(state: Path, jid: str, password_stdin: bool) -> None:
    """Give an account another password; its clients have to log in again."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    keys = keys_for(_password(password_stdin))
    with opened_store(settings) as store:
        _known(store.accounts.set_keys(local, keys), jid)
    _tell(settings, local, "password")
    click.echo("The password was changed.")


@command.command("delete")
@state_option
@jid_argument
def delete(state: Path, jid: str) -> None:
    """Delete an account and everything that belongs to it."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        _known(store.accounts.delete(local, f"{local}@{settings.domain}"), jid)
    _tell(settings, local, "deleted")
    click.echo("The account was deleted.")


@command.command("lock")
@state_option
@jid_argument
def lock(state: Path, jid: str) -> None:
    """Keep an account, but let nobody log in to it."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        _known(store.accounts.set_locked(local, True), jid)
    _tell(settings, local, "locked")
    click.echo("The account is locked.")


@command.command("unlock")
@state_option
@jid_argument
def unlock(state: Path, jid: str) -> None:
    """Let an account log in again."""
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        _known(store.accounts.set_locked(local, False), jid)
    click.echo("The account can log in again.")


@command.command("list")
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object per line.")
def list_accounts(state: Path, as_json: bool) -> None:
    """List all accounts."""
    settings = load_settings(state)
    with opened_store(settings) as store:
        accounts = store.accounts.all()
    for account in accounts:
        jid = f"{account.local}@{settings.domain}"
        if as_json:
            click.echo(json.dumps({"jid": jid, **account._asdict()}, ensure_ascii=False))
        else:
            marks = [name for name in ("admin", "locked", "leaves") if getattr(account, name)]
            click.echo(" ".join([jid, *[f"({mark})" for mark in marks]]))


@command.command("import")
@state_option
@click.argument("file", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
def import_accounts(state: Path, file: TextIO) -> None:
    """Make many accounts, from lines of "jid password"."""
    settings = load_settings(state)
    rows = _rows(settings, file)
    taken: list[str] = []
    with (
        opened_store(settings) as store,
        click.progressbar(length=len(rows), label="Accounts", file=sys.stderr) as bar,
    ):
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            taken += _create(store, batch)
            bar.update(len(batch))
    click.echo(f"{len(rows) - len(taken)} accounts were made.")
    if taken:
        raise Problem(f"{len(taken)} existed already and were left alone: {_some(taken)}")


def _rows(settings: Settings, file: TextIO) -> list[tuple[str, str]]:
    """(local part, password) of every line; all bad lines are told at once."""
    problems = []
    rows: dict[str, str] = {}
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            local, password = _row(settings, line)
            if local in rows:
                raise Problem(f"{local} stands in an earlier line, too")
            rows[local] = password
        except Problem as problem:
            problems.append(f"line {number}: {problem}")
    if problems:
        raise Problem(*problems)
    return list(rows.items())


def _row(settings: Settings, line: str) -> tuple[str, str]:
    jid, _, password = line.rstrip("\r\n").partition(" ")
    if not password:
        raise Problem("a line has an address, a blank and a password")
    return local_part(settings, jid), _prepared(password)


def _create(store: Store, batch: list[tuple[str, str]]) -> list[str]:
    return store.accounts.create_many([(local, keys_for(password)) for local, password in batch])


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return _prepared(sys.stdin.readline().rstrip("\r\n"))
    if not sys.stdin.isatty():
        raise Problem("There is no terminal to ask for a password: use --password-stdin.")
    return _prepared(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _prepared(password: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in password):
        raise Problem("The password is not UTF-8")
    try:
        return prepare_password(password)
    except InvalidJID as problem:
        raise Problem(f"This cannot be a password: {problem}") from None


def _known(found: bool, jid: str) -> None:
    if not found:
        raise Problem(f"There is no account {jid}.")


def _tell(settings: Settings, local: str, change: str) -> None:
    """A running box ends the account's sessions; one that is not running has none."""
    notify(settings.bus_dir, "c2s", {"account": local, "change": change})
