"""A client that nobody looks at is spared what can wait: client state indication (XEP-0352)."""

import pytest

from support.pep import listens, publish
from support.sasl2_client import bind2, log_in, user_agent
from support.worlds import PASSWORD, MemoryWorld

CSI = "urn:xmpp:csi:0"
CARBONS = "urn:xmpp:carbons:2"
NICK = "http://jabber.org/protocol/nick"
DEVICES = "urn:xmpp:omemo:2:devices"
STATES = "http://jabber.org/protocol/chatstates"
DELAY = "<delay xmlns='urn:xmpp:delay' from='h' stamp='*'/>"
INACTIVE = f"<inactive xmlns='{CSI}'/>"
ACTIVE = f"<active xmlns='{CSI}'/>"


def state(name="composing", to="juliet@h", more=""):
    return f"<message to='{to}' type='chat' id='{name}'><{name} xmlns='{STATES}'/>{more}</message>"


def words(text="Hark!", to="juliet@h"):
    return f"<message to='{to}' type='chat' id='w'><body>{text}</body></message>"


def nothing_came(client):
    """A ping would be important: what another client's ping proves must do."""
    assert client.next(0.3) is None


def looks_away(client):
    client.sends(INACTIVE)
    client.settle()


@pytest.fixture
def couple(cast):
    """Romeo, and Juliet whose phone nobody looks at."""
    romeo, phone = cast("romeo/orchard", "juliet/phone")
    cast.befriend(romeo, phone)
    looks_away(phone)
    return romeo, phone


def busy(romeo, *shows):
    for show in shows:
        romeo.sends(f"<presence><show>{show}</show></presence>")
    romeo.forget()


def test_the_stream_offers_it(cast):
    client = cast.world.client()
    cast.clients.append(client)
    client.secure()
    cast.account("romeo")
    log_in(client, user_agent(), user="romeo")
    assert client.next().find(f"{{{CSI}}}csi") is not None


def test_presence_waits_and_only_the_last_of_each_client_is_sent(couple):
    romeo, phone = couple
    busy(romeo, "away", "dnd", "xa")
    phone.sends(ACTIVE)
    phone.receives(f"<presence from='romeo@h/orchard'><show>xa</show>{DELAY}</presence>")
    phone.receives_nothing()


def test_the_end_of_presence_replaces_what_was_before(couple):
    romeo, phone = couple
    busy(romeo, "away")
    romeo.sends("<presence type='unavailable'/>")
    romeo.forget()
    phone.sends(ACTIVE)
    phone.receives(f"<presence from='romeo@h/orchard' type='unavailable'>{DELAY}</presence>")
    phone.receives_nothing()


def test_what_waits_goes_before_a_message_in_its_order(cast, couple):
    romeo, phone = couple
    tybalt = cast("tybalt/street")
    busy(romeo, "away")
    tybalt.sends(state())
    tybalt.settle()
    busy(romeo, "dnd")
    tybalt.sends(words())
    phone.receives("<presence from='romeo@h/orchard'><show>dnd</show></presence>")
    phone.receives("<message from='tybalt@h/street'><body>Hark!</body></message>")
    phone.receives_nothing()


def test_presence_of_different_clients_keeps_its_order(cast, couple):
    romeo, phone = couple
    other = cast("romeo/cell")
    phone.forget()  # the answer to a ping brings what waits
    busy(romeo, "away")
    busy(other, "dnd")
    busy(romeo, "xa")
    phone.sends(ACTIVE)
    phone.receives("<presence from='romeo@h/cell'/>", "<presence from='romeo@h/orchard'/>")


@pytest.mark.parametrize("more", ["", "<thread>t</thread>", "<no-store xmlns='urn:xmpp:hints'/>"])
def test_chat_states_wait_and_only_the_last_is_sent(couple, more):
    romeo, phone = couple
    romeo.sends(state(more=more), state("paused", more=more))
    romeo.settle()
    phone.sends(ACTIVE)
    phone.receives(f"<message id='paused'><paused xmlns='{STATES}'/>{DELAY}</message>")
    phone.receives_nothing()


def test_words_make_a_chat_state_needless(couple):
    romeo, phone = couple
    romeo.sends(state(), words())
    phone.receives("<message><body>Hark!</body></message>")
    phone.receives_nothing()


