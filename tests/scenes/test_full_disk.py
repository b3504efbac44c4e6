"""What a box on a full disk refuses, and what goes on; how much anybody may have kept at all."""

import gevent
import pytest

from conftest import Cast
from hausbote.features import full_disk
from hausbote.storage import Range
from support.archive import query
from support.patterns import CLIENT
from support.worlds import MemoryWorld

STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
PUBSUB = "http://jabber.org/protocol/pubsub"
MUC = "http://jabber.org/protocol/muc"


@pytest.fixture
def fill(tmp_path):
    """fill(): people of a box whose disk is full from then on, whatever it really is."""
    world = MemoryWorld(tmp_path)
    people = Cast(world)

    def fill(full=True):
        world.store.reserve.size = 1 << 60 if full else 0
        while world.store.reserve.is_low is not full:  # it looks now and then
            gevent.sleep(0.01)

    people.fill = fill
    people.fill(False)
    yield people
    for client in people.clients:
        client.wire.cut()
    world.close()


def answer(client, stanza, kind="iq"):
    """The type of the answer to a request, and the condition of an error."""
    client.forget()
    client.sends(stanza)
    while (got := client.next()) is not None:
        if got.tag == f"{{{CLIENT}}}{kind}" and got.get("type") in ("result", "error"):
            error = got.find(f"{{{CLIENT}}}error")
            if error is None:
                return got.get("type")
            return error[0].tag.rpartition("}")[2], error.get("type")
    return None


REFUSED = ("resource-constraint", "wait")
FILLS = {
    "private XML": "<iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='urn:a'>b</a></query></iq>",
    "a vCard": "<iq type='set' id='1'><vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard></iq>",
    "a contact": "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='nurse@h'/></query></iq>",
    "an item": f"<iq type='set' id='1'><pubsub xmlns='{PUBSUB}'><publish node='urn:b'><item><b xmlns='urn:b'/></item></publish></pubsub></iq>",
    "a node": f"<iq type='set' id='1'><pubsub xmlns='{PUBSUB}'><create node='urn:c'/></pubsub></iq>",
    "preferences": "<iq type='set' id='1'><prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs></iq>",
    "push": "<iq type='set' id='1'><enable xmlns='urn:xmpp:push:0' jid='push.h' node='n'/></iq>",
    "a file": "<iq type='get' id='1' to='upload.h'><request xmlns='urn:xmpp:http:upload:0' filename='a' size='9'/></iq>",
    "an invitation": "<iq type='set' id='1' to='h'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite'/></iq>",
}
NEEDED = {
    "delete private XML": "<iq type='set' id='1'><query xmlns='jabber:iq:private'><a xmlns='urn:a'/></query></iq>",
    "delete a vCard": "<iq type='set' id='1'><vCard xmlns='vcard-temp'/></iq>",
    "delete a contact": "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='romeo@h' subscription='remove'/></query></iq>",
    "change a contact": "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='romeo@h' name='R'/></query></iq>",
    "retract an item": f"<iq type='set' id='1'><pubsub xmlns='{PUBSUB}'><retract node='urn:n'><item id='i'/></retract></pubsub></iq>",
    "delete a node": f"<iq type='set' id='1'><pubsub xmlns='{PUBSUB}#owner'><delete node='urn:n'/></pubsub></iq>",
    "read the archive": query(),
    "block": "<iq type='set' id='1'><block xmlns='urn:xmpp:blocking'><item jid='tybalt@h'/></block></iq>",
}


@pytest.mark.parametrize("what", FILLS)
def test_what_fills_the_disk_is_refused(fill, what):
    juliet = fill("juliet")
    fill.fill()
    assert answer(juliet, FILLS[what]) == REFUSED
    fill.fill(False)
    assert answer(juliet, FILLS[what]) != REFUSED


