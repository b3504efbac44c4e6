"""The servers that are compared: each starts pinned to CPU 1 and is stopped by its process id.

servers.py STATE    (re)start the Hausbote of that state directory and print its process id
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HAUSBOTE = [sys.executable, "-m", "hausbote.cli"]
DOMAIN = "bench.example"
NO_LIMITS = (
    "bytes_per_second", "stanza_bytes", "sessions_per_account", "connections_per_address",
    "login_attempts", "registrations_per_hour", "roster_items", "offline_messages",
    "archive_messages", "room_occupants", "room_joins_per_minute", "room_changes_per_minute",
    "archive_bytes", "offline_bytes", "room_bytes", "kept_bytes_per_hour",
)  # fmt: skip


class Hausbote:
    name = "Hausbote"

    def __init__(
        self, data: Path, archive: bool, more: Sequence[str] = (), host: str = "127.0.0.2"
    ) -> None:
        """`more` are further settings."""
        self.host = host
        self.state = data / "hausbote"
        self.database = self.state / "hausbote.db"
        self.environment = dict(os.environ)
        chosen = [
            "registration=open",
            "relay.run=off",
            f"archive.enabled={'yes' if archive else 'no'}",
        ]
        chosen += [f"limits.{name}=0" for name in NO_LIMITS]
        chosen += more
        overrides = [argument for one in chosen for argument in ("--set", one)]
        command = [*HAUSBOTE, "--state", str(self.state), "init", "--domain", DOMAIN]
        subprocess.run(
            [*command, "--address", self.host, *overrides], check=True, stdout=subprocess.DEVNULL
        )
        self.restart = shlex.join([sys.executable, __file__, str(self.state)])

    def start(self) -> int:
        # By a process of its own, so that nobody but init has to wait for what it leaves behind.
        done = subprocess.run(shlex.split(self.restart), check=True, stdout=subprocess.PIPE)
        return int(done.stdout)

    def stop(self) -> None:
        stop(self.state)

    def base_memory(self) -> str:
        """PSS of c2s after start, in MB."""
        command = [*HAUSBOTE, "--state", str(self.state), "status", "--json"]
        services = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        pss = next(one["memory"] for one in services if one["service"] == "c2s")
        return f"{pss / 1e6:.1f} MB"


class Peer:
    def __init__(
        self, name: str, host: str, script: Path, variant: str, data: Path, archive: bool
    ) -> None:
        self.name, self.host = name, host
        kind = script.stem.removeprefix("start-")
        self.directory = data / f"{kind}-{variant}"
        self.database = self.directory / "ejabberd.sqlite"
        if kind == "prosody":
            self.database = self.directory / "data" / "prosody.sqlite"
        self.environment = os.environ | {
            "PEER_DATA": str(data), "PEER_CPU": "1", "PEER_GC": "generational",
            "PEER_MAM": "on" if archive else "off", "PEER_IP": host,
            "PEER_NODE": f"bench-{host.rpartition('.')[2]}@localhost",
        }  # fmt: skip
        self.restart = shlex.join([str(script), variant])
        self.stopper = script.with_name("stop.sh")

    def start(self) -> int:
        command = shlex.split(self.restart)
        subprocess.run(command, env=self.environment, check=True, stdout=subprocess.DEVNULL)
        return int((self.directory / "pid").read_text())

    def stop(self) -> None:
        subprocess.run([self.stopper, self.directory], env=self.environment, check=False)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def stop(state: Path) -> None:
    pid_file = state / "run" / "supervisor.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    if is_running(pid):
        os.kill(pid, signal.SIGTERM)
    while is_running(pid):
        time.sleep(0.02)


def start(state: Path) -> int:
    """The process id of the supervisor, when all services listen."""
    output = state.with_name("hausbote.out")
    command = ["taskset", "-c", "1", *HAUSBOTE, "--state", str(state), "run"]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command,
            stdout=file,
            stderr=subprocess.STDOUT,  # or who waits for the end of ours waits for Hausbote's
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    while b"Ctrl-C" not in output.read_bytes():
        if process.poll() is not None:
            sys.exit(f"Hausbote ends at once: {output.read_text()}")
        time.sleep(0.02)
    return int((state / "run" / "supervisor.pid").read_text())


if __name__ == "__main__":
    stop(Path(sys.argv[1]))
    print(start(Path(sys.argv[1])))
