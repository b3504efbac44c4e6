"""Every standing, every action, every target: what the table of privileges says is what happens.

One room, two people of each standing in it.  Standings are put back from inside after each request,
so this runs in memory only.
"""

import itertools

import pytest

from conftest import Cast
from hausbote.base.jid import JID
from hausbote.rooms.house import house_of
from hausbote.rooms.privileges import (
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


def named(standing):
    return f"{standing.affiliation.word}-{standing.role.word}"


class Company:
    """Everybody in one room: actors and targets by their standing, and one owner for good."""

    def __init__(self, world):
        self.cast = Cast(world)
        self.room = Room("matrix")
        self.owner = self.cast("keeper")
        self.room.make(self.owner, "keeper", moderatedroom="1")
        self.inside = house_of(world.rooms).find("matrix")
        self.actors = {s: self._enter(f"actor-{named(s)}") for s in STANDINGS}
        self.targets = {s: self._enter(f"target-{named(s)}") for s in STANDINGS}
        self.absent = {s: self.cast(f"absent-{s.affiliation.word}") for s in ABSENT}
        self.people = [*self.inside.visits.values()]
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
        for visit in self.people:
            self.inside.add(visit.occupant, visit)
            visit.occupant.role = Role.MODERATOR
        for standing, client in (*self.actors.items(), *self.targets.items()):
            self.inside.visits[client.jid].occupant.role = standing.role

    def standing(self, client):
        return self.inside.standing(JID.parse(client.jid))


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    world = MemoryWorld(
        tmp_path_factory.mktemp("matrix"),
        limits={"connections_per_address": 0, "burst_bytes": 0, "bytes_per_second": 0},
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
    for client in (*company.actors.values(), *company.targets.values(), company.owner):
        client.forget()


def expected(refusal):
    return None if refusal is None else (refusal.condition, refusal.type)


@pytest.mark.parametrize("actor", STANDINGS, ids=named)
def test_roles(company, actor):
    for target, role in itertools.product(STANDINGS, Role):
        client, other = company.actors[actor], company.targets[target]
        item = f"<item nick='target-{named(target)}' role='{role.word}'/>"
        answer = company.room.admin(client, "set", item)
        refusal = role_refusal(actor, target, role)
        assert condition(answer) == expected(refusal), (target, role)
        after = target.role if refusal is not None else role
        assert company.standing(other).role is after
        assert company.standing(other).affiliation is target.affiliation
        company.reset()


@pytest.mark.parametrize("actor", [*STANDINGS, *ABSENT], ids=named)
def test_affiliations(company, actor):
    client = {**company.actors, **company.absent}[actor]
    for target, affiliation in itertools.product([*STANDINGS, *ABSENT], Affiliation):
        other = {**company.targets, **company.absent}[target]
        own = other is client
        item = f"<item jid='{other.bare}' affiliation='{affiliation.word}'/>"
        answer = company.room.admin(client, "set", item)
        refusal = affiliation_refusal(actor.affiliation, target.affiliation, affiliation, own=own)
        assert condition(answer) == expected(refusal), (target, affiliation)
        after = target.affiliation if refusal is not None else affiliation
        assert company.standing(other).affiliation is after
        company.reset()


MUC = "http://jabber.org/protocol/muc"
REQUESTS = {
    Action.SEE_VOICE_LIST: (
        "get",
        f"<query xmlns='{MUC}#admin'><item role='participant'/></query>",
    ),
    Action.SEE_MODERATOR_LIST: (
        "get",
        f"<query xmlns='{MUC}#admin'><item role='moderator'/></query>",
    ),
    Action.SEE_BAN_LIST: (
        "get",
        f"<query xmlns='{MUC}#admin'><item affiliation='outcast'/></query>",
    ),
    Action.CONFIGURE: ("get", f"<query xmlns='{MUC}#owner'/>"),
    Action.SET_AVATAR: ("set", "<vCard xmlns='vcard-temp'/>"),
    Action.MODERATE_MESSAGES: (
        "set",
        "<moderate xmlns='urn:xmpp:message-moderate:1' id='1'><retract xmlns='urn:xmpp:message-retract:1'/></moderate>",
    ),
}


@pytest.mark.parametrize("action", REQUESTS, ids=lambda action: action.name)
@pytest.mark.parametrize("actor", [*STANDINGS, *ABSENT], ids=named)
def test_requests(company, actor, action):
    type, payload = REQUESTS[action]
    answer = company.room.ask({**company.actors, **company.absent}[actor], type, payload)
    refused = condition(answer) == ("forbidden", "auth")
    assert refused is not may(actor, action)


@pytest.mark.parametrize("actor", [*STANDINGS, *ABSENT], ids=named)
def test_destroying(company, actor):
    if may(actor, Action.DESTROY):
        return  # once it is gone nothing else can be tried; scenes of §10.9 do it
    client = {**company.actors, **company.absent}[actor]
    payload = f"<query xmlns='{MUC}#owner'><destroy/></query>"
    assert condition(company.room.ask(client, "set", payload)) == ("forbidden", "auth")
    assert not company.inside.destroyed


@pytest.mark.parametrize("actor", [*STANDINGS, *ABSENT], ids=named)
def test_speaking(company, actor):
    client = {**company.actors, **company.absent}[actor]
    company.room.says(client, "x", id="said")
    client.settle_with(company.room)
    (heard,) = [one for one in client.came() if one.get("id") == "said"]
    if actor.role is Role.NONE:
        assert condition(heard) == ("not-acceptable", "cancel")
    elif may(actor, Action.SPEAK):
        assert heard.get("type") == "groupchat"
    else:
        assert condition(heard) == ("forbidden", "auth")


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
