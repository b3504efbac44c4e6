"""Another server connects to us and proves who it is (RFC 6120 §6, XEP-0178 §3)."""

import base64
import binascii
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import gevent

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.features.stream_limits import limits
from hausbote.net.connection import Connection
from hausbote.s2s import dialback
from hausbote.s2s.problem import Problem
from hausbote.s2s.stream import UNUSED_OF_THEIRS, PeerStream, is_versioned
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StanzaError, StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.stream import BEFORE_LOGIN, LOGIN_SECONDS
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_MECHANISM: Final = "EXTERNAL"
_ENABLE_TIME: Final = 1.0  # seconds


class IncomingStream(PeerStream):
    """`remote` is what the peer claims to be until `proven` says so."""

    __slots__ = (
        "_challenged",
        "bidirectional",
        "disbelieved",
        "trusted",
    )

    def __init__(self, gate: "Gate", connection: Connection) -> None:
        super().__init__(gate, connection, "", "")
        self.trusted = False  # whether the certificate proves the domain
        self.bidirectional = False
        self.disbelieved = 0  # domains that the peer claimed to be (XEP-0220) and is not
        self._challenged = False

    def opened(self, attrs: dict[str, str]) -> None:
        """Answer the peer's header with ours and the features of this phase."""
        local, remote = _domain(attrs.get("to")), _domain(attrs.get("from"))
        if local in self.gate.hosted:
            self.local = local
        self.send_header(from_=self.local or self.gate.settings.domain, to=remote, id=self.id)
        if "to" not in attrs:
            raise StreamError("improper-addressing", "the stream's header needs a to attribute")
        if local not in self.gate.hosted:
            raise StreamError("host-unknown", "this server is not the one you look for")
        if not is_versioned(attrs):
            raise StreamError("unsupported-version")
        if self.proven:
            self._opened_again(remote, local)
        elif self.connection.encrypted:
            self._meet(remote)
        self.say(el("stream:features", *self._features()))
        if self.proven:
            self.rest()  # the next stanza may be far away, and a storm of servers leaves no holes
        if self.proven and self.bidirectional:
            # Its stream management comes first, if there is any.
            gevent.spawn_later(_ENABLE_TIME, self.offer_way_back)

    def _opened_again(self, remote: str, local: str) -> None:
        if remote and (remote, local) not in self.proven:
            raise StreamError("invalid-from", "this is not who was proven")

    def _meet(self, remote: str) -> None:
        """Behind TLS: look at the certificate for the domain that is claimed."""
        if not remote:
            raise StreamError("improper-addressing", "the stream's header needs a from attribute")
        if remote in self.gate.hosted:
            raise StreamError("invalid-from", "this domain is ours")
        self.remote = remote
        rule = self.gate.trust.rules.for_domain(remote)
        try:
            self.gate.trust.judge(self, rule)
            self.trusted = True
        except Problem as problem:
            if not self.gate.trust.dialback_may_replace(rule, problem):
                self.gate.trust.refused(self, problem)
                condition = "not-authorized" if rule.allowed else "policy-violation"
                raise StreamError(condition, problem.sentence if rule.allowed else None) from None

    def _features(self) -> list[Markup]:
        if not self.connection.encrypted:
            return [el("starttls", el("required"), xmlns=ns.TLS)]
        if self.proven:
            return [
                el("sm", xmlns=ns.SM),
                el("hop", xmlns=ns.HOP),
                limits(self.gate.settings.limits.stanza_bytes, UNUSED_OF_THEIRS),
                *dialback.features(self.gate, self.remote),
            ]
        few = limits(BEFORE_LOGIN.stanza, LOGIN_SECONDS)
        offered = [el("bidi", xmlns=ns.BIDI_FEATURE), few]
        if self.trusted:
            offered.insert(0, el("mechanisms", el("mechanism", _MECHANISM), xmlns=ns.SASL))
        return [*offered, *dialback.features(self.gate, self.remote)]

    # -- steps ---------------------------------------------------------------------------------

    def negotiate(self, element: Stanza) -> None:
        if not self.connection.encrypted:
            self._before_tls(element)
        elif element.ns == ns.DIALBACK:
            dialback.take(self, element)
        elif element.ns == ns.SM and element.name == "enable":
            self._enable()
        elif self.proven:
            raise StreamError("unsupported-stanza-type")
        elif element.ns == ns.SASL:
            self._sasl(element)
        elif element.ns == ns.BIDI and element.name == "bidi":
            self.bidirectional = True
        else:
            raise StreamError("unsupported-stanza-type", "prove first who you are")

    def _before_tls(self, element: Stanza) -> None:
        if element.ns == ns.TLS and element.name == "starttls":
            self.say(el("proceed", xmlns=ns.TLS))
            self.restart()
            self.connection.start_tls(self.gate.shelf)
        else:
            raise StreamError("not-authorized", "this server speaks over TLS only")

    def _sasl(self, element: Stanza) -> None:
        if element.name == "auth" and element.attrs.get("mechanism") != _MECHANISM:
            self._fail("invalid-mechanism")
        elif element.name == "auth" and not element.inner:
            self._challenged = True
            self.say(el("challenge", xmlns=ns.SASL))
        elif element.name == "auth" or (element.name == "response" and self._challenged):
            self._prove(element.inner)
        elif element.name == "abort":
            self._fail("aborted")
        else:
            self._fail("malformed-request")

    def _prove(self, identity: str) -> None:
        try:
            text = "" if identity == "=" else base64.b64decode(identity, validate=True).decode()
        except (binascii.Error, ValueError):
            self._fail("incorrect-encoding")
            return
        if text and _domain(text) != self.remote:
            self._fail("invalid-authzid")
        elif not self.trusted:
            self._fail("not-authorized")
        else:
            self.proved(self.remote, self.local)
            self.say(el("success", xmlns=ns.SASL))
            self.restart()

    def proved(self, theirs: str, ours: str) -> None:
        """The peer may speak for one of its domains to one of ours."""
        self.gate.heard(self, theirs)
        self.prove(theirs, ours)

    def offer_way_back(self) -> None:
        """Let our own stanzas for the peer take this stream, too (XEP-0288)."""
        way_back = (self.remote, self.local) in self.proven and self.bidirectional
        if way_back and self.link is None and not self.closed:
            with suppress(StanzaError):  # there are too many links: the peer's own way stays
                self.gate.link(self.local, self.remote).adopt(self)

    def _enable(self) -> None:
        if not self.proven or self.managed or self.link is not None:
            failure = el("unexpected-request", xmlns=ns.STANZA_ERRORS)
            self.say(el("failed", failure, xmlns=ns.SM))
            return
        self.say(el("enabled", xmlns=ns.SM))
        self.manage()
        self.offer_way_back()

    def _fail(self, condition: str) -> None:
        self.say(el("failure", el(condition), xmlns=ns.SASL))
        self.close()


def _domain(text: str | None) -> str:
    try:
        return prepare_domain(text) if text else ""
    except InvalidJID:
        return ""
