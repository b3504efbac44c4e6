"""A box is claimed, step by step, in any order and with any interruption."""

import json

import pytest

from hausbote.base.claim import FILE
from hausbote.portal.pages import claim
from support.portal import heading, words
from support.worlds import PASSWORD


@pytest.fixture(autouse=True)
def fresh_counts(monkeypatch):
    """Wrong codes are counted in the process, which tests share; and nobody waits."""
    for name in ("_of_network", "_of_all"):
        kept = getattr(claim, name)
        fresh = claim.Throttle(kept._limit, 300.0)
        monkeypatch.setattr(claim, name, fresh)
    monkeypatch.setattr(claim, "_SLOW", 0.0)


@pytest.fixture
def owner(unclaimed):
    """A browser that has the code."""
    browser = unclaimed.browser()
    assert browser.get(f"/claim/{unclaimed.code}").headers["Location"] == "/claim/language"
    return browser


def test_the_code_may_be_typed_carelessly(unclaimed):
    browser = unclaimed.browser()
    typed = unclaimed.code.lower().replace("-", " ")
    answer = browser.send("/claim", "/claim", code=typed)
    assert answer.headers["Location"] == "/claim/language"
    assert heading(browser.get("/claim/language")) == "Which language shall we speak?"


def test_a_wrong_code_opens_nothing(unclaimed):
    browser = unclaimed.browser()
    answer = browser.send("/claim", "/claim", code="ABCD-ABCD-ABCD-ABCD")
    assert answer.status_code == 403
    assert "This is not the code" in words(answer)
    for step in ("language", "domain", "administrator"):
        assert browser.get(f"/claim/{step}").headers["Location"] == "/claim"
    made = browser.post("/claim/administrator", name="iago", password="put money in thy purse")
    assert made.headers["Location"] == "/claim"
    assert unclaimed.store.accounts.count() == 0


def test_codes_are_not_guessed(unclaimed):
    guesser = unclaimed.browser(address="198.51.100.9")
    guesser.get("/claim")
    for _ in range(10):
        assert guesser.post("/claim", code="ABCD-ABCD-ABCD-ABCD").status_code == 403
    assert guesser.post("/claim", code=unclaimed.code).status_code == 429
    assert guesser.get(f"/claim/{unclaimed.code}").status_code == 429
    other = unclaimed.browser(address="203.0.113.4")
    assert other.get(f"/claim/{unclaimed.code}").status_code == 303


def test_the_first_administrator_is_made_and_logged_in(unclaimed, owner):
    owner.get("/claim/administrator")
    answer = owner.post("/claim/administrator", name="Juliet", password=PASSWORD)
    assert answer.headers["Location"] == "/setup/names"
    assert unclaimed.store.accounts.admins() == ["juliet"]
    assert heading(owner.get("/setup/names")) == "The world need not know this box"
    assert not (unclaimed.settings.state / FILE).exists()
    # The code is good for nothing now.
    assert unclaimed.browser().get(f"/claim/{unclaimed.code}").headers["Location"] == "/"


def test_what_is_wrong_is_said_beside_it_and_the_name_stays(unclaimed, owner):
    owner.get("/claim/administrator")
    answer = owner.post("/claim/administrator", name="juliet", password="short")
    assert answer.status_code == 400
    assert "at least ten characters" in words(answer)
    assert 'value="juliet"' in answer.text
    assert "short" not in answer.text
    assert unclaimed.store.accounts.count() == 0


def test_two_owners_at_once_are_one(unclaimed):
    first, second = unclaimed.browser(), unclaimed.browser()
    for browser in (first, second):
        browser.get(f"/claim/{unclaimed.code}")
        browser.get("/claim/administrator")
    assert first.post("/claim/administrator", name="juliet", password=PASSWORD).status_code == 303
    late = second.post("/claim/administrator", name="iago", password=PASSWORD)
    assert late.headers["Location"] == "/"
    assert unclaimed.store.accounts.admins() == ["juliet"]


def test_another_domain_is_a_wish(unclaimed, owner):
    owner.get("/claim/domain")
    answer = owner.post("/claim/domain", domain="https://Chat.Verona.example/")
    assert heading(answer) == "The box starts again"
    wishes = json.loads((unclaimed.settings.state / "wishes.json").read_text())
    assert wishes["domain"] == "chat.verona.example"
    # Until the box has started anew, the next step waits for it.
    assert heading(owner.get("/claim/administrator")) == "The box starts again"


@pytest.mark.parametrize(
    "domain", ["", "verona", "a b.example", "192.0.2.1", "x" * 300 + ".example"]
)
def test_what_is_no_domain_is_told(unclaimed, owner, domain):
    owner.get("/claim/domain")
    answer = owner.post("/claim/domain", domain=domain)
    assert answer.status_code == 400
    assert 'class="wrong"' in answer.text
    assert not (unclaimed.settings.state / "wishes.json").exists()


def test_staying_changes_nothing(unclaimed, owner):
    owner.get("/claim/domain")
    answer = owner.post("/claim/domain", choice="stay")
    assert answer.headers["Location"] == "/claim/administrator"
    assert not (unclaimed.settings.state / "wishes.json").exists()


def test_the_domain_stays_when_there_are_accounts(unclaimed, owner):
    unclaimed.add_account("romeo")
    assert "There are accounts" in words(owner.get("/claim/domain"))
    owner.post("/claim/domain", domain="other.example")
    assert not (unclaimed.settings.state / "wishes.json").exists()


def test_the_language_that_is_chosen_is_spoken_from_then_on(owner):
    owner.get("/claim/language")
    owner.post("/claim/language", language="de")
    assert heading(owner.get("/claim/domain")) == "Wie heißen hier die Adressen?"


def test_a_disk_that_does_not_take_a_wish_is_told(unclaimed, owner):
    owner.get("/claim/domain")
    (unclaimed.settings.state / "wishes.json.part").mkdir()  # nothing can be written there
    answer = owner.post("/claim/domain", domain="chat.verona.example")
    assert (answer.status_code, heading(answer)) == (503, "This cannot be kept now")


def test_an_owner_whose_login_cannot_be_kept_logs_in(unclaimed, owner):
    owner.get("/claim/administrator")
    with unclaimed.no_new_sessions():
        answer = owner.post("/claim/administrator", name="juliet", password=PASSWORD)
    assert answer.headers["Location"] == "/login"
    assert unclaimed.store.accounts.admins() == ["juliet"]
