"""A domain as others see it: its records, ports, certificates and what its servers offer."""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from hausbote.base.jid import a_label
from hausbote.base.settings import Settings
from hausbote.cli.caa import caa_findings
from hausbote.cli.finding import Finding, Mark
from hausbote.cli.front_inspection import at_the_front
from hausbote.cli.host_meta import web_links
from hausbote.inspection.records import open_ports, service_records, srv
from hausbote.net.certificates import certificates
from hausbote.net.dial import Unreachable, dial
from hausbote.net.dns import Endpoint, NameProblem, Resolver
from hausbote.net.judge import Cause, Judge, Verdict
from hausbote.net.probe import Sight, look
from hausbote.s2s.rules import Rules

_FOR_OURS: Final = ("upload", "proxy")
_DAYS_LEFT: Final = 14  # certificates are renewed long before
_PIN_DAYS: Final = 90  # what is proposed
_PORTS: Final = {
    ("server", False): 5269,
    ("server", True): 5270,
    ("client", False): 5222,
    ("client", True): 5223,
}
# What a server says whom our certificate does not satisfy, which is not its fault.
_UNPROVEN: Final = ("not-authorized", "invalid-from", "policy-violation", "improper-addressing")
_SELF_MADE: Final = (Cause.SELF_SIGNED, Cause.UNKNOWN_AUTHORITY, Cause.NOT_PINNED, Cause.PIN_ENDED)


