"""From a connection to a bound resource (RFC 6120 §4.3): STARTTLS, login, resource binding.

What may come next depends on how far the client is; everything else ends the stream.
"""

import re
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Final

from hausbote.base.jid import JID, InvalidJID, prepare_domain
from hausbote.c2s import management
from hausbote.c2s.binding import bind
from hausbote.c2s.login import Login, begin_login, continue_login, fail
from hausbote.c2s.sasl2 import authentication_feature, take_step
from hausbote.core.feature import Phase, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StanzaError, StreamError, UnexpectedRequest
from hausbote.xmpp.sasl import SaslError, channel_binding_feature
from hausbote.xmpp.stanza import Stanza, error, result
from hausbote.xmpp.stream import language_of
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.c2s.stream import ClientStream


_VERSION: Final = re.compile(r"0*([0-9]{1,5})\.[0-9]{1,5}")


def open_stream(stream: "ClientStream", attrs: dict[str, str]) -> None:
    """Answer the client's header with ours and the features of this phase."""
    host = stream.server.host
    version = _VERSION.fullmatch(attrs.get("version", ""))
    sender = _sender(stream, attrs.get("from"))
    stream.send_header(sender.bare if sender is not None else None, versioned=version is not None)
    if "to" not in attrs:
        raise StreamError("improper-addressing", "the stream's header needs a to attribute")
    try:
        domain = prepare_domain(attrs["to"])
    except InvalidJID:
        raise StreamError("host-unknown") from None
    if domain != host.domain:
        raise StreamError("host-unknown", "this server is not the one you look for")
    if version is None or int(version[1]) < 1:  # a higher one is ours to lower (§4.7.5)
        raise StreamError("unsupported-version")
    stream.language = language_of(attrs, host.settings.language)
    if stream.login is None and stream.connection.encrypted:
        stream.login = Login(stream.server, stream.connection, sender)
    stream.send_features()


def _sender(stream: "ClientStream", claimed: str | None) -> JID | None:
    """Whom of this box a header is from, None if it names nobody.

    Old clients write the name of their machine there, after the login, too (Perl's XML::Stream).
    Who names a person after the login names the one who logged in (RFC 6120 §4.9.3.9).
    """
    if claimed is None or "@" not in claimed:
        return None
    login, domain = stream.login, stream.server.host.domain
    try:
        sender = JID.parse(claimed)
    except InvalidJID:
        sender = None
    if login is not None and login.done:
        if sender is None or sender.bare != f"{login.local}@{domain}":
            raise StreamError("invalid-from", "this is not who logged in")
    elif sender is not None and sender.domain != domain:
        return None
    return sender


class _Features:
    """What `features` has made."""

    def __init__(self) -> None:
        self.made: dict[Hashable, bytes] = {}


def features(stream: "ClientStream") -> bytes:
    """<stream:features/> (RFC 6120 §4.3.2), the same for all who have come as far as this."""
    login, made = stream.login, stream.server.host.state(_Features).made
    session = stream.session
    counted = session is not None and session.acks is not None
    kind: Hashable = (stream.connection.encrypted, session is not None, counted)
    if login is not None and not login.done:
        kind = (*login.offered, *login.bindings)
    if kind not in made:
        made[kind] = el("stream:features", *_features(stream)).encode()
    return made[kind]


def _features(stream: "ClientStream") -> Iterator[Markup | None]:
    if not stream.connection.encrypted:
        yield el("starttls", el("required"), xmlns=ns.TLS)
        return
    phase = Phase.AFTER_LOGIN
    if stream.login is not None and not stream.login.done:
        names = [el("mechanism", name) for name in stream.login.offered]
        yield el("mechanisms", *names, xmlns=ns.SASL)
        yield authentication_feature(stream.server.host, stream.login)
        yield channel_binding_feature(stream.login.bindings)
        phase = Phase.BEFORE_LOGIN
    elif stream.session is None:
        yield el("bind", el("required"), xmlns=ns.BIND)
        yield el("session", el("optional"), xmlns=ns.SESSION)
    if phase is Phase.AFTER_LOGIN and (stream.session is None or stream.session.acks is None):
        yield management.OFFER
    yield from stream.server.offers[phase]