def test_copies_wait_like_what_they_are_copies_of(cast, couple):
    romeo, phone = couple
    desk = cast("juliet/desk")
    cast.account("tybalt")
    phone.sends(f"<iq type='set' id='c'><enable xmlns='{CARBONS}'/></iq>")
    phone.receives_any_order("<iq id='c'/>", "<presence from='juliet@h/desk'/>")
    romeo.sends(state(to="juliet@h/desk"))
    desk.sends(state(to="romeo@h/orchard"), state(to="tybalt@h"), state("paused", "tybalt@h"))
    romeo.settle()
    desk.forget()
    phone.sends(ACTIVE)
    found = [m for m in phone.came() if m.tag == "{jabber:client}message"]
    insides = [m.find(".//{urn:xmpp:forward:0}forwarded")[0] for m in found]
    assert sorted((m.get("from"), m.get("to"), m.get("id")) for m in insides) == [
        ("juliet@h/desk", "romeo@h/orchard", "composing"),
        ("juliet@h/desk", "tybalt@h", "paused"),
        ("romeo@h/orchard", "juliet@h/desk", "composing"),
    ]


@pytest.mark.parametrize(
    "stanza",
    [
        words(),
        "<message to='juliet@h/phone' type='normal'><subject>s</subject></message>",
        "<message to='juliet@h/phone' type='error'><error type='cancel'/></message>",
        "<message to='juliet@h/phone'><received xmlns='urn:xmpp:receipts' id='1'/></message>",
        "<iq type='get' id='q' to='juliet@h/phone'><ping xmlns='urn:xmpp:ping'/></iq>",
        f"<message to='juliet@h/phone' type='chat'><composing xmlns='{STATES}'/><body/></message>",
    ],
)
def test_everything_else_is_important(couple, stanza):
    romeo, phone = couple
    busy(romeo, "away")
    romeo.sends(stanza)
    phone.receives("<presence from='romeo@h/orchard'><show>away</show></presence>")
    assert phone.next().get("from") == "romeo@h/orchard"


def test_a_request_of_somebody_unknown_does_not_wait(cast, couple):
    _, phone = couple
    tybalt = cast("tybalt")
    tybalt.sends("<presence type='subscribe' to='juliet@h'/>")
    phone.receives("<presence type='subscribe' from='tybalt@h'/>")


