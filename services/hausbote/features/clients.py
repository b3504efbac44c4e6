"""Seeing which clients have access to one's account, and revoking it (XEP-0494).

A client is an installation that has an id (XEP-0388), or else a session.  What knows the password
can only be kept out by another password: its sessions and tokens end all the same, and whoever
revoked it is told that this is not all.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from hausbote.base.clock import timestamp
from hausbote.base.tokens import token
from hausbote.core import dispatch
from hausbote.core.directory import Account
from hausbote.core.feature import Feature, Moment, Target
from hausbote.core.host import Host
from hausbote.core.request import Request
from hausbote.core.session import Session
from hausbote.storage import Client
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Forbidden,
    ItemNotFound,
    ServiceUnavailable,
    StreamError,
)
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, el

feature = Feature("clients", xeps={"0494": "0.1.0"}, account_disco=(ns.CLIENT_ACCESS,))

BROWSERS: Final = "portal:"  # what the ids of browsers begin with that are logged in to the portal
_DAY: Final = 86_400  # seconds


class Agent(NamedTuple):
    """What a client said of itself; `id` is "" if it keeps that to itself."""

    id: str = ""
    software: str = ""
    device: str = ""

    @property
    def is_browser(self) -> bool:
        """Whether a page of the portal has logged in, which nobody has typed a password into."""
        return self.id.startswith(BROWSERS)


class Access:
    """The client behind a session, and since when it is here."""

    __slots__ = ("agent", "ref", "since")

    def __init__(self) -> None:
        self.agent = Agent()
        self.ref = token(72)  # names a session whose client has no id
        self.since = 0.0


@feature.iq("get", ns.CLIENT_ACCESS, "list", Target.ACCOUNT)
def list_clients(request: Request) -> Child:
    account = _own_account(request)
    clients = request.host.store.clients.all(account.local)
    here = {session.state(Access).agent.id for session in account.sessions.values()}
    now = request.host.clock()
    shown = [
        _known(client, client.agent in here, now)
        for client in clients
        if client.agent in here or client.password or client.tokens_until > now
    ]
    nameless = [s for s in account.sessions.values() if not s.state(Access).agent.id]
    return child(ns.CLIENT_ACCESS, "clients", *shown, *[_session(s, now) for s in nameless])


@feature.iq("set", ns.CLIENT_ACCESS, "revoke", Target.ACCOUNT)
def revoke(request: Request) -> None:
    account, host = _own_account(request), request.host
    ref = request.tree().get("id")
    if not ref:
        raise BadRequest("which client?")
    gone = host.store.clients.revoke(account.local, ref)
    if gone is not None:
        sessions, password = list(_of_agent(account, gone.agent)), gone.password
    else:
        sessions, password = [s for s in _nameless(account) if s.state(Access).ref == ref], True
        if not sessions:
            raise ItemNotFound("there is no such client")
    if password:
        end_sessions(host, [s for s in sessions if s is not request.session])
        needed = el("password-reset-required", xmlns=ns.CLIENT_ACCESS)
        raise ServiceUnavailable("it may know the password: change that", extra=needed)
    request.afterwards.append(lambda: end_sessions(host, sessions))


def end_sessions(host: Host, sessions: list[Session]) -> None:
    """They were told to go by the account's owner."""
    for session in sessions:
        session.transport.end(StreamError("not-authorized", "access was revoked"))
        dispatch.gone(host, session)


def end_agents_sessions(host: Host, local: str, agent: str) -> None:
    """End what a client has here whose access was revoked from outside."""
    account = host.directory.online(local)
    if account is not None:
        end_sessions(host, list(_of_agent(account, agent)))


@feature.on(Moment.GONE)
def note(host: Host, session: Session) -> None:
    agent = session.state(Access).agent
    if agent.id:
        host.store.clients.seen(session.account.local, agent.id, int(host.clock()))


def forget_old_clients(host: Host) -> None:
    """Nobody needs to know for ever who was here once; those that are here stay."""
    days, now = host.settings.retention.clients_days, int(host.surely())
    if days:
        for session in host.directory.everybody():
            agent = session.state(Access).agent
            if agent.id:
                host.store.clients.seen(session.account.local, agent.id, now)
        host.store.clients.prune(now - days * _DAY)


def _of_agent(account: Account, agent: str) -> Iterator[Session]:
    return (s for s in account.sessions.values() if s.state(Access).agent.id == agent)


def _nameless(account: Account) -> Iterator[Session]:
    return _of_agent(account, "")


def _own_account(request: Request) -> Account:
    if request.session is None or not request.own:
        raise Forbidden  # the same for accounts that do not exist
    return request.session.account


def _known(client: Client, connected: bool, now: float) -> Markup:
    last_seen = now if connected else client.last_seen
    agent = Agent(client.agent, client.software, client.device)
    password = el("password") if client.password else None
    fast = el("fast") if client.tokens_until > now else None
    return _client(client.ref, connected, client.first_seen, last_seen, (password, fast), agent)


def _session(session: Session, now: float) -> Markup:
    access = session.state(Access)
    return _client(access.ref, True, access.since or now, now, (el("password"),), access.agent)


def _client(
    ref: str,
    connected: bool,
    first: float,
    last: float,
    auth: tuple[Markup | None, ...],
    agent: Agent,
) -> Markup:
    return el(
        "client",
        el("first-seen", timestamp(first)),
        el("last-seen", timestamp(last)),
        el("auth", *auth),
        el("permission", status="unrestricted"),
        el(
            "user-agent",
            el("software", agent.software) if agent.software else None,
            el("device", agent.device) if agent.device else None,
        ),
        connected="true" if connected else "false",
        id=ref,
        type="session",
    )


def _pack(session: Session) -> list[Any]:
    access = session.state(Access)
    return [*access.agent, access.since]


def _unpack(_host: Host, session: Session, packed: list[Any]) -> None:
    access = session.state(Access)
    id, software, device, access.since = packed
    access.agent = Agent(id, software, device)


feature.keeps("client", _pack, _unpack)
