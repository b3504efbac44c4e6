"""What who is not in a room gets of it, by what kind of room it is and who they are.

A password guards like a list of members: nobody looks past it, and nobody registers past it.
"""

import itertools

import pytest
from lxml import etree

from support.federation import log_in
from support.rooms import ADMIN, MUC, OWNER, USER, Room, condition

PASSWORD = "<password>sesame</password>"
PROTECTED = {"passwordprotectedroom": "1", "roomsecret": "sesame"}
LOGGED = {"enablelogging": "1"}
HIDDEN = {"publicroom": "0"}
KINDS = {
    "open": {},
    "open, addresses shown": {"whois": "anyone"},
    "open, hidden": HIDDEN,
    "open, logged": LOGGED,
    "password": PROTECTED,
    "password, logged": PROTECTED | LOGGED,
    "password, hidden": PROTECTED | HIDDEN | LOGGED | {"whois": "anyone"},
    "members": {"membersonly": "1"} | LOGGED,
    "members, hidden": {"hausbote#kind": "group"} | LOGGED,
}
# archive    what is asked of the archive: its form, a page, its first and last message
# lists      who belongs to the room, who is banned, who has which role
# info       "all": its name, subject, and how many are there; "name": that and what it is for
# picture    in its vCard
# search     found by words; "counted" tells how many are there; "refused" by rooms.directory
# occupants  their names, a ping and a word to one of them
# invites    asking somebody else in
# registers  at once, or an admin is asked, which who asks does not see where the room is hidden
# declines   a refusal of an invitation that nobody sent
TABLE = """
kind                   who       archive    lists      info     picture  search   occupants  invites  registers  declines
open                   outsider  forbidden  forbidden  all      shown    counted  nothing    refused  member     passed
open                   stranger  forbidden  forbidden  all      shown    refused  nothing    refused  member     passed
open                   former    forbidden  forbidden  all      shown    counted  nothing    refused  member     passed
open                   banned    forbidden  forbidden  name     absent   found    nothing    refused  refused    refused
open, addresses shown  outsider  forbidden  forbidden  all      shown    counted  nothing    refused  member     passed
open, addresses shown  stranger  forbidden  forbidden  all      shown    refused  nothing    refused  member     passed
open, addresses shown  former    forbidden  forbidden  all      shown    counted  nothing    refused  member     passed
open, addresses shown  banned    forbidden  forbidden  name     absent   found    nothing    refused  refused    refused
open, hidden           outsider  forbidden  forbidden  all      shown    no       nothing    refused  member     passed
open, hidden           stranger  forbidden  forbidden  all      shown    refused  nothing    refused  member     passed
open, hidden           former    forbidden  forbidden  all      shown    no       nothing    refused  member     passed
open, hidden           banned    forbidden  forbidden  absent   absent   no       nothing    refused  refused    refused
open, logged           outsider  read       forbidden  all      shown    counted  nothing    refused  member     passed
open, logged           stranger  read       forbidden  all      shown    refused  nothing    refused  member     passed
open, logged           former    read       forbidden  all      shown    counted  nothing    refused  member     passed
open, logged           banned    forbidden  forbidden  name     absent   found    nothing    refused  refused    refused
password               outsider  forbidden  forbidden  name     shown    found    nothing    refused  asked      dropped
password               stranger  forbidden  forbidden  name     shown    refused  nothing    refused  asked      dropped
password               former    forbidden  forbidden  name     shown    found    nothing    refused  asked      dropped
password               banned    forbidden  forbidden  name     absent   found    nothing    refused  refused    refused
password, logged       outsider  forbidden  forbidden  name     shown    found    nothing    refused  asked      dropped
password, logged       stranger  forbidden  forbidden  name     shown    refused  nothing    refused  asked      dropped
password, logged       former    forbidden  forbidden  name     shown    found    nothing    refused  asked      dropped
password, logged       banned    forbidden  forbidden  name     absent   found    nothing    refused  refused    refused
password, hidden       outsider  forbidden  forbidden  address  absent   no       nothing    refused  asked      dropped
password, hidden       stranger  forbidden  forbidden  address  absent   refused  nothing    refused  asked      dropped
password, hidden       former    forbidden  forbidden  address  absent   no       nothing    refused  asked      dropped
password, hidden       banned    forbidden  forbidden  absent   absent   no       nothing    refused  refused    refused
members                outsider  forbidden  forbidden  name     shown    found    nothing    refused  asked      dropped
members                stranger  forbidden  forbidden  name     shown    refused  nothing    refused  asked      dropped
members                former    forbidden  forbidden  name     shown    found    nothing    refused  asked      dropped
members                banned    forbidden  forbidden  name     absent   found    nothing    refused  refused    refused
members, hidden        outsider  forbidden  forbidden  address  absent   no       nothing    refused  asked      dropped
members, hidden        stranger  forbidden  forbidden  address  absent   refused  nothing    refused  asked      dropped
members, hidden        former    forbidden  forbidden  address  absent   no       nothing    refused  asked      dropped
members, hidden        banned    forbidden  forbidden  absent   absent   no       nothing    refused  refused    refused
"""  # fmt: skip
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
SEARCH = "urn:xmpp:channel-search:0:search"
NOT_THERE = ("not-acceptable", "cancel")
FORBIDDEN = ("forbidden", "auth")


