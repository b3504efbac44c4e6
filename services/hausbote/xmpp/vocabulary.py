"""The names that lxml may be shown: of the protocols that are spoken here, written down.

lxml keeps every name that it meets, and white space between elements, in a dictionary that all
share and that nothing ever leaves: what peers make up must not get there.  Nobody but this file
adds to it.  An element with a name that is missing here is read all the same, by expat.
"""

import re
from typing import Final

from hausbote.xmpp import ns

_NAMESPACES: Final = frozenset([uri for key, uri in vars(ns).items() if key.isupper()])

_ELEMENTS: Final = """
    BINVAL DESC EMAIL FAMILY FN GIVEN MIDDLE N NICKNAME NUMBER ORG ORGNAME ORGUNIT PHOTO ROLE TEL
    TITLE TYPE URL USERID activate active actor affiliation affiliations after always autojoin
    bad-request before bind block body bookmark c category command composing conference configure
    conflict continue count create credentials data decline default delete delivered destroy device
    devices disable displayed email enable encrypted error event extensions feature
    feature-not-implemented field file first flip-page forbidden forwarded gone group hash header
    hint identity index info instructions internal-server-error invite item item-not-found items iv
    jid jid-malformed key last list max media message meta metadata moderate never nick
    not-acceptable not-allowed not-authorized notify option options origin-id password paused
    payload pinned policy-violation preKeyPublic preauth prefs presence privacy publish
    publish-options pubsub purge query reason received recipient-unavailable redirect
    registration-required remote-server-not-found remote-server-timeout remove report reported
    request required resource resource-constraint retract search sent service service-unavailable
    services session set signedPreKeyPublic signedPreKeySignature slot stanza-id start status
    storage store subject subscribe subscribe-options subscription subscription-required
    subscriptions text thread title unblock undefined-condition unexpected-request unsubscribe uri
    url username vCard value x
"""
_ATTRIBUTES: Final = """
    action activate affiliation algo approved ask autojoin by bytes category code content-type count
    default expires filename from hash height host id index jid label list max max_items mechanism
    name nick node notify password port preKeyId priority queryid reason resource restricted rid
    role seconds sessionid sid signedPreKeyId size stamp status subid subscription target text
    thread to token transport type url username var ver width xml:lang xmlns
"""
# As `is_known` takes a tag apart: what stands outside the quotes, between blanks.
_WORDS: Final = frozenset(["", *_ELEMENTS.split(), *[f"{name}=" for name in _ATTRIBUTES.split()]])

# In XML of our own writing no ">" and no single quote stands inside an attribute's value.
_TAG: Final = re.compile(r"<[^/>][^>]*")
_NAMESPACE: Final = re.compile(r" xmlns='([^']*)'")
# Shorter ones lie within lxml's nodes (fewer than 8 characters where pointers have 4 bytes).
_WHITE_SPACE: Final = re.compile(r">[ \t\n]{8}")


def is_known(xml: str) -> bool:
    """Whether an element of our own writing has nothing that is not in the vocabulary."""
    tags = "".join(_TAG.findall(xml))
    outside = "".join(tags.split("'")[::2])
    return (
        _WORDS.issuperset(outside.replace("<", " ").replace("/", " ").split(" "))
        and _NAMESPACES.issuperset(_NAMESPACE.findall(tags))
        and _WHITE_SPACE.search(xml) is None
    )
