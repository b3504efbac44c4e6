"""hausbote user clients: which clients have access to an account, and keeping one out."""

import json
import time
from pathlib import Path

import click

from hausbote.base.clock import timestamp
from hausbote.cli.addresses import jid_argument, local_part
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.core.bus.control import notify
from hausbote.storage import Client


@click.command("clients")
@state_option
@jid_argument
@click.option("--revoke", metavar="ID", help="End this client's sessions and its tokens.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one object per line.")
def clients(state: Path, jid: str, revoke: str | None, as_json: bool) -> None:
    """List the clients that have logged in to an account, or revoke the access of one.

    Clients that do not say who they are cannot be told apart and are not listed.
    """
    settings = load_settings(state)
    local = local_part(settings, jid)
    with opened_store(settings) as store:
        if not store.accounts.exists(local):
            raise Problem(f"There is no account {jid}.")
        if revoke is None:
            for client in store.clients.all(local):
                click.echo(_as_json(client) if as_json else _line(client))
            return
        gone = store.clients.revoke(local, revoke)
    if gone is None:
        raise Problem(f"{jid} has no client {revoke}.")
    notify(settings.bus_dir, "c2s", {"account": local, "change": "revoked", "agent": gone.agent})
    click.echo("Its sessions and tokens have ended.")
    if gone.password:
        click.echo("It may know the password: only 'hausbote user passwd' keeps it out.")


def _access(client: Client) -> list[str]:
    ways = {"password": client.password, "token": client.tokens_until > time.time()}
    return [way for way, open in ways.items() if open]


def _line(client: Client) -> str:
    name = " on ".join(part for part in (client.software, client.device) if part) or "unnamed"
    access = ", ".join(_access(client)) or "no access"
    return f"{client.ref}  {timestamp(client.last_seen)}  {name} ({access})"


def _as_json(client: Client) -> str:
    told = client._asdict() | {"access": _access(client)}
    del told["agent"], told["password"], told["tokens_until"]
    return json.dumps(told, ensure_ascii=False)
