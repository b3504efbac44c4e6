"""What only a room may say: it is taken out of whatever people send."""

import re
from typing import Final

from hausbote.base.jid import JID
from hausbote.core.claims import NAMESPACES, is_forged
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza

_OURS: Final = frozenset(
    (
        (ns.MUC, "x"),
        (ns.MUC_USER, "x"),
        (ns.OCCUPANT_ID, "occupant-id"),
        (ns.HATS, "hats"),
        (ns.OLD_HATS, "hats"),
        (ns.ACCOUNT_AFFILIATIONS, "info"),  # servers say that of their people, and to us only
        (ns.MODERATION, "moderated"),
        (ns.OLD_MODERATION, "moderated"),
        (ns.RETRACT, "retracted"),
        (ns.OLD_RETRACT, "retracted"),
        # In rooms it carries what moderators did before XEP-0425 changed, or what somebody takes
        # back whose words they were is not looked at.
        (ns.FASTENING, "apply-to"),
        (ns.MENTION_NOTIFICATIONS, "mentions"),
        (ns.MAM, "result"),
        (ns.MAM, "fin"),
        (ns.CARBONS, "sent"),
        (ns.CARBONS, "received"),
    )
)
# Parts that anybody may send, but not with this inside.
_MODERATED: Final = re.compile("<moderated[ />]")
_ORIGINAL_SENDER: Final = re.compile("<address [^>]*type='ofrom'")  # XEP-0045 §7.2.13
_NOT_WITH: Final = {
    (ns.OLD_RETRACT, "retract"): _MODERATED,  # of the version in use, messages are refused
    (ns.ADDRESSES, "addresses"): _ORIGINAL_SENDER,
}
_NAMESPACES: Final = NAMESPACES | {namespace for namespace, _ in (*_OURS, *_NOT_WITH)}


def cleaned(host: Host, room: JID, stanza: Stanza) -> tuple[Child, ...]:
    """What the room of that bare address passes on of a stanza."""
    return tuple(
        [c for c in stanza.children if c.ns not in _NAMESPACES or not _is_ours(host, room, c)]
    )


def _is_ours(host: Host, room: JID, child: Child) -> bool:
    kind = (child.ns, child.name)
    if kind in _OURS:
        return True
    forbidden = _NOT_WITH.get(kind)
    if forbidden is not None:
        return forbidden.search(child.xml) is not None
    return is_forged(host, child, room, room, by_client=True)
