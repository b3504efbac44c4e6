"""The files of the chat: Converse.js's as `make webchat` has fetched them, and our own.

Their addresses have a hash of them all, so that a browser keeps them for good, and an update of
the box is another address.  They are sent from the disk a piece at a time, for anybody may ask for
them, and read as slowly as they like.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from hausbote.net.http import Environ
from hausbote.net.stored import Stored, StoredBytes, StoredFile
from hausbote.webchat.policy import headers_of_assets

PREFIX: Final = "/chat/assets/"

_HERE: Final = Path(__file__).parent
FETCHED: Final = _HERE / "static"
_OWN: Final = _HERE / "page"
_CODINGS: Final = {"br": ".br", "gzip": ".gz"}  # best first; the files' endings
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_PLAIN: Final = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store")]


class _Asset(NamedTuple):
    """What it is by coding, "" being the thing itself: a file, or bytes."""

    type: str
    codings: dict[str, Path | bytes]


class Assets:
    """A WSGI application for what is below `PREFIX`: there is nothing of this box or its people in
    it.  `compute` calls in a thread."""

    def __init__(self, compute: Callable[..., Any], fetched: Path = FETCHED) -> None:
        self._compute = compute
        self._assets: dict[str, _Asset] = {}
        self._descriptors: dict[Path, int] = {}
        digest = hashlib.sha256()
        for path in sorted(_OWN.iterdir()):
            content = path.read_bytes()
            digest.update(path.name.encode() + b"\0" + content)
            made = {"": content, "gzip": gzip.compress(content, mtime=0)}
            self._assets[path.name] = _Asset(_TYPES[path.suffix], {**made})
        version, found = _fetched(fetched)
        for name, told in sorted(found.items()):
            digest.update(f"{name}\0{told['sha256']}".encode())
            path = fetched / name
            codings = {one: path.with_name(path.name + _CODINGS[one]) for one in told["codings"]}
            self._assets[name] = _Asset(_TYPES[path.suffix], {**codings, "": path})
        self.complete = bool(version)
        """Whether Converse.js is there."""
        self.path = f"{PREFIX}{digest.hexdigest()[:16]}"

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> list[bytes] | Stored:
        """A page that was opened before an update asks for the files of that time, and gets those
        of today."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            start("405 Method Not Allowed", [*_PLAIN, ("Allow", "GET, HEAD"), _length(0)])
            return []
        prefix, _, name = environ["PATH_INFO"].removeprefix(PREFIX).partition("/")
        asset = self._assets.get(name)
        if asset is None:
            sorry = b"There is nothing here.\n"
            start("404 Not Found", [*_PLAIN, _length(len(sorry))])
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [sorry]
        is_current = f"{PREFIX}{prefix}" == self.path
        coding = _best(asset, environ.get("HTTP_ACCEPT_ENCODING", ""))
        content = self._opened(asset.codings[coding])
        headers = [
            *headers_of_assets(),
            ("Content-Type", asset.type),
            ("Vary", "Accept-Encoding"),
            ("Cache-Control", _FOR_GOOD if is_current else "no-store"),
            _length(content.size),
        ]
        if coding:
            headers.append(("Content-Encoding", coding))
        start("200 OK", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            content.close()
            return []
        return content

    def _opened(self, content: Path | bytes) -> Stored:
        if isinstance(content, bytes):
            return StoredBytes(content)
        descriptor = self._descriptors.get(content)
        if descriptor is None:
            descriptor = self._descriptors[content] = os.open(content, os.O_RDONLY | os.O_CLOEXEC)
        return _SharedFile(descriptor, 0, os.fstat(descriptor).st_size, self._compute)


class _SharedFile(StoredFile):
    """Its descriptor is that of all who get the file, and stays open."""

    def close(self) -> None:
        pass


def _length(size: int) -> tuple[str, str]:
    return ("Content-Length", str(size))


def _fetched(directory: Path) -> tuple[str, dict[str, Any]]:
    """The version of Converse.js and its files; ("", {}) if there is none."""
    try:
        told = json.loads((directory / "manifest.json").read_text("utf-8"))
    except OSError:
        return "", {}
    return told["version"], told["files"]


def _best(asset: _Asset, accepted: str) -> str:
    """The first coding that both have (RFC 9110 §12.5.3)."""
    wanted = {}
    for part in accepted[:500].split(","):
        name, _, weight = part.strip().lower().partition(";")
        wanted[name.strip()] = weight.strip().replace(" ", "") not in ("q=0", "q=0.0")
    return next((one for one in _CODINGS if one in asset.codings and wanted.get(one)), "")
