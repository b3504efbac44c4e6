"""Slots for files (XEP-0363); what is then done over HTTP is in test_files.py."""

from datetime import UTC, datetime, timedelta

import pytest

from support.files import UPLOAD, ask, slot
from support.worlds import PASSWORD, MemoryWorld

DISCO = "http://jabber.org/protocol/disco#info"
PURPOSE = "urn:xmpp:http:upload:purpose:0"
LARGEST = 100 * 1024 * 1024 + 16


def refused(client, condition, type, inside=""):
    return client.receives(
        f"<iq type='error' id='slot' from='upload.h'><error type='{type}'>"
        f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{inside}</error></iq>"
    )


# -- slots, in both worlds ---------------------------------------------------------------------


def test_the_service_says_what_it_is_and_how_large_files_may_be(cast):
    romeo = cast("romeo")
    romeo.sends(f"<iq type='get' id='d' to='upload.h'><query xmlns='{DISCO}'/></iq>")
    romeo.receives(
        f"<iq type='result' id='d' from='upload.h'><query xmlns='{DISCO}'>"
        f"<identity category='store' type='file'/><feature var='{UPLOAD}'/>"
        f"<feature var='{PURPOSE}#ephemeral'/><feature var='{PURPOSE}#message'/>"
        "<x xmlns='jabber:x:data' type='result'>"
        f"<field var='FORM_TYPE' type='hidden'><value>{UPLOAD}</value></field>"
        f"<field var='max-file-size'><value>{LARGEST}</value></field></x></query></iq>"
    )


def test_clients_find_it_through_their_server(cast):
    romeo = cast("romeo")
    items = DISCO.replace("#info", "#items")
    romeo.sends(f"<iq type='get' id='d' to='h'><query xmlns='{items}'/></iq>")
    romeo.receives(
        f"<iq type='result' id='d'><query xmlns='{items}'><item jid='upload.h'/></query></iq>"
    )


def test_a_slot_has_addresses_that_nobody_can_guess_and_a_key(cast):
    romeo = cast("romeo")
    one, other = slot(romeo, 10), slot(romeo, 10)
    assert one.put == one.get
    assert one.get.startswith("https://")
    assert len(one.id) == 32
    assert one.id != other.id
    scheme, key = one.headers["Authorization"].split()
    assert scheme == "Bearer"
    assert len(key) >= 22
    assert key not in one.put


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("très cool.jpg", "tr%C3%A8s%20cool.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\x.exe", "x.exe"),
        ("a?b#c%d&amp;e;f.txt", "a%3Fb%23c%25d%26e%3Bf.txt"),
        ("&#10;x&#13;y&#9;.png", "xy.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ("猫.png", "%E7%8C%AB.png"),
    ],
)
def test_the_name_stays_what_people_called_it_and_is_never_a_path(cast, name, path):
    assert slot(cast("romeo"), 10, name).put.endswith(f"/{path}")


@pytest.mark.parametrize("name", ["", "..", ".", "x/", "/", "é" * 128 + ".jpg", "&#10;"])
def test_a_file_needs_a_name(cast, name):
    romeo = cast("romeo")
    ask(romeo, 10, name)
    refused(romeo, "bad-request", "modify")


@pytest.mark.parametrize("size", ["", "0", "-1", "1.5", "0x10", "ten", "+5", "٥", " 5", "9" * 30])
def test_a_size_is_a_number_of_bytes(cast, size):
    romeo = cast("romeo")
    ask(romeo, size)
    refused(romeo, "bad-request", "modify")


@pytest.mark.parametrize("size", [LARGEST + 1, 4 * 1024**3])
def test_too_large_a_file_is_refused_and_the_limit_is_told(cast, size):
    romeo = cast("romeo")
    ask(romeo, size)
    limit = f"<file-too-large xmlns='{UPLOAD}'><max-file-size>{LARGEST}</max-file-size></file-too-large>"
    refused(romeo, "not-acceptable", "modify", limit)
    slot(romeo, LARGEST)


