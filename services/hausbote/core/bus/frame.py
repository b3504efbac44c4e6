"""The bus's unit on the wire: two lengths, a JSON header, the payload as it is."""

import struct
from typing import Final, NamedTuple

from hausbote.base.compact import read, write

_LENGTHS: Final = struct.Struct("!II")  # of the header, of the payload
STANZA: Final = "stanza"  # the kind whose payload is a packed stanza
STANZAS: Final = "stanzas"  # ... a JSON list of packed stanzas, to be handled in this order
_REST: Final = 200  # bytes of a frame beside what is in it
MAX_HEADER: Final = 1_048_576
MAX_PAYLOAD: Final = 8_388_608


class FrameError(ValueError):
    """Bytes that are no frame."""


class Frame(NamedTuple):
    """`payload` goes from `sender` to all `recipients`; `kind` says what it is."""

    id: str
    kind: str
    sender: str
    recipients: tuple[str, ...]
    payload: bytes


Content = tuple[str, str, tuple[str, ...], bytes]
"""A frame without its id."""


def encoded_size(content: Content) -> int:
    """How many bytes such a frame has on the wire, about."""
    kind, sender, recipients, payload = content
    addresses = sum([len(address) for address in recipients])
    return len(payload) + len(kind) + len(sender) + addresses + 4 * len(recipients) + _REST


def encode(frame: Frame) -> bytes:
    """FrameError if it is larger than any reader would take."""
    header = write(frame[:4])
    if len(header) > MAX_HEADER or len(frame.payload) > MAX_PAYLOAD:
        raise FrameError("the frame is too large")
    return b"".join((_LENGTHS.pack(len(header), len(frame.payload)), header, frame.payload))


class FrameReader:
    """Bytes in, frames out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes; FrameError if the peer does not speak our language."""
        buffer = self._buffer
        buffer += data
        frames = []
        at = 0
        while len(buffer) - at >= _LENGTHS.size:
            header_size, payload_size = _LENGTHS.unpack_from(buffer, at)
            if header_size > MAX_HEADER or payload_size > MAX_PAYLOAD:
                raise FrameError("the frame is too large")
            payload_at = at + _LENGTHS.size + header_size
            end = payload_at + payload_size
            if len(buffer) < end:
                break
            header = bytes(buffer[at + _LENGTHS.size : payload_at])
            frames.append(_decode(header, bytes(buffer[payload_at:end])))
            at = end
        del buffer[:at]
        return frames


def _decode(header: bytes, payload: bytes) -> Frame:
    try:
        id, kind, sender, recipients = read(header)
        "".join((id, kind, sender, *recipients))  # all of them are text
    except (TypeError, ValueError) as error:
        raise FrameError("the header is not what it should be") from error
    if type(recipients) is not list:
        raise FrameError("the header is not what it should be")
    return Frame(id, kind, sender, tuple(recipients), payload)
