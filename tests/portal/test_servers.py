"""What administrators see of other servers, and decide about them."""

import pytest

from hausbote.core.bus import open_bus
from hausbote.storage import Certificate
from hausbote.storage.outgoing import Room
from support.portal import DOMAIN, PortalWorld, heading, words

SHOWN = Certificate("ab" * 32, 1_800_000_000.0, "Some CA")
NO_LIMIT = Room(0, 0, 0)


@pytest.fixture
def world(tmp_path):
    made = PortalWorld(tmp_path, federation={"enabled": "yes"})
    yield made
    made.close()


@pytest.fixture
def owner(world):
    return world.browser_of("juliet")


@pytest.fixture
def known(world):
    """One server that is well, and one that is not."""
    now = world.box.clock()
    world.store.peers.reached("good.example", now, SHOWN)
    world.store.peers.failed("bad.example", now, "expired", "It ended <then>.", SHOWN)
    frame = ("bad.example", DOMAIN, "f", b"<message/>", now - 200_000.0)
    world.store.outgoing.keep(*frame, NO_LIMIT).wait()


def test_servers_are_listed_and_what_is_wrong_comes_first(owner, known):
    page = owner.get("/box/servers")
    assert heading(page) == "The box knows two other servers"
    text = words(page)
    assert text.index("bad.example") < text.index("good.example")
    assert "Its certificate has ended. One message waits." in text
    assert "last spoken with today" in text


def test_a_server_is_told_in_sentences_of_the_page(world, owner, known):
    page = owner.get("/box/servers/bad.example")
    assert heading(page) == "bad.example"
    text = words(page)
    assert "Its certificate has ended. Messages for it go back to who wrote them." in text
    assert "one message, the oldest " in text
    assert "from Some CA, ends on " in text
    assert "It ended &lt;then&gt;." in page.text
    german = world.browser(language="de")
    german.log_in("juliet")
    assert "Sein Zertifikat ist abgelaufen." in words(german.get("/box/servers/bad.example"))
    assert owner.get("/box/servers/unknown.example").status_code == 404


def test_a_cause_without_a_sentence_of_ours_has_that_of_the_log(world, owner):
    world.store.peers.failed("odd.example", 1.0, "odd", "Something odd.", SHOWN).wait()
    assert "Something odd." in words(owner.get("/box/servers"))


def test_many_servers_come_in_portions(world, owner):
    for number in range(60):
        world.store.peers.reached(f"s{number:02}.example", 1.0, Certificate())
    world.store.settle()
    page = owner.get("/box/servers")
    assert "s49.example" in page.text
    assert "s50.example" not in page.text
    page = owner.get("/box/servers?after=s49.example")
    assert "s49.example" not in words(page)
    assert "s59.example" in page.text


@pytest.mark.parametrize("typed", ["Friend.Example", "xmpp@friend.example", "friend.example/x"])
def test_a_server_is_refused_and_let_in_again(world, owner, typed):
    answer = owner.send("/box/servers", "/box/servers", domain=typed, do="deny")
    assert answer.headers["Location"] == "/box/servers"
    assert world.store.server_rules.decisions() == {"friend.example": False}
    text = words(owner.get("/box/servers"))
    assert "The box does not talk with friend.example any more." in text
    assert "refused by you, today" in text
    assert "The box does not talk with it." in words(owner.get("/box/servers/friend.example"))
    owner.post("/box/servers/friend.example", do="allow")
    assert world.store.server_rules.decisions() == {"friend.example": True}
    owner.get("/box/servers")
    owner.post("/box/servers", domain="friend.example", do="forget")
    assert world.store.server_rules.decisions() == {}


@pytest.mark.parametrize("typed", ["", "a b", "@", DOMAIN, f"rooms.{DOMAIN}"])
def test_what_is_no_other_server_is_said_beside_the_field(world, owner, typed):
    page = owner.send("/box/servers", "/box/servers", domain=typed, do="deny")
    assert page.status_code == 400
    assert 'id="w-domain"' in page.text
    assert world.store.server_rules.all() == []


def test_nothing_is_decided_without_the_seal(world, owner, known):
    owner.get("/box/servers")
    answer = owner.post("/box/servers", domain="friend.example", do="deny", seal="")
    assert answer.status_code == 403
    assert owner.post("/box/servers/good.example", do="deny", seal="").status_code == 403
    assert world.store.server_rules.all() == []
    owner.get("/box/servers")
    assert owner.post("/box/servers/good.example", do="nonsense").status_code == 400


def test_s2s_hears_at_once_what_was_decided_and_what_is_to_be_tried(world, owner, known):
    world.settings.bus_dir.mkdir(exist_ok=True)
    heard = []
    s2s = open_bus(f"unix:{world.settings.bus_dir}", "s2s", lambda *_: None)
    s2s.on_notify(heard.append)
    s2s.serve(lambda _frame: ())
    owner.get("/box/servers/good.example")
    owner.post("/box/servers/good.example", do="try")
    assert "It is being tried now." in words(owner.get("/box/servers/good.example"))
    owner.post("/box/servers/good.example", do="deny")
    owner.get("/box/servers")
    owner.post("/box/servers", domain="good.example", do="forget")
    s2s.close(graceful=False)
    rules = {"change": "rules"}
    assert heard == [{"change": "try", "domain": "good.example"}, rules, rules]


def test_while_s2s_is_away_trying_says_so(owner, known):
    owner.get("/box/servers/good.example")
    owner.post("/box/servers/good.example", do="try")
    assert "does not answer now" in words(owner.get("/box/servers/good.example"))


def test_a_box_that_talks_with_nobody_says_so(portal):
    page = portal.browser_of("juliet").get("/box/servers")
    assert heading(page) == "The box talks with no other server"
