"""Which servers are believed to be who they say, and what is remembered of the others."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from hausbote.base.settings import Settings
from hausbote.core.throttle import Throttle
from hausbote.net.chains import TrustError
from hausbote.net.judge import Judge
from hausbote.net.listener import network_of
from hausbote.net.tlsa import PublishedCertificates
from hausbote.s2s.problem import Kind, Problem
from hausbote.s2s.rules import Rule, Rules
from hausbote.s2s.stream import PeerStream
from hausbote.storage import Certificate, Store

_NOTED_STRANGERS: Final = 20  # per hour and address


class Trust:
    """The owner's rules and the judge of certificates; TrustError if a file cannot be used."""

    def __init__(self, settings: Settings, store: Store, clock: Callable[[], float]) -> None:
        self.rules = Rules(settings)
        self._judge = Judge(settings)
        self._store = store
        self._clock = clock
        self._strangers = Throttle(_NOTED_STRANGERS, 3_600.0)

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
        """Somebody claims to be a domain and could not prove it.

        Strangers may claim to be anybody: of each address only some are noted.
        """
        domain = domain or stream.remote
        address = network_of(stream.connection.address)
        if self._store.peers.get(domain) is None:
            if self._strangers.exceeded(address):
                return
            self._strangers.note(address)
        self.note(domain, problem)

    def note(self, domain: str, problem: Problem) -> None:
        """For the log, and for the owner to read."""
        problem.tell(domain)
        self._store.peers.failed(
            domain, self._clock(), problem.cause, problem.sentence, problem.certificate
        )

    def changed(self) -> bool:
        """Whether a file of authorities is newer than what is in use."""
        return self._judge.changed()

    def reload(self) -> None:
        """Use the files as they are now, if they can be used."""
        with suppress(TrustError):
            self._judge.reload()
