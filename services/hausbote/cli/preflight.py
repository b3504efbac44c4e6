"""What would keep a box from starting, found before anything starts."""

import errno
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509

from hausbote.base.believed_clock import possible_times
from hausbote.base.holder import holder
from hausbote.base.services import Port, open_ports
from hausbote.base.settings import Settings
from hausbote.cli.supervision import programs
from hausbote.net.chains import TrustError
from hausbote.net.identities import identities, matches
from hausbote.net.judge import Judge
from hausbote.net.tls import CertificateError, CertificateFiles, TlsShelf
from hausbote.turn.place import addresses

_LOW: Final = 1_024  # ports below are not for everybody


def problems(settings: Settings, only: Sequence[str] = ()) -> Iterator[str]:
    """A sentence for each thing that is in the way of `only` these or all services."""
    services = [one for one in programs(settings) if not only or one.name in only]
    if not settings.bus.startswith("unix:"):
        yield "bus: services are processes of their own here, which only unix:DIRECTORY connects."
    yield from _state(settings)
    if any(service.certificates for service in services):
        yield from _certificate(settings)
    if any(service.name == settings.beyond for service in services):
        yield from _trust(settings)
    chosen = programs(settings)
    if settings.front.run == "here" and not only and "front" not in [one.name for one in chosen]:
        yield "front.run: HAProxy is not there: apt install haproxy."
    for service in services:
        for port, number in open_ports(settings, service):
            if port.address == "address" and settings.front.run == "elsewhere":
                continue  # a HAProxy of the owner's has it
            if service.low_ports and settings.is_split and number < _LOW:
                continue  # the program in that image may have it, and nobody else could look
            for address in _addresses(settings, port):
                yield from _port(address, number)
                if port.udp:
                    yield from _port(address, number, socket.SOCK_DGRAM)


def _addresses(settings: Settings, port: Port) -> list[str]:
    """Where a port is listened on."""
    if port.address == "relay.address":
        return [str(one) for one in addresses(settings)]
    return [str(dict(settings.items())[port.address])]


def _state(settings: Settings) -> Iterator[str]:
    if not os.access(settings.state, os.W_OK):
        yield f"{settings.state} cannot be written by this user."


def _certificate(settings: Settings) -> Iterator[str]:
    chain, key = settings.path(settings.tls.certificate), settings.path(settings.tls.key)
    try:
        TlsShelf(CertificateFiles(chain, key), {})
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
        presented = identities(certificate)
    except (CertificateError, OSError, ValueError) as error:
        yield f"The certificate cannot be used: {error}"
        return
    # A machine that starts with a wrong time serves nevertheless: only what is wrong by both.
    times = possible_times(settings.clock_mark)
    # With ACME, a box that was off for long gets a new one as soon as it runs.
    renews = settings.certificates.acme == "yes"
    if not renews and certificate.not_valid_after_utc < datetime.fromtimestamp(min(times), UTC):
        yield f"The certificate {chain} ended on {certificate.not_valid_after_utc:%Y-%m-%d}."
    if certificate.not_valid_before_utc > datetime.fromtimestamp(max(times), UTC):
        begin = certificate.not_valid_before_utc
        yield f"The certificate {chain} is good from {begin:%Y-%m-%d} on; is this clock right?"
    if not matches(presented, settings.domain):
        yield f"The certificate {chain} is not for {settings.domain}: clients would refuse it."


def _trust(settings: Settings) -> Iterator[str]:
    try:
        Judge(settings)
    except TrustError as error:
        yield str(error)


def _port(address: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[str]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            if kind == socket.SOCK_STREAM:
                probe.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            yield f"Port {port} on {address} is in use by {holder(address, port)}."
        elif error.errno == errno.EACCES:
            yield (
                f"Port {port} on {address} is not for this user; this lets everybody have it:"
                f" sysctl -w net.ipv4.ip_unprivileged_port_start={port}"
            )
        else:
            yield f"Port {port} on {address} cannot be used: {error.strerror}."
