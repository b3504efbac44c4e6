"""All handlers of a service in the order in which they run; built once, at start."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from hausbote.core.command import Command
from hausbote.core.feature import (
    BindHandler,
    BindResult,
    DiscoForm,
    Feature,
    Follower,
    FrameHandler,
    IqHandler,
    IqKey,
    MessageHandler,
    Moment,
    NodeInfo,
    NonzaHandler,
    PackState,
    Phase,
    PresenceHandler,
    SaslHandler,
    Screen,
    SessionHook,
    Stage,
    StreamFeature,
    Target,
    UnpackState,
)
from hausbote.xmpp.xml import Markup

K = TypeVar("K")
V = TypeVar("V")


class Registry:
    """Lookup tables made of features; ValueError if two of them claim the same key."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = tuple(features)
        self.iqs: dict[IqKey, IqHandler] = {}
        self.outbound: dict[str, PresenceHandler] = {}
        self.inbound: dict[str, PresenceHandler] = {}
        self.commands: dict[str, Command] = {}
        self.nonzas: dict[tuple[str, str], NonzaHandler] = {}
        self.frames: dict[str, FrameHandler] = {}
        self.bind_inlines: dict[tuple[str, str], BindHandler] = {}
        self.sasl_inlines: dict[tuple[str, str], tuple[Markup, SaslHandler]] = {}
        self.session_states: dict[str, tuple[PackState, UnpackState]] = {}
        for feature in features:
            _merge("state of sessions", self.session_states, feature.session_states)
            _merge("command", self.commands, feature.commands)
            _merge("IQ", self.iqs, feature.iqs)
            _merge("outbound presence", self.outbound, feature.outbound_presence)
            _merge("inbound presence", self.inbound, feature.inbound_presence)
            _merge("element", self.nonzas, feature.nonzas)
            _merge("frame", self.frames, feature.frames)
            _merge("Bind 2", self.bind_inlines, feature.bind_inlines)
            _merge("SASL2", self.sasl_inlines, feature.sasl_inlines)
        self.bind_results: tuple[BindResult, ...] = tuple(
            handler for feature in features for handler in feature.bind_results
        )
        self._hooks = {
            moment: tuple(hook for f in features for when, hook in f.hooks if when is moment)
            for moment in Moment
        }
        self.screens: tuple[Screen, ...] = tuple(s for f in features for s in f.screens)
        self.disco_forms: tuple[DiscoForm, ...] = tuple(d for f in features for d in f.disco_forms)
        self.stamps = tuple(stamp for f in features for stamp in f.stamps)
        self.witnesses = tuple(witness for f in features for witness in f.witnesses)
        self.grants = tuple(grant for f in features for grant in f.grants)
        self.withdrawals = tuple(handler for f in features for handler in f.withdrawals)
        self.regroupings = tuple(handler for f in features for handler in f.regroupings)
        self.listers = tuple(lister for f in features for lister in f.listers)
        self.resource_iqs = tuple(h for f in features for h in f.resource_iqs)
        self.domain_messages = tuple(h for f in features for h in f.domain_messages)
        self.sent = tuple(h for f in features for h in f.sent_messages)
        self.refused = tuple(h for f in features for h in f.refused_messages)
        self.before_delivery = self._stages(lambda stage: stage < Stage.DELIVER)
        self.absent = self._stages(lambda stage: stage is Stage.ABSENT)

    def hooks(self, moment: Moment) -> tuple[SessionHook, ...]:
        """What runs at that moment, in the order of the features."""
        return self._hooks[moment]

    def stream_features(self, phase: Phase) -> tuple[StreamFeature, ...]:
        return tuple(s for f in self.features for when, s in f.stream_features if when is phase)

    def disco(self, target: Target) -> list[str]:
        """The features that disco#info of the service or of an account lists."""
        names = [
            name
            for feature in self.features
            for name in (feature.disco if target is Target.HOST else feature.account_disco)
        ]
        return sorted(set(names))

    def identities(self, target: Target) -> list[tuple[str, str]]:
        """The pairs of category and type that features add to disco#info."""
        return sorted(
            pair
            for feature in self.features
            for pair in (
                feature.identities if target is Target.HOST else feature.account_identities
            )
        )

    def followers(self, topic: str) -> list[Follower]:
        """Who wants to know that something of that name was changed."""
        return [
            handler for feature in self.features for handler in feature.followers.get(topic, ())
        ]

    def nodes(self, ns: str) -> list[NodeInfo]:
        """Who answers disco about nodes."""
        return [handler for feature in self.features for handler in feature.nodes.get(ns, ())]

    def explain(self) -> str:
        """The whole pipeline as text, one line per handler."""
        lines = []
        for (target, type, ns, name), iq in sorted(self.iqs.items(), key=_by_key):
            lines.append(f"iq {type} {{{ns}}}{name} to {target.name}: {_where(iq)}")
        lines += [f"iq to a resource: {_where(handler)}" for handler in self.resource_iqs]
        lines += [f"screen: {_where(screen)}" for screen in self.screens]
        lines += [f"message sent by a client: {_where(handler)}" for handler in self.sent]
        lines += [f"message of a client refused: {_where(h)}" for h in self.refused]
        for stage in Stage:
            if stage is Stage.DELIVER:
                lines.append("message DELIVER: core.delivery")
            for feature in self.features:
                lines += [
                    f"message {stage.name}: {_where(handler)}"
                    for when, handler in feature.messages
                    if when is stage
                ]
        lines += [
            f"{topic} changed: {_where(handler)}"
            for feature in self.features
            for topic, handlers in sorted(feature.followers.items())
            for handler in handlers
        ]
        lines += [f"presence granted: {_where(grant)}" for grant in self.grants]
        lines += [f"presence withdrawn: {_where(handler)}" for handler in self.withdrawals]
        lines += [f"contact in other groups: {_where(handler)}" for handler in self.regroupings]
        lines += [f"message to the service: {_where(h)}" for h in self.domain_messages]
        lines += [f"presence stamp: {_where(stamp)}" for stamp in self.stamps]
        lines += [f"presence witness: {_where(witness)}" for witness in self.witnesses]
        for direction, table in (("outbound", self.outbound), ("inbound", self.inbound)):
            for type, handler in sorted(table.items()):
                lines.append(f"presence {direction} {type}: {_where(handler)}")
        for moment in Moment:
            lines += [f"session {moment.name}: {_where(hook)}" for hook in self.hooks(moment)]
        for (ns, name), nonza in sorted(self.nonzas.items()):
            lines.append(f"stream element {{{ns}}}{name}: {_where(nonza)}")
        lines += [f"frame {kind}: {_where(frame)}" for kind, frame in sorted(self.frames.items())]
        for phase in Phase:
            lines += [f"stream {phase.name}: {_where(f)}" for f in self.stream_features(phase)]
        for node, command in sorted(self.commands.items()):
            lines.append(f"command {node}: {_where(command.steps[-1])}")
        lines += [f"disco form: {_where(form)}" for form in self.disco_forms]
        for (ns, name), (_, sasl) in sorted(self.sasl_inlines.items()):
            lines.append(f"sasl {{{ns}}}{name}: {_where(sasl)}")
        lines += [f"bind: {_where(handler)}" for handler in self.bind_results]
        for (ns, name), bind in sorted(self.bind_inlines.items()):
            lines.append(f"bind {{{ns}}}{name}: {_where(bind)}")
        return "\n".join(lines) + "\n"

    def _stages(self, wanted: Callable[[Stage], bool]) -> tuple[MessageHandler, ...]:
        chosen = [
            (stage, handler)
            for feature in self.features
            for stage, handler in feature.messages
            if wanted(stage)
        ]
        return tuple(handler for _, handler in sorted(chosen, key=lambda pair: pair[0]))


def _merge(kind: str, table: dict[K, V], more: Mapping[K, V]) -> None:
    for key, handler in more.items():
        if key in table:
            raise ValueError(f"two handlers for {kind} {key}: {_where(handler)} is the second")
        table[key] = handler


def _by_key(item: tuple[IqKey, IqHandler]) -> tuple[str, ...]:
    (target, type, ns, name), _ = item
    return (ns, name, type, target.name)


def _where(handler: object) -> str:
    if isinstance(handler, Command):
        handler = handler.steps[-1]
    if isinstance(handler, tuple):
        handler = handler[-1]
    module = getattr(handler, "__module__", "").removeprefix("hausbote.")
    return f"{module}.{getattr(handler, '__name__', '')}"
