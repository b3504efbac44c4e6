"""People of a Hausbote and of servers of other makers: what works between them as it does at home.

Prosody is met with stream management and bidirectional streams, and with neither; ejabberd, which
takes certificates for clients only (XEP-0178 as it was read then), dials back.
"""

import base64
import contextlib
import hashlib
import json
import os
import signal
import time

import pytest

from support.authority import Authority
from support.federation import log_in, make_houses
from support.foreign import Ejabberd, Federating, Names, Prosody, wait_for
from support.worlds import hausbote

PING = "<ping xmlns='urn:xmpp:ping'/>"
EVENT = "http://jabber.org/protocol/pubsub#event"
PUBSUB = "http://jabber.org/protocol/pubsub"
METADATA, DATA = "urn:xmpp:avatar:metadata", "urn:xmpp:avatar:data"
DISCO = "http://jabber.org/protocol/disco#info"
CAPS = "<c xmlns='http://jabber.org/protocol/caps' node='https://client.example' ver='{}' hash='sha-1'/>"
KINDS = {
    "prosody": (Prosody, "127.0.2.2", {}),
    "plain": (Prosody, "127.0.2.4", {"more": "", "less": '"s2s_bidi", "smacks"'}),
    "bidi": (Prosody, "127.0.2.5", {"more": '"smacks", "s2s_bidi"'}),
    "ejabberd": (Ejabberd, "127.0.2.3", {}),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    directory = tmp_path_factory.mktemp("federation")
    names, authority = Names(directory), Authority()
    try:
        house = Federating(directory / "h", "house.example", "127.0.2.1", names, authority)
        yield directory, names, authority, house
        house.close()
    finally:
        names.stop()


@pytest.fixture(scope="module", params=KINDS)
def foreign(request, place):
    directory, names, authority, house = place
    make, address, options = KINDS[request.param]
    domain = f"{request.param}.example"
    server = make(directory / request.param, domain, address, names, authority, **options)
    try:
        server.add_account("romeo")
        house.add_account("juliet")
        yield server
    finally:
        server.stop()


@pytest.fixture
def couple(place, foreign):
    """Juliet at home and Romeo elsewhere, both available."""
    people = [come(place[3], "juliet", "balcony"), come(foreign, "romeo", "orchard")]
    yield people
    for one in people:
        one.wire.cut()


def come(server, local, resource):
    client = server.log_in(local, resource)
    client.sends("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
    client.forget()
    return client


def presence(sender, type=None):
    return lambda s: (
        s.tag.endswith("}presence") and s.get("from") == sender and s.get("type") == type
    )


def befriend(one, other):
    one.sends(f"<presence type='subscribe' to='{other.bare}'/>")
    wait_for(other, presence(one.bare, "subscribe"))
    other.sends(f"<presence type='subscribed' to='{one.bare}'/>")
    wait_for(one, presence(other.bare, "subscribed"))
    wait_for(one, presence(other.jid))


def test_messages_both_ways(place, foreign, couple):
    juliet, romeo = couple
    for number in range(20):
        juliet.sends(
            f"<message to='{romeo.bare}' type='chat' id='{number}'><body>{number}</body></message>"
        )
    for number in range(20):
        stanza = wait_for(romeo, lambda s: s.tag.endswith("}message"))
        assert stanza.findtext("{jabber:client}body") == str(number)
        assert not stanza.findall("{https://hausbote.example/hop}hop")
    romeo.sends(f"<message to='{juliet.jid}' type='chat' id='2'><body>My dear?</body></message>")
    juliet.receives(f"<message from='{romeo.jid}' id='2'><body>My dear?</body></message>")
    if foreign.domain == "bidi.example":
        assert streams_with(place[3], foreign) == 1, "the answer came over a stream of its own"


def streams_with(house, foreign):
    shown = hausbote("federation", "show", foreign.domain, "--json", state=house.state).stdout
    found = json.loads(shown)
    return found["streams_in"] + found["streams_out"]


def test_both_archives_have_both_sides(couple):
    juliet, romeo = couple
    said = f"archived {time.time()}"
    juliet.sends(f"<message to='{romeo.bare}' type='chat'><body>{said} by her</body></message>")
    wait_for(romeo, lambda s: s.findtext("{jabber:client}body") == f"{said} by her")
    romeo.sends(f"<message to='{juliet.bare}' type='chat'><body>{said} by him</body></message>")
    wait_for(juliet, lambda s: s.findtext("{jabber:client}body") == f"{said} by him")
    for one, other in ((juliet, romeo), (romeo, juliet)):
        one.sends(
            "<iq type='set' id='mam'><query xmlns='urn:xmpp:mam:2'>"
            "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'>"
            "<value>urn:xmpp:mam:2</value></field><field var='with'>"
            f"<value>{other.bare}</value></field></x>"
            "<set xmlns='http://jabber.org/protocol/rsm'><max>2</max><before/></set></query></iq>"
        )
        found = []
        while len(found) < 2:
            result = wait_for(one, lambda s: s.find("{urn:xmpp:mam:2}result") is not None)
            found.append(result.findtext(".//{jabber:client}body"))
        assert found == [f"{said} by her", f"{said} by him"]
        wait_for(one, lambda s: s.get("id") == "mam")


def test_subscriptions_presence_and_avatars_both_ways(couple, foreign, place):
    juliet, romeo = couple
    befriend(juliet, romeo)
    befriend(romeo, juliet)
    romeo.sends("<presence><show>away</show></presence>")
    assert wait_for(juliet, presence(romeo.jid)).findtext("{jabber:client}show") == "away"
    juliet.sends("<presence><show>dnd</show></presence>")
    assert wait_for(romeo, presence(juliet.jid)).findtext("{jabber:client}show") == "dnd"
    for one, other in ((juliet, romeo), (romeo, juliet)):
        avatar_is_seen(one, other)
    home, away = place[3], foreign
    for server, name, other in ((home, "juliet", romeo), (away, "romeo", juliet)):
        late = server.log_in(name, "late")
        late.sends("<presence/>")
        wait_for(late, presence(other.jid))
        late.wire.cut()
    romeo.wire.cut()
    wait_for(juliet, presence(romeo.jid, "unavailable"))


def avatar_is_seen(watcher, owner):
    """The watcher says that it wants avatars, and hears of one."""
    var = f"{METADATA}+notify"
    ver = base64.b64encode(hashlib.sha1(f"client/pc//<{DISCO}<{var}<".encode()).digest()).decode()
    watcher.sends(f"<presence>{CAPS.format(ver)}</presence>")

    def answer(stanza):
        if stanza.find(f"{{{DISCO}}}query") is not None and stanza.get("type") == "get":
            node = stanza.find(f"{{{DISCO}}}query").get("node")
            node = f" node='{node}'" if node else ""
            watcher.sends(
                f"<iq type='result' id='{stanza.get('id')}' to='{stanza.get('from')}'>"
                f"<query xmlns='{DISCO}'{node}><identity category='client' type='pc'/>"
                f"<feature var='{DISCO}'/><feature var='{var}'/></query></iq>"
            )
            return stanza.get("from") == owner.bare or stanza.get("from") == owner.domain
        return stanza.find(f".//{{{EVENT}}}items[@node='{METADATA}']") is not None

    with contextlib.suppress(AssertionError):  # its server may know these capabilities already
        wait_for(watcher, answer, 3)
    watcher.sends(f"<iq type='get' id='there' to='{owner.domain}'>{PING}</iq>")
    wait_for(watcher, lambda s: s.get("id") == "there")
    for node, payload in (
        (DATA, f"<data xmlns='{DATA}'>QUFB</data>"),
        (
            METADATA,
            f"<metadata xmlns='{METADATA}'><info bytes='3' id='a' type='image/png'/></metadata>",
        ),
    ):
        owner.sends(
            f"<iq type='set' id='{node}'><pubsub xmlns='{PUBSUB}'><publish node='{node}'>"
            f"<item id='a'>{payload}</item></publish></pubsub></iq>"
        )
        assert wait_for(owner, lambda s, node=node: s.get("id") == node).get("type") == "result"
    event = wait_for(
        watcher, lambda s: s.find(f".//{{{EVENT}}}items[@node='{METADATA}']") is not None
    )
    assert event.get("from") == owner.bare
    watcher.sends(
        f"<iq type='get' id='data' to='{owner.bare}'><pubsub xmlns='{PUBSUB}'>"
        f"<items node='{DATA}'/></pubsub></iq>"
    )
    assert (
        wait_for(watcher, lambda s: s.get("id") == "data").findtext(f".//{{{DATA}}}data") == "QUFB"
    )


def test_rooms_answer_and_errors_come_back(couple, foreign):
    juliet, romeo = couple
    juliet.sends(f"<iq type='get' id='1' to='rooms.{foreign.domain}'><query xmlns='{DISCO}'/></iq>")
    answer = wait_for(juliet, lambda s: s.get("id") == "1")
    assert answer.get("type") == ("error" if foreign.domain.startswith("ejabberd") else "result")
    romeo.sends(f"<iq type='get' id='2' to='rooms.house.example'><query xmlns='{DISCO}'/></iq>")
    assert wait_for(romeo, lambda s: s.get("id") == "2").get("type") == "result"
    juliet.sends(f"<iq type='get' id='3' to='nobody@{foreign.domain}/x'>{PING}</iq>")
    assert wait_for(juliet, lambda s: s.get("id") == "3").get("type") == "error"
    romeo.sends("<iq type='get' id='4' to='nobody@house.example/x'>" + PING + "</iq>")
    assert wait_for(romeo, lambda s: s.get("id") == "4").get("type") == "error"


def test_messages_wait_while_the_server_is_killed(couple, foreign, place):
    """None is lost, none comes twice, all are in order; and the owner sees what waits."""
    juliet, romeo = couple
    house = place[3]
    juliet.sends(f"<message to='{romeo.bare}' type='chat'><body>first</body></message>")
    wait_for(romeo, lambda s: s.findtext("{jabber:client}body") == "first")
    time.sleep(1)  # so that it is acknowledged, as it is in life
    foreign.kill()
    for number in range(200):
        juliet.sends(
            f"<message to='{romeo.bare}' type='chat' id='{number}'><body>{number}</body></message>"
        )
        if number == 100:
            house.kill("s2s")
    assert not [s for s in juliet.came() if s.get("type") == "error"], "she sees nothing odd"
    assert house.status("s2s") is not None or house.pid("s2s")
    deadline = time.monotonic() + 20
    while True:
        found = json.loads(
            hausbote("federation", "show", foreign.domain, "--json", state=house.state).stdout
        )
        if found["waiting"] == 200:
            break
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    queue = hausbote("federation", "queue", state=house.state).stdout
    assert f"{foreign.domain}: 200 from house.example" in queue
    # Nothing comes before he is there: ejabberd leaves in its spool what comes in that moment.
    s2s = house.pid("s2s")
    os.kill(s2s, signal.SIGSTOP)
    try:
        foreign.start()
        romeo = foreign.log_in("romeo", "orchard")
        romeo.sends("<presence/>")
        romeo.settle()
    finally:
        os.kill(s2s, signal.SIGCONT)
    got, deadline = [], time.monotonic() + 60
    while len(got) < 200:
        assert time.monotonic() < deadline, f"only {len(got)} come"
        if not got:  # its port for other servers may open later than that for clients
            hausbote("federation", "queue", "flush", state=house.state)
        stanza = romeo.next(3)
        body = stanza.findtext("{jabber:client}body") if stanza is not None else None
        if body and body.isdigit():
            got.append(int(body))
    assert got == list(range(200))
    romeo.forget()
    deadline = time.monotonic() + 20
    while "Nothing waits." not in hausbote("federation", "queue", state=house.state).stdout:
        assert time.monotonic() < deadline, "what has arrived still waits"


def test_a_prosody_with_a_bad_certificate_is_refused_and_the_owner_can_read_why(place):
    directory, names, authority, house = place
    expired = authority.issue("old.example", "*.old.example", days=(-90, -1))
    old = Prosody(
        directory / "old", "old.example", "127.0.2.6", names, authority, expired, secure="false"
    )
    try:
        house.add_account("juliet")
        # Clients believe no such certificate either, so Romeo is only a name here.
        juliet = come(house, "juliet", "balcony")
        juliet.sends("<message to='romeo@old.example' type='chat' id='1'><body>O</body></message>")
        error = wait_for(juliet, lambda s: s.get("id") == "1")
        assert error.get("type") == "error"
        assert error.find(".//{*}remote-server-timeout") is not None
        shown = hausbote("federation", "show", "old.example", state=house.state).stdout
        assert "The certificate of old.example ended on " in shown
        assert 'cause=expired why="The certificate of old.example ended on ' in house.log("s2s")
        assert "old.example" in hausbote("federation", "list", state=house.state).stdout
    finally:
        old.stop()


def test_prosody_does_not_accept_ours_and_the_owner_can_read_why(place, tmp_path):
    directory, names, authority, _ = place
    expired = authority.issue("gone.example", "*.gone.example", days=(-90, -1))
    strict = Prosody(
        directory / "strict", "strict.example", "127.0.2.7", names, authority,
        less='"dialback"',
    )  # fmt: skip
    (gone,) = make_houses(tmp_path, "gone.example", authority=authority)
    try:
        expired.write(gone.state / "certs", "box")
        gone.gate.tls.reload()
        gone.names.put("strict.example", strict.address, strict.s2s_port)
        nurse = log_in(gone, "nurse")
        nurse.sends(
            "<message to='romeo@strict.example' type='chat' id='1'><body>O</body></message>"
        )
        nurse.receives("<message type='error' id='1'/>")
        gone.store.settle()
        assert gone.store.peers.get("strict.example").cause in ("not-accepted", "ended")
    finally:
        strict.stop()
        gone.close()
