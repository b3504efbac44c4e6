"""Which servers are believed to be who they say, and what is remembered of the others."""

from collections.abc import Callable
from typing import Final

from hausbote.base.log import Event, log
from hausbote.base.networks import network_of, site_of
from hausbote.base.settings import Settings
from hausbote.core.throttle import Throttle
from hausbote.net.chains import TrustError
from hausbote.net.judge import Cause, Judge
from hausbote.net.tlsa import PublishedCertificates
from hausbote.s2s.problem import Kind, Problem, sentence
from hausbote.s2s.rules import Rule, Rules
from hausbote.s2s.stream import PeerStream
from hausbote.storage import Certificate, Store

_NOTED_STRANGERS: Final = 20  # per hour and address
# Somebody has said of this very certificate that it is the wrong one.
_FINAL: Final = frozenset(one.value for one in (Cause.NOT_PINNED, Cause.REVOKED, Cause.NOT_IN_DNS))


class Trust:
    """The owner's rules and the judge of certificates; TrustError if a file cannot be used."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float]) -> None:
        self._settings = settings
        self.rules = Rules(settings, store.server_rules.decisions())
        self._judge = Judge(settings)
        self._store = store
        self._clock = clock
        self._strangers = Throttle(_NOTED_STRANGERS, 3_600.0, party=site_of)

    def judge(
        self,
        stream: PeerStream,
        rule: Rule,
        domain: str = "",
        *,
        published: PublishedCertificates | None = None,
    ) -> Certificate:
        """Problem if the peer's certificate does not prove that it is its domain, or another."""
        if not rule.allowed:
            raise Problem(Kind.DENIED, "denied", rule.refusal)
        shown = stream.connection.presented()
        verdict = self._judge.judge(
            shown.chain,
            domain or stream.remote,
            self._clock(),
            staple=shown.staple,
            pins=rule.pins,
            published=published,
        )
        certificate = Certificate(verdict.fingerprint, verdict.not_after, verdict.authority)
        if not verdict.accepted:
            raise Problem(Kind.REFUSED, verdict.cause.value, verdict.sentence, certificate)
        return certificate

    def refused(self, stream: PeerStream, problem: Problem, domain: str = "") -> None:
        """Somebody who came claims to be a domain and could not prove it.

        Strangers may claim to be anybody: of each address only some are noted, what is known of
        the real server stays, and their certificates could be taken for its own.
        """
        domain = domain or stream.remote
        address = network_of(stream.connection.address)
        if self._strangers.exceeded(address):
            return
        self._strangers.note(address)
        problem.tell(domain)
        known = self._store.peers.get(domain)
        if known is None or not (known.reached_at or known.heard_at or known.fingerprint):
            self._write(domain, problem, Certificate())

    def note(self, domain: str, problem: Problem) -> None:
        """Of the real server: for the log, and for the owner to read."""
        problem.tell(domain)
        self._write(domain, problem, problem.certificate)

    def _write(self, domain: str, problem: Problem, certificate: Certificate) -> None:
        now = self._clock()
        self._store.peers.failed(domain, now, problem.cause, problem.sentence, certificate)

    def dialback_may_replace(self, rule: Rule, problem: Problem) -> bool:
        """Whether it would do that DNS leads to the peer."""
        return rule.allowed and rule.dialback and problem.cause not in _FINAL

    def has_lost(self, stream: PeerStream) -> Problem | None:
        """Whether the peer of a proven stream would not be believed any more."""
        for domain in {theirs for theirs, _ in stream.proven if theirs} | {stream.remote}:
            rule = self.rules.for_domain(domain)
            try:
                self.judge(stream, rule, domain, published=stream.published)
            except Problem as problem:
                if not self.dialback_may_replace(rule, problem):
                    self.note(domain, problem)
                    return problem
        return None

    def reread_rules(self) -> None:
        """The owner has decided about a server."""
        self.rules = Rules(self._settings, self._store.server_rules.decisions())

    def changed(self) -> bool:
        """Whether a file of authorities is newer than what is in use."""
        return self._judge.changed()

    def reload(self) -> None:
        """Use the files as they are now, if they can be used."""
        try:
            self._judge.reload()
        except TrustError as problem:
            log(Event.AUTHORITIES_UNUSABLE, why=sentence(str(problem)))
