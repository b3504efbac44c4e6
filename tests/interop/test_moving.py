"""People move here from Prosody and ejabberd, and find what they had."""

import time
from pathlib import Path
from typing import NamedTuple

import pytest

from support.archive import Page, query
from support.authority import Authority
from support.foreign import Names, wait_for
from support.moving import ExportingEjabberd, ExportingProsody
from support.worlds import PASSWORD, RunningWorld, hausbote

DOMAIN = "old.example"
TRIXIE = str(Path(__file__).parents[2] / "build" / "trixie")
DEVICES = "eu.siacs.conversations.axolotl.devicelist"
PUBSUB = "http://jabber.org/protocol/pubsub"
PICTURE = "iVBORw0KGgo="
PICTURE_ID = "4caece539b039b16e16206ea2478f8c5ffb2ca05"
SERVERS = {
    "prosody-0.12": (ExportingProsody, "127.0.2.81", ""),
    "prosody-13": (ExportingProsody, "127.0.2.82", TRIXIE),
    "ejabberd-23": (ExportingEjabberd, "127.0.2.83", ""),
    "ejabberd-24": (ExportingEjabberd, "127.0.2.84", TRIXIE),
}
WAYS = [
    ("prosody-0.12", "prosody"),
    ("prosody-0.12", "data"),
    ("prosody-13", "prosody"),
    ("prosody-13", "data"),
    ("ejabberd-23", "ejabberd"),
    ("ejabberd-23", "dump"),
    ("ejabberd-24", "ejabberd"),
    ("ejabberd-24", "dump"),
]


class Moved(NamedTuple):
    """`kind` is prosody or ejabberd for what they export by XEP-0227, data for the directory in
    which Prosody keeps all, dump for ejabberd's database as text."""

    kind: str
    world: RunningWorld


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A server's exports by the kind of each, when people have lived there."""
    known = {}

    def of(name):
        if name not in known:
            known[name] = exports_of(name, tmp_path_factory.mktemp(name))
        return known[name]

    return of


def exports_of(name, directory):
    kind, address, root = SERVERS[name]
    names, authority = Names(directory), Authority()
    try:
        server = kind(directory / "old", DOMAIN, address, names, authority, root=root)
        try:
            live(server)
            if kind is ExportingProsody:
                server.stop()
                return {"prosody": server.export(), "data": server.directory / "data"}
            return {"ejabberd": server.export(), "dump": server.dump()}
        finally:
            server.stop()
    finally:
        names.stop()


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def moved(request, exports, tmp_path_factory):
    """A box to which the people of another server have moved."""
    name, kind = request.param
    state = tmp_path_factory.mktemp("moved") / "state"
    world = RunningWorld(state, address="127.0.2.85", domain=DOMAIN)
    done = hausbote("import", str(exports(name)[kind]), state=state)
    assert "3 accounts were made" in done.stdout, done.stderr
    yield Moved(kind, world)
    world.close()


