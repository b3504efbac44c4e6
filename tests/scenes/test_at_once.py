"""Two connections do at once what only one can: accounts, sessions, tokens, rosters.

One of them wins, the other is told so, and nothing is half done.
"""

import base64
import contextlib

import pytest

from support.archive import page
from support.at_once import at_once, outcomes
from support.sasl2_client import (
    SASL2,
    ask_by_token,
    authenticate,
    b64,
    bind2,
    failure_of,
    log_in,
    request_token,
    succeeded,
    token_login,
    token_of,
    user_agent,
)
from support.scram_client import ScramClient
from support.worlds import PASSWORD, MemoryWorld

SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
REGISTER = "jabber:iq:register"
SM = "urn:xmpp:sm:3"
ROSTER = "jabber:iq:roster"


def stranger(cast, local=None):
    """A stream that has come as far as the login, or behind it."""
    client = cast.world.client()
    cast.clients.append(client)
    client.secure()
    if local is not None:
        cast.account(local)
        answer = client.authenticate(ScramClient(local, PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
        assert answer.tag == f"{{{SASL}}}success"
        client.open()
    return client


def can_log_in(cast, local, password=PASSWORD):
    client = stranger(cast)
    answer = client.authenticate(ScramClient(local, password, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.wire.cut()
    return answer.tag == f"{{{SASL}}}success"


def register(name, password, inside=""):
    return (
        f"<iq type='set' id='r' to='h'><query xmlns='{REGISTER}'>"
        f"<username>{name}</username><password>{password}</password>{inside}</query></iq>"
    )


def left_of(client):
    """Whether the stream is still there."""
    with contextlib.suppress(OSError):
        client.send("<iq type='get' id='alive' to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
    while (stanza := client.next(3)) is not None:
        if stanza.get("id") == "alive":
            return True
    return False


# -- accounts ----------------------------------------------------------------------------------


@pytest.fixture
def open_world(tmp_path):
    world = MemoryWorld(tmp_path, registration="open")
    yield world
    world.close()


def test_two_register_one_name(open_world):
    clients = [open_world.client(address=f"192.0.2.{number}") for number in (1, 2)]
    for client in clients:
        client.secure()
    with at_once(open_world):
        for number, client in enumerate(clients):
            client.sends(register("paris", f"password-{number}"))
    answers = [client.next() for client in clients]
    assert outcomes(*answers) == (1, ["conflict"])
    winner = [answer.get("type") for answer in answers].index("result")
    for number in (0, 1):
        client = open_world.client()
        client.secure()
        scram = ScramClient("paris", f"password-{number}", "SCRAM-SHA-1")
        answer = client.authenticate(scram, "SCRAM-SHA-1")
        assert (answer.tag == f"{{{SASL}}}success") == (number == winner)


def test_two_change_the_password(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    with at_once(cast.world):
        phone.sends(register("romeo", "by phone"))
        desk.sends(register("romeo", "by desk"))
    assert len(alive(phone, desk)) <= 1
    good = [can_log_in(cast, "romeo", word) for word in ("by phone", "by desk", PASSWORD)]
    assert good.count(True) == 1
    assert not good[2]


def test_an_account_is_deleted_while_somebody_logs_in(cast):
    phone = cast("romeo/phone")
    new = stranger(cast)
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-1")
    first = base64.b64encode(scram.first()).decode()
    new.send(f"<auth xmlns='{SASL}' mechanism='SCRAM-SHA-1'>{first}</auth>")
    final = base64.b64encode(scram.final(base64.b64decode(new.next().text))).decode()
    with at_once(cast.world):
        phone.sends(f"<iq type='set' id='r'><query xmlns='{REGISTER}'><remove/></query></iq>")
        new.send(f"<response xmlns='{SASL}'>{final}</response>")
    if new.next().tag == f"{{{SASL}}}success":
        new.open()
        new.send(f"<iq type='set' id='b'><bind xmlns='{BIND}'/></iq>")
        new.is_ended_with("not-authorized")
    phone.is_ended_with("not-authorized")
    assert not cast.world.store.accounts.exists("romeo")
    assert not can_log_in(cast, "romeo")
    cast.world.add_account("romeo")


def test_an_account_is_deleted_while_a_client_binds(cast):
    phone, new = cast("romeo/phone"), stranger(cast, "romeo")
    juliet = cast("juliet")
    with at_once(cast.world):
        phone.sends(f"<iq type='set' id='r'><query xmlns='{REGISTER}'><remove/></query></iq>")
        new.send(f"<iq type='set' id='b'><bind xmlns='{BIND}'><resource>new</resource></bind></iq>")
    new.is_ended_with("not-authorized")
    phone.is_ended_with("not-authorized")
    juliet.sends("<message to='romeo@h' type='chat' id='m'><body>Where art thou?</body></message>")
    juliet.receives("<message type='error' id='m'/>")
    cast.world.add_account("romeo")


def test_two_delete_the_account(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    remove = f"<iq type='set' id='r'><query xmlns='{REGISTER}'><remove/></query></iq>"
    with at_once(cast.world):
        phone.sends(remove)
        desk.sends(remove)
    phone.is_ended_with("not-authorized")
    desk.is_ended_with("not-authorized")
    assert not cast.world.store.accounts.exists("romeo")
    cast.world.add_account("romeo")


# -- sessions ----------------------------------------------------------------------------------


def test_two_bind_one_resource(cast):
    juliet = cast("juliet")
    one, other = stranger(cast, "romeo"), stranger(cast, "romeo")
    with at_once(cast.world):
        for client in (one, other):
            client.send(
                f"<iq type='set' id='b'><bind xmlns='{BIND}'><resource>x</resource></bind></iq>"
            )
    assert len(alive(one, other)) == 1
    juliet.sends("<message to='romeo@h/x' type='chat'><body>Hark!</body></message>")
    heard = []
    for client in (one, other):
        while (stanza := client.next(0.5)) is not None:
            heard += [stanza] if stanza.tag == "{jabber:client}message" else []
    assert len(heard) == 1


def asks_to_bind(client, resource):
    client.send(
        f"<iq type='set' id='b'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>"
    )


def asleep(cast, address):
    """A client that is away, whose session waits for it with a message that it never got."""
    juliet, romeo = cast("juliet", address)
    romeo.send(f"<enable xmlns='{SM}' resume='true'/>")
    previous = romeo.next().get("id")
    romeo.settle()
    romeo.wire.cut()
    to = f"{romeo.bare}/{address.partition('/')[2]}"
    juliet.sends(f"<message to='{to}' type='chat'><body>Hark!</body></message>")
    juliet.settle()
    reads_the_archive(cast)
    return juliet, previous


def reads_the_archive(cast):
    """A client that came later: before it is given a message again, the archive is looked into."""
    desk = cast("romeo/desk")
    assert page(desk).bodies == ["Hark!"]


def alive(*clients):
    """Those that are there still when all that they asked for was handled."""
    for client in clients:
        left_of(client)
    return [client for client in clients if left_of(client)]


def texts(client):
    """The bodies of what is there to read."""
    found = []
    while (stanza := client.next(0.5)) is not None:
        found += [stanza.findtext("{jabber:client}body")] if stanza.tag.endswith("}message") else []
    return found


def test_two_bind_the_resource_of_a_session_that_is_going(cast):
    """The first waits for what becomes of that session's messages, and is not alone then."""
    juliet, _ = asleep(cast, "romeo/x")
    one, other = stranger(cast, "romeo"), stranger(cast, "romeo")
    with at_once(cast.world):
        for client in (one, other):
            asks_to_bind(client, "x")
    assert len(alive(one, other)) == 1
    juliet.sends("<message to='romeo@h/x' type='chat'><body>Again</body></message>")
    assert [text for client in (one, other) for text in texts(client)] == ["Again"]


def test_one_resumes_and_one_binds_the_same_resource(cast):
    """The session goes on, or its place is taken; its message is given once."""
    juliet, previous = asleep(cast, "romeo/x")
    one, other = stranger(cast, "romeo"), stranger(cast, "romeo")
    with at_once(cast.world):
        one.send(f"<resume xmlns='{SM}' h='0' previd='{previous}'/>")
        asks_to_bind(other, "x")
    left = alive(one, other)
    assert len(left) == 1
    left[0].sends("<presence/>")
    left[0].settle()
    juliet.sends("<message to='romeo@h/x' type='chat'><body>Again</body></message>")
    assert texts(left[0]).count("Again") == 1


def test_two_bind_while_the_only_place_becomes_free(tmp_path):
    """Who sleeps makes room for one, and not for each of them."""
    from conftest import Cast

    world = MemoryWorld(tmp_path, limits={"sessions_per_account": 2})
    cast = Cast(world)
    asleep(cast, "romeo/x")
    clients = stranger(cast, "romeo"), stranger(cast, "romeo")
    with at_once(world):
        for number, client in enumerate(clients):
            asks_to_bind(client, f"no-{number}")
    answers = [client.next() for client in clients]
    assert outcomes(*answers) == (1, ["resource-constraint"])
    world.close()


def until_the_proof(client, *extras):
    """Begin a login by SASL2; the response that ends it."""
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256")
    challenge = authenticate(client, "SCRAM-SHA-256", scram.first(), *extras)
    return (
        f"<response xmlns='{SASL2}'>{b64(scram.final(base64.b64decode(challenge.text)))}</response>"
    )


def test_one_installation_logs_in_twice(cast):
    """It has one session, whatever the two are called (XEP-0386 §3.2)."""
    juliet, romeo = cast("juliet"), stranger(cast)
    cast.account("romeo")
    managed = f"<enable xmlns='{SM}' resume='true'/>"
    assert succeeded(log_in(romeo, user_agent(), bind2(inside=managed)))
    romeo.sends("<presence/>")
    romeo.settle()
    romeo.wire.cut()
    juliet.sends(f"<message to='{romeo.jid}' type='chat'><body>Hark!</body></message>")
    juliet.settle()
    reads_the_archive(cast)
    clients = stranger(cast), stranger(cast)
    responses = [
        until_the_proof(client, user_agent(), bind2(tag=tag))
        for client, tag in zip(clients, "ab", strict=True)
    ]
    with at_once(cast.world):
        for client, response in zip(clients, responses, strict=True):
            client.send(response)
    assert len(alive(*clients)) == 1


def test_two_take_the_last_place_for_a_session(tmp_path):
    world = MemoryWorld(tmp_path, limits={"sessions_per_account": 1})
    world.add_account("romeo")
    clients = []
    for _ in range(2):
        client = world.client()
        client.secure()
        client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
        client.open()
        clients.append(client)
    with at_once(world):
        for number, client in enumerate(clients):
            client.send(
                f"<iq type='set' id='b'><bind xmlns='{BIND}'>"
                f"<resource>no-{number}</resource></bind></iq>"
            )
    answers = [client.next() for client in clients]
    assert outcomes(*answers) == (1, ["resource-constraint"])
    world.close()


def test_two_resume_one_session(cast):
    juliet = cast("juliet")
    romeo = cast("romeo")
    romeo.send(f"<enable xmlns='{SM}' resume='true'/>")
    previous = romeo.next().get("id")
    romeo.settle()
    romeo.wire.cut()
    juliet.sends("<message to='romeo@h' type='chat'><body>Hark!</body></message>")
    juliet.settle()
    clients = [stranger(cast, "romeo") for _ in range(2)]
    with at_once(cast.world):
        for client in clients:
            client.send(f"<resume xmlns='{SM}' h='0' previd='{previous}'/>")
    for client in clients:
        first = client.next()
        assert first.tag.partition("}")[2] in ("resumed", "failed", "error")
    assert len(alive(*clients)) == 1
    juliet.sends("<message to='romeo@h' type='chat'><body>Again</body></message>")
    heard = []
    for client in clients:
        while (stanza := client.next(0.5)) is not None:
            heard.append(stanza.findtext("{jabber:client}body"))
    assert heard.count("Again") == 1


def test_one_count_of_a_token_is_used_twice(cast):
    """What was heard of a login comes at the same time as the login itself."""
    cast.account("romeo")
    token = token_of(log_in(stranger(cast), user_agent(), request_token()))
    assert succeeded(token_login(stranger(cast), token, count=1))
    clients = [stranger(cast), stranger(cast)]
    with at_once(cast.world):
        for client in clients:
            ask_by_token(client, token, count=2)
    answers = [client.next() for client in clients]
    assert [failure_of(one) for one in answers if not succeeded(one)] == ["not-authorized"]


# -- rosters and lists -------------------------------------------------------------------------


def roster(client):
    client.sends(f"<iq type='get' id='roster'><query xmlns='{ROSTER}'/></iq>")
    query = client.answer("roster")[0]
    return {item.get("jid"): item.get("name") for item in query}


def test_two_clients_name_one_contact(cast):
    phone, desk = cast("romeo/phone", "romeo/desk")
    for client in (phone, desk):
        roster(client)
    with at_once(cast.world):
        for client, name in ((phone, "Juliet"), (desk, "Capulet")):
            client.sends(
                f"<iq type='set' id='s'><query xmlns='{ROSTER}'>"
                f"<item jid='juliet@h' name='{name}'/></query></iq>"
            )
    for client in (phone, desk):
        assert client.answer("s").get("type") == "result"
    last = []
    for client in (phone, desk):
        pushes = [one for one in client.came() if one.get("type") == "set"]
        assert len(pushes) == 2
        last.append(pushes[-1][0][0].get("name"))
    assert set(last) == set(roster(phone).values()) == set(roster(desk).values())


def test_two_take_the_last_place_in_a_roster(tmp_path):
    from conftest import Cast

    world = MemoryWorld(tmp_path, limits={"roster_items": 1})
    cast = Cast(world)
    phone, desk = cast("romeo/phone", "romeo/desk")
    with at_once(world):
        for client, jid in ((phone, "juliet@h"), (desk, "rosaline@h")):
            client.sends(
                f"<iq type='set' id='s'><query xmlns='{ROSTER}'><item jid='{jid}'/></query></iq>"
            )
    answers = [client.answer("s") for client in (phone, desk)]
    assert outcomes(*answers)[0] == 1
    assert len(roster(phone)) == 1
    world.close()


def test_both_ask_for_and_grant_subscriptions(cast):
    """Who crosses on the way is a friend in the end, on both sides."""
    romeo, juliet = cast("romeo", "juliet")
    for type in ("subscribe", "subscribed"):
        with at_once(cast.world):
            romeo.sends(f"<presence type='{type}' to='juliet@h'/>")
            juliet.sends(f"<presence type='{type}' to='romeo@h'/>")
        for client in (romeo, juliet):
            client.settle()
    for client, friend in ((romeo, "juliet@h"), (juliet, "romeo@h")):
        client.forget()
        client.sends(f"<iq type='get' id='r'><query xmlns='{ROSTER}'/></iq>")
        client.receives(
            f"<iq type='result' id='r'><query xmlns='{ROSTER}'>"
            f"<item jid='{friend}' subscription='both'/></query></iq>"
        )
