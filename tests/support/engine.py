"""A Docker engine of the tests' own, and a box in its containers."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from hausbote.base.services import SERVICES
from support.client import Client
from support.ports import free_ports
from support.scram_client import ScramClient
from support.wires import TcpWire
from support.worlds import PASSWORD, RunningWorld

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "images" / "out" / "engine"  # of images, from one run to the next
PARTS = {
    "docker": "docker.io",
    "dockerd": "docker.io",
    "docker-compose": "docker-compose",
    "mmdebstrap": "mmdebstrap",
}


def missing():
    """A sentence if no engine can run here."""
    packages = {package for name, package in PARTS.items() if shutil.which(name) is None}
    if packages:
        return f"no containers here: apt install {' '.join(sorted(packages))}"
    return "" if os.getuid() == 0 else "no containers here: only root can start an engine"


class Engine:
    """dockerd on a socket of its own, without bridges and firewall rules."""

    def __init__(self, directory):
        self.socket = f"unix://{directory}/docker.sock"
        self.log = directory / "dockerd.log"
        self._process = None
        if given := os.environ.get("DOCKER_HOST"):
            self.socket = given
            return
        CACHE.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [
                "dockerd", "--data-root", CACHE, "--exec-root", directory / "exec",
                "--pidfile", directory / "pid", "--host", self.socket,
                "--bridge=none", "--iptables=false", "--ip6tables=false",
            ],
            stdout=self.log.open("wb"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        while self.try_docker("info").returncode:
            assert self._process.poll() is None, self.log.read_text()
            time.sleep(0.2)

    @property
    def environment(self):
        return os.environ | {"DOCKER_HOST": self.socket}

    def try_docker(self, *arguments, **more):
        return subprocess.run(
            ["docker", *map(str, arguments)],
            capture_output=True, text=True, env=self.environment, check=False, **more,
        )  # fmt: skip

    def docker(self, *arguments, **more):
        done = self.try_docker(*arguments, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def make_images(self, **chosen):
        """With what is chosen by the environment, PLATFORM say, which then follows the tag."""
        suffix = "".join(f"-{platform}" for platform in chosen.values())
        for command in ("base-image", "build"):
            if command == "base-image" and self.has("debian", suffix):
                continue
            subprocess.run(
                ["python3", ROOT / "tools" / "images.py", command],
                env=self.environment | chosen, check=True,
            )  # fmt: skip

    def make_variant(self, tag, *patches):
        """All images with that tag; a patch is a service ("" are all), a file, and what is added to
        its end."""
        for service in SERVICES:
            lines = [f"FROM hausbote/{service.name}:latest", "USER root", f"LABEL variant={tag}"]
            for name, path, text in patches:
                if name in ("", service.name):
                    program = f"open('/opt/hausbote/hausbote/{path}', 'a').write({text!r})"
                    lines.append(f"RUN {json.dumps(['python3', '-c', program])}")
            whole = "\n".join([*lines, "USER hausbote"])
            name = f"hausbote/{service.name}:{tag}"
            self.docker("build", "--quiet", "--network=none", "--tag", name, "-", input=whole)

    def has(self, name, suffix=""):
        return not self.try_docker("image", "inspect", f"hausbote/{name}:latest{suffix}").returncode

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


class ContainerBox:
    """A box made by `compose run c2s init` and started by `compose up`."""

    def __init__(self, engine, directory, address, domain="h", **chosen):
        self.engine, self.domain, self.address = engine, domain, address
        self.directory = directory
        self.name = f"hausbote-test-{os.getpid()}-{address.rpartition('.')[2]}"
        self.volume = f"{self.name}_state"
        self.ca = directory / "ca.pem"
        self.environment = directory / ".env"
        chosen = {"HAUSBOTE_DOMAIN": domain, "COMPOSE_PROJECT_NAME": self.name} | chosen
        self.environment.write_text("".join(f"{key}={value}\n" for key, value in chosen.items()))
        ports = RunningWorld.ports(address) | dict(
            zip(("relay", "relay_tls"), free_ports(address, 2), strict=True)
        )
        self.port, self.upload_port = ports["c2s"], ports["upload"]
        self.relay_tls_port = ports["relay_tls"]
        self.settings = [
            *(f"ports.{name}={number}" for name, number in ports.items()),
            f"upload.url=https://{address}:{self.upload_port}",
            f"proxy.host={address}",
            f"relay.address={address}",
        ]

    def init(self, *settings):
        overrides = [text for one in (*self.settings, *settings) for text in ("--set", one)]
        init = ("init", "--domain", self.domain, "--address", self.address, *overrides)
        self.compose("run", "--rm", "c2s", *init)

    def compose(self, *arguments, check=True):
        file = ROOT / "compose" / "compose.yaml"
        done = subprocess.run(
            [
                "docker-compose", "--project-name", self.name, "--env-file", self.environment,
                "--file", file, *arguments,
            ],
            capture_output=True, text=True, env=self.engine.environment, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def hausbote(self, *arguments, input="", service="c2s", check=True):
        command = ["docker", "exec", "-i", self.container(service), "hausbote", *arguments]
        done = subprocess.run(
            command, input=input, capture_output=True, text=True,
            env=self.engine.environment, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    def container(self, service):
        return f"{self.name}_{service}_1"

    def inspect(self, service):
        return json.loads(self.engine.docker("inspect", self.container(service)))[0]

    def services(self):
        return self.compose("config", "--services").split()

    def up(self):
        self.compose("up", "-d")
        self.wait_for("c2s", "Starting c2s")
        self.ca.unlink(missing_ok=True)
        source = f"{self.container('c2s')}:/var/lib/hausbote/certs/ca.pem"
        self.engine.docker("cp", source, self.ca)

    def until_serving(self, *services):
        """Wait until `hausbote status` tells that these, or all, serve; returns what it tells."""
        while True:
            told = self.hausbote("status", "--json", check=False)
            found = json.loads(told) if told else []
            wanted = [one for one in found if not services or one["service"] in services]
            if wanted and all(one["serving"] for one in wanted):
                return {one["service"]: one for one in found}
            time.sleep(0.2)

    def until_well(self, service):
        """Wait until its health check has nothing to say, also if it has nothing to do."""
        check = ("python3", "-m", "hausbote.core.health", service)
        while self.engine.try_docker("exec", self.container(service), *check).returncode:
            time.sleep(0.2)

    def log(self, service):
        done = self.engine.try_docker("logs", self.container(service))
        return done.stdout + done.stderr

    def wait_for(self, service, text):
        while text not in self.log(service):
            time.sleep(0.2)

    def down(self):
        self.compose("down", "--volumes", "--timeout", "10")

    # -- what `kill_people` and `people` know of a box -----------------------------------------

    def add_account(self, name):
        self.hausbote("user", "add", f"{name}@{self.domain}", "--password-stdin", input=PASSWORD)

    def client(self):
        return Client(TcpWire(self.address, self.port, self.ca, self.domain), self.domain)

    def log_in(self, name, resource):
        """As soon as the service is there; the errors of a start are waited through."""
        while True:
            try:
                client = self.client()
                client.secure()
                client.authenticate(ScramClient(name, PASSWORD, "SCRAM-SHA-256"), "SCRAM-SHA-256")
                client.open()
                client.bind(resource)
                return client
            except (OSError, AttributeError):
                time.sleep(0.1)
