"""Credentials for the relay, without a relay."""

import base64
import hashlib
import hmac
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.base.relay import Answer, Offer, Question
from hausbote.base.settings import Settings
from hausbote.turn.credentials import issue
from hausbote.turn.desk import Desk
from hausbote.turn.secrets import Secrets, secrets_of

HOUR, DAY = 3_600, 86_400


# -- the TURN REST scheme ----------------------------------------------------------------------


def test_the_password_is_the_names_hmac():
    """Seen with another program than our own."""
    made = issue("north", "romeo@h", 1_700_000_000.9, 600)
    command = ["openssl", "dgst", "-sha1", "-hmac", "north", "-binary"]
    digest = subprocess.run(command, input=made.username.encode(), capture_output=True, check=True)
    assert made.password == base64.b64encode(digest.stdout).decode()


def test_the_name_begins_with_the_time_of_its_end():
    made = issue("north", "romeo@h", 1_700_000_000.9, 600)
    assert made.expires == 1_700_000_600
    assert made.username.startswith("1700000600:")


@given(st.floats(1e9, 2e9), st.integers(1, 3_600))
def test_credentials_never_last_longer_than_they_may_and_never_much_shorter(now, seconds):
    left = issue("north", "romeo@h", now, seconds).expires - int(now)
    assert seconds * 11 / 12 <= left <= seconds


def test_who_asks_again_soon_gets_the_same():
    first = issue("north", "romeo@h", 1_700_000_100, 3_600)
    assert issue("north", "romeo@h", 1_700_000_110, 3_600) == first
    assert issue("north", "romeo@h", 1_700_000_900, 3_600).expires > first.expires


def test_an_account_has_one_pseudonym_per_secret():
    def pseudonym(secret, account, now=0):
        return issue(secret, account, now, 60).username.partition(":")[2]

    assert pseudonym("north", "romeo@h") == pseudonym("north", "romeo@h", 5_000)
    others = [pseudonym("north", "juliet@h"), pseudonym("south", "romeo@h"), pseudonym("north", "")]
    assert len({pseudonym("north", "romeo@h"), *others}) == 4
    assert ":" not in pseudonym("north", "romeo@h")  # where coturn would cut it


# -- what services say to each other -----------------------------------------------------------


def test_questions_and_answers_survive_the_bus():
    question = Question("1", "romeo@h", "turn", "h", 3478, "udp", True)
    assert Question.unpack(question.pack()) == question
    for offers in (None, (), (Offer("turn", "h", 1, "udp", "5:x", "secret", 5),)):
        assert Answer.unpack(Answer("1", offers).pack()) == Answer("1", offers)


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"5", b"null"])
def test_what_is_no_question_is_a_value_error(data):
    with pytest.raises(ValueError, match=r".*"):
        Question.unpack(data)


# -- the desk ----------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


class Office:
    """A desk with a clock that the test moves."""

    def __init__(self, state, **relay):
        raw = {"domain": "h", "relay": {"run": "elsewhere"} | relay}
        self.settings = Settings.from_dict(
            raw | {"limits": {"relay_credentials_per_hour": 2}}, state
        )
        self.clock = Clock()
        self.secrets = secrets_of(self.settings)
        self.secrets.make(self.clock())
        self.desk = Desk(self.settings, self.secrets, self.clock)

    def ask(self, account="romeo@h", **what):
        return self.desk.answer(Question("1", account, **what)).offers

    def is_good(self, offer):
        """As coturn sees it."""
        made = [
            hmac.digest(s.encode(), offer.username.encode(), hashlib.sha1)
            for s in self.secrets.all()
        ]
        return offer.expires > self.clock() and base64.b64decode(offer.password) in made


@pytest.fixture
def office(tmp_path, monkeypatch):
    """The relay is here, whether or not there is one on this machine."""
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    return Office(tmp_path, run="here", secret_days=10)


def test_all_of_one_answer_has_the_same_credentials(office):
    offers = office.ask()
    signed = {(o.username, o.password) for o in offers if o.is_restricted}
    assert len(signed) == 1
    assert [o.username for o in offers if not o.is_restricted] == ["", ""]


