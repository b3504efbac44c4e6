"""People of two boxes: what works between them, and what happens when one of them is away."""

import time
from datetime import datetime

import gevent
import gevent.server
import pytest

from hausbote.core.bus.frame import Frame
from hausbote.net.tlsa import PublishedCertificates, Tlsa
from hausbote.s2s import outgoing
from hausbote.xmpp.stanza import child, stanza
from support.archive import page
from support.federation import Unsafe, log_in, make_houses, wait_until
from support.worlds import PASSWORD

STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
PING = "<ping xmlns='urn:xmpp:ping'/>"


@pytest.fixture
def lovers(houses):
    return log_in(houses[0], "juliet"), log_in(houses[1], "romeo")


def chat(to, text, id="1"):
    return f"<message to='{to}' type='chat' id='{id}'><body>{text}</body></message>"


def befriend(one, other):
    one.sends(f"<presence type='subscribe' to='{other.bare}'/>")
    other.receives(f"<presence type='subscribe' from='{one.bare}'/>")
    other.sends(f"<presence type='subscribed' to='{one.bare}'/>")
    one.receives(f"<presence from='{other.jid}'/>")
    other.sends(f"<presence type='subscribe' to='{one.bare}'/>")
    one.receives(f"<presence type='subscribe' from='{other.bare}'/>")
    one.sends(f"<presence type='subscribed' to='{other.bare}'/>")
    other.receives(f"<presence from='{one.jid}'/>")


# -- everyday life -----------------------------------------------------------------------------


def test_a_message_and_its_answer(lovers):
    juliet, romeo = lovers
    juliet.sends(chat(romeo.bare, "Romeo?"))
    romeo.receives(
        f"<message to='{romeo.bare}' from='{juliet.jid}' id='1'><body>Romeo?</body></message>"
    )
    romeo.sends(chat(juliet.jid, "My dear?"))
    juliet.receives(f"<message from='{romeo.jid}'><body>My dear?</body></message>")


def test_messages_arrive_in_order_and_once(lovers):
    juliet, romeo = lovers
    for number in range(200):
        juliet.sends(chat(romeo.bare, number))
    for number in range(200):
        message = romeo.receives(f"<message><body>{number}</body></message>")
        assert not message.findall("{https://hausbote.example/hop}hop")
    romeo.receives_nothing()


def test_a_subscription_both_ways_and_presence(lovers):
    juliet, romeo = lovers
    befriend(juliet, romeo)
    juliet.sends("<presence><show>away</show></presence>")
    romeo.receives(f"<presence from='{juliet.jid}'><show>away</show></presence>")
    juliet.wire.cut()
    romeo.receives(f"<presence from='{juliet.jid}' type='unavailable'/>")


def test_whoever_comes_later_sees_who_is_there(houses, lovers):
    juliet, romeo = lovers
    befriend(juliet, romeo)
    desk = houses[1].client().log_in("romeo", PASSWORD, "desk")
    desk.sends("<presence/>")
    desk.receives_any_order(
        "<presence from='romeo@montague.example/desk'/>",
        f"<presence from='{romeo.jid}'/>",
        f"<presence from='{juliet.jid}'/>",
    )
    juliet.receives("<presence from='romeo@montague.example/desk'/>")


def test_rooms_and_pubsub_of_the_other_box_answer(lovers):
    juliet, _ = lovers
    for domain in ("montague.example", "rooms.montague.example", "pubsub.montague.example"):
        juliet.sends(f"<iq type='get' to='{domain}' id='{domain}'>{PING}</iq>")
        juliet.receives(f"<iq type='result' from='{domain}' id='{domain}'/>")


