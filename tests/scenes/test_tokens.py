"""Logging in with a token (XEP-0484), and seeing and revoking who has access (XEP-0494)."""

import pytest

from hausbote.features.clients import forget_old_clients
from hausbote.storage import NEW, Token
from hausbote.xmpp.sasl import derive_keys
from support.sasl2_client import (
    DESK,
    FAST,
    PHONE,
    authenticate,
    bind2,
    failure_of,
    log_in,
    request_token,
    succeeded,
    token_login,
    token_of,
    user_agent,
)
from support.worlds import PASSWORD, MemoryWorld

CAM = "urn:xmpp:cam:0"
DAY = 86_400


@pytest.fixture
def stranger(cast):
    cast.account("romeo", "juliet")

    def open():
        client = cast.world.client()
        cast.clients.append(client)
        client.secure()
        return client

    return open


@pytest.fixture
def token(stranger):
    """What romeo's phone was given."""
    return token_of(log_in(stranger(), user_agent(), request_token()))


def test_a_token_is_given_to_who_asks_and_to_nobody_else(stranger):
    answer = log_in(stranger(), user_agent(), request_token())
    found = answer.find(f"{{{FAST}}}token")
    assert len(found.get("token")) >= 22
    assert found.get("expiry").endswith("Z")
    assert token_of(log_in(stranger(), user_agent())) is None


@pytest.mark.parametrize(
    "asking",
    [
        (request_token(),),  # no user agent
        (user_agent(id=""), request_token()),
        (user_agent(), request_token("HT-SHA-256-UNIQ")),
        (user_agent(), request_token("SCRAM-SHA-1")),
        (user_agent(), f"<request-token xmlns='{FAST}'/>"),
    ],
)
def test_without_an_id_or_for_no_mechanism_there_is_no_token(stranger, asking):
    answer = log_in(stranger(), *asking)
    assert succeeded(answer)
    assert token_of(answer) is None


def test_who_fails_gets_no_token(stranger):
    answer = log_in(stranger(), user_agent(), request_token(), password="wrong")
    failure_of(answer)
    assert token_of(answer) is None


def test_a_token_logs_in_by_one_message_again_and_again(stranger, token):
    for _ in range(3):
        client = stranger()
        answer = token_login(client, token, bind2())
        assert succeeded(answer)
        assert client.jid.startswith("romeo@h/Awesome/")
        assert token_of(answer) is None
    client.next()
    client.sends("<presence/>")
    client.receives(f"<presence from='{client.jid}'/>")


def test_every_way_to_fail_looks_the_same(stranger, token):
    client = stranger()
    failures = [
        token_login(client, "x" * 43),
        token_login(client, token, user="nobody"),
        token_login(client, token, user="juliet"),
    ]
    assert {failure_of(answer) for answer in failures} == {"not-authorized"}
    assert succeeded(token_login(stranger(), token))


def test_a_token_is_of_one_installation(stranger, token):
    log_in(stranger(), user_agent(DESK), request_token())
    assert failure_of(token_login(stranger(), token, agent=DESK)) == "not-authorized"
    assert failure_of(token_login(stranger(), token, agent="")) == "malformed-request"
    assert succeeded(token_login(stranger(), token))


def test_a_token_is_for_one_mechanism(world, stranger):
    """This one is for another mechanism, whose binding is not even needed to see that."""
    log_in(stranger(), user_agent(), request_token())
    bound = Token(NEW, "HT-SHA-256-ENDP", "secret-of-another-mechanism", 0, 2**40)
    assert world.store.tokens.issue("romeo", PHONE, bound)
    assert failure_of(token_login(stranger(), bound.secret)) == "not-authorized"


def test_many_bad_tokens_do_not_keep_the_password_out(stranger, token):
    for _ in range(4):
        client = stranger()
        for _ in range(3):
            failure_of(token_login(client, "wrong"))
    assert succeeded(token_login(stranger(), token))
    assert succeeded(log_in(stranger(), user_agent()))


def test_many_bad_tokens_end_the_stream(stranger):
    client = stranger()
    for _ in range(4):
        failure_of(token_login(client, "wrong"))
    client.is_ended_with("policy-violation")


def test_a_count_must_grow(stranger, token):
    assert succeeded(token_login(stranger(), token, count=3))
    for count in (3, 2):
        assert failure_of(token_login(stranger(), token, count=count)) == "not-authorized"
    assert succeeded(token_login(stranger(), token, count=4))


def test_who_has_counted_goes_on_counting(stranger, token):
    """What was heard of a login with a count must not do without one."""
    assert succeeded(token_login(stranger(), token))
    assert succeeded(token_login(stranger(), token, count=3))
    for more in ((), (bind2(),)):
        assert failure_of(token_login(stranger(), token, *more)) == "not-authorized"
    assert succeeded(token_login(stranger(), token, count=4))


