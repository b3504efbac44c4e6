"""A chain and its key: what they say, whether they belong together, and whether it is time anew."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from hausbote.base.settings import Settings
from hausbote.net.identities import identities, matches
from hausbote.net.judge import Cause, Judge, Verdict

_LAST_PART: Final = 3  # renewed when a third of its life is left


class Pair(NamedTuple):
    """PEM, as it came, and the certificates in it, the box's own first."""

    chain: bytes
    key: bytes
    certificates: tuple[x509.Certificate, ...]

    @property
    def ends(self) -> datetime:
        return self.certificates[0].not_valid_after_utc


class Unusable(Exception):
    """A pair that must not be shown to anybody; the message is a sentence."""


def read_pair(chain: Path, key: Path) -> Pair | None:
    """The pair in two files, None if one is not there; Unusable if they do not fit."""
    try:
        chain_pem, key_pem = chain.read_bytes(), key.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unusable(f"{error.filename} cannot be read: {error.strerror}.") from None
    try:
        certificates = tuple(x509.load_pem_x509_certificates(chain_pem))
        secret = load_pem_private_key(key_pem, password=None)
        fits = _spki(certificates[0].public_key()) == _spki(secret.public_key())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Unusable(f"{chain} or {key} cannot be read: {error}") from None
    if not fits:
        raise Unusable(f"{chain} and {key} do not belong together.")
    return Pair(chain_pem, key_pem, certificates)


def _spki(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return encoded


def missing_names(pair: Pair, names: list[str]) -> list[str]:
    """Those that the certificate does not have."""
    presented = identities(pair.certificates[0])
    return [name for name in names if not matches(presented, name)]


def is_due(pair: Pair, now: float) -> bool:
    """Whether only a third of its life is left, or none, or it has not begun."""
    leaf = pair.certificates[0]
    life = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    time = datetime.fromtimestamp(now, UTC)
    return time > leaf.not_valid_after_utc - life / _LAST_PART or time < leaf.not_valid_before_utc


def verify(settings: Settings, pair: Pair, names: list[str], now: float) -> Verdict:
    """What another server or a client would say: names, dates, strength, and the chain to an
    authority of the settings.  The first refusal, or the last approval."""
    judge = Judge(settings)
    chain = [one.public_bytes(Encoding.DER) for one in pair.certificates]
    verdict = Verdict(False, Cause.NAMELESS, "There is no name to certify.")
    for name in names:
        verdict = judge.judge(chain, name, now)
        if not verdict.accepted:
            break
    return verdict
