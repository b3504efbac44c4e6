"""The archive beside offline messages and Bind 2: nothing twice, and nothing lost."""

import pytest

from hausbote.features.archive.retention import forget_old_messages
from support.archive import MAM, page
from support.sasl2_client import bind2, log_in, succeeded, user_agent
from support.worlds import MemoryWorld

HINTS = "urn:xmpp:hints"


def says(one, body, to="juliet@h", inner=""):
    one.sends(f"<message to='{to}' type='chat'><body>{body}</body>{inner}</message>")
    one.settle()


def comes(client):
    """Becomes available; the bodies that come with that."""
    client.sends("<presence/>")
    client.settle()
    bodies = []
    while (came := client.next(0.01)) is not None:
        if came.tag == "{jabber:client}message":
            bodies.append(came.findtext("{jabber:client}body"))
    return bodies


def binds(world, cast, user="juliet", agent=None):
    """Logged in by SASL2 and Bind 2; the client and <bound/>."""
    client = world.client()
    client.secure()
    answer = log_in(client, user_agent(*([agent] if agent else [])), bind2(), user=user)
    succeeded(answer)
    cast.clients.append(client)
    return client, answer.find("{urn:xmpp:bind:0}bound")


@pytest.fixture
def romeo(cast):
    return cast("romeo/orchard")


def test_who_does_not_know_the_archive_gets_offline_messages(cast, romeo):
    cast.account("juliet")
    says(romeo, "Hark!")
    assert comes(cast.log_in("juliet")) == ["Hark!"]
    assert comes(cast.log_in("juliet")) == []


def test_who_reads_the_archive_first_gets_nothing_twice(cast, romeo):
    cast.account("juliet")
    says(romeo, "Hark!")
    juliet = cast.log_in("juliet/phone")
    assert page(juliet).bodies == ["Hark!"]
    assert comes(juliet) == []
    assert comes(cast.log_in("juliet/lamp")) == []


def test_who_read_it_when_last_here_is_remembered_by_the_resource(cast, romeo):
    juliet = cast.log_in("juliet/phone")
    page(juliet)
    juliet.leaves()
    says(romeo, "Hark!")
    juliet = cast.log_in("juliet/phone")
    assert comes(juliet) == []
    assert page(juliet).bodies == ["Hark!"]


def test_another_client_of_the_account_is_not_meant(cast, romeo):
    juliet = cast.log_in("juliet/phone")
    page(juliet)
    juliet.leaves()
    says(romeo, "Hark!")
    assert comes(cast.log_in("juliet/lamp")) == ["Hark!"]


def test_what_is_in_no_archive_is_handed_over(cast, romeo):
    juliet = cast.log_in("juliet/phone")
    page(juliet)
    juliet.leaves()
    says(romeo, "kept")
    says(romeo, "not kept", inner=f"<no-permanent-store xmlns='{HINTS}'/>")
    assert comes(cast.log_in("juliet/phone")) == ["not kept"]


def test_what_is_to_be_stored_nowhere_is_not_and_its_sender_hears_of_it(cast, romeo):
    cast.account("juliet")
    hint = f"<no-store xmlns='{HINTS}'/>"
    typing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
    romeo.sends(
        f"<message to='juliet@h' type='chat'>{typing}{hint}</message>",
        f"<message to='juliet@h' type='chat'><x xmlns='urn:example'/>{hint}</message>",
        f"<message to='juliet@h' type='chat' id='m'><body>psst</body>{hint}</message>",
    )
    romeo.receives("<message type='error' id='m' from='juliet@h'/>")
    romeo.receives_nothing()
    assert comes(cast.log_in("juliet")) == []


def test_bind_2_tells_where_the_archive_ends_and_drops_what_is_in_it(world, cast, romeo):
    cast.account("juliet")
    _, bound = binds(world, cast)
    assert len(bound.find(f"{{{MAM}}}metadata")) == 0
    says(romeo, "Hark!")
    says(romeo, "again")
    client, bound = binds(world, cast, agent="")
    assert client.next().tag.endswith("}features")
    assert comes(client) == []
    found = page(client)
    metadata = bound.find(f"{{{MAM}}}metadata")
    ends = [(one.tag, one.get("id"), one.get("timestamp")) for one in metadata]
    assert ends == [
        (f"{{{MAM}}}start", found.ids[0], found.stamps[0]),
        (f"{{{MAM}}}end", found.ids[1], found.stamps[1]),
    ]


@pytest.fixture
def other_world(request, tmp_path):
    """In memory, with settings of its own."""
    worlds = []

    def make(**settings):
        worlds.append(MemoryWorld(tmp_path, **settings))
        return worlds[0]

    yield make
    for world in worlds:
        world.close()


def log_in_to(world, local, resource="somewhere"):
    if not world.store.accounts.exists(local):
        world.add_account(local)
    return world.client().log_in(local, "wherefore art thou", resource)


def test_too_much_for_the_offline_store_is_no_error_if_it_is_archived(other_world):
    world = other_world(limits={"offline_messages": 1})
    romeo = log_in_to(world, "romeo")
    log_in_to(world, "juliet").leaves()
    says(romeo, "one")
    says(romeo, "two")
    says(romeo, "three", inner=f"<no-permanent-store xmlns='{HINTS}'/>")
    romeo.receives("<message type='error'><error type='cancel'/></message>")
    romeo.receives_nothing()
    assert page(log_in_to(world, "juliet")).bodies == ["one", "two"]


def test_what_the_archive_has_forgotten_is_handed_over(other_world):
    world = other_world(retention={"archive_days": 1})
    romeo, juliet = log_in_to(world, "romeo"), log_in_to(world, "juliet")
    page(juliet)
    juliet.leaves()
    says(romeo, "Hark!")
    now = world.host.clock()
    world.host.clock = lambda: now + 2 * 86_400
    forget_old_messages(world.host)
    assert comes(log_in_to(world, "juliet")) == ["Hark!"]


def test_nothing_is_forgotten_if_nothing_is_to_be(other_world):
    world = other_world(retention={"archive_days": 0}, limits={"archive_messages": 0})
    romeo = log_in_to(world, "romeo")
    says(romeo, "Hark!", to="romeo@h")
    now = world.host.clock()
    world.host.clock = lambda: now + 10_000 * 86_400
    assert forget_old_messages(world.host) == 0
    assert len(page(romeo).results) == 1


def test_there_may_be_no_archive(other_world):
    world = other_world(archive={"enabled": "no"})
    romeo, juliet = log_in_to(world, "romeo"), log_in_to(world, "juliet")
    juliet.sends("<presence/>", f"<iq type='set' id='q'><query xmlns='{MAM}'/></iq>")
    juliet.receives("<presence/>", "<iq type='error' id='q'/>")
    says(romeo, "Hark!")
    message = juliet.receives("<message/>")
    assert message.find("{urn:xmpp:sid:0}stanza-id") is None
    assert world.store.archives.ends("juliet") is None
