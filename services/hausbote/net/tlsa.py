"""Certificates that DNS names (DANE: RFC 6698, RFC 7671, for XMPP RFC 7673)."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_PKIX_AUTHORITY: Final = 0
_PKIX_LEAF: Final = 1
_AUTHORITY: Final = 2
_LEAF: Final = 3


class Tlsa(NamedTuple):
    """One TLSA record."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def usable(self) -> bool:
        return self.usage <= _LEAF and self.selector <= 1 and self.matching <= 2

    def names(self, certificate: x509.Certificate) -> bool:
        if self.selector == 0:
            what = certificate.public_bytes(Encoding.DER)
        else:
            public = PublicFormat.SubjectPublicKeyInfo
            what = certificate.public_key().public_bytes(Encoding.DER, public)
        if self.matching == 1:
            what = hashlib.sha256(what).digest()
        elif self.matching == 2:
            what = hashlib.sha512(what).digest()
        return what == self.data


class PublishedCertificates(NamedTuple):
    """What DNS says, with DNSSEC all the way, of the host that was connected to."""

    host: str
    records: tuple[Tlsa, ...]

    @property
    def usable(self) -> bool:
        """Whether there is a record that we understand: others are as good as none."""
        return any(record.usable for record in self.records)

    def names_leaf(self, leaf: x509.Certificate) -> bool:
        """Whether this very certificate is named: nothing else of it matters then."""
        return any(one.names(leaf) for one in self._of(_LEAF))

    def anchors(self, chain: Sequence[x509.Certificate]) -> list[x509.Certificate]:
        """The authorities in the chain that DNS says may be trusted for this host."""
        return [
            authority
            for authority in chain[1:]
            if any(one.names(authority) for one in self._of(_AUTHORITY))
        ]

    def constrains(self, chain: Sequence[x509.Certificate]) -> bool:
        """Whether DNS allows this chain, if it holds without DNS as well."""
        leaves, authorities = self._of(_PKIX_LEAF), self._of(_PKIX_AUTHORITY)
        return any(one.names(chain[0]) for one in leaves) or any(
            one.names(authority) for authority in chain[1:] for one in authorities
        )

    def _of(self, usage: int) -> list[Tlsa]:
        return [one for one in self.records if one.usage == usage and one.usable]