def test_another_token_is_counted_anew(stranger, token):
    assert succeeded(token_login(stranger(), token, count=7))
    fresh = token_of(token_login(stranger(), token, request_token(), count=8))
    assert succeeded(token_login(stranger(), fresh))
    assert succeeded(token_login(stranger(), fresh, count=1))


@pytest.mark.parametrize("count", ["0", "-1", "x", "", "1.5", "9" * 30, "١"])
def test_what_is_no_count_is_refused(stranger, token, count):
    assert failure_of(token_login(stranger(), token, count=count)) == "malformed-request"
    assert succeeded(token_login(stranger(), token))


@pytest.mark.parametrize(
    "message", [b"", b"romeo", b"romeo\0", b"\0x", b"\xff\0x", b"a b\0x", b"x" * 2000 + b"\0x"]
)
def test_what_is_no_proof_is_refused(stranger, message):
    fast = f"<fast xmlns='{FAST}'/>"
    answer = authenticate(stranger(), "HT-SHA-256-NONE", message, user_agent(), fast)
    assert failure_of(answer) in ("malformed-request", "not-authorized")


def test_a_token_does_not_go_with_a_mechanism_for_passwords(stranger):
    answer = authenticate(
        stranger(), "SCRAM-SHA-1", b"n,,n=romeo,r=x", user_agent(), f"<fast xmlns='{FAST}'/>"
    )
    assert failure_of(answer) == "invalid-mechanism"


def test_a_token_is_no_password_to_upgrade_with(world, stranger, token):
    world.store.accounts.delete("nurse", "nurse@h")
    world.store.accounts.create("nurse", {"SHA-1": derive_keys(PASSWORD, "SHA-1")})
    hers = token_of(
        log_in(stranger(), user_agent(), request_token(), user="nurse", mechanism="SCRAM-SHA-1")
    )
    wish = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>"
    assert succeeded(token_login(stranger(), hers, wish, user="nurse"))
    world.add_account("nurse")  # or nobody is offered what she has no keys for


# -- the life of a token -----------------------------------------------------------------------


def test_a_new_token_ends_the_old_one_by_its_first_use(stranger, token):
    new = token_of(token_login(stranger(), token, request_token()))
    assert new not in (None, token)
    assert succeeded(token_login(stranger(), token))  # the new one may have been lost on its way
    assert succeeded(token_login(stranger(), new))
    assert failure_of(token_login(stranger(), token)) == "credentials-expired"
    assert succeeded(token_login(stranger(), new))


def test_who_shows_no_token_that_was_valid_once_does_not_learn_that_there_was_one(stranger, token):
    """Nor does whoever shows one for another mechanism, account or client."""
    token_login(stranger(), token, invalidate="true")
    log_in(stranger(), user_agent(DESK), request_token())
    client = stranger()
    failures = [
        token_login(client, "x" * 43),
        token_login(client, token, user="juliet"),
        token_login(client, token, agent=DESK),
    ]
    assert {failure_of(answer) for answer in failures} == {"not-authorized"}
    assert failure_of(token_login(client, token)) == "credentials-expired"


def test_the_last_two_tokens_that_ended_are_known_and_log_nobody_in(stranger, token):
    tokens = [token]
    for _ in range(3):
        tokens.append(token_of(token_login(stranger(), tokens[-1], request_token())))
    assert succeeded(token_login(stranger(), tokens[-1]))
    heard = [failure_of(token_login(stranger(), one)) for one in tokens[:-1]]
    assert heard == ["not-authorized", "credentials-expired", "credentials-expired"]
    token_login(stranger(), tokens[-1], invalidate="true")
    assert failure_of(token_login(stranger(), tokens[-1])) == "credentials-expired"
    assert succeeded(log_in(stranger(), user_agent()))


def test_a_locked_account_hears_nothing_about_its_tokens(world, stranger, token):
    token_login(stranger(), token, invalidate="true")
    world.store.accounts.set_locked("romeo", True)
    assert failure_of(token_login(stranger(), token)) == "not-authorized"
    world.store.accounts.set_locked("romeo", False)
    assert failure_of(token_login(stranger(), token)) == "credentials-expired"


def test_of_two_new_tokens_that_nobody_used_the_last_one_is_good(stranger, token):
    first = token_of(token_login(stranger(), token, request_token()))
    second = token_of(token_login(stranger(), first, request_token()))
    third = token_of(token_login(stranger(), first, request_token()))
    assert failure_of(token_login(stranger(), second)) == "credentials-expired"
    assert succeeded(token_login(stranger(), third))


