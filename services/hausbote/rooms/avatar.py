"""A room's picture, in its vCard (XEP-0486, XEP-0054)."""

import base64
import binascii
import hashlib

from hausbote.core.feature import Feature, Target
from hausbote.core.request import Request
from hausbote.core.space import need_space
from hausbote.rooms.access import may_know
from hausbote.rooms.admin import room_of
from hausbote.rooms.house import house_of
from hausbote.rooms.owner import tell
from hausbote.rooms.privileges import Action, Affiliation, may
from hausbote.xmpp import ns
from hausbote.xmpp.errors import BadRequest, Forbidden, ItemNotFound, NotAcceptable
from hausbote.xmpp.stanza import Child, tree
from hausbote.xmpp.xml import Markup, write_tree

feature = Feature("avatars of rooms", xeps={"0486": "0.1.0", "0054": "1.3.0"}, disco=(ns.VCARD,))

_PHOTO = f"{{{ns.VCARD}}}PHOTO"
_BINVAL = f"{{{ns.VCARD}}}BINVAL"
_EMPTY = Markup(f"<vCard xmlns='{ns.VCARD}'/>")


@feature.iq("get", ns.VCARD, "vCard", Target.ACCOUNT)
def get(request: Request) -> Child:
    """For those who may enter, and of public rooms for everybody."""
    room, sender = room_of(request)
    banned = room.affiliation(sender) is Affiliation.OUTCAST
    if banned or not may_know(room, sender):
        raise ItemNotFound
    return Child(ns.VCARD, "vCard", Markup(room.vcard) if room.vcard else _EMPTY)


@feature.iq("set", ns.VCARD, "vCard", Target.ACCOUNT)
def put(request: Request) -> None:
    room, sender = room_of(request)
    if not may(room.standing(sender), Action.SET_AVATAR):
        raise Forbidden("owners do that")
    limit = request.host.settings.limits.room_vcard_bytes
    if 0 < limit < len(request.payload.xml.encode()):
        raise NotAcceptable("the vCard is too large")
    vcard = request.tree()
    for photo in vcard.findall(_PHOTO):
        if photo.find(_BINVAL) is not None and _decoded(photo.findtext(_BINVAL) or "") is None:
            raise BadRequest("the picture is not base64")
    text = write_tree(vcard) if len(vcard) else None
    if text is not None:
        need_space(request.host)
    house_of(request.host).set_vcard(room, text).wait()
    request.afterwards.append(lambda: tell(request.host, room, 104))


def hashes(vcard: str | None) -> tuple[str, ...]:
    """SHA-1 of each picture (XEP-0153)."""
    if vcard is None or "<PHOTO" not in vcard:
        return ()
    photos = tree(Child(ns.VCARD, "vCard", vcard)).findall(_PHOTO)
    pictures = [_decoded(photo.findtext(_BINVAL) or "") for photo in photos]
    return tuple(
        [hashlib.sha1(data, usedforsecurity=False).hexdigest() for data in pictures if data]
    )


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