def test_what_is_said_in_a_room_and_its_archive_reach_the_people_of_another_box(houses, lovers):
    juliet, romeo = lovers
    desk = houses[1].client().log_in("romeo", PASSWORD, "desk")
    room = "balcony@rooms.capulet.example"
    enter = "<x xmlns='http://jabber.org/protocol/muc'/>"
    juliet.sends(f"<presence to='{room}/juliet'>{enter}</presence>")
    juliet.receives(f"<presence from='{room}/juliet'/>", f"<message from='{room}'/>")
    form = "<x xmlns='jabber:x:data' type='submit'/>"
    owner = f"<query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query>"
    juliet.sends(f"<iq type='set' id='c' to='{room}'>{owner}</iq>")
    juliet.answer("c")
    for client, nick in ((romeo, "romeo"), (desk, "desk")):
        client.sends(f"<presence to='{room}/{nick}'>{enter}</presence>")
        while client.next().find("{jabber:client}subject") is None:
            pass
    romeo.forget()
    for number in range(30):
        juliet.sends(
            f"<message to='{room}' type='groupchat'><body>{number} {'x' * 5_000}</body></message>"
        )
    for client in (romeo, desk):
        for number in range(30):
            body = client.next().findtext("{jabber:client}body")
            assert body.partition(" ")[0] == str(number)
    romeo.sends(f"<iq type='set' id='q' to='{room}'><query xmlns='urn:xmpp:mam:2'/></iq>")
    answer = romeo.answer("q")
    assert answer.find("{urn:xmpp:mam:2}fin").get("complete") == "true"
    found = [one.findtext(".//{*}body").partition(" ")[0] for one in romeo.came()]
    assert found == [str(number) for number in range(30)]


def test_that_somebody_is_gone_arrives_though_the_bus_had_no_room_for_it(houses, lovers):
    juliet, romeo = lovers
    befriend(juliet, romeo)
    romeo.forget()
    juliet.forget()
    words = child("jabber:client", "status", "x" * 5_000)
    gone = stanza("presence", words, type="unavailable", from_=romeo.jid, to=juliet.jid)
    houses[0].gate.undeliverable("c2s", Frame("f", "stanza", romeo.jid, (juliet.jid,), gone.pack()))
    juliet.receives(f"<presence from='{romeo.jid}' type='unavailable'/>")
    romeo.receives_nothing()


def test_errors_come_back_to_the_right_client(lovers):
    juliet, _ = lovers
    juliet.sends(chat("nobody@montague.example", "Is there anybody?"))
    juliet.receives(
        f"<message type='error' from='nobody@montague.example' to='{juliet.jid}' id='1'><error>"
        f"<service-unavailable xmlns='{STANZAS}'/></error></message>"
    )


def test_there_is_no_such_server(lovers):
    juliet, _ = lovers
    juliet.sends(
        chat("romeo@nowhere.invalid", "Where are you?"),
        f"<iq type='get' to='nowhere.invalid' id='2'>{PING}</iq>",
    )
    error = f"<error type='cancel'><remote-server-not-found xmlns='{STANZAS}'/></error>"
    juliet.receives_any_order(
        f"<message type='error' id='1' from='romeo@nowhere.invalid'>{error}</message>",
        f"<iq type='error' id='2' from='nowhere.invalid'>{error}</iq>",
    )


def test_what_comes_back_is_safe_before_what_brought_it_is_acknowledged(houses):
    """Or else a box that is killed then has neither the message nor its error."""
    house = houses[0]
    juliet = log_in(house, "juliet")
    juliet.send("<enable xmlns='urn:xmpp:sm:3'/>")
    juliet.next()
    unsafe = Unsafe(house, lambda stanza: stanza.type == "error")
    juliet.sends(chat("nobody@nowhere.example", "Hark!"))
    wait_until(lambda: len(unsafe) == 1)
    (session,) = house.host.directory.account("juliet").sessions.values()
    for _ in range(20):  # whatever is under way has its turn
        gevent.sleep(0.01)
    assert session.acks.ledger.handled == 0
    unsafe.end()
    wait_until(lambda: session.acks.ledger.handled == 1)


def test_blocking_works_across_servers(houses, lovers):
    juliet, romeo = lovers
    befriend(juliet, romeo)
    juliet.sends(
        f"<iq type='set' id='b'><block xmlns='urn:xmpp:blocking'><item jid='{romeo.bare}'/></block></iq>"
    )
    juliet.receives("<iq type='result' id='b'/>")
    romeo.receives(f"<presence type='unavailable' from='{juliet.jid}'/>")
    romeo.sends(chat(juliet.bare, "Hello?"))
    romeo.receives(
        f"<message type='error'><error><service-unavailable xmlns='{STANZAS}'/></error></message>"
    )
    juliet.receives_nothing()