def table():
    """The rows, by kind and who."""
    header, *lines = TABLE.strip("\n").splitlines()
    names = header.split()
    starts = [header.index(name) for name in names] + [None]
    rows = [[line[a:b].strip() for a, b in itertools.pairwise(starts)] for line in lines]
    return {(row[0], row[1]): dict(zip(names[2:], row[2:], strict=True)) for row in rows}


ROWS = table()


class Doors:
    """A room with a life inside, and the four who are outside."""

    def __init__(self, houses, kind):
        home, elsewhere = houses
        self.romeo, self.juliet = log_in(home, "romeo"), log_in(home, "juliet")
        self.people = {
            "outsider": log_in(home, "paris"),
            "stranger": log_in(elsewhere, "spy"),
            "former": log_in(home, "nurse"),
            "banned": log_in(home, "tybalt"),
        }
        self.room = Room("verona")
        self.room.jid = "verona@rooms.capulet.example"
        self.room.make(
            self.romeo,
            "romeo",
            roomname="Secret name",
            roomdesc="Secret text",
            persistentroom="1",
            **KINDS[kind],
        )
        picture = "<PHOTO><TYPE>image/png</TYPE><BINVAL>U2VjcmV0</BINVAL></PHOTO>"
        self.room.ask(self.romeo, "set", f"<vCard xmlns='vcard-temp'>{picture}</vCard>")
        former, banned = self.people["former"], self.people["banned"]
        self.affiliate(self.juliet, "member")
        self.affiliate(former, "member")
        for client, nick in ((self.juliet, "juliet"), (former, "nurse")):
            self.room.join(client, nick, PASSWORD)
        self.room.leave(former, "nurse")
        self.affiliate(former, "none")
        self.affiliate(banned, "outcast")
        self.romeo.sends(
            f"<message to='{self.room.jid}' type='groupchat'><subject>Secret</subject></message>"
        )
        self.room.says(self.romeo, "Secret word")
        self.romeo.settle_with(self.room)
        for one in (self.romeo, self.juliet, *self.people.values()):
            one.forget()

    def affiliate(self, client, word):
        item = f"<item affiliation='{word}' jid='{client.bare}'/>"
        assert self.room.admin(self.romeo, "set", item).get("type") == "result"

    def ask(self, client, type, payload, to=None):
        answer = self.room.ask(client, type, payload, to)
        return answer, condition(answer)

    def archive(self, client):
        answers = [
            self.ask(client, type, payload)[1]
            for type, payload in (
                ("get", "<query xmlns='urn:xmpp:mam:2'/>"),
                ("get", "<metadata xmlns='urn:xmpp:mam:2'/>"),
                ("set", "<query xmlns='urn:xmpp:mam:2'/>"),
            )
        ]
        seen = any("Secret word" in text(one) for one in client.came())
        if answers == [None, None, None] and seen:
            return "read"
        assert answers == [FORBIDDEN] * 3
        assert not seen
        return "forbidden"

    def lists(self, client):
        for what in (
            *[f"affiliation='{one}'" for one in ("owner", "admin", "member", "outcast")],
            *[f"role='{one}'" for one in ("moderator", "participant", "visitor")],
        ):
            answer, problem = self.ask(
                client, "get", f"<query xmlns='{ADMIN}'><item {what}/></query>"
            )
            assert problem == FORBIDDEN, text(answer)
        assert self.ask(client, "get", f"<query xmlns='{OWNER}'/>")[1] == FORBIDDEN
        return "forbidden"

    def info(self, client):
        answer, problem = self.ask(client, "get", f"<query xmlns='{INFO}'/>")
        if problem is not None:
            assert problem == ("item-not-found", "cancel")
            return "absent"
        told = text(answer)
        assert client.bare == self.romeo.bare or "romeo@" not in told
        counted, named = "roominfo_occupants" in told, "Secret name" in told
        assert counted is (">Secret<" in told)
        assert named is ("Secret text" in told) is ("avatarhash" in told)
        return "all" if counted else "name" if named else "address"

    def picture(self, client):
        answer, problem = self.ask(client, "get", "<vCard xmlns='vcard-temp'/>")
        assert problem in (None, ("item-not-found", "cancel"))
        return "shown" if "U2VjcmV0" in text(answer) else "absent"

    def search(self, client):
        fields = "".join(
            f"<field var='{var}'><value>{value}</value></field>"
            for var, value in (
                ("FORM_TYPE", "urn:xmpp:channel-search:0:search-params"),
                ("q", "Secret"),
            )
        )
        form = (
            f"<search xmlns='{SEARCH}'><x xmlns='jabber:x:data' type='submit'>{fields}</x></search>"
        )
        to = "rooms.capulet.example"
        answer, problem = self.ask(client, "get", form, to)
        listed, _ = self.ask(client, "get", f"<query xmlns='{ITEMS}'/>", to)
        found = [one.get("address") for one in answer.iter(f"{{{SEARCH}}}item")]
        assert found == [one.get("jid") for one in listed.iter(f"{{{ITEMS}}}item")]
        if problem is not None:
            assert problem == FORBIDDEN
            return "refused"
        counted = answer.find(".//{*}nusers") is not None
        return "no" if not found else "counted" if counted else "found"

    def occupants(self, client):
        answer, problem = self.ask(client, "get", f"<query xmlns='{ITEMS}'/>")
        assert problem in (None, ("item-not-found", "cancel"))
        assert answer.find(".//{*}item") is None
        for nick in ("romeo", "nobody"):
            ping = self.ask(client, "get", "<ping xmlns='urn:xmpp:ping'/>", self.room.nick(nick))
            assert ping[1] == NOT_THERE
            client.sends(
                f"<message id='pm' to='{self.room.nick(nick)}' type='chat'><body>x</body></message>"
            )
            client.settle_with(self.room)
            assert [condition(one) for one in client.came()] == [NOT_THERE]
        assert self.romeo.came() == []
        return "nothing"

    def invites(self, client):
        client.sends(
            f"<message to='{self.room.jid}'>"
            f"<x xmlns='{USER}'><invite to='juliet@capulet.example'/></x></message>"
        )
        client.settle_with(self.room)
        assert [condition(one) for one in client.came()] == [NOT_THERE]
        return "refused"

    def declines(self, client):
        client.sends(
            f"<message to='{self.room.jid}'><x xmlns='{USER}'>"
            f"<decline to='{self.room.nick('romeo')}'><reason>Hm.</reason></decline></x></message>"
        )
        client.settle_with(self.room)
        self.romeo.settle_with(self.room)
        answers = [condition(one) for one in client.came()]
        passed = [
            one for one in self.romeo.came() if one.find(f"{{{USER}}}x/{{*}}decline") is not None
        ]
        if answers:
            assert (answers, passed) == ([FORBIDDEN], [])
            return "refused"
        return "passed" if passed else "dropped"

    def registers(self, client):
        nick = client.bare.partition("@")[0]
        payload = (
            "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>"
            f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
            f"<field var='muc#register_roomnick'><value>{nick}</value></field></x></query>"
        )
        _, problem = self.ask(client, "set", payload)
        members = self.room.admin(self.romeo, "get", "<item affiliation='member'/>")
        asked = any(one.find("{jabber:x:data}x") is not None for one in self.romeo.came())
        is_member = client.bare in [one.get("jid") for one in members.iter(f"{{{ADMIN}}}item")]
        if problem is not None:
            assert (problem, asked, is_member) == (("not-allowed", "cancel"), False, False)
            return "refused"
        assert asked is not is_member
        return "member" if is_member else "asked"


