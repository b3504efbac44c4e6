"""What the front costs: the same box straight and through HAProxy, one after the other.

    front.py --tool DIRECTORY [--rounds 3]

DIRECTORY holds the load generator xmppbench.  Clients come by TLS from the first byte and name
their protocol; the CPU time of the whole box is counted, HAProxy included.  Prints a table in
Markdown.
"""

import argparse
import json
import os
import runpy
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from servers import Hausbote

STRAIGHT, FRONT = 5_223, 8_443
BARE = ["--no-sm", "--no-carbons", "--no-client-acks", "--no-check-archive"]
# What is done, with which options, in a box with or without archives; the figure and its unit.
FIGURES = {
    "login and logout": (["login", "--count", "500"], True, "server_cpu_ms_per_login", "ms"),
    "login and logout, bare": (
        ["login", "--count", "500", *BARE],
        False,
        "server_cpu_ms_per_login",
        "ms",
    ),
    "delivered message": (["chat", "--count", "10000"], True, "server_cpu_us_per_message", "µs"),
    "delivered message, bare": (
        ["chat", "--count", "10000", *BARE],
        False,
        "server_cpu_us_per_message",
        "µs",
    ),
    "delivered message, bare, at 200 messages/s": (
        ["chat", "--rate", "200", "--count", "2000", *BARE],
        False,
        "server_cpu_us_per_message",
        "µs",
    ),
}


def measured(tool: Path, data: Path, port: int, archive: bool, scenario: list[str]) -> list[dict]:
    """The runs of the generator against a new box."""
    off = ("relay", "relay_tls", "portal", "portal_http")
    more = ["federation.enabled=no", *(f"ports.{port}=0" for port in off)]
    if port == FRONT:
        more += ["front.run=here", "front.ports=https", f"ports.https={FRONT}", "ports.http=0"]
    box = Hausbote(data, archive, more)
    pid = box.start()
    time.sleep(2)
    command = [sys.executable, __file__, "--tool", str(tool), "--generate", *scenario]
    command += ["--runs", "3", "--register", "--direct-tls", "--host", box.host]
    command += ["--port", str(port), "--pid", str(pid), "--pin", "0", "--json", "--quiet"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=1_800, check=False)
        if done.returncode:
            sys.exit(f"the generator failed:\n{done.stdout}\n{done.stderr}")
    finally:
        box.stop()
    return json.loads(done.stdout)["runs"]


def generate(tool: Path, arguments: list[str]) -> None:
    """The generator, whose clients say in TLS that they want XMPP, as XEP-0368 has it."""
    wrap = ssl.SSLContext.wrap_bio

    def wrap_bio(self, *arguments, **options):
        self.set_alpn_protocols(["xmpp-client"])
        return wrap(self, *arguments, **options)

    ssl.SSLContext.wrap_bio = wrap_bio
    sys.path.insert(0, str(tool))
    sys.argv = ["xmppbench.py", *arguments]
    runpy.run_path(str(tool / "xmppbench.py"), run_name="__main__")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", type=Path, default=os.environ.get("XMPPBENCH"), required=False)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--generate", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before its time"))  # and its box too
    if asked.tool is None:
        sys.exit("Where is xmppbench? Name its directory with --tool or in XMPPBENCH.")
    tool = asked.tool.resolve()
    if asked.generate:
        generate(tool, asked.generate)
        return
    print("| | straight | through the front | ratio |\n|---|---|---|---|", flush=True)
    for name, (scenario, archive, key, unit) in FIGURES.items():
        found: dict[int, list[float]] = {STRAIGHT: [], FRONT: []}
        for _ in range(asked.rounds):
            for port, values in found.items():
                with tempfile.TemporaryDirectory() as data:
                    runs = measured(tool, Path(data), port, archive, scenario)
                values += [run[key] for run in runs]
        one, other = [statistics.median(values) for values in found.values()]
        print(f"| {name} | {one:.2f} {unit} | {other:.2f} {unit} | {other / one:.2f} |", flush=True)


if __name__ == "__main__":
    main()
