"""Logging in without sending a password: SCRAM with and without channel binding (RFC 5802, 7677),
the hashed tokens that stand in for a password later, and those that a page gets from the portal.

No I/O and no clock: messages go in, messages come out.
"""

from hausbote.xmpp.sasl.bearer import BEARER, BearerServer
from hausbote.xmpp.sasl.channel_binding import channel_binding_feature, server_end_point
from hausbote.xmpp.sasl.errors import Reason, SaslError
from hausbote.xmpp.sasl.exchange import Challenge, Success
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
from hausbote.xmpp.sasl.scram import ScramServer, mechanisms

__all__ = [
    "BEARER",
    "HASHES",
    "ITERATIONS",
    "SALT_BYTES",
    "BearerServer",
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
