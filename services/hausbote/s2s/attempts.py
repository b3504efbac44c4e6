"""From a domain to a stream with its server: DNS, a connection, the negotiation."""

from typing import TYPE_CHECKING, Final

from gevent.lock import BoundedSemaphore

from hausbote.base.log import Event, log
from hausbote.net.connection import Connection
from hausbote.net.dial import Reached, Unreachable, dial
from hausbote.net.dns import Endpoint, NameProblem, Resolver
from hausbote.net.listener import keep_alive
from hausbote.s2s.outgoing import OutgoingStream
from hausbote.s2s.problem import Kind, Problem, away, word
from hausbote.s2s.rules import Rule

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_PLACES: Final = 3  # that are tried in one attempt
_AT_ONCE: Final = 50


class Attempts:
    """To connect to other servers; so many at once."""

    def __init__(self, gate: "Gate", resolver: Resolver) -> None:
        self._gate = gate
        self._resolver = resolver
        self._turns = BoundedSemaphore(_AT_ONCE)

    def connect(self, local: str, remote: str) -> OutgoingStream:
        """A stream that may be used; Problem if there is none to be had."""
        try:
            with self._turns:
                stream = self._connect(local, remote, None)
        except Problem as problem:
            self._gate.trust.note(remote, problem)
            raise
        log(Event.PEER_REACHED, domain=word(remote))
        return stream

    def verify(self, remote: str, local: str, stream_id: str, key: str) -> bool:
        """Ask the server that DNS names for a domain about a dialback key; Problem."""
        return self._connect(local, remote, (stream_id, key)).answer

    def _connect(self, local: str, remote: str, question: tuple[str, str] | None) -> OutgoingStream:
        rule = self._gate.trust.rules.for_domain(remote)
        if not rule.allowed:
            raise Problem(Kind.DENIED, "denied", rule.refusal)
        endpoints = self._endpoints(remote)
        for left in range(_PLACES - 1, -1, -1):
            reached = self._dial(remote, endpoints)
            try:
                return self._negotiate(reached, local, remote, rule, question)
            except Problem:
                endpoints = [one for one in endpoints if one != reached.endpoint]
                if not left or not endpoints:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _endpoints(self, remote: str) -> list[Endpoint]:
        try:
            return self._resolver.endpoints(remote)
        except NameProblem as problem:
            if problem.lasting:
                raise Problem(Kind.NOWHERE, "no-such-server", problem.sentence) from None
            raise away("no-dns", problem.sentence) from None

    def _dial(self, remote: str, endpoints: list[Endpoint]) -> Reached:
        try:
            return dial(self._resolver, remote, endpoints)
        except (Unreachable, NameProblem) as problem:
            raise away("unreachable", str(problem)) from None

    def _negotiate(
        self,
        reached: Reached,
        local: str,
        remote: str,
        rule: Rule,
        question: tuple[str, str] | None,
    ) -> OutgoingStream:
        try:
            published = self._resolver.published(reached.endpoint)
        except NameProblem as problem:
            reached.sock.close()
            raise away("no-dns", problem.sentence) from None
        keep_alive(reached.sock, self._gate.traffic.idle)
        connection = Connection(reached.sock, reached.address, self._gate.traffic)
        stream = OutgoingStream(self._gate, connection, local, remote, rule, published, question)
        self._gate.streams.add(stream)
        stream.start(direct=reached.endpoint.direct_tls)
        stream.wait()
        return stream
