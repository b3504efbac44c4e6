"""A restore that is killed at any point: the box is whole, the old one or the new one, and the next
start says what was done about it."""

import shutil

import pytest

from hausbote.backup import swap
from support.backup import BackedUp, furnish, look
from support.kill_at import Killing
from support.worlds import hausbote

ADDRESS = "127.0.0.82"
SWAP = "import sys, pathlib; from hausbote.backup import swap; swap.{}(pathlib.Path(sys.argv[1]))"
STAYING = {"run": ("socket",), "log": ("c2s.log",), "box.lock": ()}
OLD = {"hausbote.toml": "old", "hausbote.db": "old", "uploads": ("a", "b"), "hausbote.id": "old"}
NEW = {"hausbote.toml": "new", "hausbote.db": "new", "uploads": ("c",), "certs": ("box.pem",)}


@pytest.fixture
def killing(tmp_path):
    return Killing(tmp_path)


def lay(directory, entries):
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in entries.items():
        if isinstance(content, str):
            (directory / name).write_text(content)
        else:
            (directory / name).mkdir(parents=True)
            for inner in content:
                (directory / name / inner).write_text(inner)


def found(directory):
    """What lies there, as it was laid."""
    entries = {}
    for path in directory.iterdir():
        if path.name not in (*STAYING, "restore"):
            inner = tuple(sorted(one.name for one in path.iterdir())) if path.is_dir() else None
            entries[path.name] = path.read_text() if inner is None else inner
    return entries


def fetched(state):
    """A box, and a restore that has everything and has changed nothing."""
    shutil.rmtree(state, ignore_errors=True)
    lay(state, OLD | STAYING)
    lay(state / "restore" / "new", NEW)


def finish(state, killing, at):
    """The next start, which is killed, too."""
    killing.run("-c", SWAP.format("recover"), str(state), at=at)
    return swap.recover(state)


def test_wherever_a_swap_is_cut_off_the_next_start_finishes_it_or_nothing_has_changed(
    tmp_path, killing
):
    state, at, ended, kinds = tmp_path / "state", 0, False, set()
    while not ended:
        at += 1
        fetched(state)
        ended = not killing.run("-c", SWAP.format("swap"), str(state), at=at)
        begun = swap.phase(state) != ""
        finish(state, killing, 1 + at % 5)
        assert found(state) == (NEW if begun else OLD), f"killed at {at}"
        assert found(state / "run") == {"socket": "socket"}
        if begun:
            assert found(state / "restore" / "previous") == OLD
        else:
            assert not (state / "restore").exists()
        kinds.add(begun)
    assert kinds == {True, False}
    assert at > len(OLD) + len(NEW)


def test_wherever_taking_back_is_cut_off_the_next_start_finishes_it_or_nothing_has_changed(
    tmp_path, killing
):
    state, at, ended = tmp_path / "state", 0, False
    while not ended:
        at += 1
        fetched(state)
        swap.swap(state)
        ended = not killing.run("-c", SWAP.format("undo"), str(state), at=at)
        begun = swap.phase(state) != swap.DONE
        finish(state, killing, 1 + at % 5)
        assert found(state) == (OLD if begun else NEW), f"killed at {at}"
        assert (state / "restore").exists() == (not begun)
    assert at > len(OLD) + len(NEW)


def test_what_was_kept_can_be_removed_from_wherever_that_was_cut_off(tmp_path, killing):
    state, at, ended = tmp_path / "state", 0, False
    while not ended:
        at += 1
        fetched(state)
        swap.swap(state)
        ended = not killing.run("-c", SWAP.format("forget_previous"), str(state), at=at)
        swap.recover(state)
        assert found(state) == NEW
        assert not swap.forget_previous(state) or not (state / "restore").exists()


@pytest.fixture
def box(tmp_path):
    world = BackedUp(tmp_path / "state", tmp_path / "repository", address=ADDRESS)
    yield world
    world.close()


def test_a_restore_that_is_killed_is_told_by_the_next_start(box, tmp_path, killing):
    before, _ = furnish(box)
    box.backup("create")
    box.add_account("mercutio")  # who is in the old box only
    box.close()
    kept = tmp_path / "kept"
    shutil.copytree(box.state, kept, ignore=shutil.ignore_patterns("*.sock"))
    restore = ("-m", "hausbote.cli", "--state", str(box.state), "backup", "restore", "--yes")
    total = killing.count(*restore)
    told = {}
    for part in (0.05, 0.3, 0.6, 0.8, 0.9, 0.95):
        shutil.rmtree(box.state)
        shutil.copytree(kept, box.state)
        assert killing.run(*restore, at=max(1, int(total * part)))
        phase = swap.phase(box.state)
        if phase in ("out", "in"):
            refused = hausbote("user", "list", state=box.state, check=False)
            assert refused.returncode == 1
            assert "was cut off: 'hausbote run' finishes it" in refused.stderr
        box.begin()
        said = "".join(box.said)
        names = box.store.accounts.names()
        if phase:
            assert sorted(names) == ["juliet", "romeo"]
            assert look(box, before["paths"]) == before
        else:
            assert sorted(names) == ["juliet", "mercutio", "romeo"]
        told[phase] = said
        box.close()
        assert not (box.state / "restore").exists()
    assert "It has changed nothing" in told[""]
    assert any(phase in ("out", "in") and "finished now" in told[phase] for phase in told), told
    box.begin()


def test_a_restore_on_an_empty_machine_that_is_killed_can_be_begun_again(box, tmp_path, killing):
    furnish(box)
    box.backup("create")
    state = tmp_path / "elsewhere"
    restore = (
        "-m", "hausbote.cli", "--state", str(state), "backup", "restore",
        "--repository", str(box.repository), "--password-file", str(box.password),
    )  # fmt: skip
    assert killing.run(*restore, at=10)
    started = hausbote("run", state=state, check=False)
    assert "It has changed nothing" in started.stdout
    assert "hausbote.toml does not exist" in started.stderr
    assert not state.exists() or not list(state.iterdir())
    assert killing.run(*restore, at=10)
    assert not killing.run(*restore, at=1_000_000)
    assert "romeo" in hausbote("user", "list", state=state).stdout
