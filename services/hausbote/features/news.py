"""Tells the box's administrators something, as a message of the server.

When they were told of what still lasts is in a file, so that a service that is started again and
again does not repeat it each time.
"""

from contextlib import suppress
from pathlib import Path

from hausbote.base.files import replace_text
from hausbote.base.tokens import token
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el


def tell_administrators(host: Host, type: str, text: str) -> None:
    """A "headline" is for those who are there, "normal" waits for the others; may wait."""
    body = Child(ns.CLIENT, "body", el("body", text))
    for local in host.store.accounts.admins():
        to = f"{local}@{host.domain}"
        route(host, stanza("message", body, from_=host.domain, to=to, type=type, id=token(64)))


def last_told(file: Path) -> float:
    """When that was, in seconds since 1970; 0 = never, or it is over."""
    try:
        return float(file.read_text("ascii"))
    except (OSError, ValueError):
        return 0.0


def note_told(file: Path, at: float) -> None:
    """A full disk may cost one message more."""
    with suppress(OSError):
        replace_text(file, f"{int(at)}\n")  # never later than it was