def live(server):
    """What people do there before they move."""
    for name in ("romeo", "juliet", "mercutio"):
        server.add_account(name)
    romeo, juliet = come(server, "romeo/orchard"), come(server, "juliet/balcony")
    for one, other in ((romeo, juliet), (juliet, romeo)):
        one.sends(f"<presence type='subscribe' to='{other.bare}'/>")
        wait_for(other, lambda s: s.get("type") == "subscribe")
        other.sends(f"<presence type='subscribed' to='{one.bare}'/>")
        wait_for(one, lambda s: s.get("type") == "subscribed")
    romeo.sends(f"<presence type='subscribe' to='mercutio@{DOMAIN}'/>")
    asks(
        romeo,
        f"<query xmlns='jabber:iq:roster'><item jid='juliet@{DOMAIN}' name='Jülchen'>"
        "<group>Love &amp; more</group></item></query>",
    )
    asks(
        romeo,
        "<vCard xmlns='vcard-temp'><FN>Romeo Montague</FN><NICKNAME>Rom</NICKNAME>"
        f"<PHOTO><TYPE>image/png</TYPE><BINVAL>{PICTURE}</BINVAL></PHOTO></vCard>",
    )
    asks(
        romeo,
        "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>"
        f"<conference jid='party@rooms.{DOMAIN}' name='Party' autojoin='true'><nick>Rom</nick>"
        "</conference></storage></query>",
    )
    asks(romeo, "<query xmlns='jabber:iq:private'><me xmlns='my:own'>1</me></query>")
    asks(
        romeo,
        f"<pubsub xmlns='{PUBSUB}'><publish node='{DEVICES}'><item id='current'>"
        "<list xmlns='eu.siacs.conversations.axolotl'><device id='7'/></list></item></publish>"
        "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>"
        f"{PUBSUB}#publish-options</value></field><field var='pubsub#access_model'><value>open"
        "</value></field></x></publish-options></pubsub>",
    )
    asks(romeo, "<block xmlns='urn:xmpp:blocking'><item jid='tybalt@elsewhere.example'/></block>")
    for number in range(5):
        romeo.sends(
            f"<message to='{juliet.bare}' type='chat' id='m{number}'><body>said {number}: "
            "&lt;ö&gt; ]]&gt; it's\nwell</body></message>"
        )
        wait_for(juliet, lambda s: s.findtext("{jabber:client}body") is not None)
    romeo.sends(f"<message to='mercutio@{DOMAIN}' type='chat' id='o'><body>Away?</body></message>")
    romeo.settle()
    for one in (romeo, juliet):
        one.wire.cut()


def come(server, jid):
    local, _, resource = jid.partition("/")
    client = server.client().log_in(local, PASSWORD, resource, mechanism="SCRAM-SHA-1")
    client.sends("<iq type='get' id='roster'><query xmlns='jabber:iq:roster'/></iq><presence/>")
    client.forget()
    return client


def asks(client, payload, type="set", to=None):
    attributes = f" to='{to}'" if to else ""
    client.sends(f"<iq type='{type}' id='asks'{attributes}>{payload}</iq>")
    answer = wait_for(client, lambda s: s.get("id") == "asks")
    assert answer.get("type") == "result", payload
    return answer


@pytest.fixture
def came(moved):
    """Logs in with the old password, and goes at the end."""
    clients = []

    def log_in(jid):
        local, _, resource = jid.partition("/")
        client = moved.world.client().log_in(local, PASSWORD, resource, mechanism="SCRAM-SHA-1")
        clients.append(client)
        return client

    yield log_in
    for one in clients:
        one.wire.cut()


def test_everybody_finds_their_contacts(came):
    roster = asks(came("romeo/home"), "<query xmlns='jabber:iq:roster'/>", "get")
    found = {item.get("jid"): item for item in roster.iter("{jabber:iq:roster}item")}
    juliet, mercutio = found[f"juliet@{DOMAIN}"], found[f"mercutio@{DOMAIN}"]
    assert (juliet.get("subscription"), juliet.get("name")) == ("both", "Jülchen")
    assert [group.text for group in juliet] == ["Love & more"]
    assert (mercutio.get("subscription"), mercutio.get("ask")) == ("none", "subscribe")
    assert len(found) == 2


def test_clients_are_offered_what_everybody_can_log_in_by(moved):
    features = moved.world.client().secure()
    offered = [one.text for one in features.iter("{urn:ietf:params:xml:ns:xmpp-sasl}mechanism")]
    assert offered == ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"]


def test_contacts_see_each_other_again(came):
    juliet = came("juliet/home")
    juliet.sends("<presence/>")
    romeo = came("romeo/home")
    romeo.sends("<presence/>")
    wait_for(juliet, lambda s: s.get("from") == romeo.jid and s.tag.endswith("}presence"))
    wait_for(romeo, lambda s: s.get("from") == juliet.jid and s.tag.endswith("}presence"))


def test_what_romeo_said_of_himself(came):
    juliet = came("juliet/home")
    vcard = asks(juliet, "<vCard xmlns='vcard-temp'/>", "get", to=f"romeo@{DOMAIN}")
    assert vcard.findtext(".//{vcard-temp}FN") == "Romeo Montague"
    assert vcard.findtext(".//{vcard-temp}NICKNAME") == "Rom"
    assert vcard.findtext(".//{vcard-temp}BINVAL") == PICTURE
    items = f"<pubsub xmlns='{PUBSUB}'><items node='urn:xmpp:avatar:metadata'/></pubsub>"
    metadata = asks(juliet, items, "get", to=f"romeo@{DOMAIN}")
    assert metadata.find(".//{urn:xmpp:avatar:metadata}info").get("id") == PICTURE_ID


