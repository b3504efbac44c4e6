"""A box in containers behind its front: one port, below 1024, that leads to services elsewhere."""

import pytest

from support.client import Client
from support.engine import ContainerBox
from support.wires import TcpWire
from support.worlds import PASSWORD


class DirectWire(TcpWire):
    """With TLS from the first byte on."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.secure(alpn=["xmpp-client"])


@pytest.fixture
def box(engine, tmp_path):
    made = ContainerBox(engine, tmp_path, "127.0.0.91")
    try:
        made.init("front.run=here", "front.ports=https", "ports.https=443", "ports.http=80")
        made.up()
        made.until_serving()
        yield made
    finally:
        made.down()


def test_people_log_in_by_the_one_port_and_nothing_else_is_open(box):
    box.add_account("romeo")
    client = Client(DirectWire(box.address, 443, box.ca, "h"), "h").log_in("romeo", PASSWORD)
    client.sends("<iq type='get' id='1' to='rooms.h'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert client.next(20).get("type") == "result"
    client.leaves()
    with pytest.raises(ConnectionRefusedError):
        TcpWire(box.address, box.port, box.ca, "h")
