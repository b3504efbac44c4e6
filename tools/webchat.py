"""Fetches the chat in the browser with npm, and puts what a page needs of it into the package.

    python3 tools/webchat.py    services/hausbote/webchat/static, which is not kept in git

Runs on a bare Python with npm.  Nothing of what is fetched is run or changed: the package brings
its files ready for browsers, and one archive with a known hash is all that is fetched.
"""

import base64
import gzip
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "services" / "hausbote" / "webchat" / "static"
NAME, VERSION = "converse.js", "14.0.0"
INTEGRITY = "sha512-" + (
    "LFUg030jDalV47vI/vyVPqYPZfJYXFbubq8v0cFDe2zXNeeGEk3Up0Fj/WTzT6t+6do+cAIToy73eAj7RNDj2Q=="
)
FILES = {
    "dist/converse.min.js": "converse.min.js",
    "dist/converse.min.css": "converse.min.css",
    "dist/emoji.json": "emoji.json",
    "dist/libomemo.esm.min.js": "libomemo.esm.min.js",
    "dist/curve25519_compiled.wasm": "curve25519_compiled.wasm",
    "dist/chunkjs/locales/de-LC_MESSAGES-converse-po.js": (
        "chunkjs/locales/de-LC_MESSAGES-converse-po.js"
    ),
    "dist/chunkjs/locales/dayjs/de-js.js": "chunkjs/locales/dayjs/de-js.js",
    "dist/images/logo/conversejs-filled.svg": "images/logo/conversejs-filled.svg",
    "dist/sounds/msg_received.mp3": "sounds/msg_received.mp3",
    "dist/sounds/msg_received.ogg": "sounds/msg_received.ogg",
    "dist/webfonts/baumans.ttf": "webfonts/baumans.ttf",
    "dist/webfonts/muli.ttf": "webfonts/muli.ttf",
    "LICENSE": "licence-converse.txt",
    "COPYRIGHT": "copyright-converse.txt",
}
DENSE = (".mp3", ".ogg")  # nothing is gained by compressing them
BROTLI = """
const { brotliCompressSync, constants } = require("zlib");
const { readFileSync, writeFileSync } = require("fs");
for (const name of process.argv.slice(1)) {
    const content = readFileSync(name);
    const params = {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    };
    writeFileSync(name + ".br", brotliCompressSync(content, { params }));
}
"""


def main() -> None:
    if is_there():
        return
    if shutil.which("npm") is None or shutil.which("node") is None:
        sys.exit("The chat in the browser is fetched with npm: apt install npm")
    print(f"Fetching {NAME} {VERSION} ...", flush=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent) as place:
        made = Path(place) / TARGET.name
        unpack(fetch(Path(place)), made)
        describe(made)
        shutil.rmtree(TARGET, ignore_errors=True)
        made.rename(TARGET)


def is_there() -> bool:
    """Whether the same files were fetched already."""
    try:
        told = json.loads((TARGET / "manifest.json").read_text("utf-8"))
    except OSError:
        return False
    return told["integrity"] == INTEGRITY and sorted(told["files"]) == sorted(FILES.values())


def fetch(place: Path) -> Path:
    """The package's archive, if it is the one that is meant."""
    command = ["npm", "pack", f"{NAME}@{VERSION}", "--silent", "--pack-destination", str(place)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    archives = list(place.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        sys.exit(f"npm could not fetch {NAME} {VERSION}; is this machine online?")
    digest = base64.b64encode(hashlib.sha512(archives[0].read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        sys.exit(
            f"What npm has fetched is not {NAME} {VERSION} as we know it: nothing was changed."
        )
    return archives[0]


def unpack(archive: Path, made: Path) -> None:
    """The files that a page needs, and nothing else of the archive."""
    with tarfile.open(archive) as packed:
        for inside, name in FILES.items():
            file = packed.extractfile(f"package/{inside}")
            assert file is not None, inside
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.read())


def describe(made: Path) -> None:
    """Compress what can be, and write down what there is."""
    dense = [name for name in FILES.values() if name.endswith(DENSE)]
    loose = [made / name for name in FILES.values() if name not in dense]
    for path in loose:
        packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
        path.with_name(f"{path.name}.gz").write_bytes(packed)
    subprocess.run(["node", "-e", BROTLI, *loose], check=True)
    files = {
        name: {
            "sha256": hashlib.sha256((made / name).read_bytes()).hexdigest(),
            "codings": [] if name in dense else ["br", "gzip"],
        }
        for name in FILES.values()
    }
    told = {"name": NAME, "version": VERSION, "integrity": INTEGRITY, "files": files}
    (made / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
