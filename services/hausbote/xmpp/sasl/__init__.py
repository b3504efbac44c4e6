"""Logging in without sending a password: SCRAM with and without channel binding (RFC 5802, 7677).

No I/O and no clock: messages go in, messages come out.
"""

from hausbote.xmpp.sasl.channel_binding import channel_binding_feature, server_end_point
from hausbote.xmpp.sasl.errors import SaslError
from hausbote.xmpp.sasl.keys import (
    HASHES,
    ITERATIONS,
    ScramKeys,
    derive_keys,
    fake_keys,
    keys_for,
)
from hausbote.xmpp.sasl.payload import decode, encode
from hausbote.xmpp.sasl.scram import Challenge, ScramServer, Success, mechanisms

__all__ = [
    "HASHES",
    "ITERATIONS",
    "Challenge",
    "SaslError",
    "ScramKeys",
    "ScramServer",
    "Success",
    "channel_binding_feature",
    "decode",
    "derive_keys",
    "encode",
    "fake_keys",
    "keys_for",
    "mechanisms",
    "server_end_point",
]
