"""Builds the images of Hausbote with Docker; runs on a bare Python.

    python3 tools/images.py base-image   Debian 13 made of Debian's packages, as hausbote/debian
    python3 tools/images.py pin          images/requirements.txt anew, for other packages
    python3 tools/images.py build        all images, their sizes, and what is in them

    PLATFORM=arm64    for another machine than this one (needs qemu-user-static)
    DEBIAN=NAME       the image of Debian 13 to build on (default: hausbote/debian)
    TAG=latest        the tag of all images

Wheels are fetched and checked here, and only then given to the engine: what is built has no more
than Debian's mirror to reach.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import webchat

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "images"
REQUIREMENTS = IMAGES / "requirements.txt"
OUT = IMAGES / "out"  # what was fetched and written; not kept in the repository
SUITE = "trixie"
PYTHON = "3.13"
PIP = "pip==25.3"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
NEWEST_GLIBC = 41  # of manylinux_2_N; Debian 13 has this one
NAMES = sorted({path.parent.name for path in IMAGES.glob("*/Dockerfile")} - {"base"})


def main(command: str) -> None:
    if command == "pin":
        pin()
        return
    if shutil.which("docker") is None:
        fail("Images need Docker: apt install docker.io")
    if command == "base-image":
        base_image()
    else:
        build()


def base_image() -> None:
    """As debian:trixie-slim, without documentation and translations."""
    if shutil.which("mmdebstrap") is None:
        fail("The base image is made with mmdebstrap: apt install mmdebstrap")
    left_out = ("man", "info", "locale", "doc", "groff", "lintian", "linda", "bug")
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in left_out]
    options += ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]
    with tempfile.TemporaryDirectory() as directory:
        tar = Path(directory, "base.tar")
        run(
            "mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={arch()}",
            *options, SUITE, tar,
        )  # fmt: skip
        run("docker", "import", "--platform", f"linux/{arch()}", tar, name("debian"))
    print_sizes(["debian"])


def pin() -> None:
    """Every wheel that the services need, with its hashes for both machines."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    hashes: dict[str, set[str]] = {}
    for machine in MACHINES:
        with tempfile.TemporaryDirectory() as directory:
            download(
                machine, directory, "-c", ROOT / "constraints.txt", PIP, *project["dependencies"]
            )
            for wheel in Path(directory).iterdir():
                project_name, version = wheel.name.split("-")[:2]
                line = f"{project_name.replace('_', '-').lower()}=={version}"
                digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
                hashes.setdefault(line, set()).add(digest)
    head = "# Made by 'python3 tools/images.py pin': the wheels in the images, amd64 and arm64.\n"
    lines = [
        " \\\n    ".join([line, *(f"--hash=sha256:{one}" for one in sorted(hashes[line]))])
        for line in sorted(hashes)
    ]
    REQUIREMENTS.write_text(head + "\n".join(lines) + "\n", "utf-8")


def build() -> None:
    webchat.main()
    context = OUT / arch()
    wheels, ours = context / "wheels", context / "hausbote"
    fetch(wheels)
    shutil.rmtree(ours, ignore_errors=True)
    # The same wheel of the same code, so that the engine makes no image anew for nothing.
    os.environ["SOURCE_DATE_EPOCH"] = "1577836800"
    run(*pip(), "wheel", "--no-deps", "--wheel-dir", ours, ROOT)
    shutil.copy(REQUIREMENTS, context)
    debian = os.environ.get("DEBIAN", name("debian"))
    docker_build("base", context, f"DEBIAN={debian}")
    for one in NAMES:
        docker_build(one, IMAGES / one, f"BASE={name('base')}")
    print_sizes(["base", *NAMES])
    bills()


def fetch(wheels: Path) -> None:
    """The pinned wheels, and nothing else, once."""
    stamp = wheels.parent / "fetched"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    shutil.rmtree(wheels, ignore_errors=True)
    download(arch(), wheels, "--require-hashes", "--no-deps", "-r", REQUIREMENTS)
    stamp.write_text(wanted)


