"""Logging in without sending a password: SCRAM with and without channel binding (RFC 5802, 7677),
and the hashed tokens that stand in for a password later.

No I/O and no clock: messages go in, messages come out.
"""

from hausbote.xmpp.sasl.channel_binding import channel_binding_feature, server_end_point
from hausbote.xmpp.sasl.errors import Reason, SaslError
from hausbote.xmpp.sasl.hashed_token import Proof, check_token, token_mechanisms
from hausbote.xmpp.sasl.keys import (
    HASHES,
    ITERATIONS,
    SALT_BYTES,
    ScramKeys,
    derive_keys,
    fake_keys,
    keys_for,
    keys_of_salted,
)
from hausbote.xmpp.sasl.payload import decode, encode
from hausbote.xmpp.sasl.scram import Challenge, ScramServer, Success, mechanisms

__all__ = [
    "HASHES",
    "ITERATIONS",
    "SALT_BYTES",
    "Challenge",
    "Proof",
    "Reason",
    "SaslError",
    "ScramKeys",
    "ScramServer",
    "Success",
    "channel_binding_feature",
    "check_token",
    "decode",
    "derive_keys",
    "encode",
    "fake_keys",
    "keys_for",
    "keys_of_salted",
    "mechanisms",
    "server_end_point",
    "token_mechanisms",
]
