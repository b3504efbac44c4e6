"""JSON for what happens per stanza: `json` makes a new encoder for each call, and looks at
the encoding and the white space around what it reads."""

import json
import json.encoder
from typing import Any, Final

_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_quoted: Final = json.encoder.encode_basestring
_make: Final = getattr(json.encoder, "c_make_encoder", None)  # CPython's, if it was built with it
_chunks: Final = _make and _make(
    None, _encoder.default, _quoted, None, ":", ",", False, False, True
)
_scan: Final = json.JSONDecoder().raw_decode


def write(value: object) -> bytes:
    """Lists, tuples, dictionaries, text, numbers: without a circle, which would not end."""
    text = "".join(_chunks(value, 0)) if _chunks else _encoder.encode(value)
    return text.encode()


def read(data: bytes) -> Any:
    """What `write` wrote; ValueError for anything that is no JSON or has more around it."""
    text = data.decode()
    value, end = _scan(text)
    if end != len(text):
        raise ValueError("there is something behind the value")
    return value
