"""Whether DNS says of the box what it should: one finding for each thing."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from gevent.pool import Pool

from hausbote.base.jid import a_label
from hausbote.base.networks import is_public
from hausbote.base.settings import Settings
from hausbote.base.settings_checks import is_ip_address
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
    found = [record.split(" ", 4) for record in records(settings)]
    return [Line(kind, name.rstrip("."), value) for name, _, _, kind, value in found]


def findings(settings: Settings, language: Language, wanted: list[Line]) -> list[Finding]:
    """What there is of the lines that are wanted; may take seconds, of which only this greenlet is
    aware."""
    resolver, pool = Resolver(settings), Pool(_AT_ONCE)
    names = dict.fromkeys(one.name for one in wanted if one.kind in ("A", "AAAA"))
    jobs = [pool.spawn(_address, resolver, language, name) for name in names]
    for kind in ("client", "server"):
        if service_records(settings, kind, settings.ascii_domain, direct=True):
            jobs.append(pool.spawn(_service, settings, resolver, language, kind))
    pool.join()
    return [job.get() for job in jobs]


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