def negotiate(stream: "ClientStream", element: Stanza) -> None:
    """Handle what a client sends before it has a resource."""
    if stream.waiting:
        raise StreamError("policy-violation", "wait for the answer")
    if not stream.connection.encrypted:
        _before_tls(stream, element)
    elif element.ns == ns.SM and element.name in ("enable", "resume"):
        _manage(stream, element)
    elif stream.login is None or not stream.login.done:
        _before_login(stream, element)
    elif element.ns == ns.CLIENT and element.name == "iq":
        _answer(stream, element, lambda: bind(stream, element))
    else:
        raise _refusal(element, "bind a resource first")


def _before_tls(stream: "ClientStream", element: Stanza) -> None:
    if element.ns == ns.TLS and element.name == "starttls":
        stream.say(el("proceed", xmlns=ns.TLS))
        stream.start_tls()
    elif element.ns == ns.SASL:
        fail(stream, SaslError("encryption-required"))
    else:
        raise _refusal(element, "this server speaks over TLS only")


def _manage(stream: "ClientStream", element: Stanza) -> None:
    """XEP-0198: first the login, then a resource or resumption."""
    login = stream.login
    if element.name == "resume" and login is not None and login.done:
        management.resumption.resume(stream, element)
    else:
        stream.say(management.failed(UnexpectedRequest()))


def _before_login(stream: "ClientStream", element: Stanza) -> None:
    if element.ns == ns.SASL2:
        take_step(stream, element)
    elif stream.login is not None and stream.login.attempt is not None:
        raise _refusal(element, "finish the login first")  # XEP-0388 §2.4
    elif element.ns == ns.SASL:
        _sasl(stream, element)
    elif element.ns == ns.CLIENT and element.name == "iq" and len(element.children) == 1:
        _answer(stream, element, lambda: _for_strangers(stream, element))
    else:
        raise _refusal(element, "log in first")


def _sasl(stream: "ClientStream", element: Stanza) -> None:
    if element.name == "auth":
        begin_login(stream, element)
    elif element.name == "response":
        continue_login(stream, element)
    elif element.name == "abort":
        fail(stream, SaslError("aborted"))
    else:
        fail(stream, SaslError("malformed-request"))


def _for_strangers(stream: "ClientStream", element: Stanza) -> Stanza:
    host, payload = stream.server.host, element.children[0]
    key = (Target.STRANGER, element.type or "", payload.ns, payload.name)
    handler = host.registry.iqs.get(key)
    if handler is None or not _is_for_us(stream, element.to):
        raise _refusal(element, "log in first")
    to = JID.parse(host.domain)
    connection, login = stream.connection, stream.login
    assert login is not None  # it is made as soon as there is TLS
    request = Request(
        host,
        element,
        None,
        to,
        payload,
        address=connection.address,
        way=connection.way,
        states=login.states,
    )
    return result(element, handler(request))


def _is_for_us(stream: "ClientStream", to: str | None) -> bool:
    try:
        return to is None or JID.parse(to).full == stream.server.host.domain
    except InvalidJID:
        return False


def _answer(stream: "ClientStream", element: Stanza, handle: Callable[[], Stanza]) -> None:
    """Nobody has an address yet, whatever the element claims: the answer carries none."""
    try:
        answer = handle()
    except StanzaError as problem:
        answer = error(element, problem)
    stream.send(answer.replace(to=None, from_=None).wire())


def _refusal(element: Stanza, text: str) -> StreamError:
    known = element.ns == ns.CLIENT and element.name in ("iq", "message", "presence")
    return StreamError("not-authorized" if known else "unsupported-stanza-type", text)
