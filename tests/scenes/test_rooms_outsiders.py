"""What people of another server can learn of a hidden room that is not theirs: nothing.

Two private groups are asked the same.  One is full of life, in the other nobody ever said a word:
the answers must not differ.
"""

import re

import pytest
from lxml import etree

from support.federation import log_in
from support.rooms import ADMIN, MUC, OWNER, USER, Room, condition

INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
REGISTER = "jabber:iq:register"
KIND = {"hausbote#kind": "group"}


class Group(Room):
    def __init__(self, name):
        super().__init__(name)
        self.jid = f"{name}@rooms.capulet.example"


@pytest.fixture
def spy(houses):
    return log_in(houses[1], "spy")


@pytest.fixture
def groups(houses):
    """A group full of secrets with Romeo in it, and an empty one."""
    romeo, juliet = log_in(houses[0], "romeo"), log_in(houses[0], "juliet")
    full, empty = Group("full"), Group("void")
    for group in (full, empty):
        group.make(romeo, "romeo", **KIND)
    full.configure(romeo, roomname="Secret name", roomdesc="Secret text", lang="it")
    full.admin(
        romeo,
        "set",
        f"<item affiliation='member' jid='{juliet.bare}' nick='Secret nick'/>"
        "<item affiliation='outcast' jid='tybalt@capulet.example'/>"
        "<item affiliation='admin' jid='nurse@capulet.example'/>",
    )
    picture = "<PHOTO><TYPE>image/png</TYPE><BINVAL>U2VjcmV0</BINVAL></PHOTO>"
    full.ask(romeo, "set", f"<vCard xmlns='vcard-temp'>{picture}</vCard>")
    full.join(juliet, "juliet")
    romeo.sends(f"<message to='{full.jid}' type='groupchat'><subject>Secret</subject></message>")
    full.says(romeo, "Secret word")
    romeo.settle_with(full)
    empty.leave(romeo, "romeo")
    for person in (romeo, juliet):
        person.forget()
    return full, empty, romeo, juliet


def registering(nick):
    return (
        f"<query xmlns='{REGISTER}'><x xmlns='jabber:x:data' type='submit'>"
        f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
        f"<field var='muc#register_roomnick'><value>{nick}</value></field></x></query>"
    )


def form(kind, **fields):
    written = "".join(f"<field var='{k}'><value>{v}</value></field>" for k, v in fields.items())
    return (
        "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
        f"<value>{MUC}#{kind}</value></field>{written}</x>"
    )


