"""Refusals with the conditions of XEP-0060 beside those of RFC 6120."""

from hausbote.xmpp import ns
from hausbote.xmpp.errors import (
    BadRequest,
    Conflict,
    FeatureNotImplemented,
    ItemNotFound,
    NotAcceptable,
    NotAllowed,
    NotAuthorized,
    PolicyViolation,
    StanzaError,
    UnexpectedRequest,
)
from hausbote.xmpp.xml import Markup, el


def _detail(name: str, **attributes: str) -> Markup:
    return el(name, xmlns=ns.PUBSUB_ERRORS, **attributes)


def bad(detail: str) -> StanzaError:
    """nodeid-required, item-required, payload-required, invalid-jid ..."""
    return BadRequest(extra=_detail(detail))


def unsupported(feature: str) -> StanzaError:
    """Something of the standard that is not here, or not at this node."""
    return FeatureNotImplemented(extra=_detail("unsupported", feature=feature))


def node_required() -> StanzaError:
    return bad("nodeid-required")


def no_such_node() -> StanzaError:
    return ItemNotFound("there is no such node")


def precondition_not_met(field: str) -> StanzaError:
    return Conflict(f"not so: {field}", extra=_detail("precondition-not-met"))


def node_full() -> StanzaError:
    return Conflict(extra=_detail("node-full"))


def too_big() -> StanzaError:
    return NotAcceptable(extra=_detail("payload-too-big"))


def too_many_items() -> StanzaError:
    return NotAllowed(extra=_detail("max-items-exceeded"))


def too_many_subscriptions() -> StanzaError:
    return PolicyViolation(type="wait", extra=_detail("too-many-subscriptions"))


def presence_required() -> StanzaError:
    return NotAuthorized(extra=_detail("presence-subscription-required"))


def not_in_group() -> StanzaError:
    return NotAuthorized(extra=_detail("not-in-roster-group"))


def closed() -> StanzaError:
    return NotAllowed(extra=_detail("closed-node"))


def not_subscribed() -> StanzaError:
    """To one who would have to be, to see the items."""
    return NotAuthorized(extra=_detail("not-subscribed"))


def no_such_subscription() -> StanzaError:
    """To one who wants to end or change what is not there."""
    return UnexpectedRequest(type="cancel", extra=_detail("not-subscribed"))


def invalid_subid() -> StanzaError:
    return NotAcceptable(extra=_detail("invalid-subid"))


def pending() -> StanzaError:
    return NotAuthorized(extra=_detail("pending-subscription"))


def wrong_access_model() -> StanzaError:
    return NotAcceptable(extra=_detail("unsupported-access-model"))
