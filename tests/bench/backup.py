"""What a backup costs: a box with messages and files is backed up, changed a little, backed up again,
restored on an empty machine, and a byte of the repository is flipped.

    backup.py --work DIRECTORY [--messages 100000] [--files 1024] [--bytes 1048576]

The directory needs three times the room of all that.  Prints a table: seconds, CPU seconds of our
process and of restic together, their largest memory (resident, of each process), and bytes of the
repository.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

from hausbote.base.settings import Settings
from hausbote.storage import Upload, bounds_of, migrate, open_store
from hausbote.upload.depot import Depot
from hausbote.xmpp.sasl import keys_for

_PEOPLE = 20
_HAUSBOTE = [sys.executable, "-m", "hausbote.cli"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=1_024)
    parser.add_argument("--bytes", type=int, default=1_048_576)
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True)
    state, repository = chosen.work / "state", chosen.work / "repository"
    _hausbote(state, "init", "--domain", "h.example", "--set", f"backup.repository={repository}")
    box = Box(state)
    box.fill(chosen.messages, chosen.files, chosen.bytes)
    _hausbote(state, "backup", "init")
    print(f"database {_mb(state / 'hausbote.db')} MB, files {_mb(state / 'uploads')} MB")
    print("| what | seconds | CPU seconds | our memory | restic's memory | repository |")
    print("|---|---|---|---|---|---|")
    run = Run(repository)
    run.measure("the first backup, verified", state, "backup", "create")
    box.fill(chosen.messages // 100, max(1, chosen.files // 100), chosen.bytes)
    run.measure("another one, after 1 % more of everything", state, "backup", "create")
    run.measure("`verify`, which reads all of the repository", state, "backup", "verify")
    password = ("--password-file", str(state / "backup" / "password"))
    new = chosen.work / "new"
    run.measure(
        "`restore` on an empty machine", new, "backup", "restore", "--repository",
        str(repository), *password,
    )  # fmt: skip
    _hausbote(new, "files", "scrub")
    packs = sorted((repository / "data").glob("*/*"))
    _flip(random.Random(2).choice(packs))
    run.measure("`verify` with a flipped byte", state, "backup", "verify", code=1)
    print(run.said)


class Box:
    """What is put on it goes through its own store."""

    def __init__(self, state: Path) -> None:
        self._settings = Settings.load(state)
        migrate(self._settings.database_url, self._settings.database_mark)
        self._dice = random.Random(1)
        self._depot = Depot(self._settings.uploads_dir)
        self._depot.prepare(lambda _id: False)
        with self._store() as store:
            for number in range(_PEOPLE):
                store.accounts.create(f"user{number}", keys_for(f"password {number}"))

    def _store(self):
        return _Closing(open_store(self._settings.database_url, bounds=bounds_of(self._settings)))

    def fill(self, messages: int, files: int, size: int) -> None:
        dice = self._dice
        with self._store() as store:
            for _ in range(messages):
                one, other = dice.sample(range(_PEOPLE), 2)
                words = " ".join(dice.choices(_WORDS, k=dice.randrange(3, 25)))
                id = dice.randbytes(12).hex()
                stanza = (
                    f"<message xmlns='jabber:client' type='chat' id='{id}'"
                    f" from='user{one}@h.example/phone' to='user{other}@h.example'>"
                    f"<body>{words}</body><origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>"
                )
                entries = [
                    (f"user{one}", f"user{other}@h.example"),
                    (f"user{other}", f"user{one}@h.example"),
                ]
                store.archives.keep(store.archives.next_id(), stanza.encode(), entries)
            for number in range(files):
                id = dice.randbytes(16).hex()
                incoming = self._depot.put(id, dice.randbytes(size))
                upload = Upload(id, "x.jpg", "image/jpeg", size, incoming.digest, time.time())
                account = store.uploads.account(f"user{number % _PEOPLE}")
                store.uploads.add(account, upload, None, 0)
                incoming.settle()
            store.settle()


class _Closing:
    def __init__(self, store) -> None:
        self._store = store

    def __enter__(self):
        return self._store

    def __exit__(self, *_) -> None:
        self._store.close()


class Run:
    """Measures commands and all that they start."""

    def __init__(self, repository: Path) -> None:
        self._repository = repository
        self.said = ""

    def measure(self, name: str, state: Path, *arguments: str, code: int = 0) -> None:
        begun = time.monotonic()
        child = subprocess.Popen(
            [*_HAUSBOTE, "--state", str(state), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        memory = {"hausbote": 0, "restic": 0}
        watching = threading.Thread(target=self._watch, args=(child, memory))
        watching.start()
        self.said = child.stdout.read()
        watching.join()
        seconds = time.monotonic() - begun
        assert child.returncode == code, self.said
        used = self._usage
        print(
            f"| {name} | {seconds:.1f} | {used.ru_utime + used.ru_stime:.1f} "
            f"| {memory['hausbote'] / 1e6:.0f} MB | {memory['restic'] / 1e6:.0f} MB "
            f"| {_mb(self._repository)} MB |",
            flush=True,
        )

    def _watch(self, child: subprocess.Popen, memory: dict[str, int]) -> None:
        while True:
            pid, status, self._usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                child.returncode = os.waitstatus_to_exitcode(status)
                return
            for pid in (child.pid, *_children(child.pid)):
                name, size = _peak(pid)
                kind = "restic" if name == "restic" else "hausbote"
                memory[kind] = max(memory[kind], size)
            time.sleep(0.02)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _peak(pid: int) -> tuple[str, int]:
    """Name and largest resident memory of a process, in bytes."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "", 0
    found = re.search(r"VmHWM:\s+(\d+) kB", text)
    return text.split()[1], int(found[1]) * 1024 if found else 0


def _hausbote(state: Path, *arguments: str) -> None:
    subprocess.run([*_HAUSBOTE, "--state", str(state), *arguments], check=True, capture_output=True)


def _flip(path: Path) -> None:
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def _mb(path: Path) -> str:
    paths = path.rglob("*") if path.is_dir() else [path]
    return f"{sum(one.stat().st_size for one in paths if one.is_file()) / 1e6:,.1f}"


_WORDS = [
    "".join(random.Random(n).choices("abcdefghijklmnopqrstuvwxyz", k=3 + n % 8))
    for n in range(5_000)
]


if __name__ == "__main__":
    main()