QUESTIONS = [
    *[
        ("iq", "get", "", payload)
        for payload in (
            f"<query xmlns='{INFO}'/>",
            f"<query xmlns='{INFO}' node='x-roomuser-item'/>",
            f"<query xmlns='{INFO}' node='{MUC}#traffic'/>",
            f"<query xmlns='{INFO}' node='urn:xmpp:hats:commands'/>",
            f"<query xmlns='{ITEMS}'/>",
            f"<query xmlns='{ITEMS}' node='http://jabber.org/protocol/commands'/>",
            f"<query xmlns='{OWNER}'/>",
            f"<query xmlns='{REGISTER}'/>",
            "<vCard xmlns='vcard-temp'/>",
            "<query xmlns='urn:xmpp:mam:2'/>",
            "<metadata xmlns='urn:xmpp:mam:2'/>",
            "<ping xmlns='urn:xmpp:ping'/>",
            "<query xmlns='jabber:iq:last'/>",
            "<query xmlns='jabber:iq:version'/>",
            "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:avatar:data'/></pubsub>",
            *[
                f"<query xmlns='{ADMIN}'><item {what}/></query>"
                for what in (
                    "affiliation='owner'",
                    "affiliation='admin'",
                    "affiliation='member'",
                    "affiliation='outcast'",
                    "affiliation='none'",
                    "role='moderator'",
                    "role='participant'",
                )
            ],
        )
    ],
    *[
        ("iq", "set", "", payload)
        for payload in (
            "<query xmlns='urn:xmpp:mam:2'/>",
            f"<query xmlns='{ADMIN}'><item nick='romeo' role='none'/></query>",
            f"<query xmlns='{ADMIN}'><item nick='nobody' role='none'/></query>",
            f"<query xmlns='{ADMIN}'><item jid='juliet@capulet.example' affiliation='member'/></query>",
            *[
                f"<query xmlns='{ADMIN}'><item {who} affiliation='outcast'/></query>"
                for who in ("nick='romeo'", "nick='nobody'", "jid='{room}/romeo'", "jid='{room}/nobody'")
            ],
            f"<query xmlns='{OWNER}'><destroy/></query>",
            f"<query xmlns='{REGISTER}'><remove/></query>",
            registering("romeo"),
            registering("Secret nick"),
            registering("somebody else"),
            "<vCard xmlns='vcard-temp'/>",
            "<command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:hats:commands:list'/>",
            "<moderate xmlns='urn:xmpp:message-moderate:1' id='1'/>",
        )
    ],
    *[
        ("iq", "get", f"/{nick}", payload)
        for nick in ("romeo", "nobody")
        for payload in (
            "<ping xmlns='urn:xmpp:ping'/>",
            f"<query xmlns='{INFO}'/>",
            "<vCard xmlns='vcard-temp'/>",
            "<query xmlns='jabber:iq:version'/>",
        )
    ],
    *[
        ("message", type, to, payload)
        for type, to, payload in (
            ("groupchat", "", "<body>hi</body>"),
            ("groupchat", "", "<subject>hi</subject>"),
            ("groupchat", "", "<retract xmlns='urn:xmpp:message-retract:1' id='1'/>"),
            ("chat", "/romeo", "<body>hi</body>"),
            ("chat", "/nobody", "<body>hi</body>"),
            ("chat", "", "<body>hi</body>"),
            ("normal", "", f"<x xmlns='{USER}'><invite to='a@montague.example'/></x>"),
            ("normal", "", f"<x xmlns='{USER}'><invite to='tybalt@capulet.example'/></x>"),
            ("normal", "", f"<x xmlns='{USER}'><decline to='juliet@capulet.example'/></x>"),
            ("normal", "", f"<x xmlns='{USER}'><decline to='{{room}}/romeo'/></x>"),
            ("normal", "", f"<x xmlns='{USER}'><decline to='nobody@capulet.example'/></x>"),
            ("normal", "", form("request", **{"muc#role": "participant"})),
            ("normal", "", form("request", **{"muc#role": "participant", "muc#roomnick": "romeo", "muc#request_allow": "1"})),
            ("normal", "", form("register", **{"muc#register_jid": "juliet@capulet.example", "muc#register_allow": "1"})),
        )
    ],
    *[
        ("presence", type, f"/{nick}", payload)
        for nick in ("romeo", "Secret nick", "spy")
        for type, payload in (
            (None, f"<x xmlns='{MUC}'/>"),
            (None, f"<x xmlns='{MUC}'><password>x</password></x>"),
            (None, ""),
            ("probe", ""),
            ("unavailable", ""),
            ("subscribe", ""),
        )
    ],
    ("presence", "probe", "", ""),
]  # fmt: skip


def answers(spy, group, question):
    """All that comes back, without the name of the group."""
    name, type, to, payload = question
    kind = f" type='{type}'" if type else ""
    payload = payload.replace("{room}", group.jid)
    spy.sends(f"<{name} id='q'{kind} to='{group.jid}{to}'>{payload}</{name}>")
    spy.settle_with(group)
    text = "".join(etree.tostring(one).decode() for one in spy.came())
    return re.sub("full|void", "name", text)


