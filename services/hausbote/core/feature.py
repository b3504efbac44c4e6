"""What a capability declares: its XEPs, what disco says of it, and its handlers.

A feature is a local object that collects handlers by decorator; nothing happens at import.  IQ
handlers have exact keys, message handlers a named stage, presence handlers a type, so that nothing
depends on the order in which features are listed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

from hausbote.base.jid import JID
from hausbote.core.bus.frame import Frame
from hausbote.core.command import Command, Step
from hausbote.xmpp.data_form import DataForm
from hausbote.xmpp.stanza import Child, Stanza
from hausbote.xmpp.xml import Markup

if TYPE_CHECKING:
    from hausbote.core.delivery import Delivery, Sent
    from hausbote.core.host import Host
    from hausbote.core.request import Presence, Request
    from hausbote.core.session import Session, Transport


class Target(Enum):
    """Whom an IQ is addressed to."""

    HOST = "the service's own domain"
    ACCOUNT = "an account's bare JID"
    NOBODY = "a bare JID of the service that is no account's"
    CLIENT = "a full JID: the handler may refuse what the client would get"
    STRANGER = "the service, by a connection that has not logged in"


class Stage(IntEnum):
    """The order in which a message for a local account passes its handlers: top to bottom."""

    GUARD = auto()  # may refuse it
    STAMP = auto()  # may change it
    ARCHIVE = auto()  # keeps it
    COPY = auto()  # sends copies to others than the recipient
    DELIVER = auto()  # hands it to sessions: core.delivery, nobody else
    ABSENT = auto()  # nobody was there to take it


class Moment(Enum):
    """What happens to a session."""

    BOUND = "it got its resource"
    SEEN = "it sent available presence, for the first time or again"
    READY = "it became available for messages: with a priority that is not negative"
    LEFT = "it became unavailable"
    HIBERNATES = "its connection broke, and it waits for its client (XEP-0198)"
    RESUMED = "its client came back over another stream (XEP-0198)"
    GONE = "it ended"
    REMOVED = "it ended, and nobody finds it any more"


class Phase(Enum):
    """When a stream feature is offered."""

    BEFORE_LOGIN = auto()
    AFTER_LOGIN = auto()


ResourceIq = Callable[["Host", Stanza, JID, JID], bool]
IqHandler = Callable[["Request"], "Child | None"]
MessageHandler = Callable[["Delivery"], "bool | None"]
PresenceHandler = Callable[["Presence"], None]
SentHandler = Callable[["Sent"], None]
RefusedHandler = Callable[["Host", "Session", Stanza], None]
NonzaHandler = Callable[["Host", "Session", Stanza], None]
FrameHandler = Callable[["Host", Frame], None]
PackState = Callable[["Session"], Any]
UnpackState = Callable[["Host", "Session", Any], None]
SessionHook = Callable[["Host", "Session"], None]
PresenceStamp = Callable[["Host", "Session", Stanza], Stanza]
Witness = Callable[["Presence"], None]
Granted = Callable[["Host", str, str], None]
Regrouped = Callable[["Host", str, str, tuple[str, ...]], None]
Follower = Callable[["Host", str, list[Callable[[], None]]], None]
ItemLister = Callable[["Request"], list[Markup]]
StreamFeature = Callable[["Host"], "Markup | None"]
Screen = Callable[["Host", Stanza, JID, JID, "Session | None"], bool]
DiscoForm = Callable[["Host"], "DataForm | None"]
NodeInfo = Callable[["Request", str], "Child | None"]
BindHandler = Callable[["Host", "Session", Child], "Markup | None"]
BindResult = Callable[["Host", "Session"], "Markup | None"]
SaslHandler = Callable[["Host", "Transport", str, Child], "Inline"]
IqKey = tuple[Target, str, str, str]  # target, type, namespace, name


class Inline(NamedTuple):
    """What came of an element inside <authenticate/> (XEP-0388).

    `answer` goes into <success/>.  `session` is one that the stream takes over instead of binding a
    resource; `afterwards` then runs when <success/> is written and everything else may follow.
    """

    answer: Markup | None = None
    session: "Session | None" = None
    afterwards: Callable[[], None] | None = None


@dataclass
class Feature:
    """One capability.

    `xeps` maps numbers to the version that was read, `partial` to what of it is missing; `disco`
    and `account_disco` are what it adds to disco#info of the service and of accounts, `identities`
    and `account_identities` the pairs of category and type.
    """

    name: str
    xeps: dict[str, str] = field(default_factory=dict)
    partial: dict[str, str] = field(default_factory=dict)
    disco: tuple[str, ...] = ()
    account_disco: tuple[str, ...] = ()
    identities: tuple[tuple[str, str], ...] = ()
    account_identities: tuple[tuple[str, str], ...] = ()
    iqs: dict[IqKey, IqHandler] = field(default_factory=dict)
    resource_iqs: list[ResourceIq] = field(default_factory=list)
    messages: list[tuple[Stage, MessageHandler]] = field(default_factory=list)
    outbound_presence: dict[str, PresenceHandler] = field(default_factory=dict)
    inbound_presence: dict[str, PresenceHandler] = field(default_factory=dict)
    stamps: list[PresenceStamp] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    grants: list[Granted] = field(default_factory=list)
    withdrawals: list[Granted] = field(default_factory=list)
    regroupings: list[Regrouped] = field(default_factory=list)
    domain_messages: list[MessageHandler] = field(default_factory=list)
    sent_messages: list[SentHandler] = field(default_factory=list)
    refused_messages: list[RefusedHandler] = field(default_factory=list)
    nonzas: dict[tuple[str, str], NonzaHandler] = field(default_factory=dict)
    frames: dict[str, FrameHandler] = field(default_factory=dict)
    followers: dict[str, list[Follower]] = field(default_factory=dict)
    listers: list[ItemLister] = field(default_factory=list)
    hooks: list[tuple[Moment, SessionHook]] = field(default_factory=list)
    stream_features: list[tuple[Phase, StreamFeature]] = field(default_factory=list)
    commands: dict[str, Command] = field(default_factory=dict)
    screens: list[Screen] = field(default_factory=list)
    disco_forms: list[DiscoForm] = field(default_factory=list)
    nodes: dict[str, list[NodeInfo]] = field(default_factory=dict)
    bind_inlines: dict[tuple[str, str], BindHandler] = field(default_factory=dict)
    bind_results: list[BindResult] = field(default_factory=list)
    sasl_inlines: dict[tuple[str, str], tuple[Markup, SaslHandler]] = field(default_factory=dict)
    session_states: dict[str, tuple[PackState, UnpackState]] = field(default_factory=dict)

    def iq(
        self, type: str, ns: str, name: str, *targets: Target
    ) -> Callable[[IqHandler], IqHandler]:
        """Answers IQs of that type and payload: what it returns is the result's payload."""

        def register(handler: IqHandler) -> IqHandler:
            for target in targets:
                self.iqs[target, type, ns, name] = handler
            return handler

        return register

    def resource_iq(self, handler: ResourceIq) -> ResourceIq:
        """Sees every IQ to an address with a resource, of whatever type, with its sender and
        addressee; True if it was for this feature."""
        self.resource_iqs.append(handler)
        return handler

    def message(self, stage: Stage) -> Callable[[MessageHandler], MessageHandler]:
        """Sees every message for a local account; returning True ends the message's way."""

        def register(handler: MessageHandler) -> MessageHandler:
            self.messages.append((stage, handler))
            return handler

        return register

    def domain_message(self, handler: MessageHandler) -> MessageHandler:
        """Sees every message for the service's own address; True if it was for this feature."""
        self.domain_messages.append(handler)
        return handler

    def sent(self, handler: SentHandler) -> SentHandler:
        """Sees every message that a client of ours sends, wherever it goes, before it goes on."""
        self.sent_messages.append(handler)
        return handler

    def refused(self, handler: RefusedHandler) -> RefusedHandler:
        """Sees the error with which we answer a message of a client of ours at once."""
        self.refused_messages.append(handler)
        return handler

    def nonza(self, ns: str, *names: str) -> Callable[[NonzaHandler], NonzaHandler]:
        """Handles those elements of a bound client's stream that are not stanzas."""

        def register(handler: NonzaHandler) -> NonzaHandler:
            for name in names:
                self.nonzas[ns, name] = handler
            return handler

        return register

    def keeps(self, name: str, pack: PackState, unpack: UnpackState) -> None:
        """What a session has of this feature outlives an orderly restart: `pack` makes of it what
        JSON can hold, or something false if there is nothing to keep."""
        self.session_states[name] = pack, unpack

    def frame(self, kind: str) -> Callable[[FrameHandler], FrameHandler]:
        """Handles frames of that kind from other services, and our own that could not be sent."""

        def register(handler: FrameHandler) -> FrameHandler:
            self.frames[kind] = handler
            return handler

        return register

    def stamp(self, handler: PresenceStamp) -> PresenceStamp:
        """May change an available presence of a session, before anybody sees it."""
        self.stamps.append(handler)
        return handler

    def witness(self, handler: Witness) -> Witness:
        """Sees presence, available or not, that somebody sends to an account of ours."""
        self.witnesses.append(handler)
        return handler

    def granted(self, handler: Granted) -> Granted:
        """Called with an account's local part and a bare JID that may see its presence now."""
        self.grants.append(handler)
        return handler

    def withdrawn(self, handler: Granted) -> Granted:
        """Called with an account's local part and a bare JID that may not see its presence now."""
        self.withdrawals.append(handler)
        return handler

    def regrouped(self, handler: Regrouped) -> Regrouped:
        """Called with an account's local part, the bare JID of a contact that is in other groups
        now, and the groups that it was in before."""
        self.regroupings.append(handler)
        return handler

    def follows(self, *topics: str) -> Callable[[Follower], Follower]:
        """Called with an account's local part when a client changed something of it by that name,
        before the client hears of its success; what is to follow that goes into the list."""

        def register(handler: Follower) -> Follower:
            for topic in topics:
                self.followers.setdefault(topic, []).append(handler)
            return handler

        return register

    def lists(self, handler: ItemLister) -> ItemLister:
        """Adds to disco#items of the service or of an account."""
        self.listers.append(handler)
        return handler

    def outbound(self, *types: str) -> Callable[[PresenceHandler], PresenceHandler]:
        """Handles presence that a session of ours sends; "available" stands for no type."""
        return self._presence(self.outbound_presence, types)

    def inbound(self, *types: str) -> Callable[[PresenceHandler], PresenceHandler]:
        """Handles presence addressed to an account of ours; "available" stands for no type."""
        return self._presence(self.inbound_presence, types)

    @staticmethod
    def _presence(
        table: dict[str, PresenceHandler], types: tuple[str, ...]
    ) -> Callable[[PresenceHandler], PresenceHandler]:
        def register(handler: PresenceHandler) -> PresenceHandler:
            table.update(dict.fromkeys(types, handler))
            return handler

        return register

    def on(self, moment: Moment) -> Callable[[SessionHook], SessionHook]:
        """Called when that happens to a session."""

        def register(hook: SessionHook) -> SessionHook:
            self.hooks.append((moment, hook))
            return hook

        return register

    def command(
        self, node: str, name: str, allowed: Callable[["Request"], bool], *before: Step
    ) -> Callable[[Step], Step]:
        """The last step of a command, after those in `before`."""

        def register(last: Step) -> Step:
            self.commands[node] = Command(node, name, allowed, (*before, last))
            return last

        return register

    def screen(self, screen: Screen) -> Screen:
        """Sees every stanza on its way with its sender and addressee, and must be quick.

        The session is given for what a client sent just now.  Returning True drops the stanza,
        raising a StanzaError refuses it.
        """
        self.screens.append(screen)
        return screen

    def disco_form(self, form: DiscoForm) -> DiscoForm:
        """Adds a form to what disco#info tells of the service (XEP-0128)."""
        self.disco_forms.append(form)
        return form

    def node(self, ns: str) -> Callable[[NodeInfo], NodeInfo]:
        """Answers disco (`ns` is that of info or items) about nodes; None if it knows none."""

        def register(handler: NodeInfo) -> NodeInfo:
            self.nodes.setdefault(ns, []).append(handler)
            return handler

        return register

    def stream_feature(self, phase: Phase) -> Callable[[StreamFeature], StreamFeature]:
        """Adds to the <stream:features/> of that phase."""

        def register(feature: StreamFeature) -> StreamFeature:
            self.stream_features.append((phase, feature))
            return feature

        return register

    def bind_inline(self, ns: str, name: str) -> Callable[[BindHandler], BindHandler]:
        """Handles that element inside Bind 2's <bind/> (XEP-0386), which announces `ns`.

        Called when there is a session that nobody can find yet; what it returns goes into <bound/>.
        """

        def register(handler: BindHandler) -> BindHandler:
            self.bind_inlines[ns, name] = handler
            return handler

        return register

    def bind_result(self) -> Callable[[BindResult], BindResult]:
        """Called for every Bind 2 when its session is known to others, and to its client not yet.

        What it returns goes into <bound/>; what is sent to the session meanwhile follows that.
        """

        def register(handler: BindResult) -> BindResult:
            self.bind_results.append(handler)
            return handler

        return register

    def sasl_inline(
        self, ns: str, name: str, offer: Markup
    ) -> Callable[[SaslHandler], SaslHandler]:
        """Handles that element inside <authenticate/> (XEP-0388); `offer` announces it.

        Called with the account's local part when it has proven who it is, before anything is bound.
        """

        def register(handler: SaslHandler) -> SaslHandler:
            self.sasl_inlines[ns, name] = (offer, handler)
            return handler

        return register
