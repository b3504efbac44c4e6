"""Whether a certificate proves that its owner is a domain's server, and if not, why.

The handshake takes any certificate, and this decides afterwards: only so can the owner of the box
be told the reason.  A certificate is judged as a server's on both sides of a connection, because
public authorities do not certify clients any more.

The reasons are sentences for the owner.  They name domains and authorities, never a person, and
what a peer wrote into its certificate is shown only as far as it is harmless.
"""

import hashlib
import re
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import Enum
from functools import cached_property
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from OpenSSL import crypto

from hausbote.base.log import Word
from hausbote.base.settings import Settings
from hausbote.net.chains import Broken, Flaw, Trust, build
from hausbote.net.identities import Identities, identities, matches
from hausbote.net.revocation import Revocations, staple_revokes
from hausbote.net.strength import for_servers, weak_key, weak_signature
from hausbote.net.tlsa import PublishedCertificates

_MAX_CHAIN: Final = 10  # certificates that are looked at
_TOLD_NAMES: Final = 3
_TOLD_CHARACTERS: Final = 120  # of a domain
_HARMLESS: Final = re.compile(r"[A-Za-z0-9ÄÖÜäöüß .,'()&*\[\]:_-]{1,80}\Z")


class Cause(Enum):
    """Why a certificate was accepted or refused."""

    TRUSTED = "trusted"
    PINNED = "pinned"
    DANE = "dane"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    SELF_SIGNED = "self-signed"
    UNKNOWN_AUTHORITY = "unknown-authority"
    INCOMPLETE = "incomplete"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    CHAIN_EXPIRED = "chain-expired"
    BROKEN_CHAIN = "broken-chain"
    NOT_FOR_SERVERS = "not-for-servers"
    WEAK_KEY = "weak-key"
    WEAK_SIGNATURE = "weak-signature"
    NAMELESS = "nameless"
    WRONG_NAME = "wrong-name"
    REVOKED = "revoked"
    NOT_PINNED = "not-pinned"
    PIN_ENDED = "pin-ended"
    NOT_IN_DNS = "not-in-dns"

    @property
    def word(self) -> Word:
        return Word(self.value)


# A certificate is read bit by bit, and each bit may turn out not to be what it should.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    crypto.Error,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
_ACCEPTED: Final = (Cause.TRUSTED, Cause.PINNED, Cause.DANE)
_OF_A_FLAW: Final = {
    Flaw.SELF_SIGNED: Cause.SELF_SIGNED,
    Flaw.UNKNOWN_AUTHORITY: Cause.UNKNOWN_AUTHORITY,
    Flaw.INCOMPLETE: Cause.INCOMPLETE,
    Flaw.EXPIRED: Cause.EXPIRED,
    Flaw.NOT_YET_VALID: Cause.NOT_YET_VALID,
    Flaw.CHAIN_EXPIRED: Cause.CHAIN_EXPIRED,
    Flaw.OTHER: Cause.BROKEN_CHAIN,
}


class Pin(NamedTuple):
    """A certificate that is right until the end of a day (UTC)."""

    fingerprint: str  # SHA-256, 64 hexadecimal digits, lower case
    last_day: date


class Verdict(NamedTuple):
    """What came out, and what there is to tell of the certificate."""

    accepted: bool
    cause: Cause
    sentence: str
    fingerprint: str = ""  # SHA-256, as in a Pin; "" without a certificate
    not_after: float = 0.0  # seconds since 1970
    authority: str = ""


