"""vCards (XEP-0054), and pictures in vCards, presence and PEP (XEP-0084, XEP-0153, XEP-0398)."""

import base64
import hashlib

from support.pep import DISCO, done, event, items, listens, publish, refused

DATA = "urn:xmpp:avatar:data"
METADATA = "urn:xmpp:avatar:metadata"
IMAGE = base64.b64encode(b"\x89PNG a picture of Juliet").decode()
HASH = hashlib.sha1(base64.b64decode(IMAGE)).hexdigest()
UPDATE = "vcard-temp:x:update"
OPEN = {"access_model": "open"}


def says(client, stanza, answer):
    client.sends(stanza)
    return client.receives(answer)


def vcard(type, content="", to=None):
    address = f" to='{to}'" if to else ""
    return f"<iq type='{type}' id='1'{address}><vCard xmlns='vcard-temp'>{content}</vCard></iq>"


def photo(text=IMAGE):
    return f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{text}</BINVAL></PHOTO>"


def show(client, options=None, image=IMAGE):
    """Publish a picture."""
    id = hashlib.sha1(base64.b64decode(image)).hexdigest()
    info = f"<info bytes='{len(base64.b64decode(image))}' id='{id}' type='image/png'/>"
    client.sends(publish(DATA, f"<data xmlns='{DATA}'>{image}</data>", id, options=options, id="d"))
    client.sends(
        publish(
            METADATA, f"<metadata xmlns='{METADATA}'>{info}</metadata>", id, options=options, id="m"
        )
    )
    client.receives("<iq type='result' id='d'/>", "<iq type='result' id='m'/>")
    return id


def seen(hash):
    return f"<presence from='*'><x xmlns='{UPDATE}'><photo>{hash}</photo></x></presence>"


def test_a_vcard_is_for_everybody(cast):
    juliet, stranger = cast("juliet", "stranger")
    content = "<FN>Juliet &amp; Co</FN><N><GIVEN>Juliet</GIVEN></N>"
    says(juliet, vcard("set", content), "<iq type='result' id='1'/>")
    says(juliet, vcard("get"), vcard("result", content))
    says(stranger, vcard("get", to=juliet.bare), vcard("result", content))
    says(stranger, vcard("set", "<FN>Mallory</FN>", juliet.bare), refused("forbidden"))
    says(juliet, vcard("set", "<FN>J</FN>"), "<iq type='result' id='1'/>")
    answer = says(juliet, vcard("get"), vcard("result", "<FN>J</FN>"))
    assert len(answer[0]) == 1


def test_who_has_no_vcard_looks_like_nobody(cast):
    juliet, stranger = cast("juliet", "stranger")
    says(juliet, vcard("get"), refused("item-not-found"))
    for jid in (juliet.bare, f"nobody@{juliet.domain}"):
        says(stranger, vcard("get", to=jid), refused("service-unavailable"))


def test_nobody_writes_the_first_vcard_of_another(cast):
    juliet, mallory = cast("juliet", "mallory")
    says(mallory, vcard("set", "<FN>Clown</FN>", juliet.bare), refused("forbidden"))
    says(juliet, vcard("get"), refused("item-not-found"))


def test_a_vcard_has_an_end(cast):
    juliet = cast("juliet")
    says(juliet, vcard("set", f"<DESC>{'x' * 140_000}</DESC>"), refused("not-acceptable"))
    says(juliet, vcard("get"), refused("item-not-found"))


