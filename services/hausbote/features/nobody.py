"""Accounts that do not exist answer like those of strangers: nobody can tell which there are.

Where a standard says how a stranger is refused, that is how it is; `service-unavailable`, which
RFC 6121 §8.5.1 has for these accounts, is for everything else.
"""

from typing import Final

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.xmpp import ns
from hausbote.xmpp.errors import Forbidden
from hausbote.xmpp.stanza import Child, child

feature = Feature("nobody")

_FOR_OWNERS: Final = (
    ("get", ns.ROSTER, "query"),
    ("set", ns.ROSTER, "query"),
    ("get", ns.LAST, "query"),
    ("get", ns.PRIVATE, "query"),
    ("set", ns.PRIVATE, "query"),
    ("set", ns.VCARD, "vCard"),
    ("get", ns.MAM, "query"),
    ("set", ns.MAM, "query"),
    ("get", ns.MAM, "metadata"),
    ("get", ns.MAM, "prefs"),
    ("set", ns.MAM, "prefs"),
    ("get", ns.CLIENT_ACCESS, "list"),
    ("set", ns.CLIENT_ACCESS, "revoke"),
)


def refuse(_request: Request) -> None:
    raise Forbidden


for _key in _FOR_OWNERS:
    feature.iq(*_key, Target.NOBODY)(refuse)


@feature.iq("get", ns.DISCO_ITEMS, "query", Target.NOBODY)
def no_items(request: Request) -> Child:
    """XEP-0030 §8"""
    return child(ns.DISCO_ITEMS, "query", node=request.tree().get("node"))
