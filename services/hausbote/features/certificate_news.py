"""Administrators hear that the box's certificate ends soon: once a day, until there is another.

When they heard it last is in a file, so that a service that is started again does not repeat it.
"""

from typing import Final

from hausbote.base.certificate_words import acme_sentences
from hausbote.base.log import Event, log
from hausbote.core.host import Host
from hausbote.features.news import last_told, note_told, tell_administrators
from hausbote.net.in_use import InUse, in_use

_DAY: Final = 86_400.0  # seconds


def look(host: Host) -> None:
    """To be called every hour or so, in a greenlet that may wait."""
    settings, now = host.settings, host.clock()
    certificate = in_use(settings)
    if certificate is None or not certificate.ends_soon(now):
        return
    mark = settings.state / "certs" / "told"
    if 0.0 <= now - last_told(mark) < _DAY:
        return
    note_told(mark, now)
    log(Event.CERTIFICATE_ENDS_SOON, days=certificate.days_left(now))
    tell_administrators(host, "normal", _text(host, certificate))


def _text(host: Host, certificate: InUse) -> str:
    told = certificate.told(host.clock())
    if host.settings.certificates.acme == "yes":
        more = list(acme_sentences(host.settings, own=False))
        return " ".join([told, *more, "See 'hausbote certificate status'."])
    if certificate.own:
        return f"{told} 'certificates.acme' in the settings gets one that is renewed by itself."
    return f"{told} Put a new one in its place: {host.settings.tls.certificate}."
