"""Every standing, every action, every target: what the table of privileges says is what happens.
What it says is in tests/unit/privileges_rooms.txt.

One room, two people of each standing in it.  Standings are put back from inside after each request,
so this runs in memory only.
"""

import itertools
from dataclasses import replace

import pytest

from conftest import Cast
from hausbote.base.jid import JID
from hausbote.rooms.house import house_of
from hausbote.rooms.privileges import (
    NEEDED,
    Action,
    Affiliation,
    Role,
    Standing,
    affiliation_refusal,
    may,
    role_refusal,
)
from hausbote.rooms.room import Affiliated
from support.rooms import Room, condition
from support.worlds import MemoryWorld

STANDINGS = [
    Standing(Role.VISITOR, Affiliation.NONE),
    Standing(Role.PARTICIPANT, Affiliation.NONE),
    Standing(Role.MODERATOR, Affiliation.NONE),
    Standing(Role.VISITOR, Affiliation.MEMBER),
    Standing(Role.PARTICIPANT, Affiliation.MEMBER),
    Standing(Role.MODERATOR, Affiliation.MEMBER),
    Standing(Role.MODERATOR, Affiliation.ADMIN),
    Standing(Role.MODERATOR, Affiliation.OWNER),
]
ABSENT = [Standing(Role.NONE, affiliation) for affiliation in Affiliation]
ACTORS = [*STANDINGS, *ABSENT]
MUC = "http://jabber.org/protocol/muc"


def named(standing):
    return f"{standing.affiliation.word}-{standing.role.word}"


class Company:
    """Everybody in one room: actors and targets by their standing, and one owner for good."""

    def __init__(self, world):
        self.world = world
        self.cast = Cast(world)
        self.room = Room("matrix")
        self.owner = self.cast("keeper")
        self.room.make(self.owner, "keeper", moderatedroom="1")
        self.inside = house_of(world.rooms).find("matrix")
        self.actors = {s: self._enter(f"actor-{named(s)}") for s in STANDINGS}
        self.targets = {s: self._enter(f"target-{named(s)}") for s in STANDINGS}
        self.absent = {s: self.cast(f"absent-{s.affiliation.word}") for s in ABSENT}
        self.people = [(visit, visit.occupant.nick) for visit in self.inside.visits.values()]
        self.configuration = self.inside.configuration
        self.reset()

    def _enter(self, name):
        client = self.cast(name)
        self.room.join(client, name)
        return client

    def reset(self):
        """Everybody is what they were."""
        self.inside.affiliations = {"keeper@h": Affiliated(Affiliation.OWNER)}
        for standing, client in (*self.actors.items(), *self.targets.items(), *self.absent.items()):
            if standing.affiliation is not Affiliation.NONE:
                self.inside.affiliations[client.bare] = Affiliated(standing.affiliation)
        self.inside.configuration = self.configuration
        for visit in [*self.inside.visits.values()]:
            self.inside.remove(visit)
        for visit, nick in self.people:
            visit.occupant.nick = nick
            self.inside.add(visit.occupant, visit)
            visit.occupant.role = Role.MODERATOR
        self.inside.voices.clear()
        for standing, client in (*self.actors.items(), *self.targets.items()):
            self.inside.visits[client.jid].occupant.role = standing.role

    def who(self, standing):
        """Who acts with that standing."""
        return {**self.actors, **self.absent}[standing]

    def nick(self, client):
        return client.bare.partition("@")[0]

    def standing(self, client):
        return self.inside.standing(JID.parse(client.jid))


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    world = MemoryWorld(
        tmp_path_factory.mktemp("matrix"),
        limits={
            "connections_per_address": 0,
            "burst_bytes": 0,
            "bytes_per_second": 0,
            "room_changes_per_minute": 0,
        },
    )
    company = Company(world)
    yield company
    for client in company.cast.clients:
        client.wire.cut()
    world.close()


@pytest.fixture(autouse=True)
def everybody_as_before(company):
    yield
    company.reset()
    everybody = (company.actors, company.targets, company.absent)
    for client in (*[one for some in everybody for one in some.values()], company.owner):
        client.forget()


def expected(refusal):
    return None if refusal is None else (refusal.condition, refusal.type)


