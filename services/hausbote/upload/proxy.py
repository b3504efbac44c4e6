"""A proxy for those who cannot reach each other directly (XEP-0065), for people of the box."""

import hashlib

from hausbote.base.jid import JID, InvalidJID, a_label
from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.upload.streams import NoStream, OneSided, Streams, TooMany
from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Forbidden,
    ItemNotFound,
    JidMalformed,
    NotAllowed,
    ResourceConstraint,
)
from hausbote.xmpp.stanza import Child, child
from hausbote.xmpp.xml import el

feature = Feature("bytestreams proxy", xeps={"0065": "1.8.2"}, disco=(ns.BYTESTREAMS,))


@feature.iq("get", ns.BYTESTREAMS, "query", Target.HOST)
def where(request: Request) -> Child:
    """Where the proxy listens (§4)."""
    _only_for_us(request)
    settings = request.host.settings
    if not settings.ports.proxy:
        raise NotAllowed
    host = settings.proxy.host or a_label(settings.names.proxy)
    streamhost = el(
        "streamhost", host=host, jid=request.host.domain, port=str(settings.ports.proxy)
    )
    return child(ns.BYTESTREAMS, "query", streamhost)


@feature.iq("set", ns.BYTESTREAMS, "query", Target.HOST)
def activate(request: Request) -> None:
    """Connect the two who have come for this stream (§6.3.5)."""
    requester = _only_for_us(request)
    query = request.tree()
    sid, target = query.get("sid"), query.findtext(f"{{{ns.BYTESTREAMS}}}activate")
    if not sid or not target:
        raise BadRequest("a stream has an id and a target")
    try:
        address = stream_address(sid, requester.full, JID.parse(target.strip()).full)
    except InvalidJID as problem:
        raise JidMalformed(str(problem)) from None
    limit = request.host.settings.proxy.streams_per_account
    try:
        party = request.host.state(Streams).activate(address, requester.bare, limit)
    except NoStream:
        raise ItemNotFound("nobody has come for this stream") from None
    except OneSided:
        raise NotAllowed("only one has come for this stream") from None
    except TooMany:
        raise ResourceConstraint("these are enough streams at a time") from None
    request.afterwards.append(party.call)


def stream_address(sid: str, requester: str, target: str) -> str:
    """What both ask for as the name of a host (§8.2); no secret hangs on it."""
    return hashlib.sha1(f"{sid}{requester}{target}".encode(), usedforsecurity=False).hexdigest()


def _only_for_us(request: Request) -> JID:
    sender = request.sender
    if sender is None or sender.domain != request.host.settings.domain or not sender.local:
        raise Forbidden("only people of this server may use this proxy")
    return sender
