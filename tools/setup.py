"""Makes .venv with the pinned packages; runs on a bare Python.

    python3 tools/setup.py run     what a box needs
    python3 tools/setup.py test    and what its tests need
    python3 tools/setup.py images  what building images for containers needs
    python3 tools/setup.py arm64   and building them for a Raspberry Pi on another machine

Does nothing if that is done already.  Says plainly what is missing if something is.
"""

import glob
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
INPUTS = ("pyproject.toml", "constraints.txt", "tools/setup.py")
OLDEST = (3, 11)
OLDEST_NODE = 20
SPACE = 600 * 1024 * 1024  # bytes
EXTRAS = {"run": "", "test": "[dev]", "images": "[images]", "arm64": "[images]"}
EMULATIONS = Path("/proc/sys/fs/binfmt_misc")  # that the kernel knows
EMULATION = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")  # of Debian's qemu-user-static


def main(purpose: str) -> None:
    stamp = VENV / f"set-up-{purpose}"
    if not stamp.exists() or stamp.read_text() != fingerprint():
        set_up(purpose)
    if purpose == "arm64":
        check_emulation()  # the kernel forgets it when the machine is started


def set_up(purpose: str) -> None:
    check_machine()
    if purpose == "test":
        check_node()
        check_other_servers()
        check_coturn()
        check_authority()
        check_front()
        check_gloox()
        check_restic()
        check_browser()
        check_other_debian()
    if purpose in ("images", "arm64"):
        try_engine()
    if not (VENV / "bin" / "python").exists():
        make_venv()
    install(EXTRAS[purpose])
    for done in ("run", "test") if purpose == "test" else (purpose,):
        (VENV / f"set-up-{done}").write_text(fingerprint())


