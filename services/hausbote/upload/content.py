"""How a browser is told to take a file: shown, or saved."""

from typing import Final
from urllib.parse import quote

_ANYTHING: Final = "application/octet-stream"
# Nothing of these can hold a script.
_SHOWN: Final = frozenset(
    (
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "image/avif",
        "image/heic",
        "image/heif",
        "audio/mpeg",
        "audio/mp4",
        "audio/aac",
        "audio/ogg",
        "audio/opus",
        "audio/flac",
        "audio/wav",
        "audio/x-wav",
        "audio/webm",
        "video/mp4",
        "video/webm",
        "video/ogg",
        "video/quicktime",
        "video/3gpp",
        "text/plain",
    )
)
# Browsers may run what they take for one of these, whatever else they are told.
_ACTIVE: Final = ("html", "xml", "script", "svg", "css", "flash", "manifest", "wasm", "multipart")


def display(type: str, name: str) -> list[tuple[str, str]]:
    """Content-Type and Content-Disposition of a file of that type and name."""
    if type in _SHOWN:
        shown = f"{type}; charset=utf-8" if type.startswith("text/") else type
        return [("Content-Type", shown), ("Content-Disposition", _named("inline", name))]
    told = _ANYTHING if any(word in type for word in _ACTIVE) else type
    return [("Content-Type", told), ("Content-Disposition", _named("attachment", name))]


def _named(way: str, name: str) -> str:
    return f"{way}; filename*=UTF-8''{quote(name, safe='')}"
