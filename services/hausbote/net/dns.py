"""Where a domain's servers are (RFC 6120 §3.2, XEP-0368): DNS without blocking the hub.

Answers are kept as long as they say, within bounds; so are failures and names that do not exist.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Sequence
from random import SystemRandom
from typing import Any, Final, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import gevent
from gevent.event import AsyncResult

from hausbote.base.domains import registrable_domain
from hausbote.base.jid import a_label
from hausbote.base.settings import Settings
from hausbote.base.shares import Shares
from hausbote.net.dns_wire import Unanswered, Wire
from hausbote.net.tlsa import PublishedCertificates, Tlsa
from hausbote.net.turns import NoTurn, Share, Turns, of_name

_PORTS: Final = {"server": 5269, "client": 5222}
_CACHED: Final = 1_000  # names and kinds of record
_LONGEST: Final = 3_600.0  # seconds that an answer is kept, whatever it says
_SHORTEST: Final = 5.0
_LONGEST_NOTHING: Final = 300.0  # that there is nothing: its owner may be mending it just now
_FAILURE: Final = 15.0  # that nobody answered
_ALL: Final = Share("all", 128)  # questions under way
_OF_ONE: Final = 16  # of them about names of the same owner
_TURN: Final = 20.0  # seconds to wait for a turn
_RECORDS: Final = 32  # of one answer
_LABELS: Final = 10  # of a name, for each of which CAA may be asked
_ALIASES: Final = 8  # that are followed one by one
_PATIENCE: Final = 0.5  # seconds for the second of two answers, if the first will do
_HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")

A: Final = dns.rdatatype.A
AAAA: Final = dns.rdatatype.AAAA
SRV: Final = dns.rdatatype.SRV
TLSA: Final = dns.rdatatype.TLSA
CAA: Final = dns.rdatatype.CAA


class NameProblem(Exception):
    """Why a name leads nowhere, as a sentence; `lasting` if asking again soon is pointless.

    `nowhere` if there is no such name at all.
    """

    def __init__(self, sentence: str, *, lasting: bool, nowhere: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.lasting = lasting
        self.nowhere = nowhere


class Endpoint(NamedTuple):
    """A host and port where a domain's server may be."""

    host: str  # a name as DNS has it, or an IP address
    port: int
    direct_tls: bool
    secure: bool = False  # whether DNSSEC vouches for it


class Service(NamedTuple):
    """An SRV record; the target is "" where it says that there is no such service."""

    priority: int
    weight: int
    port: int
    target: str


class Caa(NamedTuple):
    """A CAA record (RFC 8659)."""

    critical: bool
    tag: str  # lower case
    value: str


class Answer(NamedTuple):
    """What there is of one kind under one name."""

    records: tuple[Any, ...]
    exists: bool  # whether the name has anything at all
    secure: bool


