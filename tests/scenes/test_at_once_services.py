"""Two clients do at once what only one can, or what crosses: nodes, files, blocking, messages."""

import pytest

from support.archive import page
from support.at_once import at_once, outcomes
from support.commands import ADMIN, COMMANDS, command
from support.files import UPLOAD
from support.pep import PUBSUB, iq, items, publish

BLOCKING = "urn:xmpp:blocking"
SERVICE = "pubsub.h"


def entry(text):
    return f"<entry xmlns='urn:entry'>{text}</entry>"


def kept(client, node, to=None):
    """The texts of a node's items."""
    client.sends(items(node, to=to))
    return [one.text for one in client.answer("1").iter("{urn:entry}entry")]


# -- nodes -------------------------------------------------------------------------------------


def test_two_publish_one_item(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    with at_once(cast.world):
        phone.sends(publish("musings", entry("by phone"), "current"))
        desk.sends(publish("musings", entry("by desk"), "current"))
    answers = [client.answer("1") for client in (phone, desk)]
    assert outcomes(*answers) == (2, [])
    assert kept(phone, "musings") in (["by phone"], ["by desk"])


def test_two_publish_to_a_node_of_one_item(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    options = {"max_items": "1"}
    with at_once(cast.world):
        phone.sends(publish("mood", entry("by phone"), "a", options=options))
        desk.sends(publish("mood", entry("by desk"), "b", options=options))
    for client in (phone, desk):
        client.answer("1")
    assert len(kept(phone, "mood")) == 1


def test_one_publishes_and_one_deletes_the_node(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    phone.sends(publish("musings", entry("first"), "a"))
    phone.answer("1")
    with at_once(cast.world):
        desk.sends(iq("set", "<delete node='musings'/>", namespace=f"{PUBSUB}#owner"))
        phone.sends(publish("musings", entry("second"), "b"))
    for client in (phone, desk):
        client.answer("1")
    assert kept(phone, "musings") in ([], ["second"])


def test_two_make_one_node(cast):
    cast.account("admin")
    cast.world.store.accounts.set_admin("admin", True)
    phone, desk = cast("admin/phone", "admin/desk")
    with at_once(cast.world):
        for client in (phone, desk):
            client.sends(iq("set", "<create node='one-node'/>", SERVICE))
    answers = [client.answer("1") for client in (phone, desk)]
    assert outcomes(*answers) == (1, ["conflict"])


def test_two_take_the_last_node(own_cast):
    cast = own_cast(limits={"pubsub_nodes": 1})
    phone, desk = cast("romeo/phone", "romeo/desk")
    with at_once(cast.world):
        phone.sends(publish("one", entry("x"), "a"))
        desk.sends(publish("other", entry("x"), "a"))
    answers = [client.answer("1") for client in (phone, desk)]
    assert outcomes(*answers)[0] == 1
    assert sorted([kept(phone, "one"), kept(phone, "other")]) == [[], ["x"]]


# -- files -------------------------------------------------------------------------------------


def asks(client, size):
    client.sends(
        f"<iq type='get' id='slot' to='upload.h'>"
        f"<request xmlns='{UPLOAD}' filename='x.jpg' size='{size}'/></iq>"
    )


@pytest.mark.parametrize(
    "limits",
    [
        {"slots": 1},
        {"account_bytes": 1_500, "when_full": "refuse"},
        {"day_bytes": 1_500},
        {"total_bytes": 1_500},
    ],
    ids=lambda limits: next(iter(limits)),
)
def test_two_take_what_is_left_for_files(own_cast, limits):
    cast = own_cast(upload=limits)
    phone, desk = cast("romeo/phone", "romeo/desk")
    with at_once(cast.world):
        for client in (phone, desk):
            asks(client, 1_000)
    answers = [client.answer("slot") for client in (phone, desk)]
    won, conditions = outcomes(*answers)
    assert won == 1
    assert conditions[0] in ("resource-constraint", "not-acceptable", "policy-violation")


# -- blocking, messages, presence --------------------------------------------------------------


def bodies(came):
    found = [one for one in came if one.tag == "{jabber:client}message"]
    return [one.findtext("{jabber:client}body") for one in found if one.get("type") != "error"]


def test_somebody_is_blocked_while_writing(cast):
    """The message arrives and is kept, or its sender is told that it is not."""
    romeo, juliet = cast("romeo", "juliet")
    with at_once(cast.world):
        juliet.sends(
            f"<iq type='set' id='b'><block xmlns='{BLOCKING}'><item jid='romeo@h'/></block></iq>"
        )
        romeo.sends("<message to='juliet@h' type='chat' id='m'><body>Hark!</body></message>")
    romeo.settle()
    refused = [one for one in romeo.came() if one.get("type") == "error"]
    arrived = bodies(juliet.came())
    assert len(refused) + len(arrived) == 1
    assert page(juliet).bodies == arrived
    romeo.sends("<message to='juliet@h' type='chat' id='n'><body>Again</body></message>")
    romeo.receives("<message type='error' id='n'/>")
    assert bodies(juliet.came()) == []


def test_two_block_different_people(cast):
    phone, desk = cast("juliet/phone", "juliet/desk")
    with at_once(cast.world):
        for client, jid in ((phone, "romeo@h"), (desk, "paris@h")):
            client.sends(
                f"<iq type='set' id='b'><block xmlns='{BLOCKING}'><item jid='{jid}'/></block></iq>"
            )
    answers = [client.answer("b") for client in (phone, desk)]
    assert outcomes(*answers) == (2, [])
    phone.sends(f"<iq type='get' id='l'><blocklist xmlns='{BLOCKING}'/></iq>")
    assert {item.get("jid") for item in phone.answer("l")[0]} == {"romeo@h", "paris@h"}


def test_a_message_comes_while_its_recipient_arrives(cast):
    """It is delivered once: at once, or as one that waited."""
    cast.account("juliet")
    romeo = cast("romeo")
    juliet = cast.log_in("juliet")
    with at_once(cast.world):
        romeo.sends("<message to='juliet@h' type='chat'><body>Hark!</body></message>")
        juliet.sends("<presence/>")
    romeo.settle()
    juliet.settle()
    assert bodies(juliet.came()) == ["Hark!"]


def test_an_account_is_deleted_while_somebody_writes_to_it(cast):
    romeo, juliet = cast("romeo", "juliet")
    with at_once(cast.world):
        juliet.sends(
            "<iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>"
        )
        romeo.sends("<message to='juliet@h' type='chat' id='m'><body>Hark!</body></message>")
    juliet.is_ended_with("not-authorized")
    romeo.forget()
    cast.world.add_account("juliet")
    heir = cast.log_in("juliet")
    heir.sends("<presence/>")
    assert bodies(heir.came()) == []
    assert page(heir).bodies == []


# -- administration ----------------------------------------------------------------------------


def test_two_administrators_make_one_account(cast):
    accounts = cast.world.store.accounts
    for local in ("nurse", "friar"):
        cast.account(local)
        accounts.set_admin(local, True)
    accounts.delete("tybalt", "tybalt@h")
    nurse, friar = cast("nurse", "friar")
    node = f"{ADMIN}#add-user"
    begun = {}
    for client in (nurse, friar):
        client.sends(command(node, "execute"))
        begun[client] = client.answer("c").find(f"{{{COMMANDS}}}command").get("sessionid")
    with at_once(cast.world):
        for client in (nurse, friar):
            given = {"accountjid": ["tybalt@h"], "password": ["x"], "password-verify": ["x"]}
            client.sends(command(node, "complete", begun[client], given))
    answers = [client.answer("c") for client in (nurse, friar)]
    assert outcomes(*answers) == (1, ["conflict"])
    assert accounts.exists("tybalt")
    for local in ("nurse", "friar"):
        accounts.set_admin(local, False)
    accounts.delete("tybalt", "tybalt@h")


@pytest.fixture
def two_admins(own_cast):
    """Two administrators, who have begun a command each."""
    cast = own_cast()
    for local in ("nurse", "friar"):
        cast.account(local)
        cast.world.store.accounts.set_admin(local, True)

    def begin(name):
        clients = cast("nurse", "friar")
        ids = []
        for client in clients:
            client.sends(command(f"{ADMIN}#{name}", "execute"))
            ids.append(client.answer("c").find(f"{{{COMMANDS}}}command").get("sessionid"))
        return cast.world, clients, ids

    return begin


@pytest.mark.parametrize(
    ("name", "field", "others"),
    [
        ("edit-admin", "adminjids", ("nurse@h", "friar@h")),  # only oneself
        ("disable-user", "accountjids", ("friar@h", "nurse@h")),
        ("delete-user", "accountjids", ("friar@h", "nurse@h")),
    ],
)
def test_two_administrators_depose_each_other(two_admins, name, field, others):
    """One of them is left: the box could not be administered from a client any more."""
    world, clients, ids = two_admins(name)
    with at_once(world):
        for client, id, other in zip(clients, ids, others, strict=True):
            client.sends(command(f"{ADMIN}#{name}", "complete", id, {field: [other]}))
    for client in clients:
        client.next()
    assert len(world.store.accounts.admins()) == 1