def fingerprint() -> str:
    """Changes whenever something else has to be installed."""
    digest = hashlib.sha256(sys.version.encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def check_machine() -> None:
    if sys.version_info < OLDEST:
        fail(
            f"Hausbote needs Python {OLDEST[0]}.{OLDEST[1]} or newer; "
            f"{sys.executable} is {sys.version.split()[0]}."
        )
    if shutil.disk_usage(ROOT).free < SPACE:
        fail(f"The disk of {ROOT} has less than {SPACE >> 20} MB left, which the packages need.")
    if not os.access(ROOT, os.W_OK):
        fail(f"{ROOT} cannot be written by this user.")


def check_node() -> None:
    """The interop tests have a client that is written for Node."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        add_debian_packages("nodejs npm", "The tests with Node's XMPP client need node and npm")
    told = subprocess.run(["node", "--version"], stdout=subprocess.PIPE, text=True, check=False)
    version = told.stdout.strip().removeprefix("v")
    if int(version.partition(".")[0] or 0) < OLDEST_NODE:
        fail(f"The tests need Node {OLDEST_NODE} or newer; this machine has {version or 'none'}.")


def check_other_servers() -> None:
    """The tests of federation have a world of their own: DNS, and servers of other makers."""
    path = "/usr/sbin:/usr/bin:/usr/local/sbin"
    programs = {"unbound": "unbound", "prosody": "prosody", "ejabberdctl": "ejabberd"}
    missing = [package for name, package in programs.items() if not shutil.which(name, path=path)]
    if not glob.glob("/usr/lib/*/lua/5.*/lunbound.so"):
        missing.append("lua-unbound")  # Prosody asks the tests' DNS by it
    if missing:
        add_debian_packages(" ".join(missing), "The tests of federation need other servers")


def check_coturn() -> None:
    """The tests of calls have a real relay and its own client."""
    if shutil.which("turnserver") is None or shutil.which("turnutils_uclient") is None:
        add_debian_packages("coturn", "The tests of calls need coturn")


def check_authority() -> None:
    """The tests of certificates have certbot, and an authority of their own to ask."""
    missing = [name for name in ("certbot", "pebble") if not shutil.which(name)]
    if missing:
        add_debian_packages(" ".join(missing), "The tests of certificates need an ACME server")


def check_front() -> None:
    """The tests of the front have a real one, behind a firewall."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    programs = {"haproxy": "haproxy", "nft": "nftables"}
    missing = [package for name, package in programs.items() if not shutil.which(name, path=path)]
    if missing:
        add_debian_packages(" ".join(missing), "The tests of the front need HAProxy and a firewall")


def check_gloox() -> None:
    """The interop tests have a client that is written in C++."""
    missing = [] if shutil.which("g++") else ["g++"]
    if not os.path.exists("/usr/include/gloox/client.h"):
        missing.append("libgloox-dev")
    if missing:
        add_debian_packages(" ".join(missing), "The tests with gloox need it and a compiler")


def check_restic() -> None:
    """The tests of backups have the real program."""
    if shutil.which("restic") is None:
        add_debian_packages("restic", "The tests of backups need restic")


def check_browser() -> None:
    """The tests of the portal have a real browser."""
    if shutil.which("chromium") is None:
        add_debian_packages("chromium fonts-dejavu", "The tests of the portal need a browser")


def check_other_debian() -> None:
    """People also move from the Prosody and the ejabberd of Debian 13 (`make trixie`)."""
    if shutil.which("mmdebstrap") is None:
        add_debian_packages("mmdebstrap", "The tests of moving need Debian 13 beside this one")


def try_engine() -> None:
    """The tests of containers have an engine of their own; they say what is missing without it."""
    programs = {"dockerd": "docker.io", "docker-compose": "docker-compose"}
    programs |= {"mmdebstrap": "mmdebstrap"}
    missing = [package for program, package in programs.items() if not shutil.which(program)]
    apt = shutil.which("apt-get")
    if missing and apt is not None and os.geteuid() == 0:
        print(f"The tests of containers want {' '.join(missing)}; installing ...", flush=True)
        subprocess.run([apt, "update", "-qq"], check=False)
        subprocess.run(
            [apt, "install", "-qq", "-y", "--no-install-recommends", *missing, "iptables"],
            check=False,
        )


def check_emulation() -> None:
    """The kernel has to know what to run programs of a Raspberry Pi with."""
    if platform.machine() == "aarch64" or (EMULATIONS / "qemu-aarch64").exists():
        return
    if not EMULATION.exists():
        add_debian_packages("qemu-user-static", "A Raspberry Pi is emulated by qemu")
    mount = ["mount", "-t", "binfmt_misc", "binfmt_misc", EMULATIONS]
    if os.geteuid() == 0 and not (EMULATIONS / "register").exists():
        subprocess.run(mount, check=False)
    try:
        (EMULATIONS / "register").write_bytes(EMULATION.read_bytes())
    except OSError as error:
        fail(
            f"The kernel must know the emulation, and refuses it ({error.strerror}): as root,\n"
            f"  {' '.join(map(str, mount))}\n  cat {EMULATION} > {EMULATIONS / 'register'}"
        )


def make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        add_debian_packages("python3-venv", "Python's venv module is not complete")
    print("Making .venv ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        fail("The virtual environment could not be made; the reason stands above.")


def install(extra: str) -> None:
    print("Installing the pinned packages ...", flush=True)
    command = [VENV / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--constraint", ROOT / "constraints.txt"]
    command += ["--editable", f"{ROOT}{extra}"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    sys.stderr.write(done.stderr)
    if done.returncode:
        fail(explain(done.stderr))


def explain(errors: str) -> str:
    """Why pip failed, in a sentence."""
    if "Python.h" in errors or "libev" in errors or "error: command 'gcc'" in errors:
        return (
            "A package had to be compiled, and the compiler or Python's headers are missing: "
            "apt install build-essential python3-dev"
        )
    if "No space left" in errors:
        return "The disk is full."
    if "NewConnectionError" in errors or "Could not fetch" in errors or "Retry" in errors:
        return "The package index cannot be reached; is this machine online?"
    return "The packages could not be installed; the reason stands above."


def add_debian_packages(packages: str, problem: str) -> None:
    """Install Debian packages if we may, or say how."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        fail(f"{problem}: apt install {packages}")
    print(f"{problem}; installing {packages} ...", flush=True)
    subprocess.run([apt, "update", "-qq"], check=False)
    if subprocess.run([apt, "install", "-qq", "-y", *packages.split()], check=False).returncode:
        fail(f"{problem}, and {packages} could not be installed.")
    os.execv(sys.executable, [sys.executable, *sys.argv])


def fail(sentence: str) -> None:
    sys.exit(sentence)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in EXTRAS:
        sys.exit(f"usage: python3 tools/setup.py {'|'.join(EXTRAS)}")
    main(sys.argv[1])