@pytest.mark.parametrize("actor", ACTORS, ids=named)
def test_roles(company, actor):
    """Of everybody in the room, and one's own."""
    client = company.who(actor)
    others = [(standing, company.targets[standing]) for standing in STANDINGS]
    own = [(actor, client)] if actor in company.actors else []
    for (target, other), role in itertools.product([*others, *own], Role):
        item = f"<item nick='{company.nick(other)}' role='{role.word}'/>"
        answer = company.room.admin(client, "set", item)
        refusal = role_refusal(actor, target, role)
        assert condition(answer) == expected(refusal), (target, role)
        after = target.role if refusal is not None else role
        assert company.standing(other).role is after
        assert company.standing(other).affiliation is target.affiliation
        company.reset()


@pytest.mark.parametrize("actor", ACTORS, ids=named)
def test_affiliations(company, actor):
    """Of everybody, there or not, and one's own."""
    client = company.who(actor)
    others = {**company.targets, **company.absent}.items()
    for (target, other), affiliation in itertools.product([*others, (actor, client)], Affiliation):
        own = other is client
        item = f"<item jid='{other.bare}' affiliation='{affiliation.word}'/>"
        answer = company.room.admin(client, "set", item)
        refusal = affiliation_refusal(actor.affiliation, target.affiliation, affiliation, own=own)
        assert condition(answer) == expected(refusal), (target, affiliation)
        after = target.affiliation if refusal is not None else affiliation
        assert company.standing(other).affiliation is after
        company.reset()


# -- every action of the table -----------------------------------------------------------------

FORBIDDEN = ("forbidden", "auth")
NOT_THERE = ("not-acceptable", "cancel")


def asks(type, payload):
    """Tries an IQ; the error that came, None without one."""
    return lambda company, client: condition(company.room.ask(client, type, payload))


def query(kind, inside=""):
    return f"<query xmlns='{MUC}#{kind}'>{inside}</query>"


def sends(stanza, **configuration):
    """Tries another stanza, in a room that is set up like this."""

    def attempt(company, client):
        inside = company.inside
        inside.configuration = replace(inside.configuration, **configuration)
        client.sends(stanza.replace("ROOM", company.room.jid).replace("OWN", company.nick(client)))
        client.settle_with(company.room)
        answers = [one for one in client.came() if one.get("type") == "error" or is_kick(one)]
        assert len(answers) < 2
        return (condition(answers[0]) or NOT_THERE) if answers else None

    return attempt


def is_kick(stanza):
    """The answer to presence of who thinks that they are in the room."""
    return stanza.find(f".//{{{MUC}#user}}status[@code='333']") is not None


def destroys(company, client):
    """Another room, in which the client is what it is in this one."""
    standing, room = company.standing(client), Room()
    room.make(company.owner, "keeper", persistentroom="1")
    inside = house_of(company.world.rooms).find(room.name)
    if standing.affiliation is not Affiliation.NONE:
        inside.affiliations[client.bare] = Affiliated(standing.affiliation)
    outcome = condition(room.owner(client, "set", "<destroy/>"))
    assert inside.destroyed is (outcome is None)
    return outcome


