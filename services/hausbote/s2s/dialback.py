"""Server dialback (XEP-0220): behind TLS only, and believed only where the settings allow it.

To be asked about our own keys is no risk, so whoever wants to know gets an answer: other servers
dial back where they cannot use our certificate.

A key that a peer shows is asked about at the server that DNS names for the domain.  A peer whose
certificate proves a further domain of its own needs no such question: it may ask for several pairs
of domains on one stream (XEP-0220 §2.5), and each is judged by itself.

An answer counts only on the stream on which we asked, and only for what was asked.
"""

from typing import TYPE_CHECKING

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.s2s.problem import Problem
from hausbote.xmpp import ns
from hausbote.xmpp.dialback import is_right, key
from hausbote.xmpp.errors import ItemNotFound, PolicyViolation, StanzaError, StreamError
from hausbote.xmpp.errors import RemoteServerTimeout as Timeout
from hausbote.xmpp.stanza import Stanza
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.s2s.gate import Gate
    from hausbote.s2s.incoming import IncomingStream

_MAX_PAIRS = 50  # of one stream
_MAX_DISBELIEVED = 3  # claims of one stream


def features(gate: "Gate", remote: str) -> list[Markup]:
    """The stream feature, where dialback is of any use."""
    if not gate.trust.rules.for_domain(remote).dialback:
        return []
    return [el("dialback", el("errors"), xmlns=ns.DIALBACK_FEATURE)]


def take(stream: "IncomingStream", element: Stanza) -> None:
    """Handle a dialback element on a stream that the peer began."""
    if "type" in element.attrs:
        raise StreamError("not-authorized", "nobody asked for this answer")
    try:
        theirs = prepare_domain(element.attrs.get("from", ""))
        ours = prepare_domain(element.attrs.get("to", ""))
    except InvalidJID:
        raise StreamError("improper-addressing", "dialback is between two domains") from None
    if element.name == "result":
        _take_result(stream, element, theirs, ours)
    elif element.name == "verify":
        _take_verify(stream, element, theirs, ours)
    else:
        raise StreamError("unsupported-stanza-type")


def _take_result(stream: "IncomingStream", element: Stanza, theirs: str, ours: str) -> None:
    """A peer wants to speak for a domain (§2.2.1)."""
    try:
        type = "valid" if _is_valid(stream, element.inner, theirs, ours) else "invalid"
    except StanzaError as problem:
        error = Markup(problem.markup())
        stream.say(el("db:result", error, from_=ours, to=theirs, type="error"))
        if stream.disbelieved >= _MAX_DISBELIEVED:
            raise StreamError("policy-violation", "these are the domains of others") from None
        return
    if type == "valid" and (theirs, ours) not in stream.proven:
        if not stream.proven:
            stream.remote, stream.local = theirs, ours
        stream.proved(theirs, ours)
    stream.say(el("db:result", from_=ours, to=theirs, type=type))
    if type == "invalid":
        stream.close()


def _is_valid(stream: "IncomingStream", given: str, theirs: str, ours: str) -> bool:
    gate = stream.gate
    if ours not in gate.hosted:
        raise ItemNotFound("this domain is not here")
    if (theirs, ours) in stream.proven:
        return True
    if theirs in gate.hosted or len(stream.proven) >= _MAX_PAIRS:
        raise PolicyViolation
    rule = gate.trust.rules.for_domain(theirs)
    try:
        gate.trust.judge(stream, rule, theirs)
        return True
    except Problem as problem:
        if not gate.trust.dialback_may_replace(rule, problem):
            gate.trust.refused(stream, problem, theirs)
            stream.disbelieved += 1
            raise PolicyViolation("dialback is not enough here") from None
    try:
        return gate.attempts.verify(theirs, ours, stream.id, given.strip())
    except Problem:
        raise Timeout("the server of that domain cannot be asked") from None


def _take_verify(stream: "IncomingStream", element: Stanza, theirs: str, ours: str) -> None:
    """A peer asks whether a key that it was shown is ours (§2.2.2)."""
    gate, id = stream.gate, element.attrs.get("id", "")
    right = ours in gate.hosted and is_right(element.inner, gate.secret, theirs, ours, id)
    type = "valid" if right else "invalid"
    stream.say(el("db:verify", from_=ours, to=theirs, id=id, type=type))


def our_key(gate: "Gate", remote: str, local: str, stream_id: str) -> str:
    """What proves to a peer that we speak for a domain of ours."""
    return key(gate.secret, remote, local, stream_id)
