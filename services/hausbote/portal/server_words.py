"""Why there is no stream with another server, in the language of a page."""

from typing import Final

from hausbote.portal.language import Language
from hausbote.storage import Peer

_LATER: Final = frozenset(("no-dns", "unreachable", "no-answer", "cut", "busy", "ended"))


def why(language: Language, peer: Peer) -> str:
    """A sentence for the cause that s2s has noted last; "" if all is well."""
    say = language.say
    sentences = {
        "": "",
        "no-such-server": say("There is no such server: perhaps the name has a typing error."),
        "no-dns": say("DNS did not say where it is."),
        "unreachable": say("It cannot be reached."),
        "no-answer": say("It was connected to, and does not answer."),
        "cut": say("It closed the connection without saying why."),
        "ended": say("It ended the conversation."),
        "busy": say("Too many servers were being called at that moment."),
        "fault": say("There was a fault in Hausbote itself; its log says where."),
        "tls-failure": say("The encryption with it did not come about."),
        "no-tls": say("It offers no encryption, or somebody on the way took it away."),
        "not-accepted": say("It does not believe this box: look at the certificate of the box."),
        "absent": say("It shows no certificate."),
        "unreadable": say("Its certificate cannot be read."),
        "self-signed": say("It vouches for itself: no authority has signed its certificate."),
        "unknown-authority": say(
            "An authority that this box does not know signed its certificate."
        ),
        "incomplete": say("Its certificate comes without those that lead to an authority."),
        "expired": say("Its certificate has ended."),
        "not-yet-valid": say("Its certificate begins in the future: one of two clocks is wrong."),
        "chain-expired": say("A certificate between its own and the authority has ended."),
        "broken-chain": say("Its certificates do not belong together."),
        "not-for-servers": say("Its certificate is not meant for servers."),
        "weak-key": say("The key of its certificate is too weak."),
        "weak-signature": say("The signature of its certificate is too weak."),
        "nameless": say("Its certificate is for no name at all."),
        "wrong-name": say("Its certificate is for another name."),
        "revoked": say("Its certificate was taken back."),
        "not-pinned": say("Its certificate is another one than the settings pin."),
        "pin-ended": say("The pin in the settings has ended."),
        "not-in-dns": say("DNS says that it has another certificate."),
    }
    return sentences.get(peer.cause, peer.sentence)


def what_then(language: Language, peer: Peer) -> str:
    """What becomes of messages for it."""
    if not peer.cause:
        return ""
    if peer.cause in _LATER:
        return language.say("It is tried again by itself; messages for it wait.")
    return language.say("Messages for it go back to who wrote them.")
