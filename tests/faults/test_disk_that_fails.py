"""A disk that is full or broken: nothing is acknowledged as if it were safe, and people are told."""

import json

import pytest
from lxml import etree

from support.archive import page, rsm
from support.bad_disk import BoxOnBadDisk
from support.files import http_, put, slot
from support.rooms import Room, error
from support.worlds import PASSWORD, hausbote

SM = "urn:xmpp:sm:3"
CONDITIONS = {"ENOSPC": "resource-constraint", "EIO": "internal-server-error"}


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    state = tmp_path_factory.mktemp("baddisk") / "state"
    world = BoxOnBadDisk(state, "limits.offline_messages=0", address="127.0.0.44")
    for name in ("romeo", "juliet"):
        world.add_account(name)
    yield world
    world.heals()
    world.close()


@pytest.fixture(params=CONDITIONS)
def condition(request, box):
    """The disk fails in this way, and heals after the test."""
    yield request.param
    box.heals()


@pytest.fixture
def romeo(box):
    client = box.client().log_in("romeo", PASSWORD)
    client.send(f"<enable xmlns='{SM}' resume='true'/>")
    client.next()
    yield client
    client.leaves()


def comes(box):
    juliet = box.client().log_in("juliet", PASSWORD, "balcony")  # whoever hibernates there ends
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    return juliet


def refused(client, id, condition):
    answer = client.receives(
        f"<message type='error' id='{id}'>{error(CONDITIONS[condition], 'wait')}</message>"
    )
    assert "not kept" in "".join(answer.itertext())


def acknowledged(client):
    client.send(f"<r xmlns='{SM}'/>")
    return handled(client)


def handled(client):
    """The count in the next <a/>; the server's own questions are passed over."""
    while (element := client.next(20)).tag == f"{{{SM}}}r":
        pass
    assert element.tag == f"{{{SM}}}a", etree.tostring(element).decode()
    return int(element.get("h"))


def test_a_message_for_somebody_who_is_away_is_refused_before_it_is_acknowledged(
    box, romeo, condition
):
    romeo.settle()
    before = acknowledged(romeo)
    box.fails(condition)
    romeo.sends("<message to='juliet@h' type='chat' id='lost'><body>lost</body></message>")
    romeo.send(f"<r xmlns='{SM}'/>")
    refused(romeo, "lost", condition)
    assert handled(romeo) == before + 1
    box.heals()
    romeo.sends("<message to='juliet@h' type='chat' id='kept'><body>kept</body></message>")
    assert acknowledged(romeo) == before + 2
    romeo.receives_nothing()
    juliet = comes(box)
    juliet.receives("<message><body>kept</body></message>")
    juliet.receives_nothing()
    juliet.leaves()


def test_who_is_there_gets_the_message_and_its_sender_hears_that_it_is_not_kept(
    box, romeo, condition
):
    juliet = comes(box)
    box.fails(condition)
    romeo.sends("<message to='juliet@h' type='chat' id='1'><body>live</body></message>")
    juliet.receives("<message><body>live</body></message>")
    refused(romeo, "1", condition)
    box.heals()
    assert "live" not in page(juliet, rsm(max=100)).bodies
    juliet.leaves()


def test_without_acknowledgements_the_sender_hears_it_too(box, condition):
    client = box.client().log_in("romeo", PASSWORD)
    box.fails(condition)
    client.sends("<message to='juliet@h' type='chat' id='1'><body>lost</body></message>")
    refused(client, "1", condition)
    box.heals()
    client.leaves()


def test_a_message_for_a_hibernating_client_is_refused(box, romeo, condition):
    juliet = comes(box)
    juliet.send(f"<enable xmlns='{SM}' resume='true'/>")
    juliet.next()
    juliet.wire.cut()
    box.fails(condition)
    romeo.sends("<message to='juliet@h' type='chat' id='1'><body>asleep</body></message>")
    refused(romeo, "1", condition)
    box.heals()
    comes(box).leaves()