def test_a_full_group_and_an_empty_one_look_the_same_from_outside(spy, groups):
    full, empty, romeo, juliet = groups
    for question in QUESTIONS:
        told = answers(spy, full, question)
        assert told == answers(spy, empty, question), question
        for secret in ("Secret", "U2VjcmV0", "juliet@", "nurse@", "tybalt@", "romeo@"):
            sent = f"{question[2]}{question[3]}"
            assert secret not in told or secret in sent, (question, told)
    asked = [one for one in romeo.came() if one.find("{jabber:x:data}x") is None]
    assert asked == [], "its owner was shown requests for membership, and nothing else"
    assert juliet.came() == []
    members = full.admin(romeo, "get", "<item affiliation='member'/>")
    assert [one.get("jid") for one in members.iterfind(".//{*}item")] == ["juliet@capulet.example"]


def test_neither_is_listed_or_found(spy, groups):
    spy.sends(
        f"<iq type='get' id='l' to='rooms.capulet.example'><query xmlns='{ITEMS}'/></iq>",
        "<iq type='get' id='s' to='rooms.capulet.example'><search xmlns='urn:xmpp:channel-search:0:search'/></iq>",
    )
    assert spy.answer("l").findall(".//{*}item") == []
    assert condition(spy.answer("s")) == ("forbidden", "auth")


def test_who_is_banned_sees_a_room_that_is_not_there(spy, groups):
    full, _, romeo, _ = groups
    assert (
        full.admin(romeo, "set", f"<item affiliation='outcast' jid='{spy.bare}'/>").get("type")
        == "result"
    )
    for type, payload in (
        ("get", f"<query xmlns='{INFO}'/>"),
        ("get", f"<query xmlns='{ITEMS}'/>"),
    ):
        assert condition(full.ask(spy, type, payload)) == ("item-not-found", "cancel")
        assert condition(Group("none").ask(spy, type, payload)) == ("item-not-found", "cancel")


def test_the_lists_of_a_public_channel_are_not_for_outsiders(spy, houses):
    """They may come in like everybody; who belongs to it and what was said is for those inside."""
    romeo, juliet = log_in(houses[0], "romeo"), log_in(houses[0], "juliet")
    channel = Group("square")
    channel.make(romeo, "romeo", **{"hausbote#kind": "channel"}, roomname="Square")
    channel.admin(
        romeo,
        "set",
        f"<item affiliation='member' jid='{juliet.bare}' nick='Jule'/>"
        "<item affiliation='outcast' jid='tybalt@capulet.example'/>"
        "<item affiliation='admin' jid='nurse@capulet.example'/>",
    )
    channel.join(juliet, "juliet")
    channel.says(romeo, "Secret word")
    romeo.settle_with(channel)
    lists = [*[f"affiliation='{a}'" for a in ("owner", "admin", "member", "outcast")],
             *[f"role='{r}'" for r in ("moderator", "participant", "visitor")]]  # fmt: skip
    questions = [
        *[("get", f"<query xmlns='{ADMIN}'><item {what}/></query>") for what in lists],
        ("set", "<query xmlns='urn:xmpp:mam:2'/>"),
        ("get", "<metadata xmlns='urn:xmpp:mam:2'/>"),
        ("get", f"<query xmlns='{OWNER}'/>"),
    ]
    for type, payload in questions:
        assert condition(channel.ask(spy, type, payload)) == ("forbidden", "auth"), payload
    items = channel.ask(spy, "get", f"<query xmlns='{ITEMS}'/>")
    assert items.findall(".//{*}item") == []
    info = etree.tostring(channel.ask(spy, "get", f"<query xmlns='{INFO}'/>")).decode()
    assert "Square" in info
    for to in ("rooms.capulet.example", channel.jid):
        listed = channel.ask(spy, "get", f"<query xmlns='{ITEMS}'/>", to)
        assert listed.findall(".//{*}item") == []
    channel.join(spy, "spy", forget=False)
    spy.settle_with(channel)
    inside = spy.came()
    told = info + "".join(
        etree.tostring(one).decode() for one in inside if one.get("from") != channel.nick("spy")
    )
    for secret in ("juliet@", "romeo@", "nurse@", "tybalt@"):
        assert secret not in told
    for what in lists:
        answer = channel.admin(spy, "get", f"<item {what}/>")
        assert condition(answer) == ("forbidden", "auth")
