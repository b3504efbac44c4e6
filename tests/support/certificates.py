"""What an owner sees of a box's certificate, and what others are shown."""

import json
import socket
import ssl

from hausbote.certs.pair import read_pair
from support.worlds import hausbote


def certificate(*arguments, state, **how):
    return hausbote("certificate", *arguments, state=state, **how)


def pair(state):
    """What services read; it belongs together, or this fails."""
    return read_pair(state / "certs" / "box.pem", state / "certs" / "box.key")


def told(state):
    return json.loads(certificate("status", "--json", state=state, check=False).stdout)


def shown(address, port, name, root):
    """The certificate that a strict client is shown and accepts (DER)."""
    context = ssl.create_default_context(cafile=str(root))
    with (
        socket.create_connection((address, port), timeout=20) as sock,
        context.wrap_socket(sock, server_hostname=name) as tls,
    ):
        return tls.getpeercert(binary_form=True)
