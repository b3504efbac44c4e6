"""We connect to another server: TLS, its certificate, our proof (RFC 6120 §5, §6, XEP-0178 §3)."""

import base64
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gevent.event import Event as Signal

from hausbote.net.connection import Connection
from hausbote.net.tlsa import PublishedCertificates
from hausbote.s2s.dialback import our_key
from hausbote.s2s.problem import Kind, Problem, away, harmless
from hausbote.s2s.rules import Rule
from hausbote.s2s.stream import PeerStream, is_versioned
from hausbote.storage import Certificate
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StreamError
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.unfold import unfold
from hausbote.xmpp.xml import el

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_TIME: Final = 40.0  # seconds for the whole negotiation
_HURRIED: Final = 10.0  # seconds, if others wait for their turn


class OutgoingStream(PeerStream):
    """`wait` returns when stanzas may be sent.

    `question` makes it a stream for one question about a dialback key: (stream id, key).
    """

    __slots__ = (
        "_asked_for_proof",
        "_authenticated",
        "_bidirectional",
        "_dials_back",
        "_judged",
        "_outcome",
        "_problem",
        "_question",
        "_ready",
        "_rule",
        "answer",
        "peer_id",
    )

    def __init__(
        self,
        gate: "Gate",
        connection: Connection,
        local: str,
        remote: str,
        rule: Rule,
        published: PublishedCertificates | None = None,
        question: tuple[str, str] | None = None,
    ) -> None:
        super().__init__(gate, connection, local, remote)
        self.peer_id = ""  # of the peer's header
        self.answer = False  # to the question
        self._rule = rule
        self.published = published
        self._question = question
        self._bidirectional = False
        self._judged = False
        self._authenticated = False
        self._asked_for_proof = False
        self._dials_back = False  # whether the peer would ask DNS about us
        self._outcome = Signal()
        self._problem: Problem | None = None
        self._ready = False

    def start(self, *, direct: bool) -> None:
        self.connection.start()
        if direct:
            self.connection.start_tls(self.gate.tls.to(self.remote, self.local, direct=True))
        self._send_header()

    def wait(self, hurried: Callable[[], bool]) -> None:
        """Return when the stream can be used; Problem if it never will."""
        self._outcome.wait(_HURRIED)
        until = self.since + _TIME
        while not self._outcome.is_set() and not hurried() and time.monotonic() < until:
            self._outcome.wait(1.0)
        if not self._outcome.is_set():
            self._fail(away("no-answer", f"{self.remote} was connected to and does not answer."))
        if self._problem is not None:
            raise self._problem

    def _send_header(self) -> None:
        self.send_header(from_=self.local, to=self.remote)

    # -- steps ---------------------------------------------------------------------------------

    def opened(self, attrs: dict[str, str]) -> None:
        self.peer_id = attrs.get("id", "")
        if not is_versioned(attrs):
            self._fail(self._unencrypted())
        elif self.connection.encrypted and not self._judged:
            try:
                self._judge()
            except Problem as problem:
                self._fail(problem)

    def _judge(self) -> None:
        self._judged = True
        try:
            shown = self.gate.trust.judge(self, self._rule, published=self.published)
        except Problem as problem:
            if not self.gate.trust.dialback_may_replace(self._rule, problem):
                raise
            shown = Certificate()
        self.gate.store.peers.reached(self.remote, self.gate.host.clock(), shown)

    def _unencrypted(self) -> Problem:
        what = f"{self.remote} offers no encryption, or somebody on the way took it away."
        return Problem(Kind.REFUSED, "no-tls", what)

    def negotiate(self, element: Stanza) -> None:
        key = (element.ns, element.name)
        if key == (ns.STREAMS, "features"):
            self._features({(part.ns, part.name): part.xml for part in element.children}, element)
        elif key == (ns.TLS, "proceed") and not self.connection.encrypted:
            self.restart()
            tls = self.gate.tls.to(self.remote, self.local, direct=False)
            self.connection.start_tls(tls)
            self._send_header()
        elif key == (ns.TLS, "failure") and not self.connection.encrypted:
            self._fail(away("tls-failure", f"{self.remote} cannot begin TLS now."))
        elif not self.connection.encrypted:
            self._fail(self._unencrypted())
        elif element.ns == ns.SASL:
            self._sasl(element)
        elif element.ns == ns.DIALBACK:
            self._dialback(element)
        elif element.ns == ns.SM and element.name in ("enabled", "failed"):
            self._enabled(element.name == "enabled")
        else:
            raise StreamError("unsupported-stanza-type")

    def _features(self, offered: dict[tuple[str, str], str], element: Stanza) -> None:
        if not self.connection.encrypted:
            if (ns.TLS, "starttls") in offered:
                self.say(el("starttls", xmlns=ns.TLS))
            else:
                self._fail(self._unencrypted())
        elif self._question is not None:
            self._ask_about_key(*self._question)
        elif self._authenticated:
            self._finish(offered)
        else:
            self._prove_ourselves(offered, element)

    def _prove_ourselves(self, offered: dict[tuple[str, str], str], element: Stanza) -> None:
        if (ns.BIDI_FEATURE, "bidi") in offered:
            self._bidirectional = True
            self.say(el("bidi", xmlns=ns.BIDI))
        self._dials_back = (ns.DIALBACK_FEATURE, "dialback") in offered or self._rule.dialback
        mechanisms = element.child(ns.SASL, "mechanisms")
        names = [part.xml for part in unfold(mechanisms).children] if mechanisms is not None else []
        if any(">EXTERNAL<" in name for name in names):
            self._asked_for_proof = True
            identity = base64.b64encode(self.local.encode()).decode()
            self.say(el("auth", identity, xmlns=ns.SASL, mechanism="EXTERNAL"))
        else:
            self._not_accepted("it offers no way to use it")

    def _not_accepted(self, why: str) -> None:
        """Our certificate does not do; many servers dial back then, and we answer them.

        Who the peer is was judged by its own certificate already.
        """
        if self._dials_back:
            self._dials_back = False
            self._asked_for_proof = True
            our = our_key(self.gate, self.remote, self.local, self.peer_id)
            self.say(el("db:result", our, from_=self.local, to=self.remote))
        else:
            what = f"{self.remote} does not accept our certificate: {why}."
            self._fail(Problem(Kind.REFUSED, "not-accepted", what))

    def _sasl(self, element: Stanza) -> None:
        if not self._asked_for_proof or self._authenticated:
            raise StreamError("not-authorized", "nobody asked for this answer")
        if element.name == "success":
            self._authenticated = True
            self._prove_pair()
            self.restart()
            self._send_header()
        elif element.name == "challenge":
            identity = base64.b64encode(self.local.encode()).decode()
            self.say(el("response", identity, xmlns=ns.SASL))
        else:
            names = [part.name for part in element.children if part.name != "text"]
            self._not_accepted(harmless(element.text(ns.SASL, "text") or "".join(names[:1])))

    def _dialback(self, element: Stanza) -> None:
        """An answer counts only if we asked, and for what we asked (XEP-0220 §3.1)."""
        pair = (element.attrs.get("from"), element.attrs.get("to"))
        if pair != (self.remote, self.local) or "type" not in element.attrs:
            raise StreamError("not-authorized", "nobody asked for this answer")
        valid = element.type == "valid"
        if self._question is not None and element.name == "verify":
            if element.attrs.get("id") != self._question[0]:
                raise StreamError("not-authorized", "nobody asked for this answer")
            self.answer = valid
            self._outcome.set()
            self.close()
        elif self._asked_for_proof and not self._authenticated and element.name == "result":
            if not valid:
                what = f"{self.remote} does not believe that we are {self.local} (dialback)."
                self._fail(Problem(Kind.REFUSED, "not-accepted", what))
                return
            self._authenticated = True
            self._prove_pair()
            self._finish({})
        else:
            raise StreamError("not-authorized", "nobody asked for this answer")

    def _prove_pair(self) -> None:
        """What comes back over this stream is the peer's, if it may come at all."""
        self.prove(self.remote if self._bidirectional else "", self.local)

    def _ask_about_key(self, id: str, key: str) -> None:
        self.say(el("db:verify", key, from_=self.local, to=self.remote, id=id))

    def _finish(self, offered: dict[tuple[str, str], str]) -> None:
        if (ns.HOP, "hop") in offered:
            self.hops = True
            self.say(el("hop", xmlns=ns.HOP))
        if (ns.SM, "sm") in offered:
            self.say(el("enable", xmlns=ns.SM))
        else:
            self._outcome.set()

    def _enabled(self, managed: bool) -> None:
        if not self._authenticated or self._outcome.is_set():
            raise StreamError("unsupported-stanza-type")
        if managed:
            self.manage()
        self._outcome.set()

    # -- the end -------------------------------------------------------------------------------

    def _fail(self, problem: Problem) -> None:
        if not self._outcome.is_set():
            self._problem = problem
            self._outcome.set()
        self.close()

    def lost(self) -> None:
        if not self._outcome.is_set():
            self._problem = self._ending()
            self._outcome.set()
        super().lost()

    def _ending(self) -> Problem:
        if self.last_words:
            what = f"{self.remote} ended the stream: {self.last_words}."
            refused = self.last_words.startswith(("not-authorized", "policy-violation", "host-un"))
            return Problem(Kind.REFUSED if refused else Kind.AWAY, "ended", what)
        if self.connection.failure:
            why = harmless(self.connection.failure)
            return away("tls-failure", f"TLS with {self.remote} fails: {why}.")
        return away("cut", f"{self.remote} closed the connection without saying why.")
