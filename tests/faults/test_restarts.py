"""Services that are killed and restarted while people use them."""

import threading
import time

import pytest

from support.client import SASL
from support.scram_client import ScramClient
from support.worlds import PASSWORD, RunningWorld, hausbote


@pytest.fixture
def house(tmp_path):
    world = RunningWorld(tmp_path / "state", address="127.0.0.14")
    world.add_account("romeo")
    world.add_account("juliet")
    yield world
    world.close()


def test_rooms_is_killed_under_load_and_no_stanza_is_lost(house):
    romeo = house.client().log_in("romeo", PASSWORD)
    total, answered = 3_000, []

    def listen():
        while len(answered) < total:
            stanza = romeo.next(40)
            if stanza is None:
                return
            answered.append((stanza.get("id"), stanza.get("type")))

    listener = threading.Thread(target=listen)
    listener.start()
    for number in range(total):
        romeo.sends(f"<iq type='get' id='{number}' to='rooms.h'><ping xmlns='urn:xmpp:ping'/></iq>")
        if number in (500, 1500, 2500):
            house.kill("rooms")
        if number % 100 == 0:
            time.sleep(0.02)
    listener.join(60)
    assert sorted(int(id) for id, _ in answered) == list(range(total))
    assert {type for _, type in answered} == {"result"}


def test_clients_do_not_notice_that_rooms_is_restarted(house):
    romeo = house.client().log_in("romeo", PASSWORD)
    house.kill("rooms")
    romeo.sends("<iq type='get' id='1' to='rooms.h'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert romeo.next(20).get("type") == "result"


def test_clients_do_not_notice_that_turn_is_restarted(house):
    romeo = house.client().log_in("romeo", PASSWORD)
    house.kill("turn")
    romeo.sends("<iq type='get' id='1' to='h'><services xmlns='urn:xmpp:extdisco:2'/></iq>")
    romeo.sends("<iq type='get' id='2' to='h'><ping xmlns='urn:xmpp:ping'/></iq>")
    answers = {answer.get("id"): answer for answer in (romeo.next(20), romeo.next(20))}
    assert {one.get("type") for one in answers.values()} == {"result"}
    assert len(answers["1"][0]) == 5


def test_after_a_crash_of_c2s_everything_is_there(house):
    romeo = house.client().log_in("romeo", PASSWORD)
    romeo.sends(
        "<iq type='set' id='1'><query xmlns='jabber:iq:roster'><item jid='a@h'/></query></iq>"
    )
    assert romeo.next().get("type") == "result"
    for number in range(50):
        romeo.sends(f"<message to='juliet@h' type='chat'><body>{number}</body></message>")
    romeo.settle()
    time.sleep(0.5)
    house.kill("c2s")
    romeo.is_closed()
    deadline = time.monotonic() + 20
    while True:
        try:
            juliet = house.client().log_in("juliet", PASSWORD)
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    juliet.sends("<presence/>")
    juliet.receives("<presence/>")
    for number in range(50):
        juliet.receives(f"<message><body>{number}</body></message>")
    romeo = house.client().log_in("romeo", PASSWORD)
    romeo.sends("<iq type='get' id='1'><query xmlns='jabber:iq:roster'/></iq>")
    romeo.receives(
        "<iq type='result'><query xmlns='jabber:iq:roster'><item jid='a@h'/></query></iq>"
    )


def test_a_stopping_box_says_goodbye(house):
    romeo = house.client().log_in("romeo", PASSWORD)
    house.stop()
    romeo.is_ended_with("system-shutdown")
    house.start()


def test_a_new_certificate_is_used_without_dropping_anybody(house, tmp_path):
    romeo = house.client().log_in("romeo", PASSWORD)
    before = house.client()
    before.secure()
    old = before.wire.sock.getpeercert(binary_form=True)
    hausbote("init", "--domain", "h", state=tmp_path / "other")
    certs = house.state / "certs"
    for name in ("ca.pem", "box.pem", "box.key"):
        (certs / name).write_bytes((tmp_path / "other" / "certs" / name).read_bytes())
    house.signal("c2s", "SIGHUP")
    time.sleep(0.5)
    after = house.client()
    after.secure()
    assert after.wire.sock.getpeercert(binary_form=True) != old
    romeo.settle()


def test_a_broken_certificate_changes_nothing(house):
    (house.state / "certs" / "box.pem").write_text("nonsense")
    house.signal("c2s", "SIGHUP")
    time.sleep(0.5)
    client = house.client().log_in("romeo", PASSWORD)
    client.settle()
    assert "certificate-unusable" in house.log("c2s")


def test_two_boxes_side_by_side(house, tmp_path):
    other = RunningWorld(tmp_path / "second", address="127.0.0.15", domain="second.example")
    other.add_account("paris")
    client = other.client()
    client.secure()
    answer = client.authenticate(ScramClient("paris", PASSWORD, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    assert answer.tag == f"{{{SASL}}}success"
    house.client().log_in("romeo", PASSWORD).settle()
    other.close()
