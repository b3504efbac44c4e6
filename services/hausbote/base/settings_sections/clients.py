"""What clients get that sleep, or lost their connection."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


@dataclass(frozen=True)
class Resumption:
    """Clients whose connection broke come back to their session, and nothing is lost."""

    seconds: int = setting(600, "Seconds that a session waits for its client. 0 = it does not.")
    location: str = setting("", "HOST:PORT where clients come back first. Default: as always.")


@dataclass(frozen=True)
class ClientState:
    """What waits for a client that says that nobody looks at it, until something else comes."""

    presence: str = setting("hold", "Presence.", choices=("hold", "send"))
    chat_states: str = setting("hold", "That somebody types.", choices=("hold", "send"))
    events: str = setting(
        "hold", "That somebody changed their picture, name or mood.", choices=("hold", "send")
    )


@dataclass(frozen=True)
class Push:
    """Notifications for phones that sleep, by way of their makers' push services."""

    summary: str = setting(
        "none",
        "What a notification tells the push service: nothing, or also that it is a message, "
        "who sent it, or even what it says.",
        choices=("none", "count", "sender", "body"),
    )
