"""The owner decides with whom the box talks, while it runs."""

import pytest

from support.federation import log_in, wait_until

FRIEND = "montague.example"


def chat(to, text, id="1"):
    return f"<message to='{to}' type='chat' id='{id}'><body>{text}</body></message>"


def decide(house, domain, allowed):
    house.store.server_rules.decide(domain, 1.0, allowed=allowed)
    house.gate.notified({"change": "rules"})


def is_refused(juliet, romeo, text):
    juliet.sends(chat(romeo.bare, text, id=text))
    juliet.receives(f"<message type='error' id='{text}'><error type='cancel'/></message>")


@pytest.fixture
def lovers(houses):
    juliet, romeo = log_in(houses[0], "juliet"), log_in(houses[1], "romeo")
    juliet.sends(chat(romeo.bare, "Romeo?"))
    romeo.receives("<message><body>Romeo?</body></message>")
    wait_until(lambda: not any(stream.sent for stream in houses[0].gate.streams))
    return juliet, romeo


def test_who_is_denied_is_not_spoken_with_any_more(houses, lovers):
    (house, _), (juliet, romeo) = houses, lovers
    decide(house, FRIEND, False)
    wait_until(lambda: not house.gate.streams)
    is_refused(juliet, romeo, "Wherefore?")
    why = f"The owner of the box denies {FRIEND}."
    wait_until(lambda: house.store.peers.get(FRIEND).sentence == why)
    romeo.sends(chat(juliet.bare, "Shall I hear more?"))
    romeo.receives("<message type='error'/>")
    juliet.receives_nothing()


def test_who_is_allowed_again_is_spoken_with_at_once(houses, lovers):
    (house, _), (juliet, romeo) = houses, lovers
    decide(house, FRIEND, False)
    wait_until(lambda: not house.gate.streams)
    is_refused(juliet, romeo, "Wherefore?")
    decide(house, FRIEND, True)
    juliet.sends(chat(romeo.bare, "What man art thou?"))
    romeo.receives("<message><body>What man art thou?</body></message>")


def test_what_waits_for_who_is_denied_goes_back(houses, lovers):
    (house, other), (juliet, romeo) = houses, lovers
    other.close_gate()
    wait_until(lambda: not house.gate.streams)
    juliet.sends(chat(romeo.bare, "Art thou gone so?", id="w"))
    wait_until(lambda: house.store.outgoing.waiting())
    decide(house, FRIEND, False)
    juliet.receives("<message type='error' id='w'><error type='cancel'/></message>")
    wait_until(lambda: not house.store.outgoing.waiting())
    other.open_gate()


def test_what_was_decided_lasts_over_a_restart(houses, lovers):
    (house, _), (juliet, romeo) = houses, lovers
    decide(house, FRIEND, False)
    house.close_gate()
    house.open_gate()
    is_refused(juliet, romeo, "Wherefore?")
    house.store.server_rules.forget(FRIEND)
    house.gate.notified({"change": "rules"})
    juliet.sends(chat(romeo.bare, "Sweet, good night!"))
    romeo.receives("<message><body>Sweet, good night!</body></message>")


def test_a_server_is_tried_now(houses, lovers):
    (house, other), _ = houses, lovers
    other.close_gate()
    wait_until(lambda: not house.gate.streams)
    house.gate.notified({"change": "try", "domain": FRIEND})
    wait_until(lambda: house.store.peers.get(FRIEND).cause)
    other.open_gate()
    house.gate.notified({"change": "try", "domain": FRIEND})
    wait_until(lambda: house.store.peers.get(FRIEND).cause == "")