def test_what_is_said_in_a_room_and_its_subject(box, romeo, condition):
    room = Room().make(romeo, "romeo", persistentroom="1")
    box.fails(condition)
    romeo.sends(
        f"<message to='{room.jid}' type='groupchat' id='1'><body>said</body></message>",
        f"<message to='{room.jid}' type='groupchat' id='2'><subject>new</subject></message>",
    )
    romeo.receives_any_order(
        "<message type='groupchat'><body>said</body></message>",
        "<message type='groupchat'><subject>new</subject></message>",
        f"<message type='error' id='1'>{error(CONDITIONS[condition], 'wait')}</message>",
        f"<message type='error' id='2'>{error(CONDITIONS[condition], 'wait')}</message>",
    )
    box.heals()
    assert page(romeo, rsm(max=100), to=room.jid).bodies == []
    juliet = box.client().log_in("juliet", PASSWORD)
    room.join(juliet, "juliet", forget=False)
    juliet.settle_with(room)
    assert "new" not in [one.findtext("{jabber:client}subject") for one in juliet.came()]
    juliet.leaves()


def test_what_asks_for_a_change_is_answered_with_an_error_and_changes_nothing(
    box, romeo, condition
):
    box.fails(condition)
    wait = error(CONDITIONS[condition], "wait")
    romeo.sends(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='new@h'/></query></iq>"
    )
    romeo.receives(f"<iq type='error' id='1'>{wait}</iq>")
    romeo.sends(
        "<iq type='set' id='2'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        "<publish node='n'><item id='i'><x xmlns='y'/></item></publish></pubsub></iq>"
    )
    romeo.receives(f"<iq type='error' id='2'>{wait}</iq>")
    box.heals()
    romeo.sends("<iq type='get' id='3'><query xmlns='jabber:iq:roster'/></iq>")
    assert romeo.next()[0].find("{jabber:iq:roster}item") is None


def test_an_affiliation_is_in_memory_what_it_is_on_disk(box, romeo, condition):
    room = Room().make(romeo, "romeo", persistentroom="1")
    box.fails(condition)
    admin = "http://jabber.org/protocol/muc#admin"
    romeo.sends(
        f"<iq type='set' id='1' to='{room.jid}'><query xmlns='{admin}'>"
        "<item jid='juliet@h' affiliation='outcast'/></query></iq>"
    )
    romeo.receives(f"<iq type='error' id='1'>{error(CONDITIONS[condition], 'wait')}</iq>")
    box.heals()
    romeo.sends(
        f"<iq type='get' id='2' to='{room.jid}'><query xmlns='{admin}'>"
        "<item affiliation='outcast'/></query></iq>"
    )
    assert len(romeo.next()[0]) == 0


def test_an_upload_is_not_confirmed(box, romeo, condition):
    place = slot(romeo, 100)
    box.fails(condition)
    status, _, _ = put(box, place, b"x" * 100)
    assert status == 503
    box.heals()
    status, _, _ = http_(box, "GET", place.path)
    assert status == 404


def test_the_owner_is_told_and_hears_when_it_works_again(box, romeo, condition):
    box.fails(condition)
    romeo.sends("<message to='juliet@h' type='chat' id='1'><body>lost</body></message>")
    refused(romeo, "1", condition)
    shown = hausbote("status", state=box.state).stdout
    assert "c2s cannot write the database since" in shown
    services = json.loads(hausbote("status", "--json", state=box.state).stdout)
    assert next(one for one in services if one["service"] == "c2s")["store_failed"]
    box.heals()
    romeo.sends("<message to='juliet@h' type='chat' id='2'><body>kept</body></message>")
    acknowledged(romeo)
    assert "c2s cannot write" not in hausbote("status", state=box.state).stdout
    log = box.log("c2s")
    assert log.rindex("store-works-again") > log.rindex("store-failed")


def test_administrators_are_told(tmp_path):
    box = BoxOnBadDisk(tmp_path / "state", address="127.0.0.45")
    try:
        box.add_account("romeo")
        hausbote(
            "user", "add", "nurse@h", "--admin", "--password-stdin", state=box.state, input=PASSWORD
        )
        nurse = box.client().log_in("nurse", PASSWORD)
        nurse.sends("<presence/>")
        nurse.receives("<presence/>")
        romeo = box.client().log_in("romeo", PASSWORD)
        box.fails("EIO")
        romeo.sends("<message to='nobody@x.example' id='1'><body>lost</body></message>")
        news = nurse.next(20)
        assert (news.get("from"), news.get("type")) == ("h", "headline")
        assert "check the disk" in "".join(news.itertext())
        box.heals()
        romeo.sends("<message to='nurse@h' type='headline'><body>tick</body></message>")
        while "can be again" not in "".join(news.itertext()):
            romeo.sends("<message to='romeo@h' type='chat'><body>write</body></message>")
            news = nurse.next(20)
            assert news is not None
    finally:
        box.heals()
        box.close()
