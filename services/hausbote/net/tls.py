"""Certificates and TLS contexts: one context per certificate, chosen by SNI, reloaded when files
change.

A reload makes new contexts for connections to come; those that are up keep theirs.  pyOpenSSL loses
the ALPN callback when the SNI callback switches contexts, so every context carries it.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from OpenSSL import SSL, crypto
from OpenSSL._util import lib

from hausbote.base.jid import a_label
from hausbote.net.ciphers import CIPHERS
from hausbote.xmpp.sasl import server_end_point

T = TypeVar("T")
ALPN_CLIENT: Final = b"xmpp-client"
# A connection that ends without a word has ended: XMPP and HTTP tell themselves what is whole, and
# who is gone needs no alert.
_OPTIONS: Final = (
    SSL.OP_NO_TICKET
    | SSL.OP_NO_RENEGOTIATION
    | SSL.OP_NO_COMPRESSION
    | SSL.OP_SINGLE_ECDH_USE
    | SSL.OP_IGNORE_UNEXPECTED_EOF
    | SSL.OP_CIPHER_SERVER_PREFERENCE
)


class CertificateError(Exception):
    """A certificate or key that cannot be used; the message names the file and the reason."""


class CertificateFiles(NamedTuple):
    """A chain (the server's own certificate first) and its private key, both PEM."""

    chain: Path
    key: Path

    def settled(self) -> "CertificateFiles":
        """Where they are at one moment, links followed.

        Both may be links into a directory that is another one from one moment to the next
        (`certs/deployment.py`): between two equal looks it was the same for both.
        """
        found = self._followed()
        while (again := self._followed()) != found:
            found = again
        return found

    def _followed(self) -> "CertificateFiles":
        return CertificateFiles(*[Path(os.path.realpath(path)) for path in self])


def of_one_pair(files: CertificateFiles, make: Callable[[CertificateFiles], T]) -> T:
    """What is made of a certificate and its key, also while others take their place."""
    while True:
        settled = files.settled()
        try:
            return make(settled)
        except CertificateError:
            if files.settled() == settled:
                raise


class TlsShelf:
    """The server's certificates by host name.

    `default` serves clients without SNI and names that have no certificate of their own.
    CertificateError at construction if one is unusable.
    """

    def __init__(
        self,
        default: CertificateFiles,
        by_name: Mapping[str, CertificateFiles],
        alpn: bytes = ALPN_CLIENT,
        prepare: Callable[[SSL.Context], None] = lambda _: None,
    ) -> None:
        self._default_files = default
        self._files_by_name = dict(by_name)
        self._alpn = alpn
        self._prepare = prepare  # what further is asked of every context
        self._load()

    initiates: Final = False

    def connection(self) -> SSL.Connection:
        """The server's side of TLS, over buffers as yet (`net/memory_tls.py`)."""
        tls = SSL.Connection(self._default)
        tls.set_accept_state()
        return tls

    def changed(self) -> bool:
        """Whether a file is newer than what is in use."""
        return self._stamps() != self._seen

    def reload(self) -> None:
        """Use the files as they are now; CertificateError keeps what was in use."""
        self._load()

    def _load(self) -> None:
        stamps = self._stamps()
        default = of_one_pair(self._default_files, self._context)
        by_name = {
            a_label(name): of_one_pair(files, self._context)
            for name, files in self._files_by_name.items()
        }
        self._seen, self._default, self._by_name = stamps, default, by_name

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        paths = [p for files in self._all_files() for p in files]
        return tuple([_stamp(path) for path in paths])

    def _all_files(self) -> Iterable[CertificateFiles]:
        return (self._default_files, *self._files_by_name.values())

    def _context(self, files: CertificateFiles) -> SSL.Context:
        context = make_context(SSL.TLS_SERVER_METHOD, files)
        self._prepare(context)
        context.set_alpn_select_callback(_alpn_chooser(self._alpn))
        context.set_tlsext_servername_callback(self._choose)
        _end_points[context] = server_end_point(_der(files.chain))
        return context

    def _choose(self, connection: SSL.Connection) -> None:
        name = connection.get_servername()
        if name:
            context = self._by_name.get(name.decode("ascii", "replace").lower())
            if context is not None:
                connection.set_context(context)


def make_context(method: int, files: CertificateFiles | None) -> SSL.Context:
    """What holds for TLS with anybody; CertificateError if the files are unusable."""
    context = SSL.Context(method)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_OPTIONS)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(CIPHERS.tls12)
    context.set_tls13_ciphersuites(CIPHERS.tls13)
    if files is None:
        return context
    for path in files:
        try:
            path.read_bytes()  # OpenSSL has no words for what the system says
        except OSError as error:
            raise CertificateError(f"{path}: {reason(error)}") from None
    try:
        context.use_certificate_chain_file(str(files.chain))
        context.use_privatekey_file(str(files.key))
        context.check_privatekey()
    except (SSL.Error, OSError) as error:
        raise CertificateError(f"{files.chain} with {files.key}: {reason(error)}") from None
    return context


def channel_bindings(tls: SSL.Connection) -> dict[str, bytes]:
    """What both ends know of this connection alone, by channel binding type.

    `tls` is the server's side.  tls-exporter is for TLS 1.3 (RFC 9266), where tls-unique (RFC 5929
    §3) is not defined.  Without the extended master secret that says nothing, because two
    connections can be made to have the same (RFC 7627 §1).
    """
    bindings = {}
    if tls.get_protocol_version() >= SSL.TLS1_3_VERSION:
        exported = tls.export_keying_material(b"EXPORTER-Channel-Binding", 32, b"")
        bindings["tls-exporter"] = exported
    elif _has_extended_master_secret(tls):
        # The first Finished is the client's: we resume nothing and renegotiate nothing.
        finished = tls.get_peer_finished()
        if finished:
            bindings["tls-unique"] = finished
    bindings["tls-server-end-point"] = _end_points[tls.get_context()]
    return bindings


def _has_extended_master_secret(tls: SSL.Connection) -> bool:
    """Whether RFC 7627 holds; pyOpenSSL has OpenSSL's function for it, and no method."""
    return bool(lib.SSL_get_extms_support(tls._ssl) == 1)


# By context, because SNI gives a connection the context of the certificate that it shows.
_end_points: WeakKeyDictionary[SSL.Context, bytes] = WeakKeyDictionary()


def _der(chain: Path) -> bytes:
    try:
        pem = chain.read_bytes()
    except OSError as error:
        raise CertificateError(f"{chain}: {reason(error)}") from None
    certificate = crypto.load_certificate(crypto.FILETYPE_PEM, pem)
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)


def _alpn_chooser(ours: bytes) -> Callable[[SSL.Connection, list[bytes]], bytes]:
    def choose(_connection: SSL.Connection, offered: list[bytes]) -> bytes:
        if ours not in offered:
            # Raising ends the handshake: a client of another protocol gets nothing (ALPACA).
            raise CertificateError("the client asked for another protocol")
        return ours

    return choose


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0)
    return (status.st_mtime_ns, status.st_ino)


def reason(error: Exception) -> str:
    """What OpenSSL or the system says of a failure."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    details = error.args[0] if error.args else []
    if not isinstance(details, list):
        return type(error).__name__
    # "system lib", "PEM lib": where something failed, and not what.
    told = [item[-1] for item in details if item[-1] and not item[-1].endswith(" lib")]
    return "; ".join(told) or "OpenSSL does not say why"
