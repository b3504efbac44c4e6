"""JSON without its preliminaries reads and writes the same as with them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hausbote.base import compact

VALUES = st.recursive(
    st.text() | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_is_written_is_read_again_and_is_what_json_writes(value):
    try:
        written = compact.write(value)
    except UnicodeEncodeError:
        return  # half a character cannot be written by anybody
    assert compact.read(written) == value
    assert json.loads(written) == value
    assert written == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@pytest.mark.parametrize("data", [b"", b"[1", b"[1] [2]", b"[1]\n", b" [1]", b"\xff", b"nothing"])
def test_anything_else_is_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011 - json's and ours, whatever they say
        compact.read(data)
