"""The files of the page: Converse.js's as `make webchat` has fetched them, and our own.

Their addresses have a hash of them all, so that a browser keeps them for good, and an update of
the box is another address.
"""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from hausbote.webchat.answer import NOT_FOUND, Answer
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


class _Asset(NamedTuple):
    """The files of each coding; that of "" is the thing itself."""

    type: str
    codings: dict[str, Path]
    content: dict[str, bytes]  # what was read already


class Assets:
    """`read` brings a file from the disk; what was asked for stays in memory, compressed."""

    def __init__(
        self, read: Callable[[Path], bytes] = Path.read_bytes, fetched: Path = FETCHED
    ) -> None:
        self._read = read
        self._assets: dict[str, _Asset] = {}
        digest = hashlib.sha256()
        for path in sorted(_OWN.iterdir()):
            content = path.read_bytes()
            digest.update(path.name.encode() + b"\0" + content)
            made = {"": content, "gzip": gzip.compress(content, mtime=0)}
            self._assets[path.name] = _Asset(_TYPES[path.suffix], {}, made)
        self.version, found = _fetched(fetched)
        for name, told in sorted(found.items()):
            digest.update(f"{name}\0{told['sha256']}".encode())
            path = fetched / name
            codings = {one: path.with_name(path.name + _CODINGS[one]) for one in told["codings"]}
            self._assets[name] = _Asset(_TYPES[path.suffix], {**codings, "": path}, {})
        self.path = f"{PREFIX}{digest.hexdigest()[:16]}"

    @property
    def complete(self) -> bool:
        """Whether Converse.js is there."""
        return bool(self.version)

    def answer(self, path: str, accepted: str) -> Answer:
        """The file at a path of a URL; `accepted` is the request's Accept-Encoding.

        A page that was opened before an update asks for the files of that time, and gets ours.
        """
        prefix, _, name = path.removeprefix(PREFIX).partition("/")
        asset = self._assets.get(name)
        if asset is None or not path.startswith(PREFIX):
            return NOT_FOUND
        current = f"{PREFIX}{prefix}" == self.path
        coding = _best(asset, accepted)
        headers = [
            *headers_of_assets(),
            ("Content-Type", asset.type),
            ("Vary", "Accept-Encoding"),
            ("Cache-Control", _FOR_GOOD if current else "no-store"),
        ]
        if coding:
            headers.append(("Content-Encoding", coding))
        return Answer("200 OK", tuple(headers), self._content(asset, coding))

    def _content(self, asset: _Asset, coding: str) -> bytes:
        known = asset.content.get(coding)
        if known is None:
            known = self._read(asset.codings[coding])
            if coding:  # hardly a browser asks for what is not compressed
                asset.content[coding] = known
        return known


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
    have = {*asset.codings, *asset.content}
    return next((one for one in _CODINGS if one in have and wanted.get(one)), "")
