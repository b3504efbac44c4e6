"""hausbote check looks at servers of other makers."""

import pytest

from support.authority import Authority, self_signed
from support.foreign import Ejabberd, Federating, Names, Prosody
from support.worlds import hausbote


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    directory = tmp_path_factory.mktemp("check")
    names, authority = Names(directory), Authority()
    house = Federating(directory / "h", "house.example", "127.0.2.11", names, authority)
    yield directory, names, authority, house
    house.close()
    names.stop()


@pytest.mark.parametrize("maker", [Prosody, Ejabberd])
@pytest.mark.parametrize("proven", [True, False])
def test_a_server_of_another_maker_is_seen_as_it_is(place, maker, proven):
    directory, names, authority, house = place
    kind = f"{maker.__name__.lower()}{'' if proven else '-alone'}"
    domain = f"{kind}.example"
    identity = None if proven else self_signed(domain, f"rooms.{domain}")
    server = maker(directory / kind, domain, "127.0.2.12", names, authority, identity)
    try:
        done = hausbote("check", domain, state=house.state, check=False)
    finally:
        server.stop()
    lines = done.stdout.splitlines()
    assert any(line.startswith("good  servers at ") for line in lines), done.stdout
    assert any("accepts our certificate" in line for line in lines), done.stdout
    certificates = [line for line in lines if "certificate: " in line]
    assert len(certificates) == 1
    assert certificates[0].startswith("good" if proven else "bad")