def test_an_avatar_is_seen_by_a_contact_elsewhere(lovers):
    juliet, romeo = lovers
    befriend(juliet, romeo)
    node = "urn:xmpp:avatar:metadata"
    caps = "<c xmlns='http://jabber.org/protocol/caps' node='n' ver='v' hash='sha-1'/>"
    juliet.sends(f"<presence>{caps}</presence>")
    question = juliet_asked = None
    while juliet_asked is None:
        stanza = juliet.next()
        if stanza.tag.endswith("iq") and stanza.get("from") == romeo.bare:
            juliet_asked = stanza
        elif stanza.tag.endswith("iq"):
            question = stanza
    for asked in [one for one in (question, juliet_asked) if one is not None]:
        juliet.sends(
            f"<iq type='result' id='{asked.get('id')}' to='{asked.get('from')}'>"
            "<query xmlns='http://jabber.org/protocol/disco#info'>"
            f"<identity category='client' type='pc'/><feature var='{node}+notify'/></query></iq>"
        )
    juliet.settle()
    gevent.sleep(0.1)
    item = "<item id='a'><metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='3' id='a' type='image/png'/></metadata></item>"
    romeo.sends(
        f"<iq type='set' id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='{node}'>{item}</publish></pubsub></iq>"
    )
    found = []
    while not found:
        stanza = juliet.next()
        assert stanza is not None, "no notification comes"
        found = stanza.findall(".//{http://jabber.org/protocol/pubsub#event}items")
    assert stanza.get("from") == romeo.bare


def test_a_stranger_elsewhere_reads_the_keys_that_are_open(lovers):
    """Of OMEMO: whoever writes first need not be a contact."""
    juliet, romeo = lovers
    axolotl, pubsub = "eu.siacs.conversations.axolotl", "http://jabber.org/protocol/pubsub"
    node = f"{axolotl}.devicelist"
    romeo.sends(
        f"<iq type='set' id='p'><pubsub xmlns='{pubsub}'><publish node='{node}'><item id='current'>"
        f"<list xmlns='{axolotl}'><device id='31415'/></list></item></publish><publish-options>"
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
        f"<value>{pubsub}#publish-options</value></field><field var='pubsub#access_model'>"
        "<value>open</value></field></x></publish-options></pubsub></iq>"
    )
    assert romeo.answer("p").get("type") == "result"
    asked = f"<pubsub xmlns='{pubsub}'><items node='{node}'/></pubsub>"
    juliet.sends(f"<iq type='get' id='g' to='{romeo.bare}'>{asked}</iq>")
    device = juliet.answer("g").find(f".//{{{axolotl}}}device")
    assert device is not None
    assert device.get("id") == "31415"


def test_other_devices_see_what_is_said_with_people_elsewhere(houses, lovers):
    juliet, romeo = lovers
    desk = houses[0].client().log_in("juliet", PASSWORD, "desk")
    desk.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
    desk.receives("<iq type='result' id='c'/>")
    juliet.sends(chat(romeo.bare, "Romeo?"))
    romeo.receives("<message><body>Romeo?</body></message>")
    desk.receives(
        "<message><sent xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        f"<message xmlns='jabber:client' to='{romeo.bare}'/></forwarded></sent></message>"
    )
    romeo.sends(chat(juliet.jid, "My dear?"))
    desk.receives(
        "<message><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        f"<message xmlns='jabber:client' from='{romeo.jid}'/></forwarded></received></message>"
    )


