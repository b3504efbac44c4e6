"""Sending from rooms: one frame of the bus names many recipients and carries one payload."""

from collections.abc import Iterable, Sequence
from typing import Final

from hausbote.base.jid import JID
from hausbote.core.bus.frame import STANZA, STANZAS
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.xmpp.stanza import Stanza

_MAX_RECIPIENTS: Final = 500  # of one frame, so that whoever takes it is never busy for long
_MAX_BATCH: Final = 500  # stanzas in one frame


def post(host: Host, stanza: Stanza, recipients: Iterable[JID]) -> None:
    """Send a stanza without a to address to all of them."""
    by_service: dict[str, list[str]] = {}
    for jid in recipients:
        service = host.services.get(jid.domain)
        if service is None:
            route(host, stanza.replace(to=jid.full))
        else:
            by_service.setdefault(service, []).append(jid.full)
    if not by_service:
        return
    payload, sender = stanza.pack(), stanza.attrs["from"]
    for service, chosen in by_service.items():
        for start in range(0, len(chosen), _MAX_RECIPIENTS):
            some = chosen[start : start + _MAX_RECIPIENTS]
            host.bus.ease(service)
            host.bus.send(service, STANZA, sender, some, payload)


def post_all(host: Host, sender: str, packed: Sequence[bytes], recipient: JID) -> None:
    """Send several packed stanzas without a to address to one recipient, in this order."""
    service = host.services.get(recipient.domain)
    if service is None:
        for one in packed:
            route(host, Stanza.unpack(one).replace(to=recipient.full))
        return
    for start in range(0, len(packed), _MAX_BATCH):
        some = packed[start : start + _MAX_BATCH]
        host.bus.ease(service)
        payload = b"[" + b",".join(some) + b"]"
        host.bus.send(service, STANZAS, sender, (recipient.full,), payload)
