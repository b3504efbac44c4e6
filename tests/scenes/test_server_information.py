"""What the server tells of itself: XEP-0128, 0157, 0478, 0504."""

import pytest

from support.capabilities import INFO, forms, verification
from support.worlds import PASSWORD, MemoryWorld

LIMITS = "urn:xmpp:stream-limits:0"


def told(client):
    """The forms of disco#info."""
    return forms(asked(client))


def asked(client):
    client.sends(f"<iq type='get' id='q' to='h'><query xmlns='{INFO}'/></iq>")
    return client.receives("<iq type='result' id='q'/>")[0]


def limits(features):
    element = features.find(f"{{{LIMITS}}}limits")
    return {one.tag.rpartition("}")[2]: int(one.text) for one in element}


def test_the_data_policy_is_told(cast):
    policy = told(cast("romeo"))["urn:xmpp:data-policy:0"]
    assert policy["auth_data"] == ["hidden"]
    assert policy["data_retention"] == ["720"]
    assert policy["full_erasure"] == ["true"]
    assert policy["access_policy"] == ["admins"]
    assert policy["backup_retention"] == ["0"]
    assert policy["data_export"] == policy["data_deletion"] == ["true"]


def test_without_a_portal_nobody_fetches_or_deletes_what_they_have(own_cast):
    policy = told(own_cast(ports={"portal": 0})("romeo"))["urn:xmpp:data-policy:0"]
    assert policy["data_export"] == policy["data_deletion"] == ["false"]


def test_the_limits_of_the_stream_before_and_after_the_login(cast):
    cast.account("romeo")
    client = cast.world.client()
    assert limits(client.secure()) == {"max-bytes": 16384, "idle-seconds": 30}
    client = cast.world.client()
    features = []
    opened = client.open
    client.open = lambda **attributes: features.append(opened(**attributes)) or features[-1]
    client.log_in("romeo", PASSWORD)
    assert limits(features[-1]) == {"max-bytes": 262144, "idle-seconds": 300}


def test_no_addresses_no_form(cast):
    assert "http://jabber.org/network/serverinfo" not in told(cast("romeo"))


@pytest.fixture
def verona(tmp_path):
    world = MemoryWorld(
        tmp_path,
        contact={
            "abuse": ["mailto:abuse@h", "xmpp:nurse@h"],
            "status": ["https://status.h/"],
        },
        policy={"terms": "https://h/terms", "backup_hours": 24, "backup_days": 7, "extra": "Hi"},
        retention={"archive_days": 0},
        limits={"stanza_bytes": 0, "idle_seconds": 0},
    )
    world.add_account("romeo")
    yield world
    world.close()


def test_what_the_owner_wrote_is_told(verona):
    romeo = verona.client().log_in("romeo", PASSWORD)
    found = told(romeo)
    assert found["http://jabber.org/network/serverinfo"] == {
        "abuse-addresses": ["mailto:abuse@h", "xmpp:nurse@h"],
        "status-addresses": ["https://status.h/"],
    }
    policy = found["urn:xmpp:data-policy:0"]
    assert policy["tos"] == ["https://h/terms"]
    assert policy["data_retention"] == ["infinite"]
    assert policy["backup_frequency"] == ["24"]
    assert policy["backup_retention"] == ["168"]
    assert policy["extra_info"] == ["Hi"]


def test_the_hash_of_capabilities_counts_the_forms(verona):
    features = verona.client().secure()
    announced = features.find("{http://jabber.org/protocol/caps}c").get("ver")
    romeo = verona.client().log_in("romeo", PASSWORD)
    assert verification(asked(romeo)) == announced
