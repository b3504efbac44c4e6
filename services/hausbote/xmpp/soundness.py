"""Whether what was kept can still be sent: a damaged row would end the stream of its reader."""

from collections.abc import Sequence
from pyexpat import ExpatError, ParserCreate

from hausbote.base.log import Event, log
from hausbote.xmpp.stanza import Stanza

_told = False  # once per process: whoever reads an archive reads it again


def is_sound(xml: bytes | str) -> bool:
    """Whether it is one well-formed element; some microseconds for a message."""
    try:
        ParserCreate(None, " ").Parse(xml, True)
    except (ExpatError, ValueError):
        return False
    return True


def are_sound(elements: Sequence[bytes]) -> bool:
    """Whether each of them is well-formed by itself, in half the time: by one parser, every one in
    an element of its own, so that what one lacks is not made good by the next."""
    whole = all(one.startswith(b"<") and one.endswith(b">") for one in elements)
    return whole and is_sound(b"<all><one>%s</one></all>" % b"</one><one>".join(elements))


def is_sound_packed(data: bytes) -> bool:
    """Whether it is a packed stanza, and well-formed as it is written."""
    try:
        return is_sound(Stanza.unpack(data).wire())
    except ValueError:
        return False


def leaves(xml: bytes | str) -> bool:
    """Whether an element that was kept may be sent; the log says once that one may not."""
    return is_sound(xml) or _refuse()


def leaves_packed(data: bytes) -> bool:
    """Likewise of a packed stanza."""
    return is_sound_packed(data) or _refuse()


def _refuse() -> bool:
    global _told
    if not _told:
        _told = True
        log(Event.ROW_DAMAGED)
    return False