@pytest.mark.parametrize("yes", ["true", "1"])
def test_a_client_gives_its_token_back(stranger, token, yes):
    answer = token_login(stranger(), token, invalidate=yes)
    assert succeeded(answer)
    assert token_of(answer) is None
    assert failure_of(token_login(stranger(), token)) == "credentials-expired"


def test_a_client_exchanges_its_token(stranger, token):
    new = token_of(token_login(stranger(), token, request_token(), invalidate="true"))
    assert failure_of(token_login(stranger(), token)) == "credentials-expired"
    assert succeeded(token_login(stranger(), new))


def test_another_password_ends_tokens_and_sessions(cast, stranger, token):
    phone = stranger()
    token_login(phone, token, bind2())
    desk = cast("romeo/desk")
    desk.sends(
        "<iq type='set' id='1'><query xmlns='jabber:iq:register'>"
        "<username>romeo</username><password>new</password></query></iq>"
    )
    desk.receives("<iq type='result' id='1'/>")
    phone.is_ended_with("reset")
    assert failure_of(token_login(stranger(), token)) == "credentials-expired"
    desk.receives_nothing()


@pytest.fixture
def later(tmp_path):
    """A box whose clock can be set forward, with romeo's token."""
    world = MemoryWorld(tmp_path)
    now = [world.host.clock()]
    world.host.clock = lambda: now[0]
    world.add_account("romeo")

    def open(days=0.0):
        now[0] += days * DAY
        client = world.client()
        client.secure()
        return client

    yield open, token_of(log_in(open(), user_agent(), request_token()))
    world.close()


def test_a_token_is_renewed_when_it_is_a_day_old(later):
    at, token = later
    assert token_of(token_login(at(0.9), token)) is None
    new = token_of(token_login(at(0.2), token))
    assert new not in (None, token)
    assert succeeded(token_login(at(29), new))


def test_a_token_that_is_given_back_is_not_renewed(later):
    at, token = later
    answer = token_login(at(2), token, invalidate="true")
    assert succeeded(answer)
    assert token_of(answer) is None


def test_a_token_ends(later):
    at, token = later
    assert succeeded(token_login(at(29), token))
    assert failure_of(token_login(at(1.1), token)) == "credentials-expired"
    assert succeeded(log_in(at(), user_agent()))


def test_a_box_may_give_none(tmp_path):
    world = MemoryWorld(tmp_path, retention={"tokens_days": 0})
    world.add_account("romeo")
    client = world.client()
    assert client.secure().find(f".//{{{FAST}}}fast") is None
    assert token_of(log_in(client, user_agent(), request_token())) is None
    other = world.client()
    other.secure()
    assert failure_of(token_login(other, "x")) == "invalid-mechanism"
    world.close()


# -- who has access ----------------------------------------------------------------------------


def clients_of(client):
    client.sends(f"<iq type='get' id='c'><list xmlns='{CAM}'/></iq>")
    while (answer := client.next()).get("id") != "c":
        pass
    assert answer.get("type") == "result"
    return {one.findtext(f".//{{{CAM}}}software"): one for one in answer.iter(f"{{{CAM}}}client")}


def ways(entry):
    return {one.tag.partition("}")[2] for one in entry.find(f"{{{CAM}}}auth")}


def revoke(client, id):
    client.sends(f"<iq type='set' id='r'><revoke xmlns='{CAM}' id='{id}'/></iq>")


def test_an_account_sees_its_clients(cast, stranger):
    desk = cast("romeo/desk")
    phone = stranger()
    log_in(phone, user_agent(software="Gajim", device="Juliet's laptop"), request_token(), bind2())
    log_in(stranger(), user_agent(DESK, software="Other"))
    seen = clients_of(desk)
    assert set(seen) == {"Gajim", "Other", None}
    gajim = seen["Gajim"]
    assert gajim.get("connected") == "true"
    assert gajim.get("type") == "session"
    assert ways(gajim) == {"password", "fast"}
    assert gajim.findtext(f".//{{{CAM}}}device") == "Juliet's laptop"
    assert gajim.find(f"{{{CAM}}}permission").get("status") == "unrestricted"
    assert gajim.findtext(f"{{{CAM}}}first-seen") <= gajim.findtext(f"{{{CAM}}}last-seen")
    assert seen["Other"].get("connected") == "false"
    assert ways(seen["Other"]) == {"password"}
    assert ways(seen[None]) == {"password"}
    assert len({one.get("id") for one in seen.values()}) == 3
    assert PHONE not in {one.get("id") for one in seen.values()}


