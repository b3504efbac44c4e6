"""What restic says, in sentences; in the words of 0.14 and by the exit codes of later versions."""

import pytest

from hausbote.backup.complaints import complaint, gist, is_locked
from hausbote.backup.restic import Restic
from hausbote.base.backup_places import Places

LOCKED = (
    "Fatal: unable to create lock in backend: repository is already locked exclusively by PID 4711"
    " on montague by root (UID 0, GID 0)\nlock was created at 2026-11-30 03:00:00 (1m ago)\n"
)
SAID = {
    (1, "Fatal: wrong password or no key found"): "The password does not open",
    (12, "Fatal: something in new words"): "The password does not open",
    (10, "Fatal: something in new words"): "is its disk connected",
    (1, LOCKED): "is in use by process 4711 of montague.",
    (11, "Fatal: something in new words"): "is in use by another program",
    (1, "Fatal: unable to save snapshot: no space left on device"): "The disk is full",
    (1, "Fatal: repository contains errors"): "is damaged",
    (1, "Load(<data/1234>, 0, 0) returned error: ciphertext verification failed"): "is damaged",
    (1, 'Head "https://***@host/config": dial tcp: lookup host: no such host'): "be reached",
    (2, "Fatal: something else\nmore of it"): "restic could not do it (/r): something else.",
    (137, ""): "exit code 137",
}


@pytest.mark.parametrize(("told", "sentence"), SAID.items())
def test_complaints(told, sentence):
    code, said = told
    error = complaint("/r", code, said)
    assert sentence in str(error)
    assert "\n" not in str(error)
    assert error.absent == (sentence == "is its disk connected")


def test_a_lock_is_seen_before_anything_else():
    assert is_locked(1, LOCKED)
    assert is_locked(11, "")
    assert not is_locked(1, "Fatal: wrong password or no key found")


def test_what_restic_says_is_one_line_that_can_be_seen():
    assert gist("") == ""
    assert gist("note\nFatal: it \x1b[31mbroke\x07.\n at line 3") == "it [31mbroke"
    assert len(gist("x" * 10_000)) == 300


def test_a_password_in_the_address_is_not_shown(tmp_path):
    restic = Restic("rest:https://me:secret@host/boxes", Places(tmp_path))
    assert restic.where == "rest:https://host/boxes"