class Inspection:
    """Looks at one domain; TrustError if the box's own authorities cannot be read.

    `decided` is what the owner has decided about servers while the box ran.
    """

    def __init__(self, settings: Settings, domain: str, decided: Mapping[str, bool]) -> None:
        self._settings = settings
        self._domain = domain
        self._own = domain == settings.domain
        self._resolver = Resolver(settings)
        self._judge = Judge(settings)
        self._rule = Rules(settings, decided).for_domain(domain)
        self._told: set[tuple[str, Cause]] = set()  # certificates are shown on several ports
        self._seen: list[Verdict] = []

    def findings(self) -> Iterator[Finding]:
        """Each line once: clients and servers often have the same address."""
        seen: set[Finding] = set()
        for finding in self._look():
            if finding not in seen:
                seen.add(finding)
                yield finding

    def _look(self) -> Iterator[Finding]:
        try:
            name = a_label(self._domain)
        except ValueError:
            yield Finding(Mark.BAD, self._domain, "DNS could have no such name.")
            return
        if not self._rule.allowed:
            yield Finding(Mark.HINT, "rules", self._rule.refusal)
        for service in ("server", "client"):
            try:
                yield from self._records(service, name)
            except NameProblem as problem:
                yield Finding(
                    Mark.BAD,
                    "DNS",
                    problem.sentence,
                    "see to dns.server, or the way to the Internet",
                )
                return
            yield from self._service(service)
        yield web_links(self._settings, self._resolver, self._domain, name)
        if self._own:
            yield from at_the_front(self._settings, self._resolver)
            yield from self._names_below()
            yield from caa_findings(self._settings, self._resolver)

    # -- DNS -----------------------------------------------------------------------------------

    def _records(self, service: str, name: str) -> Iterator[Finding]:
        """The SRV records; NameProblem if DNS does not answer."""
        for direct in (False, True):
            kind = f"_xmpp{'s' if direct else ''}-{service}._tcp.{name}"
            found = self._resolver.services(kind)
            subject = f"SRV {kind}"
            lines = self._wanted(service, name, direct)
            if not found:
                yield self._missing(subject, service, lines, direct)
            elif not any(record.target for record in found):
                told = "says that there is no such service"
                bad = bool(lines) and not direct
                yield Finding(Mark.BAD if bad else Mark.HINT, subject, told, "; ".join(lines))
            elif not lines:
                yield Finding(Mark.HINT, subject, "leads to a port that the settings close")
            else:
                places = [f"{one.target}:{one.port}" for one in found if one.target]
                yield Finding(Mark.GOOD, subject, ", ".join(places))

    def _missing(self, subject: str, service: str, lines: list[str], direct: bool) -> Finding:
        """Who finds no record at all tries the usual port without TLS."""
        usual = _PORTS[service, False]
        if not lines:
            return Finding(Mark.GOOD, subject, "none, for no port is open for it")
        ports = self._ports(service, False)
        if direct:
            return Finding(Mark.HINT if ports else Mark.BAD, subject, "none", "; ".join(lines))
        told = f"none; others try port {usual}"
        return Finding(Mark.HINT if usual in ports else Mark.BAD, subject, told, "; ".join(lines))

    def _wanted(self, service: str, name: str, direct: bool) -> list[str]:
        """The SRV records that the domain should have."""
        if self._own:
            return service_records(self._settings, service, name, direct=direct)
        kind = f"_xmpp{'s' if direct else ''}-{service}._tcp.{name}"
        return [srv(kind, 5, port, name) for port in self._ports(service, direct)]

    def _ports(self, service: str, direct: bool) -> list[int]:
        if self._own:
            return open_ports(self._settings, service, direct=direct)
        return [_PORTS[service, direct]]

    def _names_below(self) -> Iterator[Finding]:
        """Other servers must find and trust the names of the box's services, too.

        Uploads and the proxy are for people of the box alone, whose clients ask no SRV for them.
        """
        for service, name in vars(self._settings.names).items():
            if service in _FOR_OURS:
                continue
            subject = f"names.{service} {name}"
            starttls, direct = [
                service_records(self._settings, "server", a_label(name), direct=direct)
                for direct in (False, True)
            ]
            line = "; ".join(starttls or direct)
            try:
                places = self._resolver.endpoints(name)
                self._resolver.addresses(places[0].host)
            except NameProblem as problem:
                yield Finding(Mark.BAD, subject, problem.sentence, line)
                continue
            verdict = self._verdict_for(name, places[0])
            if verdict is None:
                yield Finding(Mark.BAD, subject, "its server shows no certificate", line)
            elif not verdict.accepted:
                yield Finding(Mark.BAD, subject, verdict.sentence, f"a certificate for {name}, too")
            else:
                yield Finding(Mark.GOOD, subject, "is found and has a certificate")

    def _verdict_for(self, name: str, endpoint: Endpoint) -> Verdict | None:
        sight = self._sight("server", name, endpoint)
        if isinstance(sight, Finding) or sight.presented is None:
            return None
        return self._judge.judge(sight.presented.chain, name, time.time())

    # -- servers -------------------------------------------------------------------------------

    def _service(self, service: str) -> Iterator[Finding]:
        try:
            endpoints = self._resolver.endpoints(self._domain, service)
        except NameProblem as problem:
            yield Finding(Mark.BAD, f"{service}s", problem.sentence)
            return
        missing = set()
        for host in dict.fromkeys(endpoint.host for endpoint in endpoints):
            try:
                addresses = self._resolver.addresses(host)
            except NameProblem as problem:
                missing.add(host)
                line = f"{host}. 3600 IN A ADDRESS"
                yield Finding(Mark.BAD, f"address of {host}", problem.sentence, line)
            else:
                yield Finding(Mark.GOOD, f"address of {host}", ", ".join(addresses))
        for endpoint in endpoints:
            if endpoint.host not in missing:
                yield from self._endpoint(service, endpoint)

    def _endpoint(self, service: str, endpoint: Endpoint) -> Iterator[Finding]:
        sight = self._sight(service, self._domain, endpoint)
        if isinstance(sight, Finding):
            yield sight
            return
        subject = f"{service}s at {endpoint.host}:{endpoint.port}"
        if sight.problem and sight.refusal not in _UNPROVEN:
            yield Finding(Mark.BAD, subject, f"the server {sight.problem}", self._repair(endpoint))
        else:
            yield self._handshake(service, subject, endpoint, sight)
        if sight.presented is not None:
            yield from self._certificate(subject, endpoint, sight)

    def _sight(self, service: str, domain: str, endpoint: Endpoint) -> Sight | Finding:
        try:
            reached = dial(self._resolver, domain, [endpoint])
        except Unreachable as error:
            subject = f"{service}s at {endpoint.host}:{endpoint.port}"
            return Finding(Mark.BAD, subject, str(error), self._repair(endpoint))
        default, by_name = certificates(self._settings)
        ours = by_name.get(self._settings.domain, default)
        shown = ours if ours.chain.exists() else None
        return look(reached, service, domain, self._settings.domain, shown)

    def _repair(self, endpoint: Endpoint) -> str:
        if self._own:
            return f"lead TCP port {endpoint.port} to the box; 'hausbote status' tells if it runs"
        return "only its owner can mend that"

    def _handshake(self, service: str, subject: str, endpoint: Endpoint, sight: Sight) -> Finding:
        how = "TLS from the first byte" if endpoint.direct_tls else "STARTTLS"
        told = f"reachable, {how}, {sight.tls}"
        if service == "client":
            offers = ", ".join(sight.mechanisms)
            return Finding(Mark.GOOD, subject, f"{told}, {offers or 'no login offered'}")
        if "EXTERNAL" in sight.mechanisms:
            return Finding(Mark.GOOD, subject, f"{told}, accepts our certificate")
        if self._own:  # which has no use for its own certificate as another server's
            return Finding(Mark.GOOD, subject, told)
        offer = "and wants dialback" if sight.dialback else "and offers no other way"
        if sight.problem:
            offer = f"and {sight.problem}"
        told = f"{told}, does not accept our certificate {offer}"
        return Finding(Mark.HINT, subject, told, "'hausbote check' without a domain looks at ours")

    def _certificate(self, subject: str, endpoint: Endpoint, sight: Sight) -> Iterator[Finding]:
        assert sight.presented is not None
        try:
            published = self._resolver.published(endpoint)
        except NameProblem as problem:
            yield Finding(Mark.BAD, f"DANE of {endpoint.host}", problem.sentence)
            return
        verdict = self._judge.judge(
            sight.presented.chain,
            self._domain,
            time.time(),
            staple=sight.presented.staple,
            pins=self._rule.pins,
            published=published,
        )
        key = (verdict.fingerprint, verdict.cause)
        if key in self._told:
            return
        self._told.add(key)
        yield self._about(verdict)

    def _about(self, verdict: Verdict) -> Finding:
        if not verdict.accepted:
            return Finding(Mark.BAD, "certificate", verdict.sentence, self._remedy(verdict))
        end = datetime.fromtimestamp(verdict.not_after, UTC)
        days = (end - datetime.now(UTC)).days
        told = f"{verdict.sentence} It is good for {days} more days, until {end:%Y-%m-%d}."
        if days >= _DAYS_LEFT:
            return Finding(Mark.GOOD, "certificate", told)
        return Finding(Mark.HINT, "certificate", told, "it should have been renewed by now")

    def _remedy(self, verdict: Verdict) -> str:
        if self._own:
            file = self._settings.tls.certificate
            return f"{file} needs the whole chain of a certificate for all names of the box"
        if verdict.cause not in _SELF_MADE:
            return "only its owner can mend that"
        until = datetime.now(UTC).date() + timedelta(days=_PIN_DAYS)
        return (
            f'pins = ["{self._domain}={verdict.fingerprint} {until}"] in [federation],'
            " if its owner tells the same fingerprint"
        )
