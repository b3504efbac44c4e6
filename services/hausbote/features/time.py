"""The server's clock (XEP-0202)."""

from hausbote.base.clock import timestamp
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import el

feature = Feature("time", xeps={"0202": "2.0", "0082": "1.1"}, disco=(ns.TIME,))


@feature.iq("get", ns.TIME, "time", Target.HOST)
def tell(request: Request) -> Child:
    """Always in UTC: where the box stands is nobody's business."""
    now = timestamp(request.host.clock())
    return child(ns.TIME, "time", el("tzo", "+00:00"), el("utc", now))