@pytest.mark.parametrize("what", NEEDED)
def test_what_people_need_goes_on(fill, what):
    juliet = fill("juliet")
    contact = NEEDED["change a contact"]
    item = f"<iq type='set' id='1'><pubsub xmlns='{PUBSUB}'><publish node='urn:n'><item id='i'><b xmlns='urn:b'/></item></publish></pubsub></iq>"
    for before in (contact, item):
        assert answer(juliet, before) == "result"
    fill.fill()
    assert answer(juliet, NEEDED[what]) == "result"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_message_that_cannot_be_kept_is_refused_and_reaches_nobody(fill, is_there):
    romeo = fill("romeo")
    juliet = fill("juliet") if is_there else fill.account("juliet")
    fill.fill()
    message = "<message to='juliet@h' type='chat' id='m'><body>Hark!</body></message>"
    assert answer(romeo, message, "message") == REFUSED
    if is_there:
        juliet.receives_nothing()
    fill.fill(False)
    page = romeo.next(0.1)
    assert page is None
    romeo.sends(query())
    assert romeo.next().tag == f"{{{CLIENT}}}iq"  # nothing is in the archive


def test_what_is_not_kept_is_delivered(fill):
    romeo, juliet = fill("romeo", "juliet")
    fill.fill()
    romeo.sends(
        "<message to='juliet@h' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<message to='juliet@h/somewhere' type='chat'><body>Hush!</body><no-store xmlns='urn:xmpp:hints'/></message>",
    )
    juliet.receives(
        "<message from='*'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>",
        "<message from='*'><body>Hush!</body><no-store xmlns='urn:xmpp:hints'/></message>",
    )


def test_a_room_refuses_what_it_would_keep_and_lets_people_go(fill):
    romeo, juliet = fill("romeo", "juliet")
    for client, nick in ((romeo, "R"), (juliet, "J")):
        client.sends(f"<presence to='v@rooms.h/{nick}'><x xmlns='{MUC}'/></presence>")
        client.settle()
        form = "<x xmlns='jabber:x:data' type='submit'/>"
        if nick == "R":
            owner = f"<iq type='set' id='c' to='v@rooms.h'><query xmlns='{MUC}#owner'>{form}</query></iq>"
            assert answer(romeo, owner) == "result"
    for client in (romeo, juliet):
        client.forget()
    fill.fill()
    said = "<message to='v@rooms.h' type='groupchat' id='m'><body>Hark!</body></message>"
    assert answer(romeo, said, "message") == REFUSED
    juliet.receives_nothing()
    subject = "<message to='v@rooms.h' type='groupchat' id='s'><subject>Love</subject></message>"
    assert answer(romeo, subject, "message") == REFUSED
    made = f"<presence to='w@rooms.h/R'><x xmlns='{MUC}'/></presence>"
    assert answer(romeo, made, "presence") == REFUSED
    romeo.sends("<presence to='v@rooms.h/R' type='unavailable'/>")
    romeo.receives("<presence from='v@rooms.h/R' type='unavailable'>*</presence>")


def test_administrators_are_told_once_and_when_they_come(fill):
    juliet, nurse = fill("juliet", "nurse")
    for local in ("juliet", "friar"):
        fill.account(local)
        fill.world.store.accounts.set_admin(local, True)
    fill.fill()
    full_disk.look(fill.world.host)
    full_disk.look(fill.world.host)
    told = "<message from='h' type='headline' to='*' id='*'><body>*</body></message>"
    assert "hausbote purge" in juliet.receives(told).findtext(f"{{{CLIENT}}}body")
    juliet.receives_nothing()
    nurse.receives_nothing()
    friar = fill.log_in("friar")
    friar.sends("<presence/>")
    said = [one for one in friar.came() if one.get("type") == "headline"]
    assert len(said) == 1
    fill.fill(False)
    full_disk.look(fill.world.host)
    fill.fill()
    full_disk.look(fill.world.host)
    juliet.receives(told)  # it is another time


