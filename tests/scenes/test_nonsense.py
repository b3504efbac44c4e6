"""Whatever clients send that is well-formed: each request has an answer, no stream ends, and nothing
of what is asked makes a service stumble."""

import os
import random

import pytest

from hausbote.c2s.service import FEATURES
from support import nonsense

ROUNDS = int(os.environ.get("NONSENSE_ROUNDS", "1"))
# What changes the password or the session itself.
_APART = frozenset(("jabber:iq:register",))


def requests():
    keys = {key[1:] for feature in FEATURES for key in feature.iqs}
    return sorted(key for key in keys if key[1] not in _APART)


def answer(client, id):
    """The answer to that request; everything else that comes is dropped."""
    while True:
        came = client.next()
        assert came is not None, "no answer"
        if came.get("id") == id and came.get("type") in ("result", "error"):
            return came


@pytest.fixture
def everybody(cast, world):
    phone, desk, romeo = cast("juliet/phone", "juliet/desk", "romeo")
    cast.befriend(phone, romeo)
    world.store.accounts.set_admin("juliet", True)
    for client in (phone, desk, romeo):
        client.sends("<iq type='set' id='c'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
        client.forget()
    return phone, desk, romeo


@pytest.mark.parametrize("seed", range(2))
def test_every_request_has_an_answer(everybody, seed):
    dice = random.Random(seed)
    for number in range(ROUNDS):
        for type, namespace, name in requests():
            client = dice.choice(everybody)
            asked = nonsense.request(dice, type, namespace, name, f"n{number}")
            client.sends(asked)
            came = answer(client, f"n{number}")
            condition = came.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}internal-server-error")
            assert condition is None, asked


@pytest.mark.parametrize("seed", range(2))
def test_no_stanza_ends_a_stream(everybody, seed):
    dice = random.Random(seed)
    for _ in range(ROUNDS * 10):
        said = []
        for client in everybody:
            said += [nonsense.stanza(dice) for _ in range(5)]
            client.sends(*said[-5:])
        for client in everybody:
            for came in client.came():
                error = came.find(".//{urn:ietf:params:xml:ns:xmpp-stanzas}internal-server-error")
                assert error is None, said
