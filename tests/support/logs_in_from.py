"""python logs_in_from.py SOURCE TARGET CA DOMAIN PASSWORD...: what comes of romeo's logins, as JSON.

Each is a connection of its own to port 443 of the address TARGET, from the address SOURCE, with the
password given.
"""

import json
import socket
import sys
import threading

from support.client import Client
from support.scram_client import ScramClient
from support.wires import TcpWire


class Wire(TcpWire):
    def __init__(self, source, target, ca, domain):
        self.sock = socket.create_connection((target, 443), 10, source_address=(source, 0))
        self.ca, self.domain, self.strict, self._lock = ca, domain, True, threading.Lock()
        self.secure(alpn=["xmpp-client"])


def tried(source, target, ca, domain, password):
    client = Client(Wire(source, target, ca, domain), domain)
    client.secure()
    answer = client.authenticate(ScramClient("romeo", password, "SCRAM-SHA-1"), "SCRAM-SHA-1")
    client.wire.cut()
    name = answer.tag.partition("}")[2]
    return name if name == "success" else answer[0].tag.partition("}")[2]


(*where,) = sys.argv[1:5]
print(json.dumps([tried(*where, password) for password in sys.argv[5:]]))
