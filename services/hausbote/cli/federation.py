"""hausbote federation: other servers, and what waits for them."""

import json
import time
from pathlib import Path
from typing import Any

import click

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.settings import Settings
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, opened_store, state_option
from hausbote.core.bus.control import notify, query_status
from hausbote.core.house import hosted
from hausbote.storage import MOST_RULES, Peer, Waiting

_NEVER = "never"
_RULES = {"change": "rules"}


@click.group("federation")
def command() -> None:
    """Look at other servers, at what waits for them, and decide with whom the box talks."""


@command.command("list")
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_peers(state: Path, as_json: bool) -> None:
    """One line for each server: streams, messages that wait, what is wrong."""
    servers = _servers(load_settings(state))
    if as_json:
        click.echo(json.dumps(servers, indent=2, ensure_ascii=False))
        return
    if not servers:
        click.echo("There was nothing to do with other servers yet.")
    for one in servers:
        waiting = f", {one['waiting']} waiting" if one["waiting"] else ""
        problem = f"; {one['problem']}" if one["problem"] else ""
        streams = f"in {one['streams_in']}, out {one['streams_out']}{waiting}"
        click.echo(f"{one['domain']}: {streams}{problem}")


@command.command("show")
@state_option
@click.argument("domain")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(state: Path, domain: str, as_json: bool) -> None:
    """Everything that is known of one server."""
    wanted = _prepared(domain)
    found = [one for one in _servers(load_settings(state)) if one["domain"] == wanted]
    if not found:
        raise Problem(f"There was nothing to do with {wanted} yet.")
    if as_json:
        click.echo(json.dumps(found[0], indent=2, ensure_ascii=False))
        return
    for line in _described(found[0]):
        click.echo(line)


@command.command("allow")
@state_option
@click.argument("domain")
def allow(state: Path, domain: str) -> None:
    """Talk with DOMAIN and all below it from now on, whatever the settings say."""
    wanted = _prepared(domain)
    _decide(load_settings(state), wanted, allowed=True)
    click.echo(f"The box talks with {wanted}.")


@command.command("deny")
@state_option
@click.argument("domain")
def deny(state: Path, domain: str) -> None:
    """Do not talk with DOMAIN and all below it any more; what waits for them goes back."""
    wanted = _prepared(domain)
    _decide(load_settings(state), wanted, allowed=False)
    click.echo(f"The box does not talk with {wanted} any more.")


@command.command("forget")
@state_option
@click.argument("domain")
def forget(state: Path, domain: str) -> None:
    """Take back what 'allow' or 'deny' said of DOMAIN: the settings decide again."""
    settings, wanted = load_settings(state), _prepared(domain)
    with opened_store(settings) as store:
        if not store.server_rules.forget(wanted):
            raise Problem(f"Nothing was decided about {wanted}.")
    notify(settings.bus_dir, "s2s", _RULES)
    click.echo(f"The settings decide about {wanted} again.")


@command.command("rules")
@state_option
def rules(state: Path) -> None:
    """What 'allow' and 'deny' have said; the settings have more, in [federation]."""
    with opened_store(load_settings(state)) as store:
        found = store.server_rules.all()
    if not found:
        click.echo("Nothing was decided beside the settings.")
    for one in found:
        word = "allowed" if one.allowed else "denied"
        click.echo(f"{one.domain}: {word} since {_time(one.decided)}")


def _decide(settings: Settings, domain: str, *, allowed: bool) -> None:
    """A box that does not run goes by it when it starts."""
    if domain in hosted(settings):
        raise Problem(f"{domain} is this box itself.")
    with opened_store(settings) as store:
        if not store.server_rules.decide(domain, time.time(), allowed=allowed):
            raise Problem(
                f"There are {MOST_RULES} of them already: 'hausbote federation forget' makes room."
            )
    notify(settings.bus_dir, "s2s", _RULES)


@command.group("queue", invoke_without_command=True)
@state_option
@click.pass_context
def queue(context: click.Context, state: Path) -> None:
    """What waits for servers that cannot be reached."""
    context.obj = state
    if context.invoked_subcommand is None:
        _show_queue(load_settings(state))


@queue.command("flush")
@click.argument("domain", default="")
@click.pass_context
def flush(context: click.Context, domain: str) -> None:
    """Try to reach those servers now, all of them or one."""
    settings = load_settings(context.obj)
    message = {"change": "flush", "domain": _prepared(domain) if domain else ""}
    if not notify(settings.bus_dir, "s2s", message):
        raise Problem("The box is not running, or does not talk with other servers.")
    click.echo("They are being tried now; 'hausbote federation list' tells what comes of it.")


def _show_queue(settings: Settings) -> None:
    with opened_store(settings) as store:
        waiting = store.outgoing.waiting()
    if not waiting:
        click.echo("Nothing waits.")
    for one in waiting:
        click.echo(
            f"{one.remote}: {one.messages} from {one.local}, {one.size / 1_000:.0f} KB, "
            f"since {_time(one.since)}"
        )


def _servers(settings: Settings) -> list[dict[str, Any]]:
    """What is remembered of each server, together with how it is now."""
    with opened_store(settings) as store:
        known = {peer.domain: peer for peer in store.peers.all()}
        waiting: dict[str, list[Waiting]] = {}
        for one in store.outgoing.waiting():
            waiting.setdefault(one.remote, []).append(one)
    now: Any = (query_status(settings.bus_dir, "s2s") or {}).get("peers", {})
    domains = sorted({*known, *waiting, *now})
    return [
        _server(known.get(domain, Peer(domain)), waiting.get(domain, []), now.get(domain, {}))
        for domain in domains
    ]


def _server(peer: Peer, waiting: list[Waiting], now: dict[str, Any]) -> dict[str, Any]:
    return {
        "domain": peer.domain,
        "streams_in": now.get("in", 0),
        "streams_out": now.get("out", 0),
        "reached": peer.reached_at or None,
        "heard": peer.heard_at or None,
        "failed": peer.failed_at or None,
        "cause": peer.cause,
        "problem": now.get("problem") or (peer.sentence if peer.cause else ""),
        "next_attempt": now.get("next"),
        "fingerprint": peer.fingerprint,
        "certificate_ends": peer.expires_at or None,
        "authority": peer.authority,
        "waiting": sum(one.messages for one in waiting),
        "waiting_since": min((one.since for one in waiting), default=None),
    }


def _described(server: dict[str, Any]) -> list[str]:
    lines = [
        server["domain"],
        f"  streams        {server['streams_in']} from there, {server['streams_out']} to there",
        f"  last reached   {_time(server['reached'])}",
        f"  last heard of  {_time(server['heard'])}",
    ]
    if server["fingerprint"]:
        lines += [
            f"  certificate    {server['fingerprint']}",
            f"                 by {server['authority']}, until {_time(server['certificate_ends'])}",
        ]
    if server["problem"]:
        lines += [f"  problem        {server['problem']}"]
        lines += [f"                 ({server['cause']}, {_time(server['failed'])})"]
    if server["next_attempt"] is not None:
        lines += [f"  next attempt   in {server['next_attempt']} s"]
    if server["waiting"]:
        since = _time(server["waiting_since"])
        lines += [f"  waiting        {server['waiting']} messages, since {since}"]
    return lines


def _time(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else _NEVER


def _prepared(domain: str) -> str:
    try:
        return prepare_domain(domain)
    except InvalidJID as problem:
        raise Problem(f"{domain}: {problem}") from None
