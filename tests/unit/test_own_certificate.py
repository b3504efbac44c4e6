"""The certificate of the box's own authority is renewed in time, and nothing else is touched."""

import datetime
import subprocess
import time

import pytest
from cryptography import x509

from hausbote.base.believed_clock import TOLERANCE, write_mark
from hausbote.base.settings import FILE, Settings
from hausbote.certs import authority as own_authority
from hausbote.certs.own import renew_own
from hausbote.cli.initialise import make_box
from hausbote.net.in_use import in_use
from support.worlds import HAUSBOTE


def a_box(tmp_path):
    state = tmp_path / "box"
    make_box(state, {"domain": "house.example"})
    return Settings.load(state)


def renew(settings, *options):
    command = [*HAUSBOTE, "--state", str(settings.state), "certificate", "renew", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def an_old_box(tmp_path, monkeypatch):
    """Its certificate began 300 days ago."""
    monkeypatch.setattr(own_authority, "_EARLIER", datetime.timedelta(days=300))
    settings = a_box(tmp_path)
    monkeypatch.undo()
    return settings


def shown(settings):
    return (settings.state / "certs" / "box.pem").read_bytes()


def test_one_that_is_good_stays(tmp_path):
    settings = a_box(tmp_path)
    before = shown(settings)
    assert not renew_own(settings)
    assert shown(settings) == before


def test_it_is_renewed_when_a_third_of_its_life_is_left(an_old_box):
    before = in_use(an_old_box)
    assert renew_own(an_old_box)
    after = in_use(an_old_box)
    assert after.own  # the authority is still the one that people trust
    assert after.names == before.names
    assert after.ends > before.ends + 250 * 86_400
    assert not renew_own(an_old_box)


def test_a_new_name_comes_into_it(tmp_path):
    settings = a_box(tmp_path)
    chosen = 'domain = "house.example"\n[relay]\nhost = "calls.house.example"\n'
    (settings.state / FILE).write_text(chosen)
    settings = Settings.load(settings.state)
    assert renew_own(settings)
    assert "calls.house.example" in in_use(settings).names


def test_another_authoritys_is_left_alone(an_old_box, authority):
    chain, key = authority.issue("house.example").write(an_old_box.state, "other")
    (an_old_box.state / "certs" / "box.pem").write_bytes(chain.read_bytes())
    (an_old_box.state / "certs" / "box.key").write_bytes(key.read_bytes())
    assert not renew_own(an_old_box, anew=True)
    assert shown(an_old_box) == chain.read_bytes()


def test_it_is_not_renewed_while_the_clock_is_doubted(an_old_box):
    write_mark(an_old_box.clock_mark, time.time() - 3 * TOLERANCE)
    assert not renew_own(an_old_box, anew=True)
    write_mark(an_old_box.clock_mark, time.time())
    assert renew_own(an_old_box)


def test_it_ends_with_its_authority(tmp_path, monkeypatch):
    monkeypatch.setattr(own_authority, "CA_DAYS", 100)
    settings = a_box(tmp_path)
    ca = x509.load_pem_x509_certificate((settings.state / "certs" / "ca.pem").read_bytes())
    assert in_use(settings).ends == ca.not_valid_after_utc.timestamp()


def test_its_owner_can_renew_it(an_old_box):
    before = shown(an_old_box)
    assert "The new certificate is in its place" in renew(an_old_box).stdout
    assert shown(an_old_box) != before
    assert "It is not time yet" in renew(an_old_box).stdout
    assert "The new certificate is in its place" in renew(an_old_box, "--force").stdout


def test_a_key_that_cannot_be_read_is_told(an_old_box):
    (an_old_box.state / "certs" / "ca.key").write_bytes(b"dust")
    done = renew(an_old_box)
    assert done.returncode == 1
    assert "It could not be renewed" in done.stderr
    assert "Traceback" not in done.stderr
