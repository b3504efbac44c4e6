"""What `hausbote run` says when all services are there."""

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from hausbote.base.claim import read_code, write_claim
from hausbote.base.services import open_ports
from hausbote.base.settings import Settings
from hausbote.cli.state import opened_store
from hausbote.cli.supervision import programs
from hausbote.net.in_use import in_use
from hausbote.turn.networks import outward_addresses
from hausbote.xmpp.expat import advice, outdated


def what_next(settings: Settings, state: Path) -> str:
    """Where the box is, and what its owner could do."""
    program = Path(sys.executable).with_name("hausbote")
    command = os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)
    where = "" if str(state) == "var" else f" --state {shlex.quote(str(state))}"
    lines = [
        f"Hausbote runs for {settings.domain}.",
        *_ports(settings),
        *_calls(settings),
        advice(old) if (old := outdated()) else "",
        *_next_steps(settings, state, f"{command}{where}"),
        "Ctrl-C stops everything.",
    ]
    return "\n".join(line for line in lines if line)


def _next_steps(settings: Settings, state: Path, command: str) -> Iterator[str]:
    claim = list(claim_steps(settings))
    yield from claim
    yield "Or, in another terminal:" if claim else "What to do next, in another terminal:"
    yield f"  {command} user add you@{settings.domain} --admin"
    yield f"  then log in with any XMPP client{_trust(settings, state)}"
    yield f"  {command} status"


def claim_steps(settings: Settings) -> Iterator[str]:
    """How the box becomes somebody's, if it is nobody's; claim.txt says the same from then on."""
    code = read_code(settings.state) if settings.has_portal else ""
    if code and not _has_administrator(settings):
        yield "Nobody has claimed this box yet. Open this in a browser, and it is yours:"
        yield f"  {write_claim(settings, settings.state, code, _host(settings))}"


def _has_administrator(settings: Settings) -> bool:
    with opened_store(settings) as store:
        return bool(store.accounts.admins())


def _host(settings: Settings) -> str:
    """By what a browser finds a box whose domain may not lead here yet; "" is the domain."""
    if settings.domain == "localhost":
        return ""
    if settings.address not in ("::", "0.0.0.0"):  # noqa: S104 - all of them
        return settings.address
    found = outward_addresses()
    return str(found[0]) if found else ""


def _trust(settings: Settings, state: Path) -> str:
    shown = in_use(settings)
    own = shown is None or shown.own
    return f"; it must trust {state / 'certs' / 'ca.pem'}" if own else ""


def _ports(settings: Settings) -> Iterator[str]:
    for service in programs(settings):
        for port, number in open_ports(settings, service):
            where = settings.relay_host if service.name == "relay" else settings.address
            yield f"  {where} port {number}: {port.use}"


def _calls(settings: Settings) -> Iterator[str]:
    relay, names = settings.relay, [one.name for one in programs(settings)]
    if "relay" in names:
        yield f"  UDP ports {relay.first_port} to {relay.last_port}: the calls themselves"
    elif relay.run == "here":
        yield "  no relay for calls: between networks they need coturn (apt install coturn)"
