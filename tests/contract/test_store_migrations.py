"""From an empty or older file to the current version, and never with a loss."""

import sqlite3
import subprocess
import sys

import pytest

from hausbote.storage import (
    Range,
    StorageError,
    Upload,
    migrate,
    migrating,
    migrations,
    open_store,
    schema,
    schema_version,
)
from hausbote.xmpp.sasl import ScramKeys

KEYS = {"SHA-1": ScramKeys(b"salt", 4096, b"stored", b"server")}
CURRENT = len(migrations.STEPS)
MIGRATE = """
import sys
from hausbote.storage import migrate
print("ready", flush=True)
input()
print(migrate(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "hausbote.db"


@pytest.fixture
def url(path):
    return f"sqlite:///{path}"


@pytest.fixture
def next_version(monkeypatch):
    """Adds a step, as the next release will."""

    def add(step):
        monkeypatch.setattr(migrating, "STEPS", (*migrating.STEPS, step))

    return add


def test_an_empty_place_becomes_a_database_of_the_current_version(url, path):
    assert schema_version(url) == 0
    assert not path.exists()
    assert migrate(url) == (0, CURRENT)
    assert schema_version(url) == CURRENT
    open_store(url).close()


def test_a_current_database_is_left_alone(url, tmp_path):
    migrate(url)
    files = sorted(tmp_path.iterdir())
    assert migrate(url) == (CURRENT, CURRENT)
    assert sorted(tmp_path.iterdir()) == files


def test_only_its_owner_may_read_a_new_database(url, tmp_path):
    migrate(url)
    store = open_store(url)
    store.accounts.create("romeo", KEYS)
    assert {f.stat().st_mode & 0o777 for f in tmp_path.iterdir()} == {0o600}
    store.close()


def test_the_next_version_keeps_the_data_and_a_copy_of_the_old_file(url, path, next_version):
    with_romeo(url)
    next_version(lambda c: c.execute("ALTER TABLE account ADD COLUMN motto TEXT DEFAULT 'O'"))
    assert migrate(url) == (CURRENT, CURRENT + 1)
    assert select(path, "SELECT local, motto FROM account") == [("romeo", "O")]
    backup = path.with_name(f"hausbote.db.backup-v{CURRENT}")
    assert select(backup, "SELECT local FROM account") == [("romeo",)]
    assert select(backup, "PRAGMA user_version") == [(CURRENT,)]
    assert backup.stat().st_mode & 0o777 == 0o600
    assert not list(path.parent.glob("*.part"))


def test_a_copy_of_the_version_before_is_all_that_is_kept(url, path, next_version):
    with_romeo(url)
    for column in ("one", "two"):
        next_version(lambda c, name=column: c.execute(f"ALTER TABLE account ADD COLUMN {name} INT"))
        migrate(url)
    kept = [one.name for one in path.parent.glob("hausbote.db.*") if "-v" in one.name]
    assert kept == [f"hausbote.db.backup-v{CURRENT + 1}"]


def test_earlier_copies_stay_until_the_next_migration_has_succeeded(url, path, next_version):
    with_romeo(url)
    next_version(lambda c: c.execute("CREATE TABLE motto (words TEXT)"))
    migrate(url)
    next_version(lambda c: c.execute("CREATE TABLE account (id INTEGER)"))  # which there is
    with pytest.raises(StorageError):
        migrate(url)
    assert path.with_name(f"hausbote.db.backup-v{CURRENT}").exists()
    assert select(path, "SELECT local FROM account") == [("romeo",)]


def test_when_a_step_fails_those_before_it_have_not_been(url, path, next_version):
    """Else there would be a version that no program has, without a copy to go back from it."""
    with_romeo(url)
    next_version(lambda c: c.execute("CREATE TABLE motto (words TEXT)"))
    next_version(lambda c: c.execute("CREATE TABLE account (id INTEGER)"))
    with pytest.raises(StorageError):
        migrate(url)
    assert schema_version(url) == CURRENT
    assert select(path, "SELECT name FROM sqlite_master WHERE name = 'motto'") == []


def test_steps_run_in_their_order(url, path, next_version):
    migrate(url)
    next_version(lambda c: c.execute("CREATE TABLE motto (words TEXT)"))
    next_version(lambda c: c.execute("INSERT INTO motto VALUES ('first')"))
    assert migrate(url) == (CURRENT, CURRENT + 2)
    assert select(path, "SELECT words FROM motto") == [("first",)]


def test_a_step_that_fails_leaves_the_database_as_it_was(url, path, next_version):
    with_romeo(url)

    def broken(connection):
        connection.execute("DELETE FROM account")
        connection.execute("CREATE TABLE account (id INTEGER)")

    next_version(broken)
    with pytest.raises(StorageError, match="could not be brought up to date"):
        migrate(url)
    assert schema_version(url) == CURRENT
    assert select(path, "SELECT local FROM account") == [("romeo",)]


def test_slots_become_nobodys_and_files_stay(url, path, monkeypatch):
    """Slots were rows up to version 8; what a killed upload has left of one is to be removed."""
    with monkeypatch.context() as before:
        before.setattr(migrating, "STEPS", migrations.STEPS[:8])
        migrate(url)
    change(path, "INSERT INTO account VALUES (1, 'romeo', 0, 0, 1, 0, 0)")
    for id, uploaded, digest in (("a", "5.0", "x'aa'"), ("b", "NULL", "NULL")):
        values = f"'{id}', 1, 'x.jpg', 'image/jpeg', 10, x'00', 9, {uploaded}, {digest}"
        names = "id, account_id, name, type, size, key, until, uploaded, digest"
        change(path, f"INSERT INTO upload ({names}) VALUES ({values})")
    migrate(url)
    store = open_store(url)
    assert store.uploads.all() == [Upload("a", "x.jpg", "image/jpeg", 10, b"\xaa", 5.0)]
    assert store.uploads.gone(9) == ["b"]
    store.close()


def test_a_newer_database_is_refused_and_not_touched(url, path):
    with_romeo(url)
    change(path, "PRAGMA user_version = 99")
    with pytest.raises(StorageError, match=r"newer Hausbote \(version 99.*update Hausbote"):
        migrate(url)
    with pytest.raises(StorageError, match="has version 99"):
        open_store(url)
    assert select(path, "PRAGMA user_version") == [(99,)]


def test_an_older_database_is_not_opened(url, path):
    migrate(url)
    change(path, f"PRAGMA user_version = {CURRENT - 1}")
    with pytest.raises(StorageError, match=f"has version {CURRENT - 1}.*needs {CURRENT}"):
        open_store(url)


def test_a_missing_database_is_not_opened_nor_made(url, path):
    with pytest.raises(StorageError, match="has version 0"):
        open_store(url)
    assert not path.exists()


def test_a_file_that_is_no_database_is_refused_and_not_touched(url, path):
    path.write_text("Dear diary, " * 100)
    for use in (migrate, open_store, schema_version):
        with pytest.raises(StorageError, match="file is not a database"):
            use(url)
    assert path.read_text().startswith("Dear diary")


def test_a_missing_directory_is_told(tmp_path):
    with pytest.raises(StorageError, match="No such file or directory"):
        migrate(f"sqlite:///{tmp_path}/nowhere/hausbote.db")


@pytest.mark.parametrize("url", ["postgresql://h/db", "hausbote.db", "", "sqlite:/x.db"])
def test_another_kind_of_database_is_refused(url):
    for use in (migrate, open_store, schema_version):
        with pytest.raises(StorageError, match="database must be sqlite:///FILE"):
            use(url)


def test_several_processes_may_migrate_at_once(url):
    command = [sys.executable, "-c", MIGRATE, url]
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(6)
    ]  # fmt: skip
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    results = [child.communicate(timeout=60) for child in children]
    assert [error for _, error in results if error] == []
    assert {out.strip() for out, _ in results} <= {f"(0, {CURRENT})", f"({CURRENT}, {CURRENT})"}
    assert schema_version(url) == CURRENT


def test_models_and_migrations_describe_the_same_tables(url, path):
    migrate(url)
    described = {
        model._meta.table_name: {field.column_name for field in model._meta.sorted_fields}
        for model in schema.TABLES
    }
    tables = select(
        path, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    made = {
        name: {column[1] for column in select(path, f"PRAGMA table_info({name})")}
        for (name,) in tables
    }
    assert described == made


def with_romeo(url):
    migrate(url)
    store = open_store(url)
    store.accounts.create("romeo", KEYS)
    store.close()


def select(path, sql):
    connection = sqlite3.connect(path)
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def change(path, sql):
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


def test_version_4_gets_an_archive(url, path, monkeypatch):
    monkeypatch.setattr(migrating, "STEPS", migrations.STEPS[:4])
    migrate(url)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO account VALUES (7, 'romeo', 1, 0, 5, 0, 0)")
        connection.execute("INSERT INTO offline VALUES (1, 7, 1.0, x'00')")
    connection.close()
    monkeypatch.undo()
    migrate(url)
    store = open_store(url)
    assert store.offline.count("romeo") == 1
    store.archives.keep(store.archives.next_id(), b"hark", [("romeo", "juliet@h")])
    assert [message.stanza for message in store.archives.page("romeo", Range(), 9)] == [b"hark"]
    store.close()


def test_version_1_gets_clients_and_keeps_its_accounts(url, path, monkeypatch):
    monkeypatch.setattr(migrating, "STEPS", migrations.STEPS[:1])
    migrate(url)
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO account VALUES (7, 'romeo', 1, 0, 5, 0, 0)")
        connection.execute("INSERT INTO scram VALUES (7, 'SHA-1', x'01', 4096, x'02', x'03')")
    connection.close()
    monkeypatch.undo()
    assert migrate(url) == (1, CURRENT)
    store = open_store(url)
    assert store.accounts.get("romeo").admin
    assert store.accounts.keys("romeo", "SHA-1") == ScramKeys(b"\1", 4096, b"\2", b"\3")
    store.clients.remember("romeo", "phone", 1).wait()
    assert [client.agent for client in store.clients.all("romeo")] == ["phone"]
    store.close()
