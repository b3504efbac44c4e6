"""The hashes of XEP-0115 and XEP-0390, with their own examples."""

import pytest

from hausbote.xmpp import caps2, ns
from hausbote.xmpp.caps import Caps, verification
from hausbote.xmpp.stanza import Child, tree

INFO = "http://jabber.org/protocol/disco#info"
FEATURES = (
    "http://jabber.org/protocol/caps",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/muc",
)
FORM = (
    "<x xmlns='jabber:x:data' type='result'>"
    "<field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>"
    "<field var='ip_version'><value>ipv4</value><value>ipv6</value></field>"
    "<field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>"
    "<field var='software'><value>Psi</value></field>"
    "<field var='software_version'><value>0.11</value></field></x>"
)


def query(*content):
    return tree(Child(INFO, "query", f"<query xmlns='{INFO}'>{''.join(content)}</query>"))


def features(*names):
    return "".join(f"<feature var='{name}'/>" for name in names)


def test_the_simple_example():
    identity = "<identity category='client' name='Exodus 0.9.1' type='pc'/>"
    found = query(identity, features(*reversed(FEATURES)))
    assert verification(found, "sha-1") == "QgayPKawpkPSDYmwT/WM94uAlu0="


def test_the_complex_example():
    identities = (
        "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>"
        "<identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>"
    )
    found = query(identities, features(*FEATURES), FORM)
    assert verification(found, "sha-1") == "q07IKJEyjvHSyhy//CH0CxmKi8w="


@pytest.mark.parametrize(
    "content",
    [
        "<identity category='client' type='pc'/><identity category='client' type='pc'/>",
        features("urn:a", "urn:a"),
        FORM + FORM,
    ],
)
def test_what_is_ill_formed_has_no_hash(content):
    assert verification(query(content), "sha-1") is None


def test_an_unknown_hash_proves_nothing():
    assert verification(query(features("urn:a")), "md5") is None
    assert verification(query(features("urn:a")), "sha-256") is not None


# -- XEP-0390 ----------------------------------------------------------------------------------

BOMBUS = [
    "http://jabber.org/protocol/si",
    "http://jabber.org/protocol/bytestreams",
    "http://jabber.org/protocol/chatstates",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "urn:xmpp:ping",
    "jabber:iq:time",
    "jabber:iq:privacy",
    "jabber:iq:version",
    "http://jabber.org/protocol/rosterx",
    "urn:xmpp:time",
    "jabber:x:oob",
    "http://jabber.org/protocol/ibb",
    "http://jabber.org/protocol/si/profile/file-transfer",
    "urn:xmpp:receipts",
    "jabber:iq:roster",
    "jabber:iq:last",
]
TKABBER = [
    "games:board",
    "http://jabber.org/protocol/activity",
    "http://jabber.org/protocol/activity+notify",
    "http://jabber.org/protocol/bytestreams",
    "http://jabber.org/protocol/chatstates",
    "http://jabber.org/protocol/commands",
    "http://jabber.org/protocol/disco#info",
    "http://jabber.org/protocol/disco#items",
    "http://jabber.org/protocol/evil",
    "http://jabber.org/protocol/feature-neg",
    "http://jabber.org/protocol/geoloc",
    "http://jabber.org/protocol/geoloc+notify",
    "http://jabber.org/protocol/ibb",
    "http://jabber.org/protocol/iqibb",
    "http://jabber.org/protocol/mood",
    "http://jabber.org/protocol/mood+notify",
    "http://jabber.org/protocol/rosterx",
    "http://jabber.org/protocol/si",
    "http://jabber.org/protocol/si/profile/file-transfer",
    "http://jabber.org/protocol/tune",
    "http://www.facebook.com/xmpp/messages",
    "http://www.xmpp.org/extensions/xep-0084.html#ns-metadata+notify",
    "jabber:iq:avatar",
    "jabber:iq:browse",
    "jabber:iq:dtcp",
    "jabber:iq:filexfer",
    "jabber:iq:ibb",
    "jabber:iq:inband",
    "jabber:iq:jidlink",
    "jabber:iq:last",
    "jabber:iq:oob",
    "jabber:iq:privacy",
    "jabber:iq:roster",
    "jabber:iq:time",
    "jabber:iq:version",
    "jabber:x:data",
    "jabber:x:event",
    "jabber:x:oob",
    "urn:xmpp:avatar:metadata+notify",
    "urn:xmpp:ping",
    "urn:xmpp:receipts",
    "urn:xmpp:time",
]
ABOUT_TKABBER = (
    "<x xmlns='jabber:x:data' type='result'>"
    "<field type='hidden' var='FORM_TYPE'><value>urn:xmpp:dataforms:softwareinfo</value></field>"
    "<field var='software'><value>Tkabber</value></field>"
    "<field var='software_version'>"
    "<value>0.11.1-svn-20111216-mod (Tcl/Tk 8.6b2)</value></field>"
    "<field var='os'><value>Windows</value></field>"
    "<field var='os_version'><value>XP</value></field></x>"
)


def test_the_newer_hashes_of_the_simple_example():
    identity = "<identity category='client' name='BombusMod' type='mobile'/>"
    found = query(identity, features(*BOMBUS))
    assert caps2.verification(found, "sha-256") == "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8="
    assert caps2.verification(found, "sha3-256") == "79mdYAfU9rEdTOcWDO7UEAt6E56SUzk/g6TnqUeuD9Q="


def test_the_newer_hashes_of_the_complex_example():
    identities = (
        "<identity category='client' name='Tkabber' type='pc' xml:lang='en'/>"
        "<identity category='client' name='Ткаббер' type='pc' xml:lang='ru'/>"
    )
    found = query(identities, features(*TKABBER), ABOUT_TKABBER)
    assert caps2.verification(found, "sha-256") == "u79ZroNJbdSWhdSp311mddz44oHHPsEBntQ5b1jqBSY="
    assert caps2.verification(found, "sha3-256") == "XpUJzLAc93258sMECZ3FJpebkzuyNXDzRNwQog8eycg="


@pytest.mark.parametrize(
    "content",
    [
        "<x xmlns='urn:x'/>",
        "<x xmlns='jabber:x:data'><field var='a'><value>1</value></field></x>",
        FORM.replace("type='hidden'", ""),
        FORM.replace("</x>", "<item/></x>"),
    ],
)
def test_what_can_be_read_in_two_ways_has_no_newer_hash(content):
    assert caps2.verification(query(features("urn:a"), content), "sha-256") is None


def test_a_hash_is_chosen_that_is_known():
    hashes = "".join(
        f"<hash xmlns='{ns.HASHES_2}' algo='{algorithm}'> {algorithm}= </hash>"
        for algorithm in ("md5", "sha3-256", "sha-256")
    )
    c = tree(Child(ns.CAPS_2, "c", f"<c xmlns='{ns.CAPS_2}'>{hashes}</c>"))
    found = caps2.read(c)
    assert found == Caps(ns.CAPS_2, "sha3-256=", "sha3-256")
    assert found.disco_node == "urn:xmpp:caps#sha3-256.sha3-256="
    assert caps2.read(tree(Child(ns.CAPS_2, "c", f"<c xmlns='{ns.CAPS_2}'/>"))) is None
