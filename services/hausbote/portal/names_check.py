"""Whether DNS says of the box what it should: one finding for each thing."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

import gevent
from gevent.pool import Pool

from hausbote.base.jid import a_label
from hausbote.base.networks import is_public
from hausbote.base.settings import Settings
from hausbote.base.settings_checks import is_ip_address
from hausbote.inspection.caa import Allowed, Permission, is_writable, permissions
from hausbote.inspection.records import records, service_records
from hausbote.net.dns import NameProblem, Resolver
from hausbote.portal.language import Language
from hausbote.turn.networks import outward_addresses

_AT_ONCE: Final = 8  # questions to DNS
_AT_HOME: Final = ("localhost", "local", "lan", "home.arpa", "internal", "test")


class Mark(Enum):
    """How a finding is shown: a sign, and what a screen reader says."""

    GOOD = "good"
    WAITING = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """`subject` and `told` are of the visit's language."""

    mark: Mark
    subject: str
    told: str


@dataclass(frozen=True)
class Line:
    """A record to copy."""

    kind: str
    name: str
    value: str


def is_at_home(settings: Settings) -> bool:
    """Whether the domain is one that no DNS of the world knows."""
    domain = settings.ascii_domain
    return is_ip_address(domain) or any(
        domain == one or domain.endswith(f".{one}") for one in _AT_HOME
    )


def lines(settings: Settings) -> list[Line]:
    """The records of the box; may wait for DNS, and all others with it: call it in a thread."""
    return [_line(record) for record in records(settings)]


def _line(record: str) -> Line:
    name, _, _, kind, value = record.split(" ", 4)
    return Line(kind, name.rstrip("."), value)


@dataclass(frozen=True)
class Names:
    """What is in DNS, and what should be."""

    findings: list[Finding]
    lines: list[Line]


def look(settings: Settings, language: Language, wanted: list[Line]) -> Names:
    """What there is of the lines that are wanted, and the same for CAA records, which DNS itself
    decides where to put; may take seconds, of which only this greenlet is aware."""
    resolver, pool = Resolver(settings), Pool(_AT_ONCE)
    asks = settings.certificates.acme == "yes" and is_writable(settings)
    allowed = gevent.spawn(lambda: list(permissions(settings, resolver)) if asks else [])
    names = dict.fromkeys(one.name for one in wanted if one.kind in ("A", "AAAA"))
    jobs = [pool.spawn(_address, resolver, language, name) for name in names]
    for kind in ("client", "server"):
        if service_records(settings, kind, settings.ascii_domain, direct=True):
            jobs.append(pool.spawn(_service, settings, resolver, language, kind))
    pool.join()
    caa = allowed.get()
    return Names(
        [*[job.get() for job in jobs], *[_permission(language, one) for one in caa]],
        [*wanted, *[_line(one.record) for one in caa if one.record]],
    )


def _permission(language: Language, one: Permission) -> Finding:
    subject = language.say("Certificates for %(name)s", name=one.place)
    match one.allowed:
        case Allowed.BOX:
            told = language.say("%(issuer)s gives them to this box alone.", issuer=one.issuer)
            return Finding(Mark.GOOD, subject, told)
        case Allowed.NOT_THE_BOX:
            told = language.say(
                "The CAA record forbids %(issuer)s to renew that of this box: write the line below"
                " in its place.",
                issuer=one.issuer,
            )
            return Finding(Mark.BAD, subject, told)
        case Allowed.UNKNOWN:
            return Finding(Mark.WAITING, subject, language.say("DNS does not answer."))
        case Allowed.ANYBODY | Allowed.ANY_ACCOUNT:
            told = language.say(
                "Whoever answers for the name for a moment, a provider say, could get one. With the"
                " CAA line below only this box can."
            )
            return Finding(Mark.WAITING, subject, told)


def _address(resolver: Resolver, language: Language, name: str) -> Finding:
    subject = language.say("Address of %(name)s", name=name)
    try:
        found = resolver.addresses(name)
    except NameProblem:
        told = language.say("Not there yet. New lines often need ten minutes.")
        return Finding(Mark.WAITING, subject, told)
    ours = {str(one) for one in outward_addresses()}
    places = ", ".join(found)
    if ours & set(found):
        told = language.say("It leads to %(places)s, which is this box.", places=places)
        return Finding(Mark.GOOD, subject, told)
    if any(is_public(one) for one in outward_addresses()):
        told = language.say("It leads to %(places)s, which is not this box.", places=places)
        return Finding(Mark.BAD, subject, told)
    told = language.say(
        "It leads to %(places)s. If that is your router, it passes on to the box what comes.",
        places=places,
    )
    return Finding(Mark.GOOD, subject, told)


def _service(settings: Settings, resolver: Resolver, language: Language, kind: str) -> Finding:
    subject = language.say("Apps") if kind == "client" else language.say("Other servers")
    domain = a_label(settings.domain)
    try:
        found = [
            one
            for prefix in ("xmpps", "xmpp")
            for one in resolver.services(f"_{prefix}-{kind}._tcp.{domain}")
            if one.target
        ]
    except NameProblem:
        found = []
    if not found:
        told = language.say("Not there yet. New lines often need ten minutes.")
        return Finding(Mark.WAITING, subject, told)
    places = ", ".join(dict.fromkeys(f"{one.target}:{one.port}" for one in found))
    told = language.say("They are sent to %(places)s.", places=places)
    return Finding(Mark.GOOD, subject, told)
