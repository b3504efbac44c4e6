"""Where a domain's servers are (RFC 6120 §3.2, XEP-0368): DNS without blocking the hub."""

from typing import NamedTuple

from hausbote.base.settings import Settings
from hausbote.net.tlsa import PublishedCertificates


class NameProblem(Exception):
    """Why a name leads nowhere, as a sentence; `lasting` if asking again soon is pointless."""

    def __init__(self, sentence: str, *, lasting: bool) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.lasting = lasting


class Endpoint(NamedTuple):
    """A host and port where a domain's server may be."""

    host: str  # a name as DNS has it, or an IP address
    port: int
    direct_tls: bool
    secure: bool = False  # whether DNSSEC vouches for it


class Resolver:
    """Asks the resolver of the settings; answers are cached."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def endpoints(self, domain: str, service: str = "server") -> list[Endpoint]:
        """Where to connect for a prepared domain, in the order to try; NameProblem if nowhere."""
        raise NotImplementedError

    def addresses(self, host: str) -> list[str]:
        """IP addresses of a host, IPv6 and IPv4 in turn; NameProblem if it has none."""
        raise NotImplementedError

    def published(self, endpoint: Endpoint) -> PublishedCertificates | None:
        """What DNS says of the endpoint's certificates, where DNSSEC vouches for it."""
        raise NotImplementedError
