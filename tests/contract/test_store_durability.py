"""What was confirmed survives a killed process, and processes that share a file see each other."""

import sqlite3
import subprocess
import sys
import textwrap

import pytest

from hausbote.storage import RosterItem, migrate, open_store
from hausbote.storage.database import connect
from hausbote.xmpp.sasl import ScramKeys

KEYS = {
    "SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server"),
    "SHA-256": ScramKeys(b"pepper", 4096, b"stored", b"server"),
}
PROLOGUE = """
import sys
from hausbote.storage import RosterItem, open_store
from hausbote.xmpp.sasl import ScramKeys
keys = ScramKeys(b"salt", 4096, b"stored", b"server")
KEYS = {"SHA-1": keys, "SHA-256": keys}
store = open_store(sys.argv[1])
say = lambda *words: print(*words, flush=True)
def start_together():
    say("ready")
    input()
"""
KEEPS_MESSAGES = """
number = 0
while True:
    group = range(number, number + 20)
    tickets = [store.offline.keep("juliet", b"%d" % n, 1.0, 0) for n in group]
    for n, ticket in zip(group, tickets):
        ticket.wait()
        say(n)
    number += 20
"""
MAKES_ACCOUNTS = """
number = 0
while True:
    store.accounts.create(f"user{number}", KEYS)
    store.rosters.put(f"user{number}", RosterItem("juliet@h"))
    say(number)
    number += 1
"""
TELLS_A_SECRET = """
start_together()
say(store.secret("one").hex())
"""
FILLS_A_BOX = """
start_together()
tickets = [store.offline.keep("juliet", b"x", 1.0, 100) for _ in range(200)]
say(sum(ticket.wait() for ticket in tickets))
"""
CHANGES_A_ROSTER = """
start_together()
say(*[store.rosters.put("juliet", RosterItem(f"{n}@{sys.argv[2]}")) for n in range(40)])
"""
MAKES_AND_DELETES = """
for line in sys.stdin:
    order, local = line.split()
    store.accounts.create(local, KEYS) if order == "create" else store.accounts.delete(local, f"{local}@h")
    say("done")
"""


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path / 'hausbote.db'}"
    migrate(url)
    store = open_store(url)
    store.accounts.create("juliet", KEYS)
    store.close()
    return url


@pytest.fixture
def start(url):
    """start(script): another process with the same database."""
    children = []

    def start(script, *arguments):
        code = PROLOGUE + textwrap.dedent(script)
        child = subprocess.Popen(
            [sys.executable, "-c", code, url, *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def killed_after(child, lines):
    """What the child said: it is killed while it goes on working."""
    said = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    said += child.communicate()[0].splitlines()
    return [int(line) for line in said if line.strip()]


def together(children):
    """Let them start at the same time; returns what each said."""
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    return [child.communicate(timeout=60)[0].strip() for child in children]


@pytest.mark.parametrize("lines", [1, 150, 777])
def test_messages_that_were_confirmed_survive_a_killed_process(url, start, lines):
    confirmed = killed_after(start(KEEPS_MESSAGES), lines)
    assert sound(url)
    store = open_store(url)
    kept = [int(message.stanza) for message in store.offline.pending("juliet")]
    store.close()
    assert len(confirmed) >= lines
    assert kept == list(range(len(kept)))
    assert len(kept) >= len(confirmed)


@pytest.mark.parametrize("lines", [1, 60])
def test_a_killed_process_leaves_no_account_half_made(url, start, lines):
    confirmed = killed_after(start(MAKES_ACCOUNTS), lines)
    assert sound(url)
    store = open_store(url)
    names = [account.local for account in store.accounts.all()]
    assert {f"user{n}" for n in confirmed} <= set(names)
    for local in names:
        assert store.accounts.keys(local, "SHA-1")
        assert store.accounts.keys(local, "SHA-256")
    assert all("juliet@h" in store.rosters.load(f"user{n}").items for n in confirmed)
    store.close()


def test_the_store_goes_on_after_another_process_was_killed(url, start):
    store = open_store(url)
    for _ in range(3):
        killed_after(start(KEEPS_MESSAGES), 30)
        assert store.offline.keep("juliet", b"0", 2.0, 0).wait()
    assert sum(message.at == 2.0 for message in store.offline.pending("juliet")) == 3
    store.close()


def test_connections_wait_for_the_disk_and_wipe_what_is_deleted(tmp_path):
    database = connect(tmp_path / "any.db")
    asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
    settings = [database.execute_sql(f"PRAGMA {name}").fetchone()[0] for name in asked]
    database.close()
    assert settings == ["wal", 2, 1, 1]  # 2 is FULL


def test_processes_that_race_for_a_secret_get_the_same(start):
    secrets = together([start(TELLS_A_SECRET) for _ in range(5)])
    assert len(set(secrets)) == 1
    assert len(bytes.fromhex(secrets[0])) == 32


def test_the_limit_of_a_box_holds_for_two_processes(url, start):
    kept = together([start(FILLS_A_BOX), start(FILLS_A_BOX)])
    assert sum(map(int, kept)) == 100
    store = open_store(url)
    assert store.offline.count("juliet") == 100
    store.close()


def test_no_roster_version_is_given_twice(url, start):
    said = together([start(CHANGES_A_ROSTER, "one"), start(CHANGES_A_ROSTER, "two")])
    versions = [int(word) for words in said for word in words.split()]
    assert len(versions) == len(set(versions)) == 80
    store = open_store(url)
    roster = store.rosters.load("juliet")
    store.close()
    assert len(roster.items) == 80
    assert roster.version == max(versions)


def test_an_account_made_or_deleted_elsewhere_is_seen_at_once(url, start):
    child = start(MAKES_AND_DELETES)
    store = open_store(url)

    def order(words):
        child.stdin.write(words + "\n")
        child.stdin.flush()
        assert child.stdout.readline() == "done\n"

    assert not store.accounts.exists("romeo")
    order("create romeo")
    assert store.accounts.exists("romeo")
    assert store.accounts.keys("romeo", "SHA-1")
    store.rosters.put("romeo", RosterItem("juliet@h"))
    order("delete romeo")
    assert not store.accounts.exists("romeo")
    assert store.rosters.load("romeo").items == {}
    store.close()


def sound(url):
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    verdict = connection.execute("PRAGMA integrity_check").fetchall()
    dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    return verdict == [("ok",)] and dangling == []