JOIN = f"<presence to='ROOM/OWN'><x xmlns='{MUC}'/></presence>"
INVITATION = (
    f"<message to='ROOM'><x xmlns='{MUC}#user'><invite to='somebody@bridge.h'/></x></message>"
)
VOICE = (
    "<message to='ROOM'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'>"
    f"<value>{MUC}#request</value></field><field var='muc#role'><value>participant</value></field>"
    "<field var='muc#roomnick'><value>target-none-visitor</value></field>"
    "<field var='muc#request_allow'><value>1</value></field></x></message>"
)
RETRACTION = (
    "<moderate xmlns='urn:xmpp:message-moderate:1' id='1'>"
    "<retract xmlns='urn:xmpp:message-retract:1'/></moderate>"
)
ATTEMPTS = {
    Action.SPEAK: sends("<message to='ROOM' type='groupchat'><body>x</body></message>"),
    Action.CHANGE_NICK: sends("<presence to='ROOM/another OWN'/>"),
    Action.CHANGE_SUBJECT: sends("<message to='ROOM' type='groupchat'><subject>x</subject></message>"),
    Action.INVITE: sends(INVITATION),
    Action.GIVE_VOICE: sends(VOICE),
    Action.MODERATE_MESSAGES: asks("set", RETRACTION),
    Action.SEE_VOICE_LIST: asks("get", query("admin", "<item role='participant'/>")),
    Action.SEE_MODERATOR_LIST: asks("get", query("admin", "<item role='moderator'/>")),
    Action.SEE_BAN_LIST: asks("get", query("admin", "<item affiliation='outcast'/>")),
    Action.ENTER_OPEN: sends(JOIN),
    Action.ENTER_MEMBERS_ONLY: sends(JOIN, members_only=True),
    Action.ENTER_FULL: sends(JOIN, max_users=1),
    Action.INVITE_TO_MEMBERS_ONLY: sends(INVITATION, members_only=True),
    Action.CONFIGURE: asks("get", query("owner")),
    Action.DESTROY: destroys,
    Action.SET_AVATAR: asks("set", "<vCard xmlns='vcard-temp'/>"),
}  # fmt: skip
# What is said to who is refused; where nothing is named it is that they may not.
TOLD = {
    Action.ENTER_MEMBERS_ONLY: ("registration-required", "auth"),
    Action.ENTER_FULL: ("service-unavailable", "wait"),
}
OF_OCCUPANTS = {
    Action.SPEAK, Action.CHANGE_NICK, Action.CHANGE_SUBJECT, Action.INVITE, Action.GIVE_VOICE,
    Action.INVITE_TO_MEMBERS_ONLY,
}  # fmt: skip


def test_every_action_of_the_table_is_tried():
    assert set(ATTEMPTS) == set(Action) == set(NEEDED)


@pytest.mark.parametrize("action", ATTEMPTS, ids=lambda action: action.name)
@pytest.mark.parametrize("actor", ACTORS, ids=named)
def test_actions(company, actor, action):
    if action.name.startswith("ENTER") and actor.role is not Role.NONE:
        return  # they are there
    outcome = ATTEMPTS[action](company, company.who(actor))
    if may(actor, action):
        # There is no such message in an archive that is new.
        assert outcome in (None, ("item-not-found", "cancel"))
    elif action in OF_OCCUPANTS and actor.role is Role.NONE:
        assert outcome == NOT_THERE
    elif actor.affiliation is Affiliation.OUTCAST:
        assert outcome == FORBIDDEN
    else:
        assert outcome == TOLD.get(action, FORBIDDEN)


@pytest.mark.parametrize("actor", ACTORS, ids=named)
def test_who_is_there_hears_and_sees_the_others_and_nobody_else_does(company, actor):
    client = company.who(actor)
    client.forget()
    company.room.says(company.owner, "hark", id="hark")
    company.owner.sends(
        f"<presence to='{company.room.nick('keeper')}'><show>away</show></presence>"
    )
    company.owner.settle_with(company.room)
    client.settle_with(company.room)
    came = {(one.tag.rpartition("}")[2], one.get("from")) for one in client.came()}
    keeper = company.room.nick("keeper")
    heard = {("message", keeper), ("presence", keeper)}
    assert came & heard == (heard if actor.role is not Role.NONE else set())


# -- what the standard says, whatever the table -------------------------------------------------


@pytest.mark.parametrize(("actor", "target"), list(itertools.product(STANDINGS, STANDINGS)))
def test_nobody_puts_out_or_silences_who_stands_higher(actor, target):
    for role in (Role.NONE, Role.VISITOR):
        if target.affiliation > actor.affiliation and role is not target.role:
            assert role_refusal(actor, target, role) is not None


@pytest.mark.parametrize("actor", STANDINGS)
def test_nobody_takes_voice_from_admins_and_owners(actor):
    for target in STANDINGS:
        if target.affiliation >= Affiliation.ADMIN:
            assert role_refusal(actor, target, Role.VISITOR) is not None
            assert role_refusal(actor, target, Role.PARTICIPANT) is not None


@pytest.mark.parametrize("before", Affiliation)
def test_only_owners_touch_owners_and_admins(before):
    for actor, after in itertools.product(Affiliation, Affiliation):
        touches = max(before, after) >= Affiliation.ADMIN and before is not after
        if touches and actor is not Affiliation.OWNER:
            assert affiliation_refusal(actor, before, after, own=False) is not None
