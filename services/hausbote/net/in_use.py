"""The certificate that the box shows: whose it is, for which names, until when."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from hausbote.base.settings import Settings
from hausbote.net.certificates import certificates
from hausbote.net.identities import identities

_DAY: Final = 86_400.0
_SOON: Final = 14 * _DAY
_SHORT: Final = 3 * _SOON  # a life of which 14 days are more than its last third


class InUse(NamedTuple):
    """Times are seconds since 1970."""

    authority: str
    own: bool  # of the box's own CA, which nobody else trusts
    names: tuple[str, ...]
    begins: float
    ends: float

    def days_left(self, now: float) -> int:
        """Negative if it has ended."""
        return int((self.ends - now) // _DAY)

    def ends_soon(self, now: float) -> bool:
        """Whether somebody should look: it should have been renewed by now."""
        life = self.ends - self.begins
        return self.ends - now < (_SOON if life > _SHORT else life / 4)

    def told(self, now: float) -> str:
        """A sentence without a person in it."""
        whose = "The box's own certificate" if self.own else f"The certificate of {self.authority}"
        day = f"{datetime.fromtimestamp(self.ends, UTC):%Y-%m-%d}"
        days = self.days_left(now)
        if self.ends <= now:
            return f"{whose} ended on {day}: clients and other servers refuse it."
        return f"{whose} is good for {days} more day{'' if days == 1 else 's'}, until {day}."


def in_use(settings: Settings) -> InUse | None:
    """What is on disk now; None if that cannot be read."""
    default, by_name = certificates(settings)
    files = by_name.get(settings.domain, default).settled()
    try:
        leaf = x509.load_pem_x509_certificate(files.chain.read_bytes())
        names = tuple(identities(leaf).told)
    except (OSError, ValueError, UnsupportedAlgorithm):
        return None
    return InUse(
        _authority(leaf),
        is_own(settings, leaf),
        names,
        leaf.not_valid_before_utc.timestamp(),
        leaf.not_valid_after_utc.timestamp(),
    )


def _authority(leaf: x509.Certificate) -> str:
    """Its organisation, which people know better than the name of one of its keys."""
    for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for attribute in leaf.issuer.get_attributes_for_oid(kind):
            return "".join(c for c in str(attribute.value) if c.isprintable() and c != "@")[:80]
    return "an authority without a name"


def is_own(settings: Settings, leaf: x509.Certificate) -> bool:
    """Whether the box's own authority has signed it."""
    try:
        ca = x509.load_pem_x509_certificate((settings.state / "certs" / "ca.pem").read_bytes())
        leaf.verify_directly_issued_by(ca)
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
