"""Everything that can be answered with an error, named for its condition on the wire.

Stream errors end a stream (RFC 6120 §4.9), stanza errors answer one stanza (§8.3).  Raising one is
how a handler says no; the dispatcher turns it into the answer.
"""

from typing import TYPE_CHECKING, ClassVar

from hausbote.xmpp import ns
from hausbote.xmpp.xml import Markup, el

if TYPE_CHECKING:
    from hausbote.xmpp.stanza import Child


class StreamError(Exception):
    """Ends the stream with `condition` (RFC 6120 §4.9.3); `text` is for the peer's developers."""

    def __init__(
        self, condition: str, text: str | None = None, *, extra: Markup | None = None
    ) -> None:
        super().__init__(condition)
        self.condition = condition
        self.text = text
        self.extra = extra

    def markup(self) -> Markup:
        """The <stream:error/> element."""
        text = el("text", self.text, xmlns=ns.STREAM_ERRORS, xml_lang="en") if self.text else None
        return el("stream:error", el(self.condition, xmlns=ns.STREAM_ERRORS), text, self.extra)


class StanzaError(Exception):
    """Answers a stanza with an error; each subclass is a condition with its usual type."""

    condition: ClassVar[str] = "undefined-condition"
    type: str = "cancel"

    def __init__(
        self, text: str | None = None, *, type: str | None = None, extra: Markup | None = None
    ) -> None:
        super().__init__(text or self.condition)
        self.text = text
        self.extra = extra
        self.content: str | None = None  # of the condition, where it has some
        self.by: str | None = None  # who says no, if that is not whom the stanza was for
        self.about: Child | None = None  # what stands beside the error, and explains it
        if type is not None:
            self.type = type

    def markup(self) -> Markup:
        """The <error/> element (RFC 6120 §8.3.2)."""
        text = el("text", self.text, xmlns=ns.STANZA_ERRORS, xml_lang="en") if self.text else None
        condition = el(self.condition, self.content, xmlns=ns.STANZA_ERRORS)
        return el("error", condition, text, self.extra, type=self.type, by=self.by)


class BadRequest(StanzaError):
    condition, type = "bad-request", "modify"


class Conflict(StanzaError):
    condition, type = "conflict", "cancel"


class FeatureNotImplemented(StanzaError):
    condition, type = "feature-not-implemented", "cancel"


class Forbidden(StanzaError):
    condition, type = "forbidden", "auth"


class Gone(StanzaError):
    """`uri` is where to go instead (RFC 6120 §8.3.3.5)."""

    condition, type = "gone", "cancel"

    def __init__(self, text: str | None = None, *, uri: str | None = None) -> None:
        super().__init__(text)
        self.content = uri


class InternalServerError(StanzaError):
    condition, type = "internal-server-error", "cancel"


class ItemNotFound(StanzaError):
    condition, type = "item-not-found", "cancel"


class JidMalformed(StanzaError):
    condition, type = "jid-malformed", "modify"


class NotAcceptable(StanzaError):
    condition, type = "not-acceptable", "modify"


class NotAllowed(StanzaError):
    condition, type = "not-allowed", "cancel"


class NotAuthorized(StanzaError):
    condition, type = "not-authorized", "auth"


class PolicyViolation(StanzaError):
    condition, type = "policy-violation", "modify"


class RegistrationRequired(StanzaError):
    condition, type = "registration-required", "auth"


class RecipientUnavailable(StanzaError):
    condition, type = "recipient-unavailable", "wait"


class RemoteServerNotFound(StanzaError):
    condition, type = "remote-server-not-found", "cancel"


class RemoteServerTimeout(StanzaError):
    condition, type = "remote-server-timeout", "wait"


class ResourceConstraint(StanzaError):
    condition, type = "resource-constraint", "wait"


class ServiceUnavailable(StanzaError):
    condition, type = "service-unavailable", "cancel"


class UnexpectedRequest(StanzaError):
    condition, type = "unexpected-request", "wait"