class Judge:
    """Judges certificates by the settings; TrustError if a file of theirs cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._trust = Trust(settings)
        self._revocations = Revocations(settings)

    def changed(self) -> bool:
        """Whether a file is newer than what is in use."""
        return self._trust.changed() or self._revocations.changed()

    def reload(self) -> None:
        """Use the files as they are now; TrustError keeps what was in use of one kind."""
        try:
            self._trust.reload()
        finally:
            self._revocations.reload()

    def judge(
        self,
        chain: Sequence[bytes],
        domain: str,
        now: float,
        *,
        staple: bytes = b"",
        pins: Sequence[Pin] = (),
        published: PublishedCertificates | None = None,
    ) -> Verdict:
        """Whether the chain (DER, the peer's own first) proves the prepared domain.

        `published` is what DNS says by DNSSEC of the host that was connected to, if anything.
        """
        if not chain:
            what = f"{_short(domain)} showed no certificate."
            return Verdict(False, Cause.ABSENT, what)
        try:
            # What a library finds odd about a certificate is not for the log.
            with warnings.catch_warnings(action="ignore"):
                case = _Case(domain, now, chain[:_MAX_CHAIN])
                return self._judged(case, staple, pins, published)
        except _UNREADABLE:
            what = f"The certificate of {_short(domain)} cannot be read: it is not as it should be."
            return Verdict(False, Cause.UNREADABLE, what)

    def _judged(
        self,
        case: "_Case",
        staple: bytes,
        pins: Sequence[Pin],
        published: PublishedCertificates | None,
    ) -> Verdict:
        today = datetime.fromtimestamp(case.now, UTC).date()
        if any(today <= pin.last_day for pin in pins):
            return self._pinned(case, [pin for pin in pins if today <= pin.last_day])
        if published is not None and published.usable:
            return self._published(case, published, staple)
        verdict = self._ordinary(case, staple)
        ended = [pin for pin in pins if pin.fingerprint == case.fingerprint]
        if not verdict.accepted and ended:
            last_day = max(pin.last_day for pin in ended)
            return case.verdict(
                Cause.PIN_ENDED,
                f"The certificate of {case.named} was pinned until {last_day}; "
                "give the pin a new date if it is still the right one.",
            )
        return verdict

    def _pinned(self, case: "_Case", pins: Sequence[Pin]) -> Verdict:
        for pin in pins:
            if pin.fingerprint == case.fingerprint:
                what = f"{case.named} showed the certificate that is pinned until {pin.last_day}."
                return case.verdict(Cause.PINNED, what)
        return case.verdict(
            Cause.NOT_PINNED,
            f"{case.named} showed another certificate than the pinned one: ask its owner, "
            "by another way, whether it was changed.",
        )

    def _published(self, case: "_Case", published: PublishedCertificates, staple: bytes) -> Verdict:
        """By DANE (RFC 7673, RFC 7671): DNS names the certificate or its authority."""
        if published.names_leaf(case.leaf):
            what = f"{case.named} showed the certificate that its DNS names."
            return case.verdict(Cause.DANE, what)
        anchors = published.anchors(case.certificates)
        if anchors:
            verdict = self._ordinary(case, staple, anchors, published.host)
            if verdict.accepted:
                what = f"{case.named} showed a certificate of the authority that its DNS names."
                return case.verdict(Cause.DANE, what)
            return verdict
        if published.constrains(case.certificates):
            return self._ordinary(case, staple)
        what = f"{case.named} showed another certificate than the one that its DNS names (DANE)."
        return case.verdict(Cause.NOT_IN_DNS, what)

    def _ordinary(
        self,
        case: "_Case",
        staple: bytes,
        anchors: Sequence[x509.Certificate] | None = None,
        host: str = "",
    ) -> Verdict:
        """By the chain to an authority that is trusted, or else to one of these `anchors`.

        `host` is another name that will do.
        """
        if anchors is None:
            anchors = self._trust.anchors_for(case.certificates)
        path = build(case.certificates, anchors, case.now)
        if isinstance(path, Broken):
            return case.verdict(_OF_A_FLAW[path.flaw], case.broken(path))
        # The last is trusted for what it is: how it was signed, and for what, is not asked.
        signed = path[:-1] or path
        if not all(for_servers(one, own=one is signed[0]) for one in signed):
            what = f"The certificate of {case.named} is not for servers."
            return case.verdict(Cause.NOT_FOR_SERVERS, what)
        for one in path:
            if weakness := weak_key(one):
                whose = case.whose(one)
                return case.verdict(Cause.WEAK_KEY, f"The key of {whose} is weak: {weakness}.")
        for one in path[:-1]:
            if weakness := weak_signature(one):
                what = f"The certificate of {case.whose(one)} is signed weakly: with {weakness}."
                return case.verdict(Cause.WEAK_SIGNATURE, what)
        if not any(case.presented):
            what = f"The certificate of {case.named} has no name that counts (subjectAltName)."
            return case.verdict(Cause.NAMELESS, what)
        if not matches(case.presented, case.domain) and not (
            host and matches(case.presented, host)
        ):
            return case.verdict(Cause.WRONG_NAME, case.wrong_name())
        if self._revocations.revoke(path) or (
            staple and len(path) > 1 and staple_revokes(staple, path[0], path[1])
        ):
            what = f"The certificate of {case.named} was revoked by its authority."
            return case.verdict(Cause.REVOKED, what)
        what = f"{case.named} showed a certificate of {case.authority}."
        return case.verdict(Cause.TRUSTED, what)


class _Case:
    """One certificate that is judged, and how it is spoken of."""

    def __init__(self, domain: str, now: float, chain: Sequence[bytes]) -> None:
        self.domain = domain
        self.named = _short(domain)
        self.now = now
        self.certificates = [x509.load_der_x509_certificate(der) for der in chain]
        self.leaf = self.certificates[0]
        self.fingerprint = hashlib.sha256(self.leaf.public_bytes(Encoding.DER)).hexdigest()
        self.authority = _shown(self.leaf.issuer)

    @cached_property
    def presented(self) -> Identities:
        """Read only when an authority has vouched for it."""
        return identities(self.leaf)

    def verdict(self, cause: Cause, sentence: str) -> Verdict:
        return Verdict(
            cause in _ACCEPTED,
            cause,
            sentence,
            self.fingerprint,
            self.leaf.not_valid_after_utc.timestamp(),
            self.authority,
        )

    def whose(self, certificate: x509.Certificate) -> str:
        if certificate == self.leaf:
            return self.named
        return f"{_shown(certificate.subject)}, an authority of {self.named},"

    def wrong_name(self) -> str:
        told = [name for name in self.presented.told if _HARMLESS.match(name)]
        some = ", ".join(told[:_TOLD_NAMES]) or "somebody else"
        more = " and others" if len(told) > _TOLD_NAMES else ""
        return f"The certificate that {self.named} showed is for {some}{more}."

    def broken(self, path: Broken) -> str:
        """The sentence for a chain that cannot be built."""
        whose = f"The certificate of {self.named}"
        if path.flaw is Flaw.SELF_SIGNED:
            return f"{whose} is self-signed: nobody vouches for it."
        if path.flaw is Flaw.UNKNOWN_AUTHORITY:
            issuer = _shown(path.certificate.issuer)
            return f"{whose} leads to an authority that is not trusted here: {issuer}."
        if path.flaw is Flaw.INCOMPLETE:
            return (
                f"{whose} came without that of {self.authority}, which signed it; "
                "the other server has to send the whole chain."
            )
        if path.flaw is Flaw.EXPIRED:
            return f"{whose} ended on {self.leaf.not_valid_after_utc:%Y-%m-%d}."
        if path.flaw is Flaw.NOT_YET_VALID:
            begin = path.certificate.not_valid_before_utc
            return f"{whose} is good from {begin:%Y-%m-%d} on; are both clocks right?"
        if path.flaw is Flaw.CHAIN_EXPIRED:
            end = path.certificate.not_valid_after_utc
            name = _shown(path.certificate.subject)
            return f"{whose} depends on {name}, whose own certificate ended on {end:%Y-%m-%d}."
        return f"{whose} has a chain that does not hold: {path.reason}."


def _short(domain: str) -> str:
    return domain if len(domain) <= _TOLD_CHARACTERS else domain[:_TOLD_CHARACTERS] + "…"


def _shown(name: x509.Name) -> str:
    """An authority's name, if that is harmless."""
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(kind):
            if isinstance(attribute.value, str) and _HARMLESS.match(attribute.value):
                return attribute.value
    return "an authority without a name"