def text(stanza):
    return etree.tostring(stanza).decode()


def test_the_table_is_complete():
    people = ("outsider", "stranger", "former", "banned")
    assert set(ROWS) == {(kind, who) for kind in KINDS for who in people}
    assert all(all(row.values()) for row in ROWS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_what_people_outside_get(houses, kind):
    doors = Doors(houses, kind)
    for who, client in doors.people.items():
        row = ROWS[kind, who]
        told = {question: getattr(doors, question)(client) for question in row}
        assert told == row, (kind, who)


# -- those who know the password ---------------------------------------------------------------


@pytest.fixture
def protected(cast):
    romeo, juliet = cast("romeo", "juliet")
    room = Room()
    room.make(romeo, "romeo", **PROTECTED, **LOGGED, roomname="Secret name")
    romeo.forget()
    return romeo, juliet, room


def registering(nick):
    return (
        "<query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
        f"<field var='muc#register_roomnick'><value>{nick}</value></field></x></query>"
    )


def test_who_has_shown_the_password_reads_and_registers(protected):
    romeo, juliet, room = protected
    room.says(romeo, "x")
    romeo.settle_with(room)
    page = "<query xmlns='urn:xmpp:mam:2'/>"
    assert condition(room.ask(juliet, "set", page)) == FORBIDDEN
    room.join(juliet, "juliet", PASSWORD)
    assert room.ask(juliet, "set", page).get("type") == "result"
    assert room.ask(juliet, "set", registering("Jule")).get("type") == "result"
    members = room.admin(romeo, "get", "<item affiliation='member'/>")
    assert [one.get("jid") for one in members.iter(f"{{{ADMIN}}}item")] == [juliet.bare]


def test_a_member_enters_with_the_password_all_the_same(protected):
    """XEP-0045 §7.2.6 knows no exception; what was said is theirs to read."""
    romeo, juliet, room = protected
    room.admin(romeo, "set", f"<item affiliation='member' jid='{juliet.bare}'/>")
    juliet.forget()
    room.join(juliet, "juliet", forget=False)
    assert condition(juliet.next()) == ("not-authorized", "auth")
    assert room.ask(juliet, "set", "<query xmlns='urn:xmpp:mam:2'/>").get("type") == "result"


def test_who_was_asked_in_can_decline(protected):
    romeo, juliet, room = protected
    decline = (
        f"<message to='{room.jid}'><x xmlns='{USER}'><decline to='{romeo.bare}'/></x></message>"
    )
    juliet.sends(decline)
    juliet.settle_with(room)
    romeo.receives_nothing()
    romeo.sends(
        f"<message to='{room.jid}'><x xmlns='{USER}'><invite to='{juliet.bare}'/></x></message>"
    )
    invitation = juliet.receives(f"<message from='{room.jid}'/>")
    assert invitation.findtext(f"{{{USER}}}x/{{{USER}}}password") == "sesame"
    juliet.sends(decline)
    romeo.receives(
        f"<message from='{room.jid}'><x xmlns='{USER}'><decline from='{juliet.bare}'/></x></message>"
    )


def test_an_occupant_sees_the_picture_and_the_subject(protected):
    romeo, juliet, room = protected
    room.configure(romeo, publicroom="0")
    picture = "<PHOTO><TYPE>image/png</TYPE><BINVAL>U2VjcmV0</BINVAL></PHOTO>"
    room.ask(romeo, "set", f"<vCard xmlns='vcard-temp'>{picture}</vCard>")
    get = "<vCard xmlns='vcard-temp'/>"
    assert condition(room.ask(juliet, "get", get)) == ("item-not-found", "cancel")
    room.join(juliet, "juliet", PASSWORD)
    assert "U2VjcmV0" in text(room.ask(juliet, "get", get))
