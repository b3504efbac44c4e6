"""Which authorities may certify the box's names: CAA (RFC 8659), with accounturi (RFC 8657).

Whoever can answer for a name for a while, a provider say, gets a certificate for it, unless DNS
says that there is only this authority, for only this account.
"""

from collections.abc import Iterator
from typing import Final

from hausbote.base.acme_record import read_record
from hausbote.base.settings import Settings
from hausbote.certs.names import wanted_names
from hausbote.certs.places import Places
from hausbote.cli.finding import Finding, Mark
from hausbote.net.dns import Caa, NameProblem, Resolver

_KNOWN: Final = {"letsencrypt.org": ("letsencrypt.org",)}


def caa_findings(settings: Settings, resolver: Resolver) -> Iterator[Finding]:
    """For the names that the box asks a certificate for; nothing if it asks for none."""
    if settings.certificates.acme == "no":
        return
    account, issuers = _account(settings)
    if not account or not issuers:
        told = "the record can be written when the authority has given its first certificate"
        yield Finding(Mark.HINT, "CAA", told, "hausbote certificate request")
        return
    method = settings.certificates.challenge
    names = wanted_names(settings)
    value = f"{issuers[0]}; accounturi={account}; validationmethods={method}"
    for name in names:
        try:
            place, records = resolver.permissions(name)
        except NameProblem as problem:
            yield Finding(Mark.BAD, f"CAA of {name}", problem.sentence)
            continue
        place = place or (names[0] if name.endswith(f".{names[0]}") else name)
        line = f'{place}. 3600 IN CAA 0 issue "{value}"'
        yield _judged(place, records, line, issuers, (account, method))


def _account(settings: Settings) -> tuple[str, tuple[str, ...]]:
    record, authority = read_record(settings.acme_record), Places(settings).authority
    known = next((names for end, names in _KNOWN.items() if authority.endswith(end)), ())
    return record.account, record.issuers or known


def _judged(
    place: str,
    records: tuple[Caa, ...],
    line: str,
    issuers: tuple[str, ...],
    ours: tuple[str, str],
) -> Finding:
    subject = f"CAA of {place}"
    account, method = ours
    issue = [_parsed(one.value) for one in records if one.tag == "issue"]
    if not issue:
        told = "none: every authority may certify this name, for whoever answers for it"
        return Finding(Mark.HINT, subject, told, line)
    fitting = [
        parameters
        for issuer, parameters in issue
        if issuer in issuers
        and parameters.get("accounturi", account) == account
        and method in parameters.get("validationmethods", method).split(",")
    ]
    if not fitting:
        return Finding(Mark.BAD, subject, "does not let the box renew its certificate", line)
    if not all("accounturi" in parameters for parameters in fitting):
        told = f"{issuers[0]} may certify this name, for whoever answers for it"
        return Finding(Mark.HINT, subject, told, line)
    return Finding(Mark.GOOD, subject, f"only {issuers[0]}, and only for this box's account")


def _parsed(value: str) -> tuple[str, dict[str, str]]:
    """issuer; name=value; name=value (RFC 8659 §4.2)."""
    issuer, *parameters = [part.strip() for part in value.split(";")]
    pairs = [part.partition("=") for part in parameters]
    return issuer.lower(), {name.strip().lower(): text.strip() for name, _, text in pairs}