def test_what_may_know_the_password_is_ended_and_its_owner_told_to_change_that(cast, stranger):
    desk = cast("romeo/desk")
    phone = stranger()
    token = token_of(log_in(phone, user_agent(software="Gajim"), request_token(), bind2()))
    revoke(desk, clients_of(desk)["Gajim"].get("id"))
    desk.receives(
        f"<iq type='error' id='r'><error type='cancel'><service-unavailable "
        f"xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><password-reset-required xmlns='{CAM}'/></error></iq>"
    )
    phone.is_ended_with("not-authorized")
    assert failure_of(token_login(stranger(), token)) == "credentials-expired"
    assert ways(clients_of(desk)["Gajim"]) == {"password"}


def test_a_client_that_has_only_a_token_is_out(world, cast, stranger):
    desk = cast("romeo/desk")
    token = token_of(log_in(stranger(), user_agent(software="Gajim"), request_token()))
    phone = stranger()
    token_login(phone, token, bind2())
    desk.sends(
        "<iq type='set' id='1'><query xmlns='jabber:iq:register'>"
        "<username>romeo</username><password>new</password></query></iq>"
    )
    desk.receives("<iq type='result' id='1'/>")
    phone.is_ended_with("reset")
    assert set(clients_of(desk)) == {None}
    assert world.store.tokens.issue(
        "romeo", PHONE, Token(NEW, "HT-SHA-256-NONE", "given", 2**31, 2**40)
    )
    phone = stranger()
    assert succeeded(token_login(phone, "given", bind2()))
    seen = clients_of(desk)
    (entry,) = [one for one in seen.values() if ways(one) == {"fast"}]
    revoke(desk, entry.get("id"))
    desk.receives("<iq type='result' id='r'/>")
    phone.is_ended_with("not-authorized")
    assert set(clients_of(desk)) == {None}
    assert failure_of(token_login(stranger(), "given")) == "not-authorized"


def test_a_session_without_a_name_can_be_ended_too(cast):
    desk, phone = cast("romeo/desk", "romeo/phone")
    desk.forget()
    desk.sends(f"<iq type='get' id='c'><list xmlns='{CAM}'/></iq>")
    for entry in desk.receives("<iq type='result' id='c'/>").iter(f"{{{CAM}}}client"):
        revoke(desk, entry.get("id"))
        while desk.next().get("id") != "r":
            pass
    phone.is_ended_with("not-authorized")
    desk.settle()


@pytest.mark.parametrize(
    ("payload", "condition"),
    [
        (f"<revoke xmlns='{CAM}' id='nothing'/>", "item-not-found"),
        (f"<revoke xmlns='{CAM}'/>", "bad-request"),
    ],
)
def test_what_is_no_client_cannot_be_revoked(cast, payload, condition):
    romeo = cast("romeo")
    romeo.sends(f"<iq type='set' id='r'>{payload}</iq>")
    romeo.receives(
        f"<iq type='error'><error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )


def test_nobody_sees_or_ends_anothers_clients(cast, stranger):
    juliet = cast("juliet")
    log_in(stranger(), user_agent(software="Gajim"))
    for type, payload in (("get", "<list"), ("set", "<revoke id='x'")):
        juliet.sends(f"<iq type='{type}' id='x' to='romeo@h'>{payload} xmlns='{CAM}'/></iq>")
        juliet.receives(
            "<iq type='error'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )


def test_only_so_many_clients_are_remembered(tmp_path):
    world = MemoryWorld(tmp_path, limits={"clients_per_account": 3})
    world.add_account("romeo")
    now = [1_000.0]
    world.host.clock = lambda: now[0]
    for number in range(5):
        now[0] += 1
        client = world.client()
        client.secure()
        log_in(client, user_agent(f"d4565fa7-4d72-4749-b3d3-74000000000{number}", f"app {number}"))
    world.store.settle()
    assert [one.software for one in world.store.clients.all("romeo")] == ["app 4", "app 3", "app 2"]
    world.close()


def test_clients_that_stay_away_are_forgotten(tmp_path):
    world = MemoryWorld(tmp_path)
    world.add_account("romeo")
    now = [1_000.0]
    world.host.clock = lambda: now[0]
    stays, goes = world.client(), world.client()
    for client, agent, name in ((stays, PHONE, "stays"), (goes, DESK, "goes")):
        client.secure()
        log_in(client, user_agent(agent, name), bind2())
        client.next()
    goes.leaves()
    now[0] += 91 * DAY
    stays.receives_nothing()
    forget_old_clients(world.host)
    world.store.settle()
    assert [one.software for one in world.store.clients.all("romeo")] == ["stays"]
    world.close()
