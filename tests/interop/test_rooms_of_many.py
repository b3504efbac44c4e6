"""One room of a Hausbote with people of several servers in it: its own, with slixmpp and without,
and those of a Prosody and of an ejabberd from Debian's packages."""

import asyncio
import time

import pytest

from support.authority import Authority
from support.foreign import Ejabberd, Federating, Names, Prosody, wait_for
from support.people import people
from support.rooms import MUC, USER, Room

NOT_THERE = {"301", "307", "321", "332", "333"}


class Square(Room):
    """A room at this house."""

    def __init__(self, name):
        super().__init__(name)
        self.jid = f"{name}@rooms.house.example"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("many")
    names, authority = Names(directory), Authority()
    made = []
    try:
        house = Federating(directory / "h", "house.example", "127.0.2.11", names, authority)
        made.append(house.close)
        house.add_account("juliet")
        house.add_account("nurse")
        foreign = []
        for make, address in ((Prosody, "127.0.2.12"), (Ejabberd, "127.0.2.13")):
            name = make.__name__.lower()
            server = make(directory / name, f"{name}.example", address, names, authority)
            made.append(server.stop)
            server.add_account("romeo")
            foreign.append(server)
        yield house, *foreign
    finally:
        for stop in reversed(made):
            stop()
        names.stop()


def come(server, local):
    client = server.log_in(local, "here")
    client.sends("<presence/>")
    client.forget()
    return client


def enters(client, room, nick):
    """Enter and see oneself; everybody who was seen before."""
    client.sends(f"<presence to='{room.nick(nick)}'><x xmlns='{MUC}'/></presence>")
    seen = []
    while True:
        presence = wait_for(client, lambda s: s.tag.endswith("}presence"))
        assert presence.get("type") is None, "refused"
        seen.append(presence.get("from").partition("/")[2])
        if "110" in codes(presence):
            wait_for(client, subject)
            return seen


def codes(stanza):
    return {one.get("code") for one in stanza.iterfind(f"{{{USER}}}x/{{{USER}}}status")}


def subject(stanza):
    return stanza.find("{jabber:client}subject") is not None


def says(body):
    return lambda s: s.findtext("{jabber:client}body") == body


def goes(room, nick):
    return lambda s: s.get("from") == room.nick(nick) and s.get("type") == "unavailable"


def test_people_of_three_servers_and_two_kinds_of_clients_in_one_room(servers):
    house, prosody, ejabberd = servers
    room = Square("market")

    async def day():
        juliet = come(house, "juliet")
        room.make(juliet, "Juliet", whois="anyone", persistentroom="1")
        romeo, ron = come(prosody, "romeo"), come(ejabberd, "romeo")
        assert enters(romeo, room, "Romeo") == ["Juliet", "Romeo"]
        assert sorted(enters(ron, room, "Ron")) == ["Juliet", "Romeo", "Ron"]
        async with people(house, "nurse/slixmpp") as nurse:
            for plugin in ("xep_0045", "xep_0313", "xep_0410"):
                nurse.register_plugin(plugin)
            rooms = nurse.plugin["xep_0045"]
            _, _, present, _ = await rooms.join_muc_wait(room.jid, "Nurse", timeout=10)
            here = {one["from"].resource: str(one["muc"]["jid"]) for one in present}
            assert here == {
                "Juliet": juliet.jid, "Romeo": romeo.jid, "Ron": ron.jid,
                "Nurse": nurse.boundjid.full,
            }  # fmt: skip
            everybody = (juliet, romeo, ron)
            for nick, client in (("Juliet", juliet), ("Romeo", romeo), ("Ron", ron)):
                room.says(client, f"{nick} speaks")
                for listener in everybody:
                    heard = await asyncio.to_thread(wait_for, listener, says(f"{nick} speaks"))
                    assert heard.get("from") == room.nick(nick)
                    assert heard.find("{urn:xmpp:sid:0}stanza-id").get("by") == room.jid
                    assert heard.find("{urn:xmpp:occupant-id:0}occupant-id") is not None
            nurse.send_message(room.jid, "slixmpp speaks", mtype="groupchat")
            for listener in everybody:
                await asyncio.to_thread(wait_for, listener, says("slixmpp speaks"))
            heard = []
            while "slixmpp speaks" not in heard:
                heard.append((await nurse.hears())["body"])
            assert [one for one in heard if one] == [
                "Juliet speaks", "Romeo speaks", "Ron speaks", "slixmpp speaks",
            ]  # fmt: skip
            private(room, romeo, ron, "Ron")
            private(room, ron, juliet, "Juliet")
            for client in (romeo, ron):
                archive(room, client)
                ping(room, client)
            moderate(room, juliet, romeo, ron)
            room.leave(juliet, "Juliet")
            wait_for(ron, goes(room, "Juliet"))

    asyncio.run(day())