@pytest.mark.parametrize(
    "type", ["picture", "image/", "/jpeg", "image/x y", "a/b/c", "i&#10;/j", "é/x"]
)
def test_a_content_type_is_one(cast, type):
    romeo = cast("romeo")
    ask(romeo, 10, type=type)
    refused(romeo, "bad-request", "modify")


def test_a_missing_attribute_is_a_bad_request(cast):
    romeo = cast("romeo")
    for attributes in ("size='1'", "filename='x'", ""):
        romeo.sends(
            f"<iq type='get' id='slot' to='upload.h'><request xmlns='{UPLOAD}' {attributes}/></iq>"
        )
        refused(romeo, "bad-request", "modify")


def test_only_people_of_the_box_upload(cast, bridge):
    bridge.sends(
        f"<iq type='get' id='slot' from='someone@bridge.h/x' to='upload.h'>"
        f"<request xmlns='{UPLOAD}' filename='x' size='1'/></iq>"
    )
    answer = bridge.next()
    assert answer.get("type") == "error"
    assert answer[-1].get("type") == "auth"
    assert answer[-1][0].tag.endswith("}forbidden")


def test_files_for_messages_and_files_with_an_end_are_kept(cast):
    romeo = cast("romeo")
    slot(romeo, 10, inside=f"<message xmlns='{PURPOSE}'/>")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    slot(romeo, 10, inside=f"<ephemeral xmlns='{PURPOSE}' expire-before='{tomorrow}'/>")


@pytest.mark.parametrize("purpose", ["profile", "permanent", "unheard-of"])
def test_other_purposes_are_not_offered_and_not_taken(cast, purpose):
    romeo = cast("romeo")
    ask(romeo, 10, inside=f"<{purpose} xmlns='{PURPOSE}'/>")
    refused(romeo, "feature-not-implemented", "cancel")


@pytest.mark.parametrize("end", ["", "soon", "2020-01-01T00:00:00Z", "2999-01-01T00:00:00"])
def test_an_end_is_a_time_to_come(cast, end):
    romeo = cast("romeo")
    ask(romeo, 10, inside=f"<ephemeral xmlns='{PURPOSE}' expire-before='{end}'/>")
    refused(romeo, "bad-request", "modify")


def test_slots_are_bounded_and_one_hears_when_to_try_again(cast):
    romeo = cast("romeo")
    for _ in range(100):
        slot(romeo, 1)
    ask(romeo, 1)
    sorry = refused(romeo, "resource-constraint", "wait", f"<retry xmlns='{UPLOAD}' stamp='*'/>")
    stamp = datetime.fromisoformat(sorry.find(f".//{{{UPLOAD}}}retry").get("stamp"))
    assert timedelta(0) < stamp - datetime.now(UTC) <= timedelta(minutes=6)


def test_what_is_announced_counts_before_it_comes(cast):
    romeo = cast("romeo")
    for _ in range(10):
        slot(romeo, 100 * 1024 * 1024)
    ask(romeo, 100 * 1024 * 1024)
    refused(romeo, "resource-constraint", "wait", f"<retry xmlns='{UPLOAD}' stamp='*'/>")
    slot(cast("juliet"), 100 * 1024 * 1024)


def test_what_is_turned_off_is_not_there(tmp_path):
    world = MemoryWorld(tmp_path, ports={"upload": 0, "proxy": 0})
    world.add_account("romeo")
    romeo = world.client().log_in("romeo", PASSWORD)
    items = DISCO.replace("#info", "#items")
    romeo.sends(f"<iq type='get' id='d' to='h'><query xmlns='{items}'/></iq>")
    named = {item.get("jid") for item in romeo.receives("<iq type='result' id='d'/>")[0]}
    assert named & {"upload.h", "proxy.h"} == set()
    for name in ("upload.h", "proxy.h"):
        romeo.sends(f"<iq type='get' id='d' to='{name}'><query xmlns='{DISCO}'/></iq>")
        romeo.receives(
            f"<iq type='error' id='d' from='{name}'><error type='cancel'>"
            "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
    romeo.wire.cut()
    world.close()
