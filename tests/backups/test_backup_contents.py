"""What is in a backup, and what is compared when it is verified."""

import shutil
import socket
import sqlite3
from contextlib import closing

import pytest

from support.backup import restic
from support.worlds import hausbote

ADDRESS = "127.0.0.84"


@pytest.fixture
def repository(tmp_path):
    return tmp_path / "repository"


@pytest.fixture
def state(tmp_path, repository):
    place = tmp_path / "state"
    secret = "components.secrets=" + '["bridge.h=file:secrets/bridge"]'
    chosen = (f"backup.repository={repository}", secret)
    overrides = [argument for one in chosen for argument in ("--set", one)]
    hausbote("init", "--domain", "h", "--address", ADDRESS, *overrides, state=place)
    for name in ("romeo", "juliet"):
        hausbote("user", "add", f"{name}@h", "--password-stdin", state=place, input="correct horse")
    return place


def restore(state, repository, place):
    password = ("--password-file", str(state / "backup" / "password"))
    hausbote("backup", "restore", "--repository", str(repository), *password, state=place)


def test_everything_in_the_state_directory_comes_back_as_it_was(state, repository, tmp_path):
    acme = state / "certs" / "acme"
    (acme / "archive").mkdir(parents=True)
    (acme / "live").mkdir()
    (acme / "archive" / "key1.pem").write_text("a key")
    (acme / "live" / "key.pem").symlink_to("../archive/key1.pem")
    (acme / "hook").write_text("#!/bin/sh\n")
    (acme / "hook").chmod(0o700)
    (state / "secrets").mkdir()
    (state / "secrets" / "bridge").write_text("o happy dagger")
    (state / "backup").mkdir()
    (state / "backup" / "environment").write_text("# for restic\nNAME=value\n")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(state / "certs" / "a socket"))
    (state / "log" / "c2s.log").write_text("yesterday")
    with (state / "film.mkv").open("wb") as film:
        film.truncate(65 << 20)
    told = hausbote("backup", "create", state=state).stdout
    assert f"{state / 'film.mkv'} is not in the backup" in told
    new = tmp_path / "new"
    restore(state, repository, new)
    hausbote("files", "scrub", state=new)
    for name in ("hausbote.toml", "hausbote.id", "certs/box.key", "secrets/bridge"):
        assert (new / name).read_bytes() == (state / name).read_bytes()
        assert (new / name).stat().st_mode & 0o777 == 0o600
    for name in ("backup/environment", "backup/password", "certs/acme/live/key.pem"):
        assert (new / name).read_bytes() == (state / name).read_bytes()
    live = new / "certs" / "acme" / "live" / "key.pem"
    assert live.readlink() == (acme / "live" / "key.pem").readlink()
    assert (new / "certs/acme/hook").stat().st_mode & 0o777 == 0o700
    assert not (new / "log" / "c2s.log").exists()
    assert not (new / "certs" / "a socket").exists()
    with closing(sqlite3.connect(new / "relay" / "secrets.db")) as relay:
        assert relay.execute("SELECT count(*) FROM turn_secret").fetchone() == (1,)
    assert (
        hausbote("user", "list", state=new).stdout == hausbote("user", "list", state=state).stdout
    )
    assert {path.stat().st_mode & 0o077 for path in new.rglob("*") if not path.is_symlink()} == {0}


def test_what_the_settings_name_elsewhere_is_told(state, tmp_path):
    key = tmp_path / "own.key"
    shutil.copy(state / "certs" / "box.key", key)
    toml = state / "hausbote.toml"
    toml.write_text(toml.read_text().replace('#key = "certs/box.key"', f'key = "{key}"'))
    told = hausbote("backup", "create", state=state).stdout
    assert f"tls.key: {key} is not in the backup" in told


def forge(repository, state, directory, change):
    """A later backup whose contents somebody has changed, and nothing else."""
    password = state / "backup" / "password"
    restic(repository, password, "restore", "latest", "--target", str(directory))
    change(directory / "backup" / "box")
    given = ("--tag", "hausbote", "--host", "h", "backup", "uploads")
    restic(repository, password, "backup", *given, cwd=directory)


def without_juliet(box):
    with closing(sqlite3.connect(box / "hausbote.db")) as database:
        database.execute("PRAGMA journal_mode = delete")
        database.execute("PRAGMA foreign_keys = on")
        database.execute("DELETE FROM account WHERE local = 'juliet'")
        database.commit()


def without_key(box):
    (box / "certs" / "box.key").unlink()


def without_database(box):
    (box / "hausbote.db").unlink()


def without_pages(box):
    path = box / "hausbote.db"
    content = path.read_bytes()
    path.write_bytes(content[:20_480] + bytes(20_480) + content[40_960:])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (without_juliet, "account has 1 rows, and had 2."),
        (without_key, "certs/box.key is missing."),
        (without_database, "it has no database."),
        (without_pages, "the database is damaged:"),
    ],
)
def test_a_backup_that_is_not_what_it_was_is_found_and_not_restored(
    state, repository, tmp_path, change, sentence
):
    hausbote("backup", "create", state=state)
    good = hausbote("backup", "list", state=state).stdout.split()[0]
    forge(repository, state, tmp_path / "forged", change)
    done = hausbote("backup", "verify", state=state, check=False)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    hausbote("backup", "verify", good, state=state)
    done = hausbote("backup", "restore", "--yes", state=state, check=False)
    assert done.returncode == 1
    assert not (state / "restore").exists()
    assert "juliet" in hausbote("user", "list", state=state).stdout


def test_old_backups_go_when_a_new_one_is_known_to_be_good_and_not_before(state, repository):
    toml = state / "hausbote.toml"
    kept = {"daily = 7": "daily = 2", "weekly = 5": "weekly = 0", "monthly = 12": "monthly = 0"}
    for default, chosen in kept.items():
        toml.write_text(toml.read_text().replace(f"#keep_{default}", f"keep_{chosen}"))
    hausbote("backup", "init", state=state)
    for day in (1, 1, 2, 3, 4):
        given = ("--tag", "hausbote", "--host", "h", "--time", f"2020-01-0{day} 10:00:00")
        restic(repository, state / "backup" / "password", "backup", *given, "certs", cwd=state)
    damaged = state / "hausbote.db"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:61_440] + bytes(1_024) + whole[62_464:])
    done = hausbote("backup", "create", state=state, check=False)
    assert done.returncode == 1
    assert "is not good: The file is damaged" in done.stderr  # it is made all the same
    assert len(hausbote("backup", "list", state=state).stdout.splitlines()) == 6
    damaged.write_bytes(whole)
    hausbote("backup", "create", state=state)
    days = {line.split()[1] for line in hausbote("backup", "list", state=state).stdout.splitlines()}
    assert len(days) == 2
    assert "2020-01-04" in days
