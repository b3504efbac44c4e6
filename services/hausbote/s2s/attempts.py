"""From a domain to a stream with its server: DNS, a connection, the negotiation."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from hausbote.base.jid import a_label
from hausbote.base.log import Event, log
from hausbote.base.networks import network_of, site_of
from hausbote.net.connection import Connection
from hausbote.net.dial import Reached, Unreachable, dial
from hausbote.net.dns import Endpoint, NameProblem, Resolver
from hausbote.net.listener import keep_alive
from hausbote.net.turns import NoTurn, Share, Turns, of_name
from hausbote.s2s.outgoing import OutgoingStream
from hausbote.s2s.problem import Kind, Problem, away, word
from hausbote.s2s.rules import Rule

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate

_PORT: Final = 5269
_PLACES: Final = 3  # that are tried in one attempt
_ALL: Final = Share("all", 400)  # at once
_OF_NETWORK: Final = 10  # to the same network
_OF_SITE: Final = 20
_OF_NAME: Final = 10  # to names of the same owner
_PATIENCE: Final = 60.0  # seconds to wait for a turn
_QUESTIONS: Final = Share("questions", 20)  # at once; each makes a worker wait
_QUESTIONS_OF_NAME: Final = 5  # about names of the same owner


class Attempts:
    """To connect to other servers; so many at once, and so few to the same ones."""

    def __init__(self, gate: "Gate", resolver: Resolver) -> None:
        self._gate = gate
        self._resolver = resolver
        self._turns = Turns(_PATIENCE)
        self._questions = Turns(0.0)
        # A name server of the owner's choice may name places of their own network.
        self._public = not gate.settings.dns.server

    def connect(self, local: str, remote: str) -> OutgoingStream:
        """A stream that may be used; Problem if there is none to be had."""
        try:
            stream = self._in_turn(local, remote)
            self._see_that_it_is_wanted(stream)
        except Problem as problem:
            self._gate.trust.note(remote, problem)
            raise
        log(Event.PEER_REACHED, domain=word(remote))
        return stream

    def verify(self, remote: str, local: str, stream_id: str, key: str) -> bool:
        """Ask the server that DNS names for a domain about a dialback key; Problem."""
        rule = self._rule(remote)
        try:
            with self._questions.taken(of_name(remote, _QUESTIONS_OF_NAME), _QUESTIONS):
                call = _Call(local, remote, rule, _at_once, (stream_id, key))
                return self._connect(call, self._endpoints(remote)).answer
        except NoTurn:
            raise _busy() from None

    def _in_turn(self, local: str, remote: str) -> OutgoingStream:
        rule = self._rule(remote)
        name = of_name(remote, _OF_NAME)
        try:
            with self._turns.taken(name):
                endpoints = self._endpoints(remote)
                shares = [*self._networks(endpoints[0]), _ALL]
                with self._turns.taken(*shares):
                    wanted = partial(self._turns.wanted, name, *shares)
                    return self._connect(_Call(local, remote, rule, wanted), endpoints)
        except NoTurn:
            raise _busy() from None

    def _rule(self, remote: str) -> Rule:
        rule = self._gate.trust.rules.for_domain(remote)
        if not rule.allowed:
            raise Problem(Kind.DENIED, "denied", rule.refusal)
        return rule

    def _see_that_it_is_wanted(self, stream: OutgoingStream) -> None:
        """The owner may have decided otherwise while it was connected to."""
        try:
            self._rule(stream.remote)
        except Problem:
            stream.close()
            raise

    def _networks(self, endpoint: Endpoint) -> list[Share]:
        """In the same order for everybody, so that nobody waits in a circle."""
        try:
            addresses = self._resolver.addresses(endpoint.host)
        except NameProblem:
            return []  # told when it is called
        networks, sites = sorted(set(map(network_of, addresses))), set(map(site_of, addresses))
        return [
            *[Share(("network", network), _OF_NETWORK) for network in networks],
            *[Share(("site", site), _OF_SITE) for site in sorted(sites)],
        ]

    def _connect(self, call: "_Call", endpoints: list[Endpoint]) -> OutgoingStream:
        for left in range(_PLACES - 1, -1, -1):
            reached = self._dial(call, endpoints)
            try:
                return self._negotiate(reached, call)
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

    def _dial(self, call: "_Call", endpoints: list[Endpoint]) -> Reached:
        try:
            return dial(
                self._resolver,
                call.remote,
                endpoints,
                public=self._public and not call.rule.known,
            )
        except Unreachable as problem:
            if problem.nowhere and endpoints == _guess(call.remote):
                raise Problem(Kind.NOWHERE, "no-such-server", str(problem)) from None
            raise away("unreachable", str(problem)) from None
        except NameProblem as problem:
            raise away("unreachable", problem.sentence) from None

    def _negotiate(self, reached: Reached, call: "_Call") -> OutgoingStream:
        try:
            published = self._resolver.published(reached.endpoint)
        except NameProblem as problem:
            reached.sock.close()
            raise away("no-dns", problem.sentence) from None
        keep_alive(reached.sock, self._gate.traffic.idle)
        connection = Connection(reached.sock, reached.address, self._gate.traffic)
        stream = OutgoingStream(
            self._gate, connection, call.local, call.remote, call.rule, published, call.question
        )
        self._gate.streams.add(stream)
        stream.start(direct=reached.endpoint.direct_tls)
        stream.wait(call.hurried)
        return stream


class _Call(NamedTuple):
    """Whom we want to speak with, and what for."""

    local: str
    remote: str
    rule: Rule
    hurried: Callable[[], bool]  # whether others wait for the turn
    question: tuple[str, str] | None = None  # about a dialback key


def _guess(remote: str) -> list[Endpoint]:
    """Where a server without SRV records would be."""
    try:
        return [Endpoint(a_label(remote), _PORT, False)]
    except ValueError:
        return []


def _at_once() -> bool:
    return True


def _busy() -> Problem:
    return away("busy", "Too many servers are being called at this moment.")
