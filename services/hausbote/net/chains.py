"""From a certificate to an authority that is trusted: OpenSSL builds the chain.

OpenSSL says which of the certificates is wrong and how, which the stricter verifiers do not, and it
takes the certificates of private authorities that were made by hand.
"""

import re
import warnings
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

_PEM: Final = re.compile(b"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


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
    """The authorities of tls.authorities and tls.trust; TrustError if they cannot be read.

    A file that could not be read is looked at again when it was changed.
    What the owner trusts may be an intermediate authority, or a server's own certificate.
    """

    def __init__(self, settings: Settings) -> None:
        system = settings.tls.authorities
        self._system: Final = [settings.path(system)] if system else []
        self._own: Final = [settings.path(name) for name in settings.tls.trust]
        self.reload()

    def changed(self) -> bool:
        return stamps(self._system + self._own) != self._stamps

    def reload(self) -> None:
        self._stamps = stamps(self._system + self._own)
        found = [one for path in self._own for one in _read(path, strict=True)]
        found += [one for path in self._system for one in _read(path, strict=False)]
        anchors: dict[x509.Name, list[x509.Certificate]] = {}
        for one in found:
            anchors.setdefault(one.subject, []).append(one)
        self._anchors = anchors

    def anchors_for(self, certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
        """Those that a chain of these could end in."""
        names = {one.subject for one in certificates} | {one.issuer for one in certificates}
        return [anchor for name in names for anchor in self._anchors.get(name, ())]


def _read(path: Path, *, strict: bool) -> list[x509.Certificate]:
    """The certificates in a file; the system's may have one that is too odd to be read."""
    try:
        blocks = _PEM.findall(path.read_bytes())
    except OSError as error:
        raise TrustError(f"{path} cannot be read: {error.strerror}.") from None
    found = []
    for block in blocks:
        try:
            with warnings.catch_warnings(action="ignore"):
                certificate = x509.load_pem_x509_certificate(block)
                hash(certificate.subject)  # which is read only now
        except ValueError:
            if strict:
                raise TrustError(f"{path} has a certificate that cannot be read.") from None
        else:
            found.append(certificate)
    if not found:
        raise TrustError(f"{path} has no certificate in PEM.")
    return found


def build(
    certificates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: float
) -> list[x509.Certificate] | Broken:
    """The chain from the first certificate to one of the anchors, or what keeps it from being one.

    crypto.Error or ValueError if one of the certificates cannot be read.
    """
    # A store each time: the time of one that has been used cannot be set again.
    store = crypto.X509Store()
    store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    store.set_time(datetime.fromtimestamp(now, UTC))
    for anchor in anchors:
        store.add_cert(crypto.X509.from_cryptography(anchor))
    leaf, *others = [crypto.X509.from_cryptography(one) for one in certificates]
    try:
        path = crypto.X509StoreContext(store, leaf, others).get_verified_chain()
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