def test_a_published_picture_is_in_the_vcard_and_in_presence(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    says(juliet, vcard("set", "<FN>Juliet</FN>"), "<iq type='result' id='1'/>")
    show(juliet, OPEN)
    romeo.receives(seen(HASH))
    juliet.receives(seen(HASH))
    says(romeo, vcard("get", to=juliet.bare), vcard("result", f"<FN>Juliet</FN>{photo()}"))
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives(seen(HASH))
    juliet.sends(f"<presence to='{romeo.bare}'/>")
    romeo.receives(seen(HASH))


def test_a_picture_for_contacts_is_not_shown_to_others(cast):
    juliet, romeo, stranger = cast("juliet", "romeo", "stranger")
    cast.befriend(juliet, romeo)
    show(juliet)
    romeo.receives(seen(HASH))
    juliet.forget()
    says(romeo, vcard("get", to=juliet.bare), vcard("result", photo()))
    says(stranger, vcard("get", to=juliet.bare), refused("service-unavailable"))
    juliet.sends(f"<presence to='{stranger.bare}'/>")
    assert stranger.receives("<presence/>").find(f"{{{UPDATE}}}x") is None


def test_a_client_that_says_that_there_is_no_picture_is_left_alone(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    show(juliet, OPEN)
    romeo.forget()
    none = f"<x xmlns='{UPDATE}'><photo/></x>"
    juliet.sends(f"<presence>{none}</presence>")
    found = romeo.receives(f"<presence>{none}</presence>")
    assert not found[0][0].text
    juliet.sends(f"<presence><x xmlns='{UPDATE}'/></presence>")
    romeo.receives(seen(HASH))
    juliet.sends(f"<presence><x xmlns='{UPDATE}'><photo>0000</photo></x></presence>")
    romeo.receives(seen(HASH))


def test_every_further_picture_is_seen(cast):
    """The old one stays until the new one is there, and what we wrote is not the client's word."""
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    show(juliet, OPEN)
    romeo.receives(seen(HASH))
    for text in (b"another", b"a third"):
        juliet.forget()
        hash = show(juliet, OPEN, base64.b64encode(text).decode())
        romeo.receives(seen(hash))
        romeo.receives_nothing()
    juliet.sends(
        publish(METADATA, f"<metadata xmlns='{METADATA}'/>", "none", options=OPEN),
    )
    romeo.receives(seen(""))
    juliet.forget()
    show(juliet, OPEN)
    romeo.receives(seen(HASH))


def test_white_space_around_the_type_of_a_photo_is_none_of_it(cast):
    juliet = cast("juliet")
    written = f"<PHOTO><TYPE>\n  image/png\n </TYPE><BINVAL>{IMAGE}</BINVAL></PHOTO>"
    says(juliet, vcard("set", written), "<iq type='result' id='1'/>")
    juliet.forget()
    juliet.sends(items(METADATA))
    (info,) = juliet.answer("1").iter(f"{{{METADATA}}}info")
    assert info.get("type") == "image/png"


def test_a_photo_in_a_vcard_is_published(cast):
    juliet, romeo = cast("juliet", "romeo")
    cast.befriend(juliet, romeo)
    listens(romeo, METADATA)
    juliet.forget()
    lines = "\n".join(IMAGE[start : start + 20] for start in range(0, len(IMAGE), 20))
    says(juliet, vcard("set", f"<FN>Juliet</FN>{photo(lines)}"), "<iq type='result' id='1'/>")
    told = event(
        f"<items node='{METADATA}'><item id='{HASH}'><metadata xmlns='{METADATA}'><info id='{HASH}' type='image/png' bytes='24'/></metadata></item></items>"
    )
    romeo.receives_any_order(told, seen(HASH))
    says(
        romeo,
        items(DATA, f"<item id='{HASH}'/>", juliet.bare),
        done(f"<items><item id='{HASH}'><data xmlns='{DATA}'>{IMAGE}</data></item></items>"),
    )
    says(romeo, vcard("get", to=juliet.bare), vcard("result", f"<FN>Juliet</FN>{photo()}"))
    juliet.forget()
    says(juliet, vcard("set", "<FN>Juliet</FN>"), "<iq type='result' id='1'/>")
    romeo.receives_any_order(
        event(f"<items node='{METADATA}'><item><metadata xmlns='{METADATA}'/></item></items>"),
        seen(""),
    )
    answer = says(romeo, vcard("get", to=juliet.bare), vcard("result", "<FN>Juliet</FN>"))
    assert len(answer[0]) == 1


def test_metadata_that_lies_shows_nothing(cast):
    juliet = cast("juliet")
    info = f"<info bytes='1' id='{'0' * 40}' type='image/png'/>"
    says(
        juliet,
        publish(DATA, f"<data xmlns='{DATA}'>{IMAGE}</data>", "0" * 40, options=OPEN),
        done(),
    )
    says(
        juliet,
        publish(
            METADATA, f"<metadata xmlns='{METADATA}'>{info}</metadata>", "0" * 40, options=OPEN
        ),
        done(),
    )
    says(juliet, vcard("get"), refused("item-not-found"))
    juliet.receives_nothing()


def test_a_photo_that_is_none_stays_in_the_vcard(cast):
    juliet = cast("juliet")
    says(juliet, vcard("set", photo("no base64!")), "<iq type='result' id='1'/>")
    says(juliet, vcard("get"), vcard("result", photo("no base64!")))
    says(juliet, items(METADATA), refused("item-not-found"))


def test_the_conversion_is_announced(cast):
    juliet = cast("juliet")
    juliet.sends(f"<iq type='get' id='1'><query xmlns='{DISCO}#info'/></iq>")
    found = {one.get("var") for one in juliet.receives("<iq type='result'/>")[0]}
    assert {
        "urn:xmpp:pep-vcard-conversion:0",
        "vcard-temp",
        "urn:xmpp:bookmarks-conversion:0",
        "urn:xmpp:bookmarks:1#compat",
        "urn:xmpp:bookmarks:1#compat-pep",
    } <= found
