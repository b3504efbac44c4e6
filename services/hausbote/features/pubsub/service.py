"""A place where nodes are: an account, or the box's own service."""

from typing import NamedTuple

from hausbote.base.jid import JID, InvalidJID
from hausbote.core.host import Host
from hausbote.features.blocklist import apart
from hausbote.features.pubsub import errors
from hausbote.features.pubsub.config import NodeConfig
from hausbote.storage import Node, People
from hausbote.xmpp.errors import BadRequest, Forbidden


class Service(NamedTuple):
    """`local` is the account's, or "" for the box's own service."""

    host: Host
    local: str

    @property
    def personal(self) -> bool:
        return bool(self.local)

    @property
    def jid(self) -> str:
        """Its address."""
        return f"{self.local}@{self.host.domain}" if self.local else self.host.domain

    @property
    def people(self) -> People:
        """Who is what to its nodes."""
        return self.host.store.pubsub.people

    def apart(self, who: JID) -> bool:
        """Whether this and somebody have nothing to do with each other (XEP-0191).

        The box's own service blocks nobody, and can be blocked.
        """
        people = self.host.neighbours.get(self.host.settings.domain, self.host)
        return apart(people, JID.parse(self.jid), who)

    def find(self, name: str | None) -> Node:
        """The node of that name; the standard's refusal without one."""
        if not name:
            raise errors.node_required()
        node = self.node(name)
        if node is None:
            raise errors.no_such_node()
        return node

    def node(self, name: str) -> Node | None:
        """The node of that name, without items whose time is over."""
        store = self.host.store.pubsub
        node = store.node(self.local, name)
        expiry = 0 if node is None else self.config(node).expiry
        if node is not None and expiry:
            store.expire(node.id, self.host.surely() - expiry).wait()
        return node

    def config(self, node: Node) -> NodeConfig:
        return NodeConfig(self.personal, node.config)

    def affiliation(self, node: Node, who: JID) -> str:
        """owner, publisher, publish-only, member, outcast or none."""
        if self.personal and who.bare == self.jid:
            return "owner"
        return self.people.affiliation(node.id, who.bare)

    def owned(self, name: str | None, who: JID) -> Node:
        """The node, for one of its owners only."""
        node = self.find(name)
        if self.affiliation(node, who) != "owner":
            raise Forbidden
        return node

    def local_part(self, jid: JID) -> str:
        """Of an account of this box, else ""."""
        return jid.local if jid.domain == self.host.settings.domain else ""


def address(text: str | None) -> JID:
    """A JID that stands in a request."""
    try:
        return JID.parse(text or "")
    except InvalidJID as problem:
        raise BadRequest(str(problem)) from None
