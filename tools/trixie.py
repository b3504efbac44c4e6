"""Makes a Debian 13 in a directory, with programs of it for tests; needs root.

python3 tools/trixie.py build/trixie

Does nothing if that is done already.
"""

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "ca-certificates",
    *("prosody", "lua-unbound", "ejabberd"),  # from which people move
    *("docker-cli", "docker-compose", "podman", "podman-compose"),  # newer than Debian 12's
)


def main(root: Path) -> None:
    stamp, wanted = root / "made-of", " ".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    program = shutil.which("mmdebstrap")
    if program is None:
        sys.exit("Debian 13 beside this one is made by mmdebstrap: apt install mmdebstrap")
    unfinished = root.with_name(f"{root.name}.part")
    for left in (unfinished, root):
        shutil.rmtree(left, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    command = [program, "--variant=minbase", f"--include={','.join(PACKAGES)}"]
    made = subprocess.run([*command, "trixie", str(unfinished), mirror()], check=False)
    if made.returncode:
        sys.exit("Debian 13 could not be made; the reason stands above.")
    (unfinished / stamp.name).write_text(wanted)
    unfinished.rename(root)


def mirror() -> str:
    """Where this machine's own packages come from."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return told.stdout.splitlines()[0]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 tools/trixie.py DIRECTORY")
    main(Path(sys.argv[1]))