def test_a_server_that_accepts_connections_and_says_nothing(houses, lovers):
    """Messages are on the disk long before it is given up."""
    juliet, _ = lovers
    silent = gevent.server.StreamServer(("127.0.1.92", 0), lambda *_: gevent.sleep(60))
    silent.start()
    houses[0].names.put("silent.example", "127.0.1.92", silent.server_port)
    juliet.sends(chat("romeo@silent.example", "Hello?"))
    wait_until(lambda: ("capulet.example", "silent.example") in houses[0].gate.links)
    assert not houses[0].store.outgoing.waiting()
    houses[0].door.look(time.monotonic() + 4)
    wait_until(lambda: houses[0].store.outgoing.waiting())
    juliet.receives_nothing()
    silent.stop(0)


def test_a_server_that_says_nothing_has_the_whole_time_and_the_right_sentence(
    houses, lovers, monkeypatch
):
    """Who looks after strangers' streams does not cut short ours."""
    monkeypatch.setattr(outgoing, "_HURRIED", 0.5)
    monkeypatch.setattr(outgoing, "_TIME", 1.0)
    juliet, _ = lovers
    silent = gevent.server.StreamServer(("127.0.1.93", 0), lambda *_: gevent.sleep(60))
    silent.start()
    houses[0].names.put("silent.example", "127.0.1.93", silent.server_port)
    juliet.sends(chat("romeo@silent.example", "Hello?"))
    wait_until(lambda: any(one.remote == "silent.example" for one in houses[0].gate.streams))
    houses[0].door._keepalive.sweep(time.monotonic() + 31)
    link = houses[0].gate.links["capulet.example", "silent.example"]
    wait_until(lambda: link.problem is not None)
    assert link.problem.sentence == "silent.example was connected to and does not answer."
    silent.stop(0)


def test_nobody_can_name_the_messages_of_others(houses, lovers):
    """A message with the hop that another one will have must not be taken for that one."""
    juliet, romeo = lovers
    mallory = log_in(houses[0], "mallory")
    ids, take = [], houses[0].gate.from_bus

    def note(frame):
        ids.append(frame.id)
        return take(frame)

    houses[0].gate.from_bus = note
    juliet.sends(chat(romeo.bare, 0))
    romeo.receives("<message><body>0</body></message>")
    for number in range(1, 21):
        epoch, _, sent = ids[-1].rpartition("-")
        forged = f"<hop xmlns='https://hausbote.example/hop' id='{epoch}-{int(sent) + 20 + number % 2}'/>"
        mallory.sends(f"<message to='nobody@montague.example' type='headline'>{forged}</message>")
        juliet.sends(chat(romeo.bare, number))
    for number in range(1, 21):
        romeo.receives(f"<message><body>{number}</body></message>")


def test_a_certificate_that_dns_does_not_name_is_refused(houses, lovers):
    juliet, romeo = lovers
    other = Tlsa(3, 1, 1, bytes(32))  # DANE
    houses[0].names.published = lambda _: PublishedCertificates("montague.example", (other,))
    juliet.sends(chat(romeo.bare, "Romeo?"))
    juliet.receives("<message type='error'/>")
    houses[0].store.settle()
    assert houses[0].store.peers.get("montague.example").cause == "not-in-dns"


# -- the other box is away ---------------------------------------------------------------------


def test_people_of_a_server_that_is_away_are_not_shown_as_available(houses, lovers):
    juliet, romeo = lovers
    befriend(juliet, romeo)
    # Presence that is under way when the connection breaks is answered with an error.
    wait_until(lambda: not any(len(stream.sent) for stream in houses[0].gate.streams))
    houses[1].close_gate()
    juliet.sends(f"<message to='{romeo.bare}'><body>Are you there?</body></message>")
    juliet.receives(f"<presence type='unavailable' from='{romeo.jid}'/>")
    houses[1].open_gate()
    houses[0].gate.notified({"change": "flush", "domain": ""})
    juliet.receives(f"<presence from='{romeo.jid}'/>")


