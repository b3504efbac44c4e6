"""What would keep a box from starting, found before anything starts."""

import errno
import os
import shutil
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from hausbote.base.settings import Settings
from hausbote.net.tls import CertificateError, CertificateFiles, TlsShelf

_FREE: Final = 100 * 1024 * 1024  # bytes


def problems(settings: Settings) -> Iterator[str]:
    """A sentence for each thing that is in the way."""
    yield from _disk(settings)
    yield from _certificate(settings)
    for port in (settings.ports.c2s, settings.ports.c2s_tls):
        if port:
            yield from _port(settings.address, port)


def _disk(settings: Settings) -> Iterator[str]:
    free = shutil.disk_usage(settings.state).free
    if free < _FREE:
        yield f"The disk of {settings.state} has {free >> 20} MB left; {_FREE >> 20} are needed."
    if not os.access(settings.state, os.W_OK):
        yield f"{settings.state} cannot be written by this user."


def _certificate(settings: Settings) -> Iterator[str]:
    chain, key = settings.path(settings.tls.certificate), settings.path(settings.tls.key)
    try:
        TlsShelf(CertificateFiles(chain, key), {})
        certificate = x509.load_pem_x509_certificate(chain.read_bytes())
    except (CertificateError, OSError, ValueError) as error:
        yield f"The certificate cannot be used: {error}"
        return
    if certificate.not_valid_after_utc < datetime.now(UTC):
        yield f"The certificate {chain} ended on {certificate.not_valid_after_utc:%Y-%m-%d}."


def _port(address: str, port: int) -> Iterator[str]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                yield f"Port {port} on {address} is in use by {_holder(port)}."
            else:
                yield f"Port {port} on {address} cannot be used: {error.strerror}."


def _holder(port: int) -> str:
    """The program that listens on a port, as far as /proc shows it to us."""
    inodes = set(_listening(port))
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(fd)
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in inodes:
            process = fd.parent.parent
            return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return "another program"


def _listening(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            rows = Path("/proc/net", table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                yield columns[9]
