"""python asks_for_relay.py ADDRESS PORT CA USER: what the server tells USER of the relay, as JSON."""

import json
import sys

from support.client import Client
from support.wires import TcpWire
from support.worlds import DOMAIN, PASSWORD

address, port, ca, user = sys.argv[1:]
client = Client(TcpWire(address, int(port), ca, DOMAIN), DOMAIN).log_in(user, PASSWORD)
client.sends("<iq type='get' id='s' to='h'><services xmlns='urn:xmpp:extdisco:2'/></iq>")
print(json.dumps([dict(service.attrib) for service in client.next()[0]]))
client.leaves()