def test_messages_wait_for_a_server_that_is_away_and_arrive_in_order(houses, lovers):
    juliet, romeo = lovers
    houses[1].close_gate()
    for number in range(50):
        juliet.sends(chat(romeo.bare, number))
    juliet.sends(f"<iq type='get' to='montague.example' id='2'>{PING}</iq>")
    juliet.receives(
        f"<iq type='error' id='2'><error type='wait'><remote-server-timeout xmlns='{STANZAS}'/></error></iq>"
    )
    juliet.receives_nothing()
    wait_until(lambda: [one.messages for one in houses[0].store.outgoing.waiting()] == [50])
    houses[1].open_gate()
    houses[0].gate.notified({"change": "flush", "domain": ""})
    for number in range(50):
        romeo.receives(f"<message><body>{number}</body></message>")
    romeo.receives_nothing()
    wait_until(lambda: not houses[0].store.outgoing.waiting())


def test_what_waited_for_a_server_says_when_it_was_sent(houses, lovers, monkeypatch):
    """To its recipient, and in the archive of theirs; what was not late says nothing of it."""
    juliet, romeo = lovers
    juliet.sends(chat(romeo.bare, "at once"))
    assert romeo.receives("<message/>").find("{urn:xmpp:delay}delay") is None
    houses[1].close_gate()
    sent = int(time.time())
    juliet.sends(chat(romeo.bare, "late"))
    elsewhere = "<delay xmlns='urn:xmpp:delay' from='verona.lit' stamp='2002-09-10T23:08:25Z'/>"
    juliet.sends(f"<message to='{romeo.bare}' id='2'><body>older</body>{elsewhere}</message>")
    wait_until(lambda: [one.messages for one in houses[0].store.outgoing.waiting()] == [2])
    monkeypatch.setattr(houses[0].gate.host, "clock", lambda: time.time() + 3_600)
    houses[1].open_gate()
    houses[0].gate.notified({"change": "flush", "domain": ""})
    came = [romeo.receives(f"<message><body>{text}</body></message>") for text in ("late", "older")]
    delays = [one.findall("{urn:xmpp:delay}delay") for one in came]
    assert [[delay.get("from") for delay in some] for some in delays] == [
        ["capulet.example"],
        ["verona.lit"],
    ]
    stamp = datetime.fromisoformat(delays[0][0].get("stamp")).timestamp()
    assert sent <= stamp <= time.time()
    kept = page(romeo).messages[-2]
    assert kept.find("{urn:xmpp:delay}delay").get("stamp") == delays[0][0].get("stamp")


def test_what_a_broken_stream_did_not_bring_says_when_it_was_sent(houses, lovers, monkeypatch):
    juliet, romeo = lovers
    juliet.sends(chat(romeo.bare, "before"))
    romeo.receives("<message><body>before</body></message>")
    stream = houses[0].gate.links["capulet.example", "montague.example"].stream
    wait_until(lambda: not stream.sent)
    for theirs in houses[1].gate.streams:  # the other box hangs
        theirs.connection.pause()
    juliet.sends(chat(romeo.bare, "on the way"))
    wait_until(lambda: stream.sent)
    monkeypatch.setattr(houses[0].gate.host, "clock", lambda: time.time() + 3_600)
    stream.connection.abort()
    delay = romeo.receives("<message/>").find("{urn:xmpp:delay}delay")
    assert datetime.fromisoformat(delay.get("stamp")).timestamp() <= time.time()


def test_one_server_can_be_tried_now_and_others_left(houses, lovers):
    juliet, romeo = lovers
    place = houses[1].names.places["montague.example"]
    for domain in ("montague.example", "verona.example"):
        houses[0].names.put(domain, "127.0.0.1", 1)
        juliet.sends(chat(f"romeo@{domain}", domain))
    wait_until(lambda: len(houses[0].store.outgoing.waiting()) == 2)
    links = houses[0].gate.links
    wait_until(lambda: all(link.problem is not None for link in links.values()))
    for link in links.values():
        link.stop()
        link.next_attempt = time.monotonic() + 900
    houses[1].names.places["montague.example"] = place
    houses[0].gate.notified({"change": "flush", "domain": "montague.example"})
    romeo.receives("<message><body>montague.example</body></message>")
    wait_until(
        lambda: [one.remote for one in houses[0].store.outgoing.waiting()] == ["verona.example"]
    )
    assert links["capulet.example", "verona.example"].next_attempt > time.monotonic() + 800


