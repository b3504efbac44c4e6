"""Whatever people do in a room, in whatever order: it keeps its own rules, everybody who is there sees
what is so, and what lasts is on the disk."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Cast
from hausbote.rooms.house import house_of
from hausbote.rooms.privileges import Affiliation, Role
from hausbote.rooms.room import fold
from support.rooms import ADMIN, MUC, OWNER, USER, Room, form
from support.worlds import MemoryWorld

NAMES = ("romeo/a", "juliet/phone", "juliet/desk", "nurse/b", "paris/c")
NICKS = ("romeo", "juliet", "Juliet", "nurse", "x")
PEOPLE = ("romeo@h", "juliet@h", "nurse@h", "paris@h", "absent@h")
ITEM = f"{{{USER}}}x/{{{USER}}}item"
STATUS = f"{{{USER}}}x/{{{USER}}}status"

clients = st.integers(0, len(NAMES) - 1)
actors = st.sampled_from([0, 0, 0, 1, 2, 3, 4])  # the first one made the room
nicks, people = st.sampled_from(NICKS), st.sampled_from(PEOPLE)
switch = st.sampled_from(["0", "1"])
configurations = st.one_of(
    st.tuples(st.sampled_from(["membersonly", "membersonly", "moderatedroom"]), switch),
    st.tuples(st.just("whois"), st.sampled_from(["anyone", "moderators"])),
    st.tuples(
        st.just("presencebroadcast"),
        st.sampled_from(
            [
                ["moderator"],
                ["moderator", "participant"],
                ["moderator", "participant", "visitor"],
            ]
        ),
    ),
    st.tuples(st.just("roomadmins"), st.lists(people, max_size=2)),
    st.tuples(st.just("roomowners"), st.lists(people, max_size=2)),
)
affiliations = st.sampled_from(list(Affiliation))
kinds = st.sampled_from(
    [
        {"whois": "anyone"},
        {"membersonly": "1", "whois": "anyone"},
        {"membersonly": "1"},
        {"moderatedroom": "1", "presencebroadcast": ["moderator", "participant"]},
    ]
)
deeds = st.one_of(
    st.tuples(st.just("enter"), clients, nicks),
    st.tuples(st.just("leave"), clients),
    st.tuples(st.just("rename"), clients, nicks),
    st.tuples(st.just("say"), clients),
    st.tuples(st.just("affiliate"), actors, people, affiliations),
    st.tuples(st.just("affiliate"), st.just(0), people, affiliations),
    st.tuples(st.just("give role"), actors, nicks, st.sampled_from(list(Role))),
    st.tuples(st.just("configure"), actors, configurations),
    st.tuples(st.just("invite"), clients, people),
    st.tuples(st.just("register"), clients, nicks),
)  # fmt: skip


class View:
    """What a client knows of a room, from the presence that it got."""

    def __init__(self):
        self.inside = False
        self.people = {}

    def note(self, presence, room):
        bare, _, nick = presence.get("from").partition("/")
        if bare != room.jid or presence.get("type") == "error":
            return
        codes = {one.get("code") for one in presence.iterfind(STATUS)}
        item = presence.find(ITEM)
        if presence.get("type") is None:
            self.people[nick] = (item.get("role"), item.get("affiliation"), item.get("jid"))
            self.inside = self.inside or "110" in codes
            return
        self.people.pop(nick, None)
        if "110" in codes and "303" not in codes:
            self.inside = False
            self.people.clear()


class Play:
    """One room from its making to the end of an example."""

    def __init__(self, world, everybody, **configuration):
        self.world, self.everybody = world, everybody
        self.room = Room()
        self.views = [View() for _ in everybody]
        self.settle()
        self.views = [View() for _ in everybody]
        self.send(0, self.join("romeo"))
        self.settle()
        self.send(0, self.iq(OWNER, form(persistentroom="1", **configuration)))
        members = [f"<item jid='{jid}' affiliation='member'/>" for jid in PEOPLE[1:3]]
        self.send(0, self.iq(ADMIN, "".join(members)))
        self.settle()
        self.inside = house_of(world.rooms).find(self.room.name)
        for client, nick in enumerate(("juliet", "juliet", "nurse", "x"), 1):
            self.send(client, self.join(nick))
            self.settle(client)

    def join(self, nick):
        return f"<presence to='{self.room.nick(nick)}'><x xmlns='{MUC}'/></presence>"

    def iq(self, ns, inside):
        return (
            f"<iq type='set' id='f' to='{self.room.jid}'><query xmlns='{ns}'>{inside}</query></iq>"
        )

    def send(self, client, stanza):
        self.everybody[client].sends(stanza)

    def do(self, deed, client, *more):
        to = self.room.jid
        if deed == "enter":
            stanza = self.join(*more)
        elif deed == "leave":
            stanza = f"<presence type='unavailable' to='{to}/x'/>"
        elif deed == "rename":
            stanza = f"<presence to='{self.room.nick(*more)}'/>"
        elif deed == "say":
            stanza = f"<message type='groupchat' to='{to}'><body>x</body></message>"
        elif deed == "affiliate":
            stanza = self.iq(ADMIN, f"<item jid='{more[0]}' affiliation='{more[1].word}'/>")
        elif deed == "give role":
            stanza = self.iq(ADMIN, f"<item nick='{more[0]}' role='{more[1].word}'/>")
        elif deed == "configure":
            stanza = self.iq(OWNER, form(**dict([more[0]])))
        elif deed == "invite":
            stanza = f"<message to='{to}'><x xmlns='{USER}'><invite to='{more[0]}'/></x></message>"
        else:
            field = f"<field var='muc#register_roomnick'><value>{more[0]}</value></field>"
            kind = f"<field var='FORM_TYPE'><value>{MUC}#register</value></field>"
            x = f"<x xmlns='jabber:x:data' type='submit'>{kind}{field}</x>"
            stanza = self.iq("jabber:iq:register", x)
        self.send(client, stanza)

    def settle(self, actor=0):
        """The room has dealt with what the actor sent, and everybody has what it told them."""
        self.everybody[actor].settle_with(self.room)
        for client, view in zip(self.everybody, self.views, strict=True):
            for stanza in client.came():
                if stanza.tag.endswith("}presence"):
                    view.note(stanza, self.room)

    # -- what must be so -----------------------------------------------------------------------

    def check(self):
        room = self.inside
        configuration = room.configuration
        assert room.of_affiliation(Affiliation.OWNER), "a room has an owner"
        there = {v.jid.full for o in room.occupants.values() for v in o.visits}
        assert there == set(room.visits)
        for key, occupant in room.occupants.items():
            assert key == fold(occupant.nick)
            assert occupant.visits, "nobody is there without a client"
            affiliation = room.affiliation(occupant.jid)
            least = Affiliation.MEMBER if configuration.members_only else Affiliation.NONE
            assert affiliation >= least, "who may not be there is not"
            assert occupant.role is not Role.NONE
            if affiliation >= Affiliation.ADMIN:
                assert occupant.role is Role.MODERATOR
            holder = room.reserved(occupant.nick)
            assert holder in (None, occupant.jid.full), "a reserved nick is its owner's"
        for client, view in zip(self.everybody, self.views, strict=True):
            visit = room.visits.get(client.jid)
            assert view.inside is (visit is not None), f"{client.jid} knows whether they are there"
            if visit is not None:
                self._check_view(visit, view)
        self._check_disk()

    def _check_view(self, visit, view):
        room, viewer = self.inside, visit.occupant
        seen = {
            one.nick: one
            for one in room.occupants.values()
            if one is viewer or room.configuration.announces(one.role)
        }
        assert set(view.people) == set(seen), f"{visit.jid.full} sees who is there"
        for nick, one in seen.items():
            role, affiliation, jid = view.people[nick]
            assert role == one.role.word
            assert affiliation == room.affiliation(one.jid).word
            if one is viewer:  # with any of their clients
                assert jid in {own.jid.full for own in one.visits}
            elif room.sees_addresses(viewer.role):
                assert jid == one.shown.jid.full

    def _check_disk(self):
        store, room = self.world.store, self.inside
        store.settle()
        rows = store.rooms.occupants(room.id)
        kept = {row.jid: (row.nick, row.role) for row in rows}
        assert kept == {j: (v.occupant.nick, v.occupant.role.word) for j, v in room.visits.items()}
        rows = store.rooms.affiliations(room.id)
        assert {row.jid: (row.affiliation, row.nick) for row in rows} == {
            jid: (one.affiliation.word, one.nick) for jid, one in room.affiliations.items()
        }

    def end(self):
        house_of(self.world.rooms).destroy(self.inside).wait()


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    limits = dict.fromkeys(
        ("connections_per_address", "burst_bytes", "bytes_per_second", "room_changes_per_minute",
         "room_joins_per_minute", "rooms_per_account"), 0,
    )  # fmt: skip
    world = MemoryWorld(tmp_path_factory.mktemp("stage"), limits=limits)
    cast = Cast(world)
    cast.account("absent")
    everybody = cast(*NAMES)
    yield world, everybody
    for client in cast.clients:
        client.wire.cut()
    world.close()


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(kinds, st.lists(deeds, min_size=10, max_size=20))
def test_a_room_keeps_its_rules_and_everybody_sees_what_is_so(stage, kind, todo):
    play = Play(*stage, **kind)
    try:
        play.check()
        for deed in todo:
            play.do(*deed)
            play.settle(deed[1])
            play.check()
    finally:
        play.end()
