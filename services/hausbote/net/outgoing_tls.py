"""Our side of TLS when we connect to another server: the same certificates, shown as a client's."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from OpenSSL import SSL

from hausbote.net.peer_tls import ALPN_SERVER, ask_for_staple, name_peer, take_any
from hausbote.net.tls import CertificateFiles, make_context, of_one_pair


class _Pair(NamedTuple):
    plain: SSL.Context  # after STARTTLS
    direct: SSL.Context  # with ALPN


class OutgoingTls:
    """Contexts by the domain of ours that connects; CertificateError if a file is unusable."""

    def __init__(self, default: CertificateFiles, by_name: Mapping[str, CertificateFiles]) -> None:
        self._default_files = default
        self._files_by_name = dict(by_name)
        self.reload()

    def reload(self) -> None:
        """Use the files as they are now; CertificateError keeps what was in use."""
        default = of_one_pair(self._default_files, _pair)
        by_name = {name: of_one_pair(own, _pair) for name, own in self._files_by_name.items()}
        self._default, self._by_name = default, by_name

    def to(self, remote: str, local: str, *, direct: bool) -> "_Client":
        """TLS with the server of `remote` in the name of `local`."""
        pair = self._by_name.get(local, self._default)
        return _Client(pair.direct if direct else pair.plain, remote)


class _Client:
    initiates: Final = True

    def __init__(self, context: SSL.Context, remote: str) -> None:
        self._context = context
        self._remote = remote

    def connection(self) -> SSL.Connection:
        tls = SSL.Connection(self._context)
        name_peer(tls, self._remote)
        tls.set_connect_state()
        return tls


def _pair(files: CertificateFiles) -> _Pair:
    plain, direct = _context(files), _context(files)
    direct.set_alpn_protos([ALPN_SERVER])
    return _Pair(plain, direct)


def _context(files: CertificateFiles) -> SSL.Context:
    context = make_context(SSL.TLS_CLIENT_METHOD, files)
    take_any(context)
    ask_for_staple(context)
    return context
