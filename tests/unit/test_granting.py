"""What the portal wishes for becomes settings, if it may."""

import tomllib
from pathlib import Path

import pytest

from hausbote.base.claim import FILE as CLAIM
from hausbote.base.claim import read_code, tidy_code
from hausbote.base.settings import FILE, Settings
from hausbote.base.wishes import Wishes, read_wishes, write_wishes
from hausbote.cli.granting import are_wishes, grant, refusal
from hausbote.cli.own_certificate import keep_own_certificate
from hausbote.net.in_use import in_use
from hausbote.storage import open_store
from support.worlds import KEYS, hausbote


@pytest.fixture
def state(tmp_path):
    """A box that `hausbote init` has made."""
    state = tmp_path / "box"
    hausbote("init", "--domain", "localhost", "--set", "ports.portal=18443", state=state)
    return state


def granted(state, **wishes):
    write_wishes(state, Wishes(**wishes))
    told = grant(Settings.load(state))
    assert not are_wishes(state)
    return told, Settings.load(state)


def test_a_new_box_can_be_claimed_by_whoever_reads_its_file(state):
    text = (state / CLAIM).read_text()
    code = read_code(state)
    assert (state / CLAIM).stat().st_mode & 0o777 == 0o600
    assert f"https://localhost:18443/claim/{code}" in text
    assert tidy_code(code.lower().replace("-", " ")) == code


@pytest.mark.parametrize(
    "typed", ["", "ABCD", "ABCD-EFGH-JKLM-NPQO", "x" * 200, "äbcd-efgh-jklm-npqr"]
)
def test_what_cannot_be_a_code_is_none(typed):
    assert tidy_code(typed) == ""


def test_the_domain_changes_with_its_certificate_and_all_else_stays(state):
    path = state / FILE
    path.write_text(path.read_text() + "\n# The owner's own words.\n")
    _, settings = granted(state, domain="chat.verona.example", language="de", acme="yes")
    assert settings.domain == "chat.verona.example"
    assert settings.language == "de"
    assert settings.certificates.acme == "yes"
    assert settings.ports.portal == 18443
    keep_own_certificate(settings)  # as the next start does
    assert "rooms.chat.verona.example" in in_use(settings).names
    assert "# The owner's own words." in path.read_text()
    # A second change replaces the first.
    _, settings = granted(state, domain="verona.example", registration="invite")
    assert (settings.domain, settings.registration) == ("verona.example", "invite")
    assert path.read_text().count("\ndomain = ") == 1


def test_the_domain_stays_when_there_are_accounts(state):
    with_accounts = open_store(Settings.load(state).database_url)
    with_accounts.accounts.create("romeo", KEYS)
    with_accounts.close()
    told, settings = granted(state, domain="verona.example")
    assert "has accounts" in told
    assert settings.domain == "localhost"


def test_what_is_no_setting_changes_nothing(state):
    before = (state / FILE).read_text()
    told, _ = granted(state, domain="not a domain")
    assert "stay as they are" in told
    assert (state / FILE).read_text() == before


def test_a_file_of_few_words_gets_what_it_lacks(state):
    (state / FILE).write_text('domain = "localhost"\n[ports]\nc2s = 15222\n')
    _, settings = granted(state, language="de", acme="yes", registration="invite")
    assert (settings.language, settings.registration) == ("de", "invite")
    assert settings.certificates.acme == "yes"
    assert settings.ports.c2s == 15222
    assert tomllib.loads((state / FILE).read_text())["domain"] == "localhost"


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "\xff"])
def test_wishes_that_cannot_be_read_are_none_and_go(state, text):
    (state / "wishes.json").write_text(text, "latin-1")
    assert not read_wishes(state)
    grant(Settings.load(state))
    assert not are_wishes(state)


@pytest.mark.parametrize(
    "text",
    [
        'domain = "localhost"\n[certificates]  # mine\nacme = "no"\n[web]\nchat = "no"\n',
        'domain = "localhost"\n  [ certificates ]\n[web]\nchat = "no"\n',
        'domain = "localhost"\n[certificates]\n#acme = "yes"\nacme = "no"  # not yet\n',
    ],
)
def test_a_file_is_understood_however_its_owner_writes_it(state, text):
    (state / FILE).write_text(text)
    _, settings = granted(state, acme="yes")
    assert settings.certificates.acme == "yes"


def test_a_value_beside_its_comment_is_the_one_that_changes(state):
    (state / FILE).write_text('#domain = "old.example"\ndomain = "localhost"\n')
    _, settings = granted(state, domain="verona.example")
    assert settings.domain == "verona.example"
    assert (state / FILE).read_text().startswith('#domain = "old.example"\n')


@pytest.mark.parametrize("text", ["certificates.acme = 'no'\n", "domain = \n", "\xff"])
def test_a_file_that_is_not_understood_stays_as_it_is_and_is_told(state, text):
    settings = Settings.load(state)
    (state / FILE).write_text('domain = "localhost"\n' + text, "latin-1")
    before = (state / FILE).read_bytes()
    write_wishes(state, Wishes(acme="yes"))
    assert "stay as they are" in grant(settings)
    assert (state / FILE).read_bytes() == before
    assert not are_wishes(state)


def test_a_disk_that_does_not_take_the_settings_is_told(state):
    settings = Settings.load(state)
    (state / f"{FILE}.part").mkdir()
    write_wishes(state, Wishes(language="de"))
    assert "stay as they are" in grant(settings)
    assert not are_wishes(state)


def test_nothing_is_stopped_for_what_cannot_be_granted(state):
    settings = Settings.load(state)
    write_wishes(state, Wishes(domain="not a domain"))
    assert "stay as they are" in refusal(settings)
    assert not are_wishes(state)
    write_wishes(state, Wishes(domain="verona.example"))
    assert refusal(settings) == ""
    assert are_wishes(state)


def test_a_domain_is_not_changed_where_nobody_can_look_whether_there_are_accounts(state):
    settings = Settings.load(state)
    (state / "hausbote.db").write_text("this is no database")
    write_wishes(state, Wishes(domain="verona.example"))
    assert "stay as they are" in refusal(settings)
    assert not are_wishes(state)


def test_wishes_that_cannot_be_removed_are_refused_all_the_same(state, monkeypatch):
    settings = Settings.load(state)
    write_wishes(state, Wishes(domain="not a domain"))

    def fails(*_, **__):
        raise OSError(5, "the disk fails")

    monkeypatch.setattr(Path, "unlink", fails)
    assert "stay as they are" in refusal(settings)