def test_bookmarks_in_all_their_forms(came):
    romeo = came("romeo/home")
    node = f"<pubsub xmlns='{PUBSUB}'><items node='urn:xmpp:bookmarks:1'/></pubsub>"
    new = asks(romeo, node, "get")
    room = new.find(".//{urn:xmpp:bookmarks:1}conference")
    assert (room.get("name"), room.get("autojoin")) == ("Party", "true")
    assert new.find(f".//{{{PUBSUB}}}item").get("id") == f"party@rooms.{DOMAIN}"
    for place in (
        "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>",
        f"<pubsub xmlns='{PUBSUB}'><items node='storage:bookmarks'/></pubsub>",
    ):
        room = asks(romeo, place, "get").find(".//{storage:bookmarks}conference")
        assert (room.get("jid"), room.get("name")) == (f"party@rooms.{DOMAIN}", "Party")


def test_private_xml(came):
    me = asks(
        came("romeo/home"), "<query xmlns='jabber:iq:private'><me xmlns='my:own'/></query>", "get"
    )
    assert me.findtext(".//{my:own}me") == "1"


def archive_of(client):
    client.sends(query())
    results = []
    while True:
        stanza = client.next()
        if stanza.find("{urn:xmpp:mam:2}result") is not None:
            results.append(stanza)
        elif stanza.get("id") == "q":
            return Page(results, stanza)


def test_archives(moved, came):
    """By XEP-0227 ejabberd exports none."""
    for name in ("romeo/home", "juliet/home"):
        page = archive_of(came(name))
        said = [body for body in page.bodies if body.startswith("said")]
        if moved.kind == "ejabberd":
            assert not page.bodies
            continue
        assert said == [f"said {number}: <ö> ]]> it's\nwell" for number in range(5)]
        assert page.messages[0].get("id") == "m0"
        assert page.stamps == sorted(page.stamps)


def test_keys_for_encryption(moved, came):
    """By XEP-0227 ejabberd exports none."""
    node = f"<pubsub xmlns='{PUBSUB}'><items node='{DEVICES}'/></pubsub>"
    if moved.kind == "ejabberd":
        nodes = asks(
            came("romeo/home"),
            "<query xmlns='http://jabber.org/protocol/disco#items'/>",
            "get",
            to=f"romeo@{DOMAIN}",
        )
        assert DEVICES not in [item.get("node") for item in nodes[0]]
        return
    devices = asks(came("juliet/home"), node, "get", to=f"romeo@{DOMAIN}")
    assert devices.find(".//{eu.siacs.conversations.axolotl}device").get("id") == "7"


def test_what_waits_for_mercutio(moved, came):
    """Prosody does not export messages that wait, but has them in the archive."""
    mercutio = came("mercutio/home")
    wanted = {"a request": lambda s: s.get("type") == "subscribe" and "romeo@" in s.get("from")}
    if moved.kind == "prosody":
        assert "Away?" in archive_of(mercutio).bodies
    else:
        wanted["a message"] = lambda s: s.findtext("{jabber:client}body") == "Away?"
    mercutio.sends("<presence/>")
    found = {}
    while len(found) < len(wanted):
        stanza = mercutio.next()
        assert stanza is not None, f"this came: {list(found)}"
        found |= {name: stanza for name, is_it in wanted.items() if is_it(stanza)}
    if "a message" in found:
        delay = found["a message"].find("{urn:xmpp:delay}delay")
        assert delay.get("from") == DOMAIN
        now = time.time()
        assert delay.get("stamp") < time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 1))


def test_whom_romeo_blocks(moved, came):
    """Prosody does not export it."""
    blocked = asks(came("romeo/home"), "<blocklist xmlns='urn:xmpp:blocking'/>", "get")
    wanted = [] if moved.kind == "prosody" else ["tybalt@elsewhere.example"]
    assert [item.get("jid") for item in blocked[0]] == wanted