class Resolver:
    """Asks the name server of the settings; for use in greenlets."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._wire: Final = Wire(settings)
        self._trusted: Final = settings.dns.trusted == "yes"
        self._clock: Final = clock
        self._cache: Shares[tuple[str, int], tuple[float, Answer | NameProblem]] = Shares(_CACHED)
        self._asked: dict[tuple[str, int], AsyncResult] = {}
        self._turns: Final = Turns(_TURN)
        self._random: Final = SystemRandom()

    def endpoints(self, domain: str, service: str = "server") -> list[Endpoint]:
        """Where to connect for a prepared domain, in the order to try; NameProblem if nowhere.

        `service` is "server" or "client".
        """
        port = _PORTS[service]
        if (ip := _ip(domain)) is not None:
            return [Endpoint(ip, port, False)]
        name = _dns_name(domain)
        asked = [f"_xmpp-{service}._tcp.{name}", f"_xmpps-{service}._tcp.{name}"]
        answers = self._both((asked[0], SRV), (asked[1], SRV))
        found = [one.records if isinstance(one, Answer) else () for one in answers]
        servers = [
            (record, direct, isinstance(answer, Answer) and answer.secure)
            for records, direct, answer in zip(found, (False, True), answers, strict=True)
            for record in records
            if record.target
        ]
        if servers:
            return [
                Endpoint(record.target, record.port, direct, secure)
                for record, direct, secure in self._in_order(servers)
            ]
        if isinstance(answers[0], NameProblem):
            raise answers[0]
        if found[0]:  # all of them are "."
            what = f"{domain} says in DNS that it has no XMPP server."
            raise NameProblem(what, lasting=True)
        return [Endpoint(name, port, False)]

    def addresses(self, host: str) -> list[str]:
        """IP addresses of a host, IPv6 and IPv4 in turn; NameProblem if it has none."""
        if (ip := _ip(host)) is not None:
            return [ip]
        name = _dns_name(host)
        answers = self._both((name, AAAA), (name, A))
        six, four = [
            [ip for ip in one.records if _is_host(ip)] if isinstance(one, Answer) else []
            for one in answers
        ]
        found = [ip for pair in zip(six, four, strict=False) for ip in pair]
        found += six[len(four) :] + four[len(six) :]
        if found:
            return found
        for answer in answers:
            if isinstance(answer, NameProblem):
                raise answer
        exists = any(isinstance(one, Answer) and one.exists for one in answers)
        what = "has no IP address" if exists else "does not exist"
        raise NameProblem(f"The name {host} {what} in DNS.", lasting=True, nowhere=not exists)

    def services(self, name: str) -> tuple[Service, ...]:
        """The SRV records of a name; NameProblem if nobody tells."""
        records: tuple[Service, ...] = self._ask(name, SRV).records
        return records

    def published(self, endpoint: Endpoint) -> PublishedCertificates | None:
        """What DNS says of the endpoint's certificates; None unless DNSSEC vouches for all of it.

        NameProblem if nobody tells: somebody may want us to know nothing.
        """
        if not endpoint.secure or _ip(endpoint.host) is not None:
            return None
        if not any(self._ask(endpoint.host, kind).secure for kind in (A, AAAA)):
            return None
        answer = self._ask(f"_{endpoint.port}._tcp.{endpoint.host}", TLSA)
        if not answer.secure or not answer.records:
            return None
        return PublishedCertificates(endpoint.host, answer.records)

    def permissions(self, name: str) -> tuple[str, tuple[Caa, ...]]:
        """Which authorities may certify a name: the records of it or of the next name above that
        has any (RFC 8659 §3), and which name that is; "" if there are none.

        NameProblem if nobody tells: to authorities that is a refusal.
        """
        labels = _dns_name(name).split(".")
        for start in range(min(len(labels), _LABELS)):
            place = ".".join(labels[start:])
            records: tuple[Caa, ...] = self._ask(place, CAA).records
            if records:
                return place, records
        return "", ()

    # -- order ---------------------------------------------------------------------------------

    def _in_order(
        self, servers: list[tuple[Service, bool, bool]]
    ) -> list[tuple[Service, bool, bool]]:
        """By priority, and among equals by lot (RFC 2782)."""
        order = []
        for priority in sorted({record.priority for record, *_ in servers}):
            group = [one for one in servers if one[0].priority == priority]
            group.sort(key=lambda one: one[0].weight > 0)
            while group:
                order.append(group.pop(self._drawn([record.weight for record, *_ in group])))
        return order

    def _drawn(self, weights: Sequence[int]) -> int:
        lot = self._random.randint(0, sum(weights))
        for index, weight in enumerate(weights):
            lot -= weight
            if lot <= 0:
                return index
        return 0

    # -- questions -----------------------------------------------------------------------------

    def _both(self, *asked: tuple[str, int]) -> list[Answer | NameProblem]:
        """Two answers; if the first to come will do, the other has to hurry."""
        tasks = [gevent.spawn(self._answer, name, kind) for name, kind in asked]
        gevent.wait(tasks, count=1)
        will_do = any(
            task.ready() and isinstance(task.value, Answer) and task.value.records for task in tasks
        )
        gevent.wait(tasks, timeout=_PATIENCE if will_do else None)
        late = NameProblem("The name server takes its time.", lasting=False)
        return [task.value if task.value is not None else late for task in tasks]

    def _answer(self, name: str, kind: int) -> Answer | NameProblem:
        try:
            return self._ask(name, kind)
        except NameProblem as problem:
            return problem

    def _ask(self, name: str, kind: int) -> Answer:
        """From the cache, from somebody who is asking already, or from the name server."""
        key = (name, int(kind))
        known = self._cache.get(key)
        if known is not None and known[0] > self._clock():
            return _given(known[1])
        pending = self._asked.get(key)
        if pending is not None:
            return _given(pending.get())
        self._asked[key] = pending = AsyncResult()
        found: Answer | NameProblem = NameProblem("The question was given up.", lasting=False)
        try:
            with self._turns.taken(of_name(name, _OF_ONE), _ALL):
                found, seconds = self._found(name, kind)
            self._remember(key, found, seconds)
        except NoTurn:
            found = NameProblem("DNS is asked too much at this moment.", lasting=False)
        finally:
            del self._asked[key]
            pending.set(found)
        return _given(found)

    def _remember(self, key: tuple[str, int], found: Answer | NameProblem, seconds: float) -> None:
        party = registrable_domain(key[0])
        self._cache.put(key, party, (self._clock() + seconds, found))

    def _found(self, name: str, kind: int) -> tuple[Answer | NameProblem, float]:
        """What there is, and for how many seconds that is true."""
        try:
            return self._followed(dns.name.from_text(name), dns.rdatatype.RdataType(kind))
        except Unanswered as error:
            what = f"DNS does not tell about {name}: {error}."
        except dns.exception.DNSException:
            what = f"DNS has no usable answer about {name}."
        return NameProblem(what, lasting=False), _FAILURE

    def _followed(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> tuple[Answer, float]:
        """The end of a chain of aliases, which name servers mostly send along."""
        secure, seconds = self._trusted, _LONGEST
        for _ in range(_ALIASES):
            message = self._wire.ask(name, kind)
            chain = message.resolve_chaining()
            secure = secure and bool(message.flags & dns.flags.AD)
            seconds = min(seconds, chain.minimum_ttl)
            nowhere = message.rcode() == dns.rcode.NXDOMAIN
            if chain.answer is not None:
                records = _plain(chain.answer)
                return Answer(records, True, secure), max(_SHORTEST, seconds)
            if nowhere or not chain.cnames:
                seconds = max(_SHORTEST, min(seconds, _LONGEST_NOTHING))
                return Answer((), not nowhere, secure), seconds
            name = chain.canonical_name
        raise Unanswered("its aliases lead in circles")


def _given(found: Answer | NameProblem) -> Answer:
    if isinstance(found, NameProblem):
        raise NameProblem(found.sentence, lasting=found.lasting, nowhere=found.nowhere)
    return found


def _plain(rrset: Any) -> tuple[Any, ...]:
    """Records as values of our own, the most important first."""
    if rrset.rdtype == SRV:
        records = [Service(r.priority, r.weight, r.port, _host(r.target)) for r in rrset]
        usable = [one for one in records if one.port or not one.target]
        usable = [one for one in usable if not one.target or _HOST.match(one.target)]
        return tuple(sorted(usable, key=lambda one: one.priority)[:_RECORDS])
    if rrset.rdtype == CAA:
        texts = [
            (r.flags, r.tag.decode("ascii"), r.value.decode("ascii", "replace")) for r in rrset
        ]
        return tuple(Caa(bool(f & 128), tag.lower(), value) for f, tag, value in texts)[:_RECORDS]
    if rrset.rdtype == TLSA:
        return tuple(Tlsa(r.usage, r.selector, r.mtype, r.cert) for r in rrset)[:_RECORDS]
    return tuple(record.address for record in rrset)[:_RECORDS]


def _host(target: dns.name.Name) -> str:
    return target.to_text(omit_final_dot=True).lower() if target != dns.name.root else ""


def _dns_name(domain: str) -> str:
    try:
        name = a_label(domain)
        dns.name.from_text(f"_xmpps-server._tcp.{name}")
    except (ValueError, dns.exception.DNSException):
        raise NameProblem("DNS could have no such name.", lasting=True) from None
    return name


def _ip(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _is_host(address: str) -> bool:
    """Whether it can be one machine, and not this network or all of it."""
    ip = ipaddress.ip_address(address)
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return False
    return ip.is_loopback or not ip.is_reserved