# -- how much one may have kept ----------------------------------------------------------------


def message(to, size, type="chat"):
    return f"<message to='{to}' type='{type}' id='m'><body>{'x' * size}</body></message>"


def test_an_account_has_so_much_kept_and_others_have_their_own(own_cast):
    people = own_cast(limits={"kept_bytes_per_hour": 10_000})
    romeo, mercutio = people("romeo", "mercutio")
    people.account("juliet")
    kept = 0
    while answer_to(romeo, message("juliet@h", 1_000)) is None:
        kept += 1
        assert kept < 20
    assert kept > 2
    assert answer_to(romeo, message("mercutio@h", 1_000)) == REFUSED
    mercutio.receives_nothing()
    assert answer_to(mercutio, message("juliet@h", 1_000)) is None


def answer_to(client, stanza):
    """The condition with which it came back; None if it did not."""
    client.sends(stanza)
    for one in client.came():
        error = one.find(f"{{{CLIENT}}}error")
        if error is not None:
            return error[0].tag.rpartition("}")[2], error.get("type")
    return None


def test_the_oldest_messages_go_when_an_archive_is_full(own_cast):
    people = own_cast(limits={"archive_bytes": 20_000})
    romeo = people("romeo")
    people.account("juliet")
    for number in range(30):
        romeo.sends(
            f"<message to='juliet@h' type='chat'><body>{number:04}{'x' * 1_000}</body></message>"
        )
    romeo.settle()
    page = [body[:4] for body in bodies(romeo)]
    assert 10 < len(page) < 20
    assert page == [f"{number:04}" for number in range(30 - len(page), 30)]
    (usage,) = people.world.store.usage.accounts("h", "romeo")
    assert 10_000 < usage.archive <= 20_000


def bodies(client):
    client.sends(query())
    return [
        one.findtext(f".//{{{CLIENT}}}body")
        for one in client.came()
        if one.tag == f"{{{CLIENT}}}message"
    ]


def test_offline_messages_of_an_account_have_a_size(own_cast):
    people = own_cast(limits={"offline_bytes": 10_000}, archive={"enabled": "no"})
    romeo = people("romeo")
    people.account("juliet")
    for _ in range(2):
        assert answer_to(romeo, message("juliet@h", 4_000)) is None
    romeo.sends(message("juliet@h", 4_000))
    error = romeo.receives("<message type='error' id='m'>*</message>")
    assert error.find(f".//{STANZAS}service-unavailable") is not None
    assert people.world.store.offline.count("juliet") == 2


def test_the_oldest_messages_go_when_a_room_is_full(own_cast):
    people = own_cast(limits={"room_bytes": 200_000})
    romeo = people("romeo")
    romeo.sends(f"<presence to='v@rooms.h/R'><x xmlns='{MUC}'/></presence>")
    form = "<x xmlns='jabber:x:data' type='submit'/>"
    owner = f"<iq type='set' id='c' to='v@rooms.h'><query xmlns='{MUC}#owner'>{form}</query></iq>"
    assert answer(romeo, owner) == "result"
    for number in range(40):
        said = f"{number:04}{'x' * 20_000}"
        romeo.sends(f"<message to='v@rooms.h' type='groupchat'><body>{said}</body></message>")
    sync = "<iq type='get' id='1' to='rooms.h'><ping xmlns='urn:xmpp:ping'/></iq>"
    assert answer(romeo, sync) == "result"
    store = people.world.store
    (usage,) = store.usage.rooms()
    room = store.rooms.find("v")
    left = store.rooms.page(room.id, Range(), 100)
    assert usage.archive == sum(len(one.stanza) for one in left)
    assert 100_000 < usage.archive < 200_000 + 65_536 + 21_000
    assert b"0039" in left[-1].stanza
    assert usage.creator == "romeo@h"
    (account,) = store.usage.accounts("h", "romeo")
    assert account.rooms >= usage.archive
