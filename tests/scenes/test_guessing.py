"""Guessing passwords, and whom that keeps out: from many addresses, and from other people's pages."""

import pytest

from hausbote.base.ways import WEB, foreign
from support.sasl2_client import failure_of, log_in, succeeded, user_agent
from support.scram_client import ScramClient
from support.web import BoshWire, FramedClient, WebSocketWire, asked
from support.worlds import PASSWORD, MemoryWorld, RunningWorld

PAGE = "https://evil.example"
LISTED = "https://chat.example.org"
HELD_BACK = "temporary-auth-failure"


@pytest.fixture
def world(tmp_path):
    """Where two failures in a row are too many, and four for all strangers together."""
    memory = MemoryWorld(tmp_path, limits={"login_attempts": 2})
    memory.add_account("romeo")
    memory.add_account("juliet")
    yield memory
    memory.close()


def tries(client, password, user="romeo"):
    """What comes of a login: `success`, or why not."""
    if client.header is None:
        client.secure()
    answer = client.authenticate(ScramClient(user, password, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.wire.cut()
    name = answer.tag.partition("}")[2]
    return name if name == "success" else answer[0].tag.partition("}")[2]


def everybody_guesses(world, user="romeo"):
    """From many addresses, until strangers are held back wherever they are."""
    for number in range(2):
        for _ in range(2):
            client = world.client(address=f"198.51.100.{number}")
            assert tries(client, "wrong", user) == "not-authorized"
    assert tries(world.client(address="203.0.113.9"), PASSWORD, user) == HELD_BACK


def test_who_logged_in_from_there_before_gets_in_while_everybody_guesses(world):
    home = world.client(address="192.0.2.77").log_in("romeo", PASSWORD, "home")
    everybody_guesses(world)
    assert tries(world.client(address="192.0.2.77"), PASSWORD) == "success"
    home.receives_nothing()


def test_a_device_that_was_here_before_gets_in_from_anywhere(world):
    phone = world.client(address="192.0.2.77")
    phone.secure()
    assert succeeded(log_in(phone, user_agent()))
    everybody_guesses(world)
    travelling = world.client(address="203.0.113.5")
    travelling.secure()
    assert succeeded(log_in(travelling, user_agent()))
    thief = world.client(address="203.0.113.6")
    thief.secure()
    unknown = user_agent(id="d4565fa7-4d72-4749-b3d3-740edbf87771")
    assert failure_of(log_in(thief, unknown)) == HELD_BACK


def test_names_without_an_account_are_held_back_alike(world):
    everybody_guesses(world, "nobody")


def test_other_accounts_are_not_held_back(world):
    everybody_guesses(world)
    assert tries(world.client(address="203.0.113.9"), PASSWORD, "juliet") == "success"


def test_what_a_page_fails_keeps_out_neither_its_visitors_nor_the_account(world):
    here = "192.0.2.77"
    for _ in range(2):
        assert tries(world.client(address=here, way=foreign(PAGE)), "wrong") == "not-authorized"
    for address in (here, "203.0.113.5"):
        assert tries(world.client(address=address, way=WEB), PASSWORD) == "success"
        assert tries(world.client(address=address), PASSWORD) == "success"
    assert tries(world.client(address=here, way=foreign(PAGE)), PASSWORD) == HELD_BACK


# -- what the owner sees ------------------------------------------------------------------------


def why(capsys):
    """The reasons of failed logins in the log, which names nobody."""
    told = capsys.readouterr().err
    assert "romeo" not in told
    lines = [line for line in told.splitlines() if "login-failed" in line or "held-back" in line]
    return [line.rpartition(" why=")[2] for line in lines]


def test_the_log_says_why_a_login_failed(world, capsys):
    world.store.accounts.set_locked("juliet", True)
    why(capsys)
    tries(world.client(), PASSWORD, "juliet")
    assert why(capsys) == ["locked"]
    client = world.client()
    client.wire.bindings = {"tls-server-end-point": b"end"}
    client.secure()
    scram = ScramClient("romeo", PASSWORD, "SCRAM-SHA-256-PLUS", ("tls-unique", b"x"))
    client.authenticate(scram, "SCRAM-SHA-256-PLUS")
    assert why(capsys) == ["unknown-binding"]
    client.authenticate(ScramClient("romeo", PASSWORD, "SCRAM-SHA-1", flag="y"), "SCRAM-SHA-1")
    assert why(capsys) == ["downgrade"]
    client.authenticate(ScramClient("romeo", PASSWORD, "PLAIN"), "PLAIN")
    assert why(capsys) == ["invalid-mechanism"]
    for _ in range(2):
        assert tries(world.client(), "wrong") == "not-authorized"
    assert why(capsys) == ["wrong-password"] * 2
    assert tries(world.client(), PASSWORD) == HELD_BACK
    assert why(capsys) == ["throttled"]
    assert tries(world.client(), "wrong", "nobody") == "not-authorized"
    assert why(capsys) == ["wrong-password"]


# -- over the web for real ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def strict_box(tmp_path_factory):
    """Where one failure is too many."""
    state = tmp_path_factory.mktemp("strict") / "state"
    box = RunningWorld(state, "limits.login_attempts=1", address="127.0.0.31")
    yield box
    box.close()


@pytest.fixture(scope="module")
def listing_box(tmp_path_factory):
    """Where one page besides the box's own may log in."""
    state = tmp_path_factory.mktemp("listing") / "state"
    box = RunningWorld(state, f'web.origins=["{LISTED}"]', address="127.0.0.32")
    yield box
    box.close()


@pytest.mark.parametrize("wire", [WebSocketWire, BoshWire])
def test_the_origin_of_a_page_decides_whom_its_failures_keep_out(strict_box, wire):
    user = wire.__name__.lower()
    strict_box.add_account(user)

    def client(origin=None):
        return FramedClient(wire(strict_box, origin=origin), "h")

    assert tries(client(PAGE), "wrong", user) == "not-authorized"
    assert tries(client(PAGE), PASSWORD, user) == HELD_BACK
    assert tries(client("https://h"), PASSWORD, user) == "success"
    assert tries(client(), PASSWORD, user) == "success"
    assert tries(strict_box.client(), PASSWORD, user) == "success"


def test_a_page_that_is_not_in_the_list_may_not_log_in(listing_box):
    listing_box.add_account("romeo")
    assert WebSocketWire(listing_box, origin=PAGE).rejected == 403
    status, headers, _ = asked(listing_box, "POST", "/http-bind", b"", Origin=PAGE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (403, None)
    status, headers, _ = asked(listing_box, "OPTIONS", "/http-bind", Origin=PAGE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (403, None)


@pytest.mark.parametrize("origin", [LISTED, "https://h", None])
@pytest.mark.parametrize("wire", [WebSocketWire, BoshWire])
def test_listed_pages_the_boxs_own_and_programs_may_log_in(listing_box, wire, origin):
    listing_box.add_account("romeo")
    assert tries(FramedClient(wire(listing_box, origin=origin), "h"), PASSWORD) == "success"


def test_a_listed_page_may_read_the_answers(listing_box):
    status, headers, _ = asked(listing_box, "OPTIONS", "/http-bind", Origin=LISTED)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, LISTED)
    assert headers["Vary"] == "Origin"


def test_where_the_box_is_may_be_read_by_every_page(listing_box):
    status, headers, _ = asked(listing_box, "GET", "/.well-known/host-meta.json", Origin=PAGE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
