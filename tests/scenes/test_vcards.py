"""What people keep and say of themselves in the old ways, and that the new ways agree: vCards
(XEP-0054), avatars (XEP-0084, 0153, 0398), private XML (XEP-0049), bookmarks (XEP-0402, 0411)."""

import base64
import hashlib

import pytest

from support.pep import event, items, listens, publish

VCARD = "vcard-temp"
PRIVATE = "jabber:iq:private"
BOOKMARKS = "urn:xmpp:bookmarks:1"
OLD_BOOKMARKS = "storage:bookmarks"
METADATA = "urn:xmpp:avatar:metadata"
DATA = "urn:xmpp:avatar:data"
UPDATE = "vcard-temp:x:update"
PICTURE = b"not really a picture"
TEXT = base64.b64encode(PICTURE).decode()
HASH = hashlib.sha1(PICTURE).hexdigest()
PHOTO = f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{TEXT}</BINVAL></PHOTO>"
ROOM = f"<conference xmlns='{BOOKMARKS}' name='Mantua' autojoin='true'><nick>r</nick></conference>"


def vcard(content="", type="get", to=None):
    address = f" to='{to}'" if to else ""
    return f"<iq type='{type}' id='1'{address}><vCard xmlns='{VCARD}'>{content}</vCard></iq>"


def private(content, type="get", to=None):
    address = f" to='{to}'" if to else ""
    return f"<iq type='{type}' id='1'{address}><query xmlns='{PRIVATE}'>{content}</query></iq>"


def refused(condition):
    return (
        f"<iq type='error' id='1'><error><{condition} "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


OK = "<iq type='result' id='1'/>"


def test_a_vcard_is_kept_and_everybody_may_see_it(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(vcard())
    romeo.receives(refused("item-not-found"))
    romeo.sends(vcard("<FN>Romeo</FN>", "set"))
    romeo.receives(OK)
    juliet.sends(vcard(to="romeo@h"))
    juliet.receives(f"<iq type='result'><vCard xmlns='{VCARD}'><FN>Romeo</FN></vCard></iq>")


@pytest.mark.parametrize("to", ["romeo@h", "nobody@h"])
def test_without_a_vcard_one_looks_like_nobody(cast, to):
    juliet, _ = cast("juliet", "romeo")
    juliet.sends(vcard(to=to))
    juliet.receives(refused("service-unavailable"))


def test_nobody_writes_anothers_vcard(cast):
    juliet, romeo = cast("juliet", "romeo")
    juliet.sends(vcard("<FN>Clown</FN>", "set", to="romeo@h"))
    juliet.receives(refused("forbidden"))
    romeo.sends(vcard())
    romeo.receives(refused("item-not-found"))


def test_the_photo_of_a_vcard_is_the_avatar(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(vcard(f"<FN>Romeo</FN>{PHOTO}", "set"))
    romeo.settle()
    romeo.forget()
    juliet.sends(items(METADATA, to="romeo@h"))
    answer = juliet.receives("<iq type='result'/>")
    info = answer.find(f".//{{{METADATA}}}info")
    assert info.get("id") == HASH
    assert info.get("bytes") == str(len(PICTURE))
    juliet.sends(items(DATA, f"<item id='{HASH}'/>", to="romeo@h"))
    assert juliet.receives("<iq type='result'/>").findtext(f".//{{{DATA}}}data") == TEXT


def test_the_avatar_is_the_photo_of_the_vcard_and_presence_speaks_of_it(cast):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    romeo.sends(publish(DATA, f"<data xmlns='{DATA}'>{TEXT}</data>", item=HASH))
    info = f"<info bytes='{len(PICTURE)}' id='{HASH}' type='image/png'/>"
    romeo.sends(publish(METADATA, f"<metadata xmlns='{METADATA}'>{info}</metadata>", item=HASH))
    spoken = f"<presence from='romeo@h/somewhere'><x xmlns='{UPDATE}'><photo>{HASH}</photo></x></presence>"
    juliet.receives(spoken)
    juliet.sends(vcard(to="romeo@h"))
    answer = juliet.receives("<iq type='result'/>")
    assert answer.findtext(f".//{{{VCARD}}}BINVAL") == TEXT
    romeo.sends("<presence><show>away</show></presence>")
    juliet.receives(spoken.replace("<x ", "<show>away</show><x "))


def test_private_xml_is_kept_for_its_owner_alone(cast):
    romeo, juliet = cast("romeo", "juliet")
    romeo.sends(private("<notes xmlns='my:notes'/>"))
    romeo.receives(
        f"<iq type='result'><query xmlns='{PRIVATE}'><notes xmlns='my:notes'/></query></iq>"
    )
    romeo.sends(private("<notes xmlns='my:notes'><note>Hark!</note></notes>", "set"))
    romeo.receives(OK)
    romeo.sends(private("<notes xmlns='my:notes'/>"))
    answer = romeo.receives("<iq type='result'/>")
    assert answer.findtext(".//{my:notes}note") == "Hark!"
    for type in ("get", "set"):
        juliet.sends(private("<notes xmlns='my:notes'/>", type, to="romeo@h"))
        juliet.receives(refused("forbidden"))
    romeo.sends(private("<notes xmlns='jabber:iq:private'/>", "set"))
    romeo.receives(refused("not-acceptable"))
    romeo.sends(private(""))
    romeo.receives(refused("bad-request"))


def test_bookmarks_of_new_clients_are_seen_by_old_ones(cast):
    romeo = cast("romeo")
    romeo.sends(publish(BOOKMARKS, ROOM, item="mantua@rooms.h"))
    romeo.receives("<iq type='result'/>")
    romeo.forget()
    romeo.sends(private(f"<storage xmlns='{OLD_BOOKMARKS}'/>"))
    answer = romeo.receives("<iq type='result'/>")
    room = answer.find(f".//{{{OLD_BOOKMARKS}}}conference")
    assert dict(room.attrib) == {"jid": "mantua@rooms.h", "name": "Mantua", "autojoin": "true"}
    assert room.findtext(f"{{{OLD_BOOKMARKS}}}nick") == "r"


def test_bookmarks_of_old_clients_are_told_to_new_ones(cast):
    romeo, desk = cast("romeo/old", "romeo/desk")
    listens(desk, BOOKMARKS)
    for client in (romeo, desk):
        client.forget()
    room = "<conference jid='mantua@rooms.h' autojoin='1' name='Mantua'><nick>r</nick></conference>"
    romeo.sends(private(f"<storage xmlns='{OLD_BOOKMARKS}'>{room}</storage>", "set"))
    romeo.receives(OK)
    told = f"<items node='{BOOKMARKS}'><item id='mantua@rooms.h'>{ROOM}</item></items>"
    desk.receives(event(told, "romeo@h"))
    romeo.sends(private(f"<storage xmlns='{OLD_BOOKMARKS}'/>", "set"))
    gone = f"<items node='{BOOKMARKS}'><retract id='mantua@rooms.h'/></items>"
    desk.receives(event(gone, "romeo@h"))
