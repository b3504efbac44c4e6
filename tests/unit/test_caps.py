"""The verification string of XEP-0115, with its own examples."""

import pytest

from hausbote.xmpp.caps import verification
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
