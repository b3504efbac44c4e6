"""How others see somebody: the name and the picture that they choose in the portal."""

import struct
import zlib
from io import BytesIO

import pytest

from support.pep import listens
from support.portal import words
from support.worlds import PASSWORD

NICK = "http://jabber.org/protocol/nick"
METADATA = "urn:xmpp:avatar:metadata"
VCARD = "<iq type='get' id='v' to='romeo@box.local'><vCard xmlns='vcard-temp'/></iq>"


def chunk(name, content):
    crc = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png(width=4, height=4, *more):
    rows = b"".join(b"\0" + b"\x40\x80\xc0" * width for _ in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + b"".join(more)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def segment(marker, content):
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg(*more, width=8, height=8, behind=b""):
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    parts = (segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), *more, segment(0xC0, frame), scan, scan)
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9" + behind


@pytest.fixture
def romeo(portal):
    return portal.browser_of("romeo")


@pytest.fixture
def juliet(portal):
    """A client of somebody who sees romeo's presence, and wants to know what he publishes."""
    his, hers = (portal.client().log_in(name, PASSWORD) for name in ("romeo", "juliet"))
    hers.sends("<presence type='subscribe' to='romeo@box.local'/>")
    hers.settle()
    his.sends("<presence type='subscribed' to='juliet@box.local'/>")
    his.settle()
    his.wire.cut()
    listens(hers, NICK, METADATA)
    hers.forget()
    return hers


def upload(browser, data, name="me.png"):
    browser.get("/me/profile")
    return browser.post("/me/picture", picture=(BytesIO(data), name))


def test_contacts_hear_of_a_name_and_others_find_it(portal, romeo, juliet):
    answer = romeo.send("/me/profile", "/me/profile", name="  Romeo  <b>Montague</b> ")
    assert answer.headers["Location"] == "/me/profile"
    juliet.receives(
        "<message from='romeo@box.local' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>"
        f"<items node='{NICK}'><item id='current'><nick xmlns='{NICK}'>Romeo &lt;b>Montague&lt;/b></nick></item></items></event></message>"
    )
    juliet.sends(VCARD)
    vcard = juliet.answer("v")
    assert vcard.findtext(".//{vcard-temp}FN") == "Romeo <b>Montague</b>"
    page = romeo.get("/me/profile").text
    assert 'value="Romeo &lt;b&gt;Montague&lt;/b&gt;"' in page


def test_what_else_is_in_a_vcard_stays(portal, romeo, juliet):
    his = portal.client().log_in("romeo", PASSWORD)
    his.sends(
        "<iq type='set' id='s'><vCard xmlns='vcard-temp'><FN>R.</FN><TITLE>Heir</TITLE></vCard></iq>"
    )
    his.answer("s")
    assert 'value="R."' in romeo.get("/me/profile").text
    romeo.post("/me/profile", name="Romeo")
    juliet.sends(VCARD)
    vcard = juliet.answer("v")
    assert [one.text for one in vcard.iter("{vcard-temp}TITLE", "{vcard-temp}FN")] == [
        "Romeo",
        "Heir",
    ]
    romeo.send("/me/profile", "/me/profile", name="")
    assert 'value=""' in romeo.get("/me/profile").text


def test_a_name_has_an_end(portal, romeo):
    answer = romeo.send("/me/profile", "/me/profile", name="x" * 101)
    assert answer.status_code == 400
    assert "too long" in words(answer)
    assert "x" * 101 in answer.text  # nothing that was typed is lost


def test_contacts_hear_of_a_picture_and_others_find_it(portal, romeo, juliet):
    assert upload(romeo, png()).headers["Location"] == "/me/profile"
    juliet.receives(
        "<message from='romeo@box.local' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>"
        f"<items node='{METADATA}'><item id='*'><metadata xmlns='{METADATA}'>"
        "<info bytes='*' id='*' type='image/png'/></metadata></item></items></event></message>"
    )
    juliet.sends(VCARD)
    assert juliet.answer("v").findtext(".//{vcard-temp}TYPE") == "image/png"
    shown = romeo.get("/me/picture")
    assert (shown.mimetype, shown.data) == ("image/png", png())
    romeo.send("/me/profile", "/me/picture/delete")
    assert romeo.get("/me/picture").status_code == 404
    assert "Remove the picture" not in words(romeo.get("/me/profile"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "Choose a picture."),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "PNG or JPEG"),
        (b"GIF89a" + b"\0" * 20, "PNG or JPEG"),
        (png()[:-20], "PNG or JPEG"),
        (png(0, 4), "PNG or JPEG"),
        (png(2001, 1), "too many points"),
        (jpeg(width=3000), "too many points"),
        (jpeg()[:-4], "PNG or JPEG"),
        (b"\xff\xd8" + b"\xff" * 100, "PNG or JPEG"),
        (b"\xff\xd8\xff\xe1\0\0", "PNG or JPEG"),
        (png() + b"\0" * 60_000, "60 kB"),
    ],
    ids=[
        "nothing",
        "svg",
        "gif",
        "cut png",
        "flat",
        "wide png",
        "wide jpeg",
        "cut jpeg",
        "filling",
        "no length",
        "large",
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(portal, romeo, data, why):
    answer = upload(romeo, data)
    assert answer.status_code == 400
    assert why in words(answer)
    assert romeo.get("/me/picture").status_code == 404


def test_where_a_picture_was_taken_is_not_passed_on(portal, romeo):
    exif, comment = segment(0xE1, b"Exif\0\0 at the balcony"), segment(0xFE, b"at the balcony")
    upload(romeo, jpeg(exif, comment, behind=b"at the balcony, too"), "me.jpg")
    shown = romeo.get("/me/picture")
    assert (shown.mimetype, shown.data) == ("image/jpeg", jpeg())
    noted = (chunk(b"eXIf", b"at the balcony"), chunk(b"tEXt", b"Comment\0at the balcony"))
    upload(romeo, png(4, 4, *noted) + b"at the balcony, too")
    assert romeo.get("/me/picture").data == png()


def test_what_a_client_published_as_a_picture_is_no_page(portal, romeo):
    from hausbote.features import avatars

    page = avatars.decoded("PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==", "text/html")
    avatars.replace(portal.host, "romeo", page, [])
    assert romeo.get("/me/picture").status_code == 404


def test_nobody_changes_what_is_anothers(portal, romeo):
    romeo.send("/me/profile", "/me/profile", name="Tybalt", local="juliet")
    assert portal.store.vcards.get("juliet") is None
    assert upload(romeo, png()).status_code == 303
    assert portal.browser_of("juliet").get("/me/picture").status_code == 404


def test_a_form_of_another_page_changes_nothing(portal, romeo):
    romeo.get("/me/profile")
    answer = romeo.post("/me/picture", seal="0" * 64, picture=(BytesIO(png()), "me.png"))
    assert answer.status_code == 403
    assert romeo.post("/me/profile", seal="0" * 64, name="Tybalt").status_code == 403
    assert romeo.get("/me/picture").status_code == 404
