"""Which certificates the box shows, and that it shows new ones without a restart."""

from pathlib import Path
from typing import Final

import gevent

from hausbote.base.log import Event, log
from hausbote.base.settings import Settings
from hausbote.net.tls import CertificateError, CertificateFiles, TlsShelf

_CHECK: Final = 60.0  # seconds between two looks at the files


def certificates(settings: Settings) -> tuple[CertificateFiles, dict[str, CertificateFiles]]:
    """The box's certificate, and those of names that have their own: certs/NAME.pem, NAME.key."""
    tls = settings.tls
    default = CertificateFiles(settings.path(tls.certificate), settings.path(tls.key))
    names = [settings.domain, *vars(settings.names).values()]
    own = {name: _named(settings.state / "certs", name) for name in names}
    return default, {name: files for name, files in own.items() if files.chain.exists()}


def _named(directory: Path, name: str) -> CertificateFiles:
    return CertificateFiles(directory / f"{name}.pem", directory / f"{name}.key")


def use_new_certificates(*shelves: TlsShelf) -> None:
    """New connections get what is on the disk now; if that is unusable, what they got before."""
    try:
        for shelf in shelves:
            shelf.reload()
    except CertificateError:
        log(Event.CERTIFICATE_UNUSABLE)
    else:
        log(Event.CERTIFICATE_RELOADED)


def watch_certificates(shelf: TlsShelf) -> None:
    """As long as the service runs, in a greenlet of its own."""
    while True:
        gevent.sleep(_CHECK)
        if shelf.changed():
            use_new_certificates(shelf)
