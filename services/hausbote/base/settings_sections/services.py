"""Group chat, publish-subscribe, and programs that attach to the box."""

from dataclasses import dataclass

from hausbote.base.settings_sections.definition import setting


@dataclass(frozen=True)
class Rooms:
    """Group chat."""

    creation: str = setting(
        "users",
        "Who may make rooms from a client: the box's people, its administrators, people of other "
        "servers too, nobody.",
        choices=("users", "admins", "everybody", "nobody"),
    )
    default: str = setting(
        "open",
        "What a room is whose maker does not say: a private group for members, a public channel, "
        "or open to whoever knows its name while somebody is in it.",
        choices=("group", "channel", "open"),
    )
    directory: str = setting(
        "users",
        "Who may look which public rooms there are: the box's people, or people everywhere.",
        choices=("users", "everybody"),
    )
    destroyed_days: int = setting(
        90,
        "Days that only its owners may make a destroyed room anew; others hear that it is gone. "
        "0 = whoever comes first.",
    )


@dataclass(frozen=True)
class PubsubService:
    """The publish-subscribe service of the box; what people publish of themselves is not there."""

    node_creation: str = setting(
        "admins",
        "Who may make nodes there: the box's administrators, or all of its people.",
        choices=("admins", "users"),
    )


@dataclass(frozen=True)
class Components:
    """Other programs that attach to the box at ports.component, such as bridges."""

    address: str = setting("127.0.0.1", "IP address to listen on; the protocol has no encryption.")
    secrets: tuple[str, ...] = setting(
        (), "DOMAIN=SECRET of each, or DOMAIN=file:PATH, relative to the state directory."
    )

    @property
    def by_domain(self) -> dict[str, str]:
        """What stands behind each domain: its secret, or file:PATH."""
        pairs = [entry.partition("=") for entry in self.secrets]
        return {domain.strip(): secret.strip() for domain, _, secret in pairs}
