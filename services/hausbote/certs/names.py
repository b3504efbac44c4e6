"""The names of a box that stand in its certificate: those that are in use, and no others.

Every name has to be proven to the authority, and one that leads nowhere spoils all of them.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from hausbote.base.jid import a_label
from hausbote.base.settings import Settings
from hausbote.base.settings_checks import is_ip_address


def wanted_names(settings: Settings) -> list[str]:
    """As DNS writes them, the domain first.  Names with a certificate of their own
    (certs/NAME.pem) need no other."""
    found = [a_label(name) for name in _in_use(settings) if not is_ip_address(name)]
    own = {name for name in found if (settings.state / "certs" / f"{name}.pem").exists()}
    return [name for name in dict.fromkeys(found) if name not in own]


def _in_use(settings: Settings) -> Iterator[str]:
    names = settings.names
    yield settings.domain
    if settings.beyond:  # other servers call these; clients of the box do not
        yield names.rooms
        yield names.pubsub
    if settings.has_upload:
        yield names.upload
        yield _host(settings.upload_url)
    if settings.ports.proxy:
        yield names.proxy
    if settings.has_web:
        yield _host(settings.web_url)
    if settings.relay.run == "here" and (settings.ports.relay_tls or settings.has_front):
        yield settings.relay_host


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").strip("[]")