def private(room, client, other, nick):
    client.sends(
        f"<message to='{room.nick(nick)}' type='chat' id='p'><body>psst, {nick}</body></message>"
    )
    wait_for(other, says(f"psst, {nick}"))


def archive(room, client):
    """What was said is found again by whoever is in the room, wherever they are from."""
    client.sends(
        f"<iq type='set' id='mam' to='{room.jid}'><query xmlns='urn:xmpp:mam:2'>"
        "<set xmlns='http://jabber.org/protocol/rsm'><max>1</max><before/></set></query></iq>"
    )
    found = wait_for(client, lambda s: s.find("{urn:xmpp:mam:2}result") is not None)
    assert found.findtext(".//{jabber:client}body") == "slixmpp speaks"
    assert wait_for(client, lambda s: s.get("id") == "mam").get("type") == "result"


def ping(room, client):
    nick = "Romeo" if "prosody" in client.jid else "Ron"
    client.sends(
        f"<iq type='get' id='self' to='{room.nick(nick)}'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
    assert wait_for(client, lambda s: s.get("id") == "self").get("type") == "result"


def moderate(room, juliet, romeo, ron):
    """A stranger may do nothing, an admin from elsewhere may do what admins may."""
    item = "<query xmlns='http://jabber.org/protocol/muc#admin'><item nick='{}' {}/></query>"
    kick = item.format("Ron", "role='none'")
    romeo.sends(f"<iq type='set' id='k' to='{room.jid}'>{kick}</iq>")
    refused = wait_for(romeo, lambda s: s.get("id") == "k")
    assert refused.find(".//{*}forbidden") is not None
    room.admin(juliet, "set", f"<item affiliation='admin' jid='{romeo.bare}'/>")
    wait_for(romeo, lambda s: s.find(f".//{{{USER}}}item[@affiliation='admin']") is not None)
    romeo.sends(f"<iq type='set' id='k2' to='{room.jid}'>{kick}</iq>")
    assert "307" in codes(wait_for(ron, goes(room, "Ron")))
    assert "307" in codes(wait_for(juliet, goes(room, "Ron")))
    assert enters(ron, room, "Ron")[-1] == "Ron"


def test_people_of_a_server_that_is_killed_are_no_ghosts(servers):
    """They leave as soon as somebody speaks to them in vain; when it is back they come again."""
    house, prosody, _ = servers
    room = Square("haunted")
    juliet = come(house, "juliet")
    room.make(juliet, "Juliet", persistentroom="1")
    romeo = come(prosody, "romeo")
    enters(romeo, room, "Romeo")
    juliet.forget()
    prosody.kill()
    romeo.wire.cut()
    room.says(juliet, "Romeo?")
    left = wait_for(juliet, goes(room, "Romeo"), 60)
    assert codes(left) & NOT_THERE
    prosody.start()
    romeo = come(prosody, "romeo")
    deadline = time.monotonic() + 60
    while True:  # its port for other servers may open later than that for clients
        romeo.sends(f"<presence to='{room.nick('Romeo')}'><x xmlns='{MUC}'/></presence>")
        came = wait_for(romeo, lambda s: s.tag.endswith("}presence"), 30)
        if came.get("type") is None:
            break
        assert time.monotonic() < deadline
        time.sleep(1)
    wait_for(juliet, lambda s: s.get("from") == room.nick("Romeo") and s.get("type") is None)
    juliet.wire.cut()
    romeo.wire.cut()


def test_a_hidden_group_is_closed_to_people_of_other_servers(servers):
    house, *foreign = servers
    room = Square("secret")
    juliet = come(house, "juliet")
    room.make(juliet, "Juliet", roomname="Our secret", **{"hausbote#kind": "group"})
    for server in foreign:
        spy = come(server, "romeo")
        spy.sends(f"<presence to='{room.nick('Spy')}'><x xmlns='{MUC}'/></presence>")
        refused = wait_for(spy, lambda s: s.tag.endswith("}presence"))
        assert refused.find(".//{*}registration-required") is not None
        spy.sends(
            f"<iq type='get' id='d' to='{room.jid}'><query xmlns='{'http://jabber.org/protocol/disco#info'}'/></iq>"
        )
        answer = wait_for(spy, lambda s: s.get("id") == "d")
        assert "Our secret" not in "".join(answer.itertext()) + str(
            [one.attrib for one in answer.iter()]
        )
        room.admin(juliet, "set", f"<item affiliation='member' jid='{spy.bare}'/>")
        wait_for(spy, lambda s: s.find(f".//{{{USER}}}invite") is not None)
        assert enters(spy, room, server.domain)[-1] == server.domain
        spy.wire.cut()
    juliet.wire.cut()