def test_an_answer_comes_after_all_that_waited(couple):
    romeo, phone = couple
    busy(romeo, "away")
    phone.sends("<iq type='get' id='p' to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
    phone.receives("<presence from='romeo@h/orchard'/>", "<iq type='result' id='p'/>")


def test_after_something_important_the_client_is_still_spared(couple):
    romeo, phone = couple
    romeo.sends(words())
    phone.receives("<message><body>Hark!</body></message>")
    busy(romeo, "away")
    nothing_came(phone)
    phone.sends(ACTIVE)
    phone.receives("<presence from='romeo@h/orchard'/>")


def test_an_active_client_sees_all_at_once_again(couple):
    romeo, phone = couple
    phone.sends(ACTIVE, ACTIVE)
    phone.settle()
    busy(romeo, "away", "dnd")
    phone.receives(
        "<presence><show>away</show></presence>", "<presence><show>dnd</show></presence>"
    )


def test_saying_it_twice_loses_nothing(couple):
    romeo, phone = couple
    busy(romeo, "away")
    phone.sends(INACTIVE, ACTIVE)
    phone.receives("<presence><show>away</show></presence>")


def test_news_of_contacts_wait_and_replace_each_other(cast):
    romeo, phone = cast("romeo/orchard", "juliet/phone")
    cast.befriend(romeo, phone)
    listens(phone, NICK, DEVICES)
    phone.forget()
    looks_away(phone)
    for name in ("Montague", "Romeo"):
        romeo.sends(publish(NICK, f"<nick xmlns='{NICK}'>{name}</nick>"))
    romeo.forget()
    nothing_came(phone)
    romeo.sends(publish(DEVICES, "<devices xmlns='urn:xmpp:omemo:2'/>"))
    found = phone.receives("<message from='romeo@h'/>")
    assert [one.text for one in found.iter(f"{{{NICK}}}nick")] == ["Romeo"]
    assert found.find("{urn:xmpp:delay}delay") is not None
    found = phone.receives("<message from='romeo@h'/>")
    assert found.find(".//{urn:xmpp:omemo:2}devices") is not None
    assert found.find("{urn:xmpp:delay}delay") is None


def test_what_becomes_of_oneself_in_a_room_does_not_wait(couple, bridge):
    _, phone = couple
    user = "http://jabber.org/protocol/muc#user"
    mark = f"<x xmlns='{user}'><item affiliation='member'/>%s</x>"
    room = "<presence from='ball@bridge.h/%s' to='juliet@h/phone'>%s</presence>"
    bridge.sends(room % ("Romeo", mark % ""))
    bridge.settle()
    nothing_came(phone)
    bridge.sends(room % ("Juliet", mark % "<status code='110'/>"))
    phone.receives(
        "<presence from='ball@bridge.h/Romeo'/>", "<presence from='ball@bridge.h/Juliet'/>"
    )


def test_a_session_may_begin_inactive(cast, world):
    romeo, desk = cast("romeo/orchard", "juliet/desk")
    cast.befriend(romeo, desk)
    phone = world.client()
    cast.clients.append(phone)
    features = phone.secure()
    assert features.find(f".//{{urn:xmpp:bind:0}}inline/*[@var='{CSI}']") is not None
    log_in(phone, user_agent(), bind2(inside=INACTIVE), user="juliet")
    phone.sends("<presence/>")
    desk.receives("<presence/>")
    busy(romeo, "away", "dnd")
    romeo.sends(words())
    romeo.settle()
    shows = [
        one.text for one in (m.find("{jabber:client}show") for m in phone.came()) if one is not None
    ]
    assert shows == ["dnd"]


def test_a_client_that_goes_leaves_nothing_behind(cast, couple):
    romeo, phone = couple
    busy(romeo, "away")
    phone.leaves()
    romeo.sends(words())
    romeo.settle()
    again = cast.log_in("juliet/phone")
    again.sends("<presence/>")
    again.settle()
    kinds = [one.findtext("{jabber:client}body") for one in again.came()]
    assert kinds.count("Hark!") == 1


@pytest.mark.parametrize(
    "element", [f"<paused xmlns='{CSI}'/>", "<active xmlns='urn:xmpp:csi:1'/>"]
)
def test_other_elements_end_the_stream(cast, element):
    romeo = cast("romeo")
    romeo.sends(element)
    romeo.is_ended_with("unsupported-stanza-type")


@pytest.fixture
def couple_with(tmp_path):
    made = []

    def make(**sections):
        """The couple in a box with other settings."""
        world = MemoryWorld(tmp_path, **sections)
        made.append(world)
        clients = []
        for name, resource in (("romeo", "orchard"), ("juliet", "phone")):
            world.add_account(name)
            clients.append(world.client().log_in(name, PASSWORD, resource))
            clients[-1].sends("<presence/>")
        romeo, phone = clients
        phone.sends("<presence type='subscribed' to='romeo@h'/>")
        romeo.sends("<presence type='subscribed' to='juliet@h'/>")
        phone.sends("<presence type='subscribe' to='romeo@h'/>")
        phone.forget()
        looks_away(phone)
        return romeo, phone

    yield make
    for world in made:
        world.close()


@pytest.mark.parametrize("limits", [{"held_stanzas": 1}, {"held_bytes": 200}])
def test_what_waits_is_bounded(couple_with, limits):
    romeo, phone = couple_with(limits=limits)
    busy(romeo, "away", "dnd")
    nothing_came(phone)
    romeo.sends(state())
    phone.receives("<presence><show>dnd</show></presence>", "<message id='composing'/>")


@pytest.mark.parametrize(
    ("what", "ids"), [("presence", [None]), ("chat_states", [None, "composing"])]
)
def test_the_owner_decides_what_waits(couple_with, what, ids):
    romeo, phone = couple_with(client_state={what: "send"})
    busy(romeo, "away")
    romeo.sends(state())
    romeo.settle()
    assert [phone.next().get("id") for _ in ids] == ids
    nothing_came(phone)
