"""What only a room may say: it is taken out of whatever people send."""

from typing import Final

from hausbote.base.jid import JID, names
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, start_tag

_OURS: Final = frozenset(
    (
        (ns.MUC, "x"),
        (ns.MUC_USER, "x"),
        (ns.OCCUPANT_ID, "occupant-id"),
        (ns.HATS, "hats"),
        (ns.ACCOUNT_AFFILIATIONS, "info"),  # servers say that of their people, and to us only
    )
)


def cleaned(room: JID, stanza: Stanza) -> tuple[Child, ...]:
    """What the room of that bare address passes on of a stanza."""
    return tuple([c for c in stanza.children if not _is_ours(room, c)])


def _is_ours(room: JID, child: Child) -> bool:
    if (child.ns, child.name) in _OURS:
        return True
    if child.ns == ns.STANZA_ID and child.name == "stanza-id":
        return names(start_tag(child).get("by"), room.full)
    if child.ns == ns.DELAY:
        said = start_tag(child).get("from", "").partition("/")[0]
        return names(said, room.full) or names(said, room.domain)
    return False