def test_an_account_that_asks_too_often_waits_and_nobody_else(office):
    assert office.ask()
    assert office.ask(type="turns")
    assert office.ask() is None
    assert office.ask(type="turn") is None
    assert office.ask("juliet@h")


def test_what_needs_no_credentials_is_not_counted(office):
    for _ in range(5):
        assert len(office.ask(type="stun")) == 2
        assert office.ask(type="ftp") == ()
    assert office.ask()


def test_what_nobody_asked_for_is_not_counted(office):
    for _ in range(5):
        assert office.ask(unasked=True)
    assert office.ask()
    assert office.ask()


def test_the_secret_changes_in_time_and_what_it_signed_stays_good(office):
    office.clock.now += 10 * DAY - 60
    assert not office.desk.tend()
    (before,) = office.ask(type="turns")
    office.clock.now += 120
    assert not office.desk.tend()
    (after,) = office.ask(type="turns")
    assert before.username.partition(":")[2] != after.username.partition(":")[2]
    assert office.is_good(before)
    assert office.is_good(after)


def test_an_old_secret_is_dropped_when_nothing_of_it_is_good_any_more(office):
    (old,) = office.secrets.all()
    office.clock.now += 10 * DAY + 1
    office.desk.tend()
    office.clock.now += HOUR - 1
    office.desk.tend()
    assert old in office.secrets.all()
    office.clock.now += 2
    assert not office.desk.tend()
    assert old not in office.secrets.all()


def test_the_desk_notices_when_the_owner_voids_everything(office):
    (offer,) = office.ask(type="turns")
    by_hand = secrets_of(office.settings)
    by_hand.rotate(office.clock())
    by_hand.forget_before(office.clock())
    assert office.desk.tend()
    assert not office.is_good(offer)
    (offer,) = office.ask(type="turns")
    assert office.is_good(offer)
    assert not office.desk.tend()


def test_a_changed_secret_alone_voids_nothing(office):
    (offer,) = office.ask(type="turns")
    secrets_of(office.settings).rotate(office.clock())
    assert not office.desk.tend()
    assert office.is_good(offer)


@pytest.mark.parametrize("how", [{"run": "elsewhere"}, {"run": "here", "secret_days": 0}])
def test_a_secret_that_is_not_to_change_stays(tmp_path, how):
    office = Office(tmp_path, **how)
    before = office.secrets.all()
    office.clock.now += 1_000 * DAY
    office.desk.tend()
    assert office.secrets.all() == before


@pytest.mark.parametrize("how", [{"run": "off"}, {"run": "here"}])
def test_without_a_relay_there_is_nothing_to_offer(tmp_path, monkeypatch, how):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert Office(tmp_path, **how).ask() == ()


def test_ports_that_are_off_are_not_offered(tmp_path):
    raw = {
        "domain": "h",
        "relay": {"run": "elsewhere", "host": "2001:db8::1"},
        "ports": {"relay": 0},
    }
    settings = Settings.from_dict(raw, tmp_path)
    secrets = secrets_of(settings)
    secrets.make(0)
    offers = Desk(settings, secrets).answer(Question("1", "romeo@h")).offers
    assert [offer[:4] for offer in offers] == [("turns", "2001:db8::1", 5349, "tcp")]


# -- the secrets -------------------------------------------------------------------------------


def test_a_secret_is_made_once_and_is_its_owners(tmp_path):
    secrets = Secrets(tmp_path / "relay" / "secrets.db", "h")
    secrets.make(1.0)
    first = secrets.current()
    assert len(first) >= 43  # 256 bits
    Secrets(tmp_path / "relay" / "secrets.db", "h").make(2.0)
    assert secrets.all() == [first]
    assert secrets.age(11.0) == 10.0
    assert (tmp_path / "relay" / "secrets.db").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "relay").stat().st_mode & 0o777 == 0o700


def test_the_newest_is_never_dropped(tmp_path):
    secrets = Secrets(tmp_path / "s.db", "h")
    secrets.make(1.0)
    secrets.rotate(2.0)
    secrets.rotate(3.0)
    newest = secrets.all()[0]
    assert secrets.current() == newest
    secrets.forget_before(100.0)
    assert secrets.all() == [newest]
