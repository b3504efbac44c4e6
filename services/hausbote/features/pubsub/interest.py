"""What clients want to hear of: the features NODE+notify among their capabilities (XEP-0060 §9.2).

Capabilities are asked for by hash (XEP-0115, or else XEP-0390), and remembered by hash when they
proved to be what it stands for.  Without a hash, or with a wrong one, they count for the client
that was asked, alone.
"""

from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

from hausbote.base.domains import party_of
from hausbote.base.jid import JID
from hausbote.base.shares import Shares
from hausbote.core.host import Host
from hausbote.core.session import Session
from hausbote.xmpp import caps2, ns
from hausbote.xmpp.caps import Caps, features, verification
from hausbote.xmpp.errors import StanzaError
from hausbote.xmpp.stanza import Stanza, child, tree
from hausbote.xmpp.xml import Tree

_NOTIFY: Final = "+notify"
_MAX_REMEMBERED: Final = 2_000  # hashes
_MAX_NODES: Final = 200  # interests of one client
_MAX_REMOTE: Final = 2_000  # clients elsewhere that one account is seen by


class Interest:
    """Of one client: the nodes it wants to hear of, and those whose last items it was sent."""

    __slots__ = ("caps", "nodes", "said", "served")

    def __init__(self) -> None:
        self.said = ""  # <c/> of its last presence, which need not be looked into again
        self.caps: Caps | None = None
        self.nodes: frozenset[str] = frozenset()
        self.served: frozenset[str] = frozenset()

    def news(self) -> list[str]:
        """Nodes that it was not sent the last item of; from now on it was."""
        fresh = self.nodes - self.served
        self.served = self.nodes
        return sorted(fresh)

    def pack(self) -> list[Any]:
        """What JSON can hold of it."""
        return [self.said, sorted(self.nodes), sorted(self.served)]

    def unpack(self, packed: list[Any]) -> None:
        self.said, nodes, served = packed
        self.nodes, self.served = frozenset(nodes), frozenset(served)


class Remote:
    """An account's view of `most` clients elsewhere, by bare JID and resource; every contact has a
    share."""

    __slots__ = ("_shares", "clients")

    def __init__(self, most: int = _MAX_REMOTE) -> None:
        self.clients: dict[str, dict[str, Interest]] = {}
        self._shares: Shares[JID, None] = Shares(most)

    def add(self, jid: JID) -> Interest:
        """If there are too many, an older one of who has most is forgotten."""
        known = self.clients.setdefault(jid.bare, {})
        interest = known.get(jid.resource)
        if interest is None:
            interest = known[jid.resource] = Interest()
            displaced = self._shares.put(jid, jid.bare, None)
            if displaced is not None:
                self.remove(displaced.key)
        return interest

    def remove(self, jid: JID) -> None:
        self._shares.pop(jid)
        known = self.clients.get(jid.bare, {})
        known.pop(jid.resource, None)
        if not known:
            self.clients.pop(jid.bare, None)


class _Remembered:
    """Interests by hash; a hash belongs to the share of whose client was asked first."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: Shares[tuple[str, str, str], frozenset[str]] = Shares(_MAX_REMEMBERED)

    def put(self, caps: Caps, party: Hashable, nodes: frozenset[str]) -> None:
        if _key(caps) not in self.known:
            self.known.put(_key(caps), party, nodes)


class Question(NamedTuple):
    """A client whose capabilities are not known yet."""

    host: Host
    asker: str
    client: JID
    interest: Interest
    answered: Callable[[], None]  # called when its interest is known


def learn(host: Host, interest: Interest, presence: Stanza) -> bool:
    """Note what a presence says; True if the client has to be asked what it means."""
    c = presence.child(ns.CAPS, "c") or presence.child(ns.CAPS_2, "c")
    if c is None or c.xml == interest.said:
        return False
    interest.said = c.xml
    try:
        caps = _said(tree(c))
    except StanzaError:  # it cannot be looked into
        return False
    if caps is None:
        return False
    interest.caps = caps
    known = host.state(_Remembered).known.get(_key(caps))
    if known is not None:
        interest.nodes = known
    return known is None


def _said(c: Tree) -> Caps | None:
    if c.tag == f"{{{ns.CAPS_2}}}c":
        return caps2.read(c)
    return Caps(c.get("node", ""), c.get("ver", ""), c.get("hash", ""))


def _key(caps: Caps) -> tuple[str, str, str]:
    """What stands for the same capabilities, whichever client says it."""
    return (ns.CAPS_2 if caps.node == ns.CAPS_2 else "", caps.hash, caps.ver)


def _is_proven(caps: Caps, found: Tree) -> bool:
    if caps.node == ns.CAPS_2:
        return caps2.verification(found, caps.hash) == caps.ver
    return caps.hash != "" and verification(found, caps.hash) == caps.ver


def question(asked: Question) -> Stanza:
    """The disco#info request for that client (XEP-0115 §6.2); its answer changes its interest."""
    caps = asked.interest.caps
    node = caps.disco_node if caps is not None and caps.hash else None
    payload = child(ns.DISCO_INFO, "query", node=node)

    def answered(answer: Stanza) -> None:
        if caps is not None:
            _take(asked, caps, answer)

    return asked.host.queries.ask("get", payload, asked.asker, asked.client, answered)


def _take(asked: Question, caps: Caps, answer: Stanza) -> None:
    query = answer.child(ns.DISCO_INFO, "query")
    if answer.type != "result" or query is None:
        return
    found = tree(query)
    wanted = [name.removesuffix(_NOTIFY) for name in features(found) if name.endswith(_NOTIFY)]
    nodes = frozenset(wanted[:_MAX_NODES])
    if _is_proven(caps, found):
        party = party_of(asked.client, asked.host.settings.domain)
        asked.host.state(_Remembered).put(caps, party, nodes)
    if asked.interest.caps == caps:  # it may have other ones by now
        asked.interest.nodes = nodes
        asked.answered()


def interest_of(session: Session) -> Interest:
    return session.state(Interest)
