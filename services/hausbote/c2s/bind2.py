"""Binding a resource as part of the login (XEP-0386)."""

import base64
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from hausbote.base.jid import InvalidJID, prepare_resource
from hausbote.base.tokens import token
from hausbote.c2s.binding import take_resource
from hausbote.core import dispatch
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.session import Session, Transport
from hausbote.xmpp import ns
from hausbote.xmpp.errors import ResourceConstraint, StanzaError, StreamError
from hausbote.xmpp.stanza import Child
from hausbote.xmpp.unfold import text_of, unfold
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream

feature = Feature("bind2", xeps={"0386": "1.1.0"})

_MAX_TAG: Final = 200  # characters
_NAME_BYTES: Final = 9


def bind_feature(host: Host) -> Markup:
    """<bind/> for SASL2's <inline/>, with what it may hold."""
    names = sorted({namespace for namespace, _ in host.registry.bind_inlines})
    inline = el("inline", *[el("feature", var=name) for name in names]) if names else None
    return el("bind", inline, xmlns=ns.BIND2)


def bind(stream: "ClientStream", request: Child) -> tuple[Session, Markup]:
    """The session and <bound/>; what is sent to the session waits until `let_out`."""
    host, login = stream.server.host, stream.login
    assert login is not None
    children = unfold(request).children
    agent = "" if login.agent.is_browser else login.agent.id  # another tab has a session of its own
    resource = _resource(host, login.local, agent, children)
    try:
        session = take_resource(stream, resource, alone=agent)
    except ResourceConstraint as problem:
        # The client may keep its password and its tokens: these were not what failed.
        raise StreamError("resource-constraint", problem.text) from None
    session.transport = _Waiting(session.transport)
    # Before anything is sent to it; none of these may wait (`take_resource`).
    enabled = [_enable(host, session, child) for child in children]
    dispatch.bound(host, session)
    results = [handler(host, session) for handler in host.registry.bind_results]
    return session, el("bound", *results, *enabled, xmlns=ns.BIND2)


def stream_of(session: Session) -> "ClientStream":
    """The stream of a session that is being bound."""
    transport = session.transport
    assert isinstance(transport, _Waiting)
    return cast("ClientStream", transport.real)


def let_out(session: Session) -> None:
    """The client knows its resource now: send what was sent to it meanwhile."""
    waiting = session.transport
    if isinstance(waiting, _Waiting):
        session.transport = waiting.real
        for data in waiting.kept:
            waiting.real.send(data)


class _Waiting:
    """Keeps what is sent over a transport whose client does not know its resource yet."""

    def __init__(self, real: Transport) -> None:
        self.real = real
        self.kept: list[bytes] = []

    @property
    def closed(self) -> bool:
        return self.real.closed

    def send(self, data: bytes) -> None:
        self.kept.append(data)

    def when_sent(self, callback: Callable[[], None]) -> None:
        self.real.when_sent(callback)

    def end(self, error: StreamError) -> None:
        self.real.end(error)


def _enable(host: Host, session: Session, element: Child) -> Markup | None:
    handler = host.registry.bind_inlines.get((element.ns, element.name))
    try:
        return None if handler is None else handler(host, session, element)
    except StanzaError:
        return None  # the session is there without it, and its absence in the answer says so


class _Secret:
    """What resources are derived from."""

    def __init__(self) -> None:
        self.value = b""


def _resource(host: Host, local: str, agent: str, children: tuple[Child, ...]) -> str:
    """TAG/NAME, the same for a client and tag every time; it does not tell the client's id."""
    tag = next((text_of(c) for c in children if (c.ns, c.name) == (ns.BIND2, "tag")), "")
    name = _name(host, local, agent, tag) if agent else token(_NAME_BYTES * 8)
    if tag and len(tag) <= _MAX_TAG:
        try:
            return prepare_resource(f"{tag}/{name}")
        except InvalidJID:
            pass  # such a tag is left out
    return name


def _name(host: Host, local: str, agent: str, tag: str) -> str:
    secret = host.state(_Secret)
    secret.value = secret.value or host.store.secret("resources")
    digest = hmac.digest(secret.value, f"{local}\0{agent}\0{tag}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_NAME_BYTES]).decode()
