"""Invitations that rooms pass on (XEP-0045 §7.8.2), told from all else that they say of people."""

from typing import Final

from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, child, start_tag
from hausbote.xmpp.unfold import unfold
from hausbote.xmpp.xml import Markup, el


def invitation(
    room: str, inviter: str, to: str, *extra: Markup | None, password: str | None = None
) -> Stanza:
    """What a room sends on behalf of somebody."""
    invite = el("invite", *extra, from_=inviter)
    x = child(ns.MUC_USER, "x", invite, None if password is None else el("password", password))
    # The second is how clients know it that never learned the first.
    direct = child(ns.CONFERENCE, "x", jid=room, password=password)
    return Stanza("message", {"from": room, "to": to}, (x, direct))


def is_invitation(part: Child) -> bool:
    return part.ns == ns.MUC_USER and "<invite" in part.xml  # of our own writing: an element


_NAMING: Final = ("invite", "decline")


def names_in(part: Child) -> list[str]:
    """From whom the invitations and refusals are that a room passes on, as it says."""
    if not (is_invitation(part) or is_refusal(part)):
        return []
    passed_on = [c for c in unfold(part).children if c.ns == ns.MUC_USER and c.name in _NAMING]
    return [name for c in passed_on if (name := start_tag(c).get("from")) is not None]


def is_refusal(part: Child) -> bool:
    """An answer to one."""
    return part.ns == ns.MUC_USER and "<decline" in part.xml
