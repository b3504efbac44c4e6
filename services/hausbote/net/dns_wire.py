"""One question to a name server, over UDP and if need be TCP; gevent waits, dnspython reads.

An answer must come from the server that was asked, with the question's random number and name:
anything else that arrives is dropped and waited past.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from dns.message import QueryMessage
from gevent import socket

from hausbote.base.settings import Settings
from hausbote.net.files import stamps

_RESOLV_CONF: Final = Path("/etc/resolv.conf")
_PORT: Final = 53
_SERVERS: Final = 3
_FIRST_WAIT: Final = 2.0  # seconds; each further round waits twice as long
_UDP_BYTES: Final = 1232  # what we say that we take: never fragmented on the way
_ANSWER_BYTES: Final = 16_384  # of an answer that is read at all: no server needs more records


class Unanswered(Exception):
    """Nobody told; the message says why, as the end of a sentence."""


class Server(NamedTuple):
    address: str
    port: int


class Wire:
    """The name servers of the settings, or else of the system."""

    def __init__(self, settings: Settings) -> None:
        address, _, port = settings.dns.server.rpartition(":")
        self._given: Final = [Server(address.strip("[]"), int(port))] if address else []
        self._seconds: Final = settings.dns.seconds or 10
        self._ask_for_proof: Final = settings.dns.trusted == "yes"
        self._read: tuple[Any, list[Server]] = (None, [])

    def ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> QueryMessage:
        """An answer, which may be that there is nothing; Unanswered if there is none."""
        until = time.monotonic() + self._seconds
        query = self._query(name, kind)
        reason = "this machine knows no name server"
        for server, wait in self._rounds():
            left = until - time.monotonic()
            if left <= 0:
                break
            try:
                answer = self._try(server, query, min(wait, left))
            except OSError as error:
                late = isinstance(error, TimeoutError)
                reason = "the name server does not answer" if late else "it cannot be reached"
                continue
            except _TooLarge:
                raise Unanswered("the answer is larger than any server needs") from None
            if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return answer
            if answer.rcode() in (dns.rcode.FORMERR, dns.rcode.NOTIMP):
                query.use_edns(False)  # a name server older than extensions
            reason = f"the name server says {dns.rcode.to_text(answer.rcode())}"
        raise Unanswered(reason)

    def _query(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> QueryMessage:
        query = dns.message.make_query(name, kind, use_edns=0, payload=_UDP_BYTES)
        if self._ask_for_proof:
            query.flags |= dns.flags.AD
        return query

    def _rounds(self) -> Iterator[tuple[Server, float]]:
        for number in range(4):
            for server in self._servers():
                yield server, _FIRST_WAIT * 2**number

    def _servers(self) -> list[Server]:
        if self._given:
            return self._given
        seen = stamps([_RESOLV_CONF])
        if seen != self._read[0]:
            self._read = (seen, _system_servers())
        return self._read[1]

    def _try(self, server: Server, query: QueryMessage, wait: float) -> QueryMessage:
        until = time.monotonic() + wait
        answer = _over_udp(server, query, until)
        return _over_tcp(server, query, until) if answer.flags & dns.flags.TC else answer


class _TooLarge(Exception):
    pass


def _system_servers() -> list[Server]:
    try:
        lines = _RESOLV_CONF.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    words = [line.split() for line in lines]
    found = [Server(one[1], _PORT) for one in words if one[:1] == ["nameserver"] and len(one) > 1]
    return found[:_SERVERS]


def _open(server: Server, kind: int, until: float) -> Any:
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        _hurry(sock, until)
        sock.connect((server.address, server.port))
    except BaseException:
        sock.close()
        raise
    return sock


def _hurry(sock: Any, until: float) -> None:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _over_udp(server: Server, query: QueryMessage, until: float) -> QueryMessage:
    with _open(server, socket.SOCK_DGRAM, until) as sock:
        sock.send(query.to_wire())
        while True:
            _hurry(sock, until)
            answer = _parsed(sock.recv(4 * _UDP_BYTES), query)
            if answer is not None:
                return answer


def _over_tcp(server: Server, query: QueryMessage, until: float) -> QueryMessage:
    data = query.to_wire()
    with _open(server, socket.SOCK_STREAM, until) as sock:
        sock.sendall(len(data).to_bytes(2, "big") + data)
        size = int.from_bytes(_exactly(sock, 2, until), "big")
        if size > _ANSWER_BYTES:
            raise _TooLarge
        answer = _parsed(_exactly(sock, size, until), query)
    if answer is None:
        raise ConnectionError("not an answer")
    return answer


def _exactly(sock: Any, size: int, until: float) -> bytes:
    data = b""
    while len(data) < size:
        _hurry(sock, until)
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("cut short")
        data += more
    return data


def _parsed(data: bytes, query: QueryMessage) -> QueryMessage | None:
    """The answer to the query; None if it is none."""
    try:
        answer = dns.message.from_wire(data, ignore_trailing=True, raise_on_truncation=False)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if isinstance(answer, QueryMessage) and query.is_response(answer):
        return answer
    return None
