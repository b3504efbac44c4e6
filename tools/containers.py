"""The box in containers, seen from the machine: Compose, its containers, their images."""

import json
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "compose" / "compose.yaml"
_LABEL = "com.docker.compose"
_STATE = "/var/lib/hausbote"  # where the volume is in a container
_MOST_SAID = 3  # lines
# What compose.yaml has of every service, for those that are none.
HARDENED = (
    "--network=none", "--read-only", "--user=10000:10000", "--cap-drop=ALL",
    "--tmpfs=/run/hausbote:mode=0700,uid=10000,gid=10000,size=4m",
    "--tmpfs=/tmp:mode=1777,size=64m",
    "--security-opt=no-new-privileges:true", "--memory=256m", "--pids-limit=64",
)  # fmt: skip


class Problem(Exception):
    """A sentence for whoever has the box."""


class Compose:
    """Compose with the files of the box, and what .env has of it."""

    def __init__(self, environment_file: Path, project: str, images: str, tag: str) -> None:
        self._environment_file = environment_file
        self._project = project
        self.images = images
        self.tag = tag
        self._files = [FILE]
        self._more: dict[str, str] = {}

    @classmethod
    def of_environment(cls) -> "Compose":
        """As compose/.env says, or ENV_FILE."""
        path = Path(os.environ.get("ENV_FILE", ROOT / "compose" / ".env"))
        if not path.exists():
            raise Problem(f"There is no {path}: cp compose/.env.example {path}")
        chosen = _read(path) | os.environ
        return cls(
            path.resolve(),
            chosen.get("COMPOSE_PROJECT_NAME", "hausbote"),
            chosen.get("HAUSBOTE_IMAGES", "hausbote"),
            chosen.get("HAUSBOTE_TAG", "latest"),
        )

    @property
    def directory(self) -> Path:
        """Where .env is."""
        return self._environment_file.parent

    def trial(self, tag: str = "") -> "Compose":
        """The same services with images of another tag, beside the box and with its volume.

        They have nobody to talk with: each has a network of its own, where all addresses are good.
        They are not started again by themselves, and not by an engine that was.
        """
        made = Compose(self._environment_file, f"{self._project}-trial", self.images, tag)
        made._files = [FILE, self._trial_file()]
        made._more = {"HAUSBOTE_TAG": tag or self.tag}
        return made

    def _trial_file(self) -> Path:
        sysctls = {"net.ipv4.ip_nonlocal_bind": "1", "net.ipv4.ip_unprivileged_port_start": "0"}
        if Path("/proc/sys/net/ipv6").exists():
            sysctls["net.ipv6.ip_nonlocal_bind"] = "1"
        service = {
            "network_mode": "none",
            "restart": "no",
            "environment": {"HAUSBOTE_TRIAL": "1"},
            "sysctls": sysctls,
        }
        whole = {
            "services": dict.fromkeys(self.services(), service),
            "volumes": {"state": {"external": True, "name": self._volume()}},
        }
        path = self.directory / ".trial.yaml"
        path.write_text(json.dumps(whole, indent=2), "utf-8")  # JSON is YAML
        return path

    def services(self) -> list[str]:
        """The names of those that compose.yaml has."""
        return self.run("config", "--services").split()

    def _volume(self) -> str:
        box = self.containers()
        names = [name for one in box.values() if (name := one.volume)]
        return names[0] if names else f"{self._project}_state"

    def run(self, *arguments: str) -> str:
        """What it says; Problem with that if it fails."""
        program = ["docker", "compose"] if _has_plugin() else ["docker-compose"]
        if program == ["docker-compose"] and shutil.which("docker-compose") is None:
            raise Problem("Compose is missing: apt install docker-compose")
        files = [text for path in self._files for text in ("--file", str(path))]
        command = [
            *program, "--project-name", self._project, "--project-directory", str(FILE.parent),
            "--env-file", str(self._environment_file), *files, *arguments,
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, env=os.environ | self._more, check=False
        )
        if done.returncode:
            raise Problem(f"{done.stdout}{done.stderr}".strip())
        return done.stdout

    def containers(self) -> dict[str, "Container"]:
        """Those that there are, by service."""
        ids = docker(
            "ps", "--all", "--quiet", "--no-trunc",
            "--filter", f"label={_LABEL}.project={self._project}",
            "--filter", f"label={_LABEL}.oneoff=False",
        ).split()  # fmt: skip
        told = json.loads(docker("inspect", *ids)) if ids else []
        return {one["Config"]["Labels"][f"{_LABEL}.service"]: Container(one) for one in told}

    def image(self, service: str, tag: str = "") -> str:
        """The name of a service's image."""
        return f"{self.images}/{service}:{tag or self.tag}"

    def image_id(self, service: str, tag: str) -> str:
        """Problem if there is no such image."""
        found = try_docker("image", "inspect", "--format", "{{.Id}}", self.image(service, tag))
        if found.returncode:
            raise Problem(f"There is no image {self.image(service, tag)}.")
        return found.stdout.strip()


class Container:
    """One container, as the engine told of it."""

    def __init__(self, told: dict) -> None:
        self._told = told
        self.id: str = told["Id"]
        self.image: str = told["Image"]
        self.is_running: bool = told["State"]["Running"]

    @property
    def volume(self) -> str:
        """The volume that the box is in; "" if that is a directory."""
        places = [one for one in self._told["Mounts"] if one["Destination"] == _STATE]
        return places[0].get("Name", "") if places else ""

    def trouble(self, service: str) -> str:
        """Why its service does not serve; "" if it does."""
        asked = try_docker("exec", self.id, "python3", "-m", "hausbote.core.health", service)
        said = asked.stdout.strip() or asked.stderr.strip()
        return said or f"{service} does not answer." if asked.returncode else ""

    def has_ended(self) -> bool:
        """For good: nobody starts it again."""
        found = try_docker("inspect", "--format", "{{.State.Status}}", self.id)
        once = self._told["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
        return once and found.stdout.strip() in ("exited", "dead", "")

    def run_once(self, image: str, *command: str) -> str:
        """A command of hausbote in another image, with the volume of this one; Problem."""
        return docker("run", "--rm", "--volumes-from", self.id, *HARDENED, image, *command)

    def last_words(self) -> str:
        said = try_docker("logs", "--tail", str(_MOST_SAID), self.id)
        return f"{said.stdout}{said.stderr}".strip() or "it said nothing."


def tag(image: str, name: str) -> None:
    docker("tag", image, name)


def docker(*arguments: str) -> str:
    """What it says; Problem if it fails."""
    done = try_docker(*arguments)
    if done.returncode:
        raise Problem(done.stderr.strip() or f"docker {arguments[0]} failed.")
    return done.stdout


def try_docker(*arguments: str) -> subprocess.CompletedProcess:
    if shutil.which("docker") is None:
        raise Problem("There is no engine here: apt install docker.io docker-compose")
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)


def _has_plugin() -> bool:
    return not try_docker("compose", "version").returncode


def _read(path: Path) -> dict[str, str]:
    """NAME=VALUE lines."""
    pairs = (line.partition("=") for line in path.read_text("utf-8").splitlines())
    return {
        name.strip(): value.strip().strip("\"'")
        for name, equals, value in pairs
        if equals and not name.lstrip().startswith("#") and value.strip()
    }
