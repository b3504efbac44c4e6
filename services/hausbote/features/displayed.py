"""How far a conversation was read, for all devices of its reader (XEP-0490).

It is an item in PEP, which clients publish themselves, or have us publish with a message (§4).
"""

from hausbote.core.delivery import Sent
from hausbote.core.feature import Feature
from hausbote.features.pubsub.config import default
from hausbote.features.pubsub.notify import tell
from hausbote.features.pubsub.publishing import new_node, put
from hausbote.features.pubsub.service import Service
from hausbote.storage import NewItem
from hausbote.xmpp import ns
from hausbote.xmpp.errors import StanzaError
from hausbote.xmpp.stanza import Child, tree
from hausbote.xmpp.xml import write_tree

feature = Feature(
    "displayed", xeps={"0490": "1.0.1"}, account_disco=("urn:xmpp:mds:server-assist:0",)
)


@feature.sent
def publish(sent: Sent) -> None:
    """Take the element out of the message, which goes on, and publish it."""
    children = sent.stanza.children
    marks = [part for part in children if part.ns == ns.DISPLAYED and part.name == "displayed"]
    if not marks:
        return
    sent.stanza = sent.stanza.with_children(tuple([p for p in children if p not in marks]))
    try:
        _put(sent, marks[0])
    except StanzaError:
        return  # the node is full, or another kind of node: its owner reads on all the same


def _put(sent: Sent, mark: Child) -> None:
    service = Service(sent.host, sent.session.account.local)
    node = sent.host.store.pubsub.node(service.local, ns.DISPLAYED)
    config = default(True, ns.DISPLAYED) if node is None else service.config(node)
    if config.value("access_model") != "whitelist":
        return  # what somebody reads is nobody else's business
    target = node or new_node(service, ns.DISPLAYED, config)
    item = NewItem(sent.to.full, write_tree(tree(mark)))
    for event in put(service, target, config, [item], service.jid):
        tell(event)
