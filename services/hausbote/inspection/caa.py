"""Which authorities may certify the box's names: CAA (RFC 8659), with accounturi (RFC 8657).

Whoever can answer for a name for a while, a provider say, gets a certificate for it, unless DNS
says that there is only this authority, for only this account.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from hausbote.base.acme_record import read_record
from hausbote.base.settings import Settings
from hausbote.certs.names import wanted_names
from hausbote.certs.places import Places
from hausbote.net.dns import Caa, NameProblem, Resolver

_KNOWN: Final = {"letsencrypt.org": ("letsencrypt.org",)}


class Allowed(Enum):
    """Who may get a certificate for a name."""

    ANYBODY = "whoever answers for the name, from every authority"
    ANY_ACCOUNT = "whoever answers for the name, from the box's authority"
    BOX = "the box alone"
    NOT_THE_BOX = "others, but not the box"
    UNKNOWN = "nobody knows, for DNS does not answer"


class Permission(NamedTuple):
    """Of the CAA records at `place`; `record` is the line of a zone file that allows the box
    alone, `problem` why DNS does not answer, a sentence."""

    place: str
    allowed: Allowed
    issuer: str
    record: str
    problem: str = ""


def is_writable(settings: Settings) -> bool:
    """Whether the box has an account at the authority yet, which the record names."""
    account, issuers = _account(settings)
    return bool(account and issuers)


def permissions(settings: Settings, resolver: Resolver) -> Iterator[Permission]:
    """For the names that the box asks a certificate for, each place once; may take seconds."""
    account, issuers = _account(settings)
    method, names = settings.certificates.challenge, wanted_names(settings)
    value = f"{issuers[0]}; accounturi={account}; validationmethods={method}"
    seen = set()
    for name in names:
        try:
            place, records = resolver.permissions(name)
        except NameProblem as problem:
            yield Permission(name, Allowed.UNKNOWN, issuers[0], "", problem.sentence)
            continue
        place = place or (names[0] if name.endswith(f".{names[0]}") else name)
        if place not in seen:
            seen.add(place)
            line = f'{place}. 3600 IN CAA 0 issue "{value}"'
            allowed = _judged(records, issuers, account, method)
            yield Permission(place, allowed, issuers[0], line)


def _account(settings: Settings) -> tuple[str, tuple[str, ...]]:
    record, authority = read_record(settings.acme_record), Places(settings).authority
    known = next((names for end, names in _KNOWN.items() if authority.endswith(end)), ())
    return record.account, record.issuers or known


def _judged(
    records: tuple[Caa, ...], issuers: tuple[str, ...], account: str, method: str
) -> Allowed:
    issue = [_parsed(one.value) for one in records if one.tag == "issue"]
    if not issue:
        return Allowed.ANYBODY
    fitting = [
        parameters
        for issuer, parameters in issue
        if issuer in issuers
        and parameters.get("accounturi", account) == account
        and method in parameters.get("validationmethods", method).split(",")
    ]
    if not fitting:
        return Allowed.NOT_THE_BOX
    bound = all("accounturi" in parameters for parameters in fitting)
    return Allowed.BOX if bound else Allowed.ANY_ACCOUNT


def _parsed(value: str) -> tuple[str, dict[str, str]]:
    """issuer; name=value; name=value (RFC 8659 §4.2)."""
    issuer, *parameters = [part.strip() for part in value.split(";")]
    pairs = [part.partition("=") for part in parameters]
    return issuer.lower(), {name.strip().lower(): text.strip() for name, _, text in pairs}
