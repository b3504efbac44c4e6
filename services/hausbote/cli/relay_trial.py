"""Tries one of the relay's ports as a client would."""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from hausbote.base.networks import Address, is_public
from hausbote.base.relay import Offer
from hausbote.base.settings import Settings
from hausbote.turn.credentials import Credentials
from hausbote.turn.stun import Answer, NotStun, Trial, size_of

_PATIENCE: Final = 1.5  # seconds for one answer
_TRIES: Final = 3  # datagrams get lost
_INSIDE: Final = ("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "192.168.1.1")
_FORBIDDEN: Final = 403

Exchange = Callable[[bytes], bytes]


class Verdict(NamedTuple):
    good: bool
    told: str


def trust(settings: Settings) -> ssl.SSLContext:
    """What clients of this box trust: the world's CAs, and the box's own."""
    context = ssl.create_default_context()
    own = settings.state / "certs" / "ca.pem"
    for path in (own, *(settings.path(one) for one in settings.tls.trust)):
        if path.exists():
            context.load_verify_locations(path)
    return context


def inside(own: Sequence[Address]) -> list[str]:
    """Addresses that calls must not reach; not the relay's own, where two who need it meet."""
    return [one for one in _INSIDE if ipaddress.ip_address(one) not in own]


def tried(
    offer: Offer, credentials: Credentials, context: ssl.SSLContext, forbidden: Sequence[str]
) -> Verdict:
    """What became of it, in words for the owner."""
    try:
        with _opened(offer, context) as exchange:
            if offer.is_restricted:
                return _relayed(exchange, credentials, forbidden)
            return _mapped(exchange)
    except ssl.SSLError as error:
        return Verdict(False, f"its certificate is not good for clients ({error.reason})")
    except socket.gaierror:
        return Verdict(False, "DNS does not know this name")
    except TimeoutError:
        return Verdict(False, "no answer: is the port open?")
    except (OSError, NotStun) as error:
        return Verdict(False, f"no answer: {error}")


def _mapped(exchange: Exchange) -> Verdict:
    trial = Trial()
    answer = trial.read(exchange(trial.bind()))
    if answer.mapped is None:
        return Verdict(False, f"an answer without an address (error {answer.error})")
    return Verdict(True, f"it sees this machine as {answer.mapped}")


def _relayed(exchange: Exchange, credentials: Credentials, forbidden: Sequence[str]) -> Verdict:
    trial = Trial(credentials.username, credentials.password)

    def ask(request: bytes) -> Answer:
        return trial.read(exchange(request))

    ask(trial.allocate())  # which is refused, and tells what to sign with
    answer = ask(trial.allocate())
    if answer.relayed is None:
        return Verdict(False, f"it refuses our credentials (error {answer.error})")
    reached = [one for one in forbidden if ask(trial.permit(one)).error != _FORBIDDEN]
    ask(trial.release())
    if reached:
        return Verdict(False, f"calls reach {', '.join(reached)}, which they must not")
    if not is_public(ipaddress.ip_address(answer.relayed)):
        told = f"calls come from {answer.relayed}, which the internet does not reach"
        return Verdict(False, f"{told}: see relay.external")
    return Verdict(True, f"calls come from {answer.relayed}, and reach nothing inside")


@contextmanager
def _opened(offer: Offer, context: ssl.SSLContext) -> Iterator[Exchange]:
    """Asks and waits for the answer, over whatever the port speaks."""
    if offer.transport == "udp":
        family, _, _, _, where = socket.getaddrinfo(offer.host, offer.port, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect(where)
            yield lambda data: _datagrams(sock, data)
        return
    with socket.create_connection((offer.host, offer.port), _PATIENCE) as sock:
        if offer.type == "turns":
            with context.wrap_socket(sock, server_hostname=offer.host) as secure:
                yield lambda data: _stream(secure, data)
        else:
            yield lambda data: _stream(sock, data)


def _datagrams(sock: socket.socket, data: bytes) -> bytes:
    sock.settimeout(_PATIENCE)
    for _ in range(_TRIES - 1):
        sock.send(data)
        try:
            return sock.recv(65_536)
        except TimeoutError:
            continue
    sock.send(data)
    return sock.recv(65_536)


def _stream(sock: socket.socket, data: bytes) -> bytes:
    sock.sendall(data)
    head = _exactly(sock, 20)
    return head + _exactly(sock, size_of(head) - 20)


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        got = sock.recv(size - len(data))
        if not got:
            raise ConnectionError("the connection was closed")
        data += got
    return data
