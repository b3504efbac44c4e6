"""What an action of the protocol gets to see: who asks, where, and for what."""

from typing import NamedTuple

from hausbote.base.jid import JID
from hausbote.core.request import Request
from hausbote.features.pubsub.service import Service
from hausbote.storage import Node
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import Markup, Tree


class Action(NamedTuple):
    """`element` is the child of <pubsub/> that names the action, `pubsub` that around it."""

    request: Request
    service: Service
    actor: JID
    pubsub: Tree
    element: Tree

    @property
    def name(self) -> str | None:
        """Of the node."""
        return self.element.get("node")

    def node(self) -> Node:
        return self.service.find(self.name)

    def owned(self) -> Node:
        """The node, if the actor is one of its owners."""
        return self.service.owned(self.name, self.actor)

    def beside(self, name: str) -> Tree | None:
        """Another child of <pubsub/>, in the namespace of all requests but an owner's."""
        return self.pubsub.find(q(name))

    def changed(self, name: str) -> None:
        """Let those know who keep something in step with that node."""
        host = self.service.host
        if self.service.personal:
            for follower in host.registry.followers(name):
                follower(host, self.service.local, self.request.afterwards)


def q(name: str, namespace: str = ns.PUBSUB) -> str:
    """The tag of an element of the protocol."""
    return f"{{{namespace}}}{name}"


def answer(*content: Markup) -> Child:
    """<pubsub/> for a result."""
    return child(ns.PUBSUB, "pubsub", *content)


def owner_answer(*content: Markup) -> Child:
    """<pubsub/> for a result to an owner."""
    return child(ns.PUBSUB_OWNER, "pubsub", *content)
