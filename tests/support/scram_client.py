"""A SCRAM client written for the tests alone, so that nothing of the server checks itself."""

import base64
import hashlib
import hmac
import secrets


class ScramClient:
    """`binding` is (type, data) for a -PLUS mechanism; `flag` overrides the gs2 header's."""

    def __init__(self, user, password, mechanism, binding=None, flag=None, authzid=""):
        self.hash = "sha256" if "SHA-256" in mechanism else "sha1"
        self.user = user.replace("=", "=3D").replace(",", "=2C")
        self.password = password.encode()
        self.binding = binding
        flag = flag or (f"p={binding[0]}" if binding else "n")
        self.gs2 = f"{flag},{authzid},"
        self.nonce = secrets.token_urlsafe(18)

    def first(self) -> bytes:
        self.first_bare = f"n={self.user},r={self.nonce}"
        return (self.gs2 + self.first_bare).encode()

    def final(self, challenge: bytes, nonce: str | None = None) -> bytes:
        """The proof; `nonce` is sent, and signed, instead of the server's."""
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        salt, iterations = base64.b64decode(fields["s"]), int(fields["i"])
        assert fields["r"].startswith(self.nonce)
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", self.hash)
        stored = hashlib.new(self.hash, client_key).digest()
        data = self.gs2.encode() + (self.binding[1] if self.binding else b"")
        without_proof = f"c={base64.b64encode(data).decode()},r={nonce or fields['r']}"
        signed = f"{self.first_bare},{challenge.decode()},{without_proof}".encode()
        signature = hmac.digest(stored, signed, self.hash)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        server_key = hmac.digest(salted, b"Server Key", self.hash)
        self.expected = b"v=" + base64.b64encode(hmac.digest(server_key, signed, self.hash))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, success: bytes) -> None:
        assert success == self.expected, "the server does not know the password"
