"""A name for a new room that nobody else has (XEP-0307)."""

from hausbote.base.tokens import token
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.rooms.entering import may_create
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden
from hausbote.xmpp.stanza import Child, child

feature = Feature("names for rooms", xeps={"0307": "0.1"}, disco=(ns.MUC_UNIQUE,))


@feature.iq("get", ns.MUC_UNIQUE, "unique", Target.HOST)
def unique(request: Request) -> Child:
    if request.sender is None or not may_create(request.host, request.sender):
        raise Forbidden("you may not make rooms here")
    return child(ns.MUC_UNIQUE, "unique", token(120).lower())
