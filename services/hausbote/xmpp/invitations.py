"""Invitations that rooms pass on (XEP-0045 §7.8.2), told from all else that they say of people."""

from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, child
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


def is_refusal(part: Child) -> bool:
    """An answer to one."""
    return part.ns == ns.MUC_USER and "<decline" in part.xml
