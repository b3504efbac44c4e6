"""Tells the box's administrators something, as a message of the server."""

from hausbote.base.tokens import token
from hausbote.core.dispatch import route
from hausbote.core.host import Host
from hausbote.xmpp import ns
from hausbote.xmpp.stanza import Child, stanza
from hausbote.xmpp.xml import el


def tell_administrators(host: Host, type: str, text: str) -> None:
    """A "headline" is for those who are there, "normal" waits for the others; may wait."""
    body = Child(ns.CLIENT, "body", el("body", text))
    for local in host.store.accounts.admins():
        to = f"{local}@{host.domain}"
        route(host, stanza("message", body, from_=host.domain, to=to, type=type, id=token(64)))
