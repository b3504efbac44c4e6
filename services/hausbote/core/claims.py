"""Elements in which somebody says by name that they saw a message: where it is kept (XEP-0359,
XEP-0313 before its version 0.5) and when it came (XEP-0203, XEP-0091).

Clients believe these if the name is that of their server, their account or a room, so nobody else
may write them: they are stripped from what comes in before we add ours.
"""

from typing import Final

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, Stanza, start_tag

_NAMED_BY: Final = {  # which attribute says who
    (ns.STANZA_ID, "stanza-id"): "by",
    (ns.DELAY, "delay"): "from",
    (ns.OLD_DELAY, "x"): "from",
    (ns.OLD_ARCHIVE, "archived"): "by",
}
NAMESPACES: Final = frozenset(namespace for namespace, _ in _NAMED_BY)
_NAMES: Final = frozenset(name for _, name in _NAMED_BY)


def claimant(part: Child) -> str | None:
    """Who says it, as written: "" if nobody is named; None if it is no such element."""
    if part.ns not in NAMESPACES:
        return None
    attribute = _NAMED_BY.get((part.ns, part.name))
    return None if attribute is None else start_tag(part).get(attribute, "").strip()


def is_forged(host: Host, part: Child, sender: JID, to: JID, *, by_client: bool) -> bool:
    """Whether a sender lets the box say something that it did not; its services speak for
    themselves."""
    said = claimant(part)
    if not said:
        return False
    try:
        who = JID.parse(said)
    except InvalidJID:
        return False
    if who.bare == sender.bare and not by_client:
        return False
    if part.ns in (ns.DELAY, ns.OLD_DELAY):
        return who.bare == to.bare or _is_service(host, who)
    # Ids of other archives stay (XEP-0359 §4): somebody may be speaking of what is kept there.
    return who.domain == host.domain


def _is_service(host: Host, who: JID) -> bool:
    """Whether it is an address of a service of the box, and not that of a person: one may say when
    oneself or another wrote something, as who turns a talk of two into a room does (XEP-0045 §7.9).
    """
    if who.domain == host.domain:
        return not (who.local and host.has_accounts)
    return not who.local and (who.domain in host.services or who.domain in host.neighbours)


def without_forgeries(
    host: Host, message: Stanza, sender: JID, to: JID, *, by_client: bool
) -> Stanza:
    """The message without what only we may say."""
    for part in message.children:
        if part.ns in NAMESPACES and part.name in _NAMES:
            break
    else:  # as good as always
        return message
    kept = tuple(
        [c for c in message.children if not is_forged(host, c, sender, to, by_client=by_client)]
    )
    return message if len(kept) == len(message.children) else message.with_children(kept)