def test_what_waits_survives_a_restart_and_a_new_one_comes_behind_it(houses, lovers):
    juliet, romeo = lovers
    houses[1].close_gate()
    for number in range(20):
        juliet.sends(chat(romeo.bare, number))
    wait_until(lambda: [w.messages for w in houses[0].store.outgoing.waiting()] == [20])
    houses[0].kill_gate()
    houses[1].open_gate()
    houses[0].open_gate()
    juliet.sends(chat(romeo.bare, 20))
    for number in range(21):
        romeo.receives(f"<message><body>{number}</body></message>")
    romeo.receives_nothing()


def test_a_gate_that_is_killed_in_the_middle_loses_and_doubles_nothing(houses, lovers):
    juliet, romeo = lovers
    juliet.sends(chat(romeo.bare, "first"))
    romeo.receives("<message><body>first</body></message>")
    for round in range(4):
        for number in range(100):
            juliet.sends(chat(romeo.bare, f"{round}-{number}"))
            if number in (20, 70):
                gevent.sleep(0.003 * round)
                houses[(round + number) % 2].kill_gate()
                houses[(round + number) % 2].open_gate()
        for number in range(100):
            romeo.receives(f"<message><body>{round}-{number}</body></message>")
    romeo.receives_nothing()


def test_what_waited_too_long_comes_back_with_the_cause(houses, lovers):
    juliet, romeo = lovers
    houses[1].close_gate()
    juliet.sends(chat(romeo.bare, "now or never"))
    wait_until(lambda: houses[0].store.outgoing.waiting())
    houses[0].gate.host.clock = lambda: time.time() + 3 * 86_400 + 60
    houses[0].gate.queue.expire()
    juliet.receives(
        f"<message type='error' id='1' from='{romeo.bare}'><error type='wait'>"
        f"<remote-server-timeout xmlns='{STANZAS}'/></error></message>"
    )
    wait_until(lambda: not houses[0].store.outgoing.waiting())
    houses[1].open_gate()


def test_more_than_may_wait_is_refused(tmp_path):
    one, other = make_houses(
        tmp_path, "capulet.example", "montague.example", federation={"queue_messages": 3}
    )
    juliet = log_in(one, "juliet")
    other.close_gate()
    for number in range(5):
        juliet.sends(chat("romeo@montague.example", number, id=number))
    error = f"<error><resource-constraint xmlns='{STANZAS}'/></error>"
    juliet.receives(
        f"<message type='error' id='3'>{error}</message>",
        f"<message type='error' id='4'>{error}</message>",
    )
    other.open_gate()
    for house in (one, other):
        house.close()


def test_more_bytes_than_may_wait_are_refused_and_the_others_arrive_in_order(tmp_path):
    one, other = make_houses(
        tmp_path, "capulet.example", "montague.example", federation={"queue_bytes": 3_000}
    )
    juliet, romeo = log_in(one, "juliet"), log_in(other, "romeo")
    other.close_gate()
    for number, text in enumerate(("1", "x" * 3_000, "2")):
        juliet.sends(chat("romeo@montague.example", text, id=number))
    error = f"<error><resource-constraint xmlns='{STANZAS}'/></error>"
    juliet.receives(f"<message type='error' id='1'>{error}</message>")
    other.open_gate()
    one.gate.notified({"change": "flush", "domain": ""})
    romeo.receives("<message><body>1</body></message>", "<message><body>2</body></message>")
    for house in (one, other):
        house.close()


def test_a_stream_that_breaks_loses_nothing(houses, lovers):
    juliet, romeo = lovers
    for number in range(300):
        juliet.sends(chat(romeo.bare, number))
        if number % 60 == 30:
            gevent.sleep(0.002)
            for stream in list(houses[(number // 60) % 2].gate.streams):
                stream.connection.abort()
            gevent.sleep(0.01)
            houses[0].gate.notified({"change": "flush", "domain": ""})
    for number in range(300):
        romeo.receives(f"<message><body>{number}</body></message>")
    romeo.receives_nothing()
