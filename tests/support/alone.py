"""Services that run alone, each with a supervisor and a private directory of its own, as they do in
containers; here they share the network."""

import os
import subprocess

from support.worlds import HAUSBOTE, hausbote


class Alone:
    """`hausbote run --only SERVICE...` on a state directory, by a command that is `within` another
    namespace, say; what it says is in `said`."""

    def __init__(self, state, run_dir, *services, domain=None, trial=False, within=()):
        run_dir.mkdir(parents=True, exist_ok=True)
        self.state = state
        self.environment = os.environ | {"HAUSBOTE_RUN_DIR": str(run_dir)}
        if domain is not None:
            self.environment["HAUSBOTE_DOMAIN"] = domain
        if trial:
            self.environment["HAUSBOTE_TRIAL"] = "1"
        only = [argument for one in services for argument in ("--only", one)]
        self.said = []
        self.process = subprocess.Popen(
            [*within, *HAUSBOTE, "--state", str(state), "run", *only],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.environment,
        )  # fmt: skip

    def says(self, text):
        """Read on until a line has that text, and return the line."""
        for line in self.process.stdout:
            self.said.append(line.strip())
            if text in line:
                return line.strip()
        raise AssertionError(f"it ended without saying {text!r}: {self.said}")

    def starts(self):
        return self.says("service-started")

    def status(self, *arguments):
        """`hausbote status` in the same container."""
        return subprocess.run(
            [*HAUSBOTE, "--state", str(self.state), "status", *arguments],
            capture_output=True, text=True, env=self.environment, timeout=60, check=False,
        )  # fmt: skip

    def health(self, service):
        """What the engine's health check says; "" if the service serves."""
        command = [HAUSBOTE[0], "-m", "hausbote.core.health", service]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self.environment, check=False
        )
        assert bool(done.stdout) == bool(done.returncode)
        return done.stdout.strip()

    def stop(self):
        """As an engine does; returns the exit code."""
        self.process.terminate()
        self.process.stdout.read()
        return self.process.wait()


def new_box(state, address, ports, *settings):
    """A box whose services find these ports."""
    chosen = [f"ports.{name}={number}" for name, number in ports.items()]
    chosen += ["federation.enabled=no", "relay.run=elsewhere", *settings]
    overrides = [argument for one in chosen for argument in ("--set", one)]
    hausbote("init", "--domain", "h", "--address", address, *overrides, state=state)
