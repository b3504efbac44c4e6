"""Being available: RFC 6121 §4."""

import pytest


def test_a_friend_comes_and_goes(cast):
    romeo, juliet = cast("romeo", "juliet/balcony")
    cast.befriend(romeo, juliet)
    juliet.sends("<presence type='unavailable'><status>asleep</status></presence>")
    romeo.receives(
        "<presence type='unavailable' from='juliet@h/balcony'><status>asleep</status></presence>"
    )
    juliet.sends("<presence><status>awake</status><priority>5</priority></presence>")
    romeo.receives(
        "<presence from='juliet@h/balcony' to='romeo@h'><status>awake</status></presence>"
    )


def test_who_comes_sees_who_is_there(cast):
    romeo, juliet = cast("romeo", "juliet/balcony")
    cast.befriend(romeo, juliet)
    juliet.sends("<presence><show>chat</show></presence>")
    romeo.receives("<presence from='juliet@h/balcony'/>")
    phone = cast.log_in("romeo/phone")
    phone.receives_nothing()
    phone.sends("<presence/>")
    phone.receives_any_order(
        "<presence from='romeo@h/phone'/>",
        "<presence from='romeo@h/somewhere'/>",
        "<presence from='juliet@h/balcony'><show>chat</show></presence>",
    )
    phone.receives_nothing()
    romeo.receives("<presence from='romeo@h/phone'/>")


def test_strangers_see_nothing(cast):
    romeo, juliet = cast("romeo", "juliet")
    juliet.sends("<presence><show>away</show></presence>")
    juliet.receives("<presence><show>away</show></presence>")
    romeo.receives_nothing()


def test_a_broken_connection_is_noticed(cast):
    romeo, juliet = cast("romeo", "juliet/balcony")
    cast.befriend(romeo, juliet)
    juliet.wire.cut()
    romeo.receives("<presence type='unavailable' from='juliet@h/balcony'/>")


def test_a_closed_stream_is_answered_and_noticed(cast):
    romeo, juliet = cast("romeo", "juliet/balcony")
    cast.befriend(romeo, juliet)
    juliet.sends("</stream:stream>")
    juliet.is_closed()
    romeo.receives("<presence type='unavailable' from='juliet@h/balcony'/>")


def test_directed_presence_reaches_a_stranger_and_is_taken_back(cast):
    romeo, juliet = cast("romeo/orchard", "juliet")
    romeo.sends("<presence to='juliet@h'><status>hi</status></presence>")
    juliet.receives("<presence from='romeo@h/orchard' to='juliet@h'><status>hi</status></presence>")
    romeo.sends("<presence><show>away</show></presence>")
    juliet.receives_nothing()
    romeo.wire.cut()
    juliet.receives("<presence type='unavailable' from='romeo@h/orchard'/>")
    juliet.receives_nothing()


def test_directed_unavailable_is_not_repeated(cast):
    romeo, juliet = cast("romeo/orchard", "juliet")
    romeo.sends("<presence to='juliet@h'/>", "<presence to='juliet@h' type='unavailable'/>")
    juliet.receives("<presence/>", "<presence type='unavailable'/>")
    romeo.sends("<presence type='unavailable'/>")
    juliet.receives_nothing()


def test_a_friend_who_got_directed_presence_hears_the_goodbye_once(cast):
    romeo, juliet = cast("romeo/orchard", "juliet")
    cast.befriend(romeo, juliet)
    romeo.sends("<presence to='juliet@h'/>", "<presence type='unavailable'/>")
    juliet.receives("<presence/>", "<presence type='unavailable' from='romeo@h/orchard'/>")
    juliet.receives_nothing()


def test_directed_presence_works_without_being_available(cast):
    romeo = cast("romeo/orchard", available=False)
    juliet = cast("juliet")
    romeo.sends("<presence to='juliet@h/somewhere'/>")
    juliet.receives("<presence from='romeo@h/orchard' to='juliet@h/somewhere'/>")
    romeo.leaves()
    juliet.receives("<presence type='unavailable' from='romeo@h/orchard'/>")


@pytest.mark.parametrize("priority", ["128", "-129", "high", ""])
def test_a_bad_priority_is_refused(cast, priority):
    romeo, juliet = cast("romeo", "juliet")
    cast.befriend(romeo, juliet)
    juliet.sends(f"<presence id='p'><priority>{priority}</priority></presence>")
    juliet.receives("<presence type='error' id='p'/>")
    romeo.receives_nothing()


def test_an_unknown_type_is_refused(cast):
    romeo = cast("romeo")
    romeo.sends("<presence type='nonsense' id='p'/>")
    romeo.receives(
        "<presence type='error' id='p'><error type='modify'>"
        "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
    )


def test_a_probe_by_a_friend_is_answered(cast):
    romeo, juliet = cast("romeo/orchard", "juliet/balcony")
    cast.befriend(romeo, juliet)
    romeo.sends("<presence type='probe' to='juliet@h'/>")
    romeo.receives("<presence from='juliet@h/balcony' to='romeo@h/orchard'/>")
    juliet.sends("<presence type='unavailable'/>")
    romeo.receives("<presence type='unavailable'/>")
    romeo.sends("<presence type='probe' to='juliet@h'/>")
    romeo.receives("<presence type='unavailable' from='juliet@h'/>")


def test_a_probe_tells_strangers_nothing_not_even_whether_there_is_an_account(cast):
    romeo, _ = cast("romeo", "juliet")
    for name in ("juliet", "nobody"):
        romeo.sends(f"<presence type='probe' to='{name}@h'/>")
        romeo.receives_nothing()


def test_a_type_for_available_presence_is_refused_with_the_right_words(cast):
    romeo = cast("romeo")
    for kind, text in (
        ("available", "available presence has no type (RFC 6121 §4.7.1)"),
        ("unknown", "no such type of presence: unknown"),
    ):
        romeo.sends(f"<presence type='{kind}' id='p'/>")
        told = romeo.receives("<presence type='error' id='p'/>")
        assert told.findtext(".//{urn:ietf:params:xml:ns:xmpp-stanzas}text") == text
