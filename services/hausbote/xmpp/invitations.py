"""Invitations that rooms pass on (XEP-0045 §7.8.2), told from all else that they say of people."""

from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child


def is_invitation(part: Child) -> bool:
    return part.ns == ns.MUC_USER and "<invite" in part.xml  # of our own writing: an element


def is_refusal(part: Child) -> bool:
    """An answer to one."""
    return part.ns == ns.MUC_USER and "<decline" in part.xml
