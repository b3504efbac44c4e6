"""Which software is this? (XEP-0092)  The operating system is nobody's business."""

from hausbote import __version__
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import el

feature = Feature("version", xeps={"0092": "1.1"}, disco=(ns.VERSION,))


@feature.iq("get", ns.VERSION, "query", Target.HOST)
def tell(_request: Request) -> Child:
    return child(ns.VERSION, "query", el("name", "Hausbote"), el("version", __version__))
