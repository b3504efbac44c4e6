"""Which messages are worth keeping: XEP-0313 §5, and what their senders say of it (XEP-0334)."""

from typing import Final

from hausbote.xmpp import ns
from hausbote.xmpp.invitations import is_invitation, is_refusal
from hausbote.xmpp.stanza import Child, Stanza

_STORE: Final = (ns.HINTS, "store")
_FORBIDDING: Final = frozenset(("no-store", "no-permanent-store"))
_ON_DEMAND: Final = frozenset((_STORE,))
# What means something to people who were away, or belongs to a message that does.
_CONTENT: Final = frozenset(
    (
        (ns.CLIENT, "body"),
        _STORE,
        ("urn:xmpp:receipts", "received"),  # XEP-0184
        ("urn:xmpp:chat-markers:0", "received"),  # XEP-0333
        ("urn:xmpp:chat-markers:0", "displayed"),
        ("urn:xmpp:chat-markers:0", "acknowledged"),
        ("urn:xmpp:reactions:0", "reactions"),  # XEP-0444
        (ns.RETRACT, "retract"),  # XEP-0424
        ("urn:xmpp:message-retract:0", "retract"),
        ("urn:xmpp:fasten:0", "apply-to"),  # XEP-0422
        ("eu.siacs.conversations.axolotl", "encrypted"),  # XEP-0384
        ("urn:xmpp:omemo:1", "encrypted"),
        ("urn:xmpp:omemo:2", "encrypted"),
        ("urn:xmpp:openpgp:0", "openpgp"),  # XEP-0373
        ("jabber:x:encrypted", "x"),  # XEP-0027
        (ns.CONFERENCE, "x"),  # XEP-0249
        (ns.MUC_USER, "x"),  # XEP-0045 §7.8.2
        ("urn:xmpp:call-invites:0", "invite"),  # XEP-0482
    )
)


def is_worth_keeping(stanza: Stanza, type: str) -> bool:
    """Whether a message of that type belongs into archives.

    A headline does if its sender says so (XEP-0334 §4.4).  Group chat is for the rooms to keep.
    """
    if type in ("chat", "normal"):
        content = _CONTENT
    elif type == "headline":
        content = _ON_DEMAND
    else:
        return False
    found = False
    for part in stanza.children:
        if part[:2] in content:
            found = found or part.ns != ns.MUC_USER or _is_of_invitation(part)
        elif part.ns == ns.HINTS and part.name in _FORBIDDING:
            return False
    return found


def _is_of_invitation(part: Child) -> bool:
    """What else rooms say of people is for those who are in them."""
    return is_invitation(part) or is_refusal(part)


def is_for_now_only(stanza: Stanza) -> bool:
    """Whether its sender wants it stored nowhere, not even for somebody who is away."""
    return stanza.child(ns.HINTS, "no-store") is not None
