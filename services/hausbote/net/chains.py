"""From a certificate to an authority that is trusted: OpenSSL builds the chain.

OpenSSL says which of the certificates is wrong and how, which the stricter verifiers do not, and it
takes the certificates of private authorities that were made by hand.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from OpenSSL import crypto

from hausbote.base.settings import Settings
from hausbote.net.files import stamps

# X509_V_ERR_ of OpenSSL's x509_vfy.h.
_NO_ISSUER: Final = (2, 20, 21)
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_SELF_SIGNED_LEAF: Final = 18
_SELF_SIGNED_IN_CHAIN: Final = 19


class TrustError(Exception):
    """A file with authorities or revoked certificates cannot be used; the message says which."""


class Flaw(Enum):
    """What is wrong with a chain."""

    SELF_SIGNED = auto()
    UNKNOWN_AUTHORITY = auto()
    INCOMPLETE = auto()
    EXPIRED = auto()
    NOT_YET_VALID = auto()
    CHAIN_EXPIRED = auto()
    OTHER = auto()


class Broken(NamedTuple):
    """A chain that does not hold, and which certificate is at fault."""

    flaw: Flaw
    certificate: x509.Certificate
    reason: str  # OpenSSL's words


class Trust:
    """The authorities of tls.authorities and tls.trust; TrustError if they cannot be read."""

    def __init__(self, settings: Settings) -> None:
        paths = [settings.path(name) for name in settings.tls.trust]
        if settings.tls.authorities:
            paths.append(settings.path(settings.tls.authorities))
        self._paths: Sequence[Path] = paths
        self.reload()

    @classmethod
    def only(cls, anchors: Sequence[x509.Certificate]) -> "Trust":
        """Trust in these certificates and no others."""
        trust = cls.__new__(cls)
        trust._paths, trust._stamps = (), ()
        trust.store = _empty_store()
        for anchor in anchors:
            trust.store.add_cert(crypto.X509.from_cryptography(anchor))
        return trust

    def changed(self) -> bool:
        return stamps(self._paths) != self._stamps

    def reload(self) -> None:
        seen, store = stamps(self._paths), _empty_store()
        for path in self._paths:
            try:
                path.read_bytes()
                store.load_locations(str(path))
            except OSError as error:
                raise TrustError(f"{path} cannot be read: {error.strerror}.") from None
            except crypto.Error:
                raise TrustError(f"{path} has no certificate in PEM.") from None
        self._stamps, self.store = seen, store


def _empty_store() -> crypto.X509Store:
    store = crypto.X509Store()
    # What the owner trusts may be an intermediate authority, or a server's own certificate.
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    return store


def build(
    certificates: Sequence[x509.Certificate], trust: Trust, now: float
) -> list[x509.Certificate] | Broken:
    """The chain from the first certificate to a trusted one, or what keeps it from being one."""
    trust.store.set_time(datetime.fromtimestamp(now, UTC))
    leaf, *others = [crypto.X509.from_cryptography(one) for one in certificates]
    try:
        path = crypto.X509StoreContext(trust.store, leaf, others).get_verified_chain()
    except crypto.X509StoreContextError as error:
        return _broken(certificates, error)
    return [one.to_cryptography() for one in path]


def _broken(
    certificates: Sequence[x509.Certificate], error: crypto.X509StoreContextError
) -> Broken:
    code, depth, reason = error.errors
    leaf, *others = certificates
    if code == _SELF_SIGNED_LEAF:
        flaw = Flaw.SELF_SIGNED
    elif code == _SELF_SIGNED_IN_CHAIN:
        flaw = Flaw.UNKNOWN_AUTHORITY
    elif code in _NO_ISSUER:
        sent = any(one.subject == leaf.issuer for one in others)
        flaw = Flaw.UNKNOWN_AUTHORITY if sent else Flaw.INCOMPLETE
    elif code == _NOT_YET_VALID:
        flaw = Flaw.NOT_YET_VALID
    elif code == _EXPIRED:
        flaw = Flaw.CHAIN_EXPIRED if depth else Flaw.EXPIRED
    else:
        flaw = Flaw.OTHER
    return Broken(flaw, error.certificate.to_cryptography(), reason)