def download(machine: str, directory: object, *what: object) -> None:
    tags = [f"manylinux_2_{minor}" for minor in range(NEWEST_GLIBC, 4, -1)] + ["manylinux2014"]
    platforms = [f"--platform={tag}_{MACHINES[machine]}" for tag in tags]
    run(
        *pip(), "download", "--quiet", "--only-binary=:all:", f"--python-version={PYTHON}",
        "--implementation=cp", *platforms, "--dest", directory, *what,
    )  # fmt: skip


def docker_build(one: str, context: Path, argument: str) -> None:
    """With the machine's own network, which is all that Debian's mirror may be reached by."""
    print(f"Building {name(one)} ...", flush=True)
    run(
        "docker", "build", "--quiet", "--network=host", "--platform", f"linux/{arch()}",
        "--build-arg", argument, "--tag", name(one), "--file", IMAGES / one / "Dockerfile", context,
    )  # fmt: skip


def print_sizes(names: list[str]) -> None:
    """Of each, and of all together: the layers of the first are in all others, once on the disk."""
    sizes = [
        int(output("docker", "image", "inspect", "--format", "{{.Size}}", name(one)))
        for one in names
    ]
    for one, size in zip(names, sizes, strict=True):
        print(f"{name(one):30} {size / 1e6:6.1f} MB")
    together = sizes[0] + sum(size - sizes[0] for size in sizes[1:])
    print(f"{'all together':30} {together / 1e6:6.1f} MB")


def bills() -> None:
    """What is in each image, as CycloneDX: Debian's packages, and those from PyPI."""
    directory = OUT / "bom"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for one in ("base", *NAMES):
        with tempfile.TemporaryDirectory() as root:
            unpack(one, Path(root))
            run(
                tool("debsbom"), "generate", "--root", root, "-t", "cdx", "--distro-arch", arch(),
                "--cdx-standard", "default", "-o", directory / one,
            )  # fmt: skip
    python = directory / "python.cdx.json"
    run(tool("cyclonedx-py"), "requirements", REQUIREMENTS, "--output-file", python)
    print(f"What is in them: {directory.relative_to(ROOT)}")


def unpack(one: str, root: Path) -> None:
    """What dpkg of an image knows."""
    container = output("docker", "create", name(one))
    try:
        for path, target in (
            ("/var/lib/dpkg", root / "var/lib/dpkg"),
            ("/usr/lib/os-release", root / "etc/os-release"),
        ):
            target.parent.mkdir(parents=True)
            run("docker", "cp", "--quiet", f"{container}:{path}", target)
    finally:
        output("docker", "rm", container)


def pip() -> list[str]:
    return [str(ROOT / ".venv/bin/python"), "-m", "pip", "--disable-pip-version-check"]


def tool(one: str) -> str:
    return str(ROOT / ".venv/bin" / one)


def arch() -> str:
    here = {machine: known for known, machine in MACHINES.items()}.get(platform.machine(), "")
    wanted = os.environ.get("PLATFORM", here)
    if wanted not in MACHINES:
        fail(f"There are images for {' and '.join(MACHINES)}, not for {wanted or 'this machine'}.")
    return wanted


def name(one: str) -> str:
    """Debian is the same for all tags."""
    suffix = "" if "PLATFORM" not in os.environ else f"-{arch()}"
    tag = "latest" if one == "debian" else os.environ.get("TAG", "latest")
    return f"hausbote/{one}:{tag}{suffix}"


def run(*command: object) -> None:
    output(*command)


def output(*command: object) -> str:
    """What a program says; what it complains of is shown if it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        fail(f"{command[0]} failed; the reason stands above.")
    return done.stdout.strip()


def fail(sentence: str) -> None:
    sys.exit(sentence)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("base-image", "pin", "build"):
        sys.exit("usage: python3 tools/images.py base-image|pin|build")
    main(sys.argv[1])
