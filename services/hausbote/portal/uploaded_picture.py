"""Pictures as people upload them: PNG or JPEG, of a bounded size, and without what cameras and
programs write into them, such as the place where a picture was taken.

Nothing is decoded here, so no library of decoders reads what anybody uploads, and what is kept is
kept as it was.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

LARGEST: Final = 60_000  # bytes; a form has a little more
_MOST: Final = 2_000  # points each way: clients unpack all of them
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS: Final = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT",
     b"bKGD", b"pHYs")
)  # fmt: skip
_JPEG: Final = b"\xff\xd8"
_START_OF_FRAME: Final = frozenset((*range(0xC0, 0xD0),)) - {0xC4, 0xC8, 0xCC}
_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length
_START_OF_SCAN: Final = 0xDA
_END: Final = 0xD9
_IN_SCANS: Final = frozenset((0x00, *range(0xD0, 0xD8)))
_NOTES: Final = frozenset((*range(0xE1, 0xF0), 0xFE)) - {0xE2, 0xEE}  # but colours (APP2, APP14)


class Unfit(Enum):
    """Why something cannot be anybody's picture."""

    NOTHING = "nothing was uploaded"
    TOO_LARGE = "it has too many bytes"
    TOO_WIDE = "it has too many points"
    OTHER = "it is neither PNG nor JPEG, or is damaged"


class Picture(NamedTuple):
    type: str
    data: bytes


def read(data: bytes) -> Picture | Unfit:
    """The picture without notes, by what it is and not by what it is called."""
    if not data:
        return Unfit.NOTHING
    if len(data) > LARGEST:
        return Unfit.TOO_LARGE
    try:
        if data.startswith(_PNG):
            return _fitting("image/png", _size_of_png(data), _clean_png(data))
        if data.startswith(_JPEG):
            return _fitting("image/jpeg", _size_of_jpeg(data), _clean_jpeg(data))
    except (ValueError, IndexError):
        pass  # it ends in the middle of something
    return Unfit.OTHER


def type_of(data: bytes) -> str:
    """What a picture is that somebody's client has published; "" if a page does not show it."""
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(_JPEG):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return "image/webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else ""


def _fitting(type: str, size: tuple[int, int], clean: bytes) -> Picture | Unfit:
    if not min(size):
        return Unfit.OTHER
    return Unfit.TOO_WIDE if max(size) > _MOST else Picture(type, clean)


# -- PNG (RFC 2083) ----------------------------------------------------------------------------


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name of each, and all of it."""
    at = len(_PNG)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise ValueError
        name = data[at + 4 : at + 8]
        yield name, data[at:end]
        if name == b"IEND":
            return
        at = end
    raise ValueError


def _size_of_png(data: bytes) -> tuple[int, int]:
    name, chunk = next(_chunks(data), (b"", b""))
    if name != b"IHDR" or len(chunk) != 25:
        raise ValueError
    return int.from_bytes(chunk[8:12], "big"), int.from_bytes(chunk[12:16], "big")


def _clean_png(data: bytes) -> bytes:
    return _PNG + b"".join(chunk for name, chunk in _chunks(data) if name in _KEPT_CHUNKS)


# -- JPEG (ITU-T T.81, annex B) ----------------------------------------------------------------


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker of each segment and all of it, a scan's with its data, to the end of the image:
    what stands behind that is none of it."""
    at = len(_JPEG)
    while True:
        if data[at] != 0xFF:
            raise ValueError
        marker = data[at + 1]
        if marker == 0xFF:  # fills up
            at += 1
            continue
        if marker == _END:
            yield marker, data[at : at + 2]
            return
        end = at + (2 if marker in _ALONE else 2 + int.from_bytes(data[at + 2 : at + 4], "big"))
        if marker == _START_OF_SCAN:
            end = _end_of_scan(data, end)
        if end > len(data):
            raise ValueError
        yield marker, data[at:end]
        at = end


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker is: in a scan's data 0xFF is followed by 0, or restarts the decoder."""
    while data[at] != 0xFF or data[at + 1] in _IN_SCANS:
        at = data.index(b"\xff", at + 1)
    return at


def _size_of_jpeg(data: bytes) -> tuple[int, int]:
    for marker, segment in _segments(data):
        if marker in _START_OF_FRAME:
            return int.from_bytes(segment[7:9], "big"), int.from_bytes(segment[5:7], "big")
    raise ValueError


def _clean_jpeg(data: bytes) -> bytes:
    kept = [segment for marker, segment in _segments(data) if marker not in _NOTES]
    return _JPEG + b"".join(kept)
