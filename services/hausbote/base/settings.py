"""The settings of a box: DIR/hausbote.toml as one typed, frozen object."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any, Final

from hausbote.base.jid import a_label
from hausbote.base.settings_checks import complete, contradictions, read
from hausbote.base.settings_sections import (
    Archive,
    Backup,
    Certificates,
    ClientState,
    Components,
    Contact,
    Disk,
    Dns,
    Federation,
    Front,
    Health,
    Invitations,
    Limits,
    Log,
    Names,
    Policy,
    Ports,
    Proxy,
    PubsubService,
    Push,
    Relay,
    Resumption,
    Retention,
    Rooms,
    Tls,
    Upload,
    Web,
    documented,
    setting,
)

FILE: Final = "hausbote.toml"
HTTPS: Final = 443  # the port that goes without saying
RUN_DIR: Final = "HAUSBOTE_RUN_DIR"  # in the environment: a private directory for the supervisor


class SettingsError(Exception):
    """`problems` has a sentence for everything that is wrong, not only for the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """All settings of a box."""

    domain: str = setting(MISSING, "The part after the @ of everybody's address.")
    address: str = setting(
        "", "IP address to listen on. Default: all of them (::), and 127.0.0.1 for localhost."
    )
    database: str = setting(
        "sqlite:///hausbote.db", "Where everything is kept; relative to the state directory."
    )
    bus: str = setting("unix:run", "How services reach each other; relative, too. Or memory:")
    registration: str = setting(
        "closed",
        "Who may make an account from a client: nobody, people with an invitation, anybody.",
        choices=("closed", "invite", "open"),
    )
    language: str = setting("en", "Language of what the server says itself.")
    names: Names = field(default_factory=Names)
    ports: Ports = field(default_factory=Ports)
    front: Front = field(default_factory=Front)
    web: Web = field(default_factory=Web)
    upload: Upload = field(default_factory=Upload)
    disk: Disk = field(default_factory=Disk)
    health: Health = field(default_factory=Health)
    backup: Backup = field(default_factory=Backup)
    proxy: Proxy = field(default_factory=Proxy)
    tls: Tls = field(default_factory=Tls)
    certificates: Certificates = field(default_factory=Certificates)
    dns: Dns = field(default_factory=Dns)
    limits: Limits = field(default_factory=Limits)
    resumption: Resumption = field(default_factory=Resumption)
    contact: Contact = field(default_factory=Contact)
    push: Push = field(default_factory=Push)
    client_state: ClientState = field(default_factory=ClientState)
    components: Components = field(default_factory=Components)
    federation: Federation = field(default_factory=Federation)
    policy: Policy = field(default_factory=Policy)
    retention: Retention = field(default_factory=Retention)
    invitations: Invitations = field(default_factory=Invitations)
    archive: Archive = field(default_factory=Archive)
    relay: Relay = field(default_factory=Relay)
    pubsub: PubsubService = field(default_factory=PubsubService)
    rooms: Rooms = field(default_factory=Rooms)
    log: Log = field(default_factory=Log)
    state: Path = field(default=Path("var"), metadata={"internal": True})

    @classmethod
    def load(cls, state: Path) -> "Settings":
        """Read DIR/hausbote.toml; SettingsError with all problems."""
        path = state / FILE
        try:
            raw = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise SettingsError(
                [f"{path} does not exist: 'hausbote init --domain DOMAIN' makes a new box"]
            ) from None
        except OSError as error:
            raise SettingsError([f"{path} cannot be read: {error.strerror}"]) from None
        except ValueError as error:  # as are all that decoding raises
            raise SettingsError([f"{path} is not TOML: {error}"]) from None
        return cls.from_dict(raw, state)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any], state: Path) -> "Settings":
        """Settings out of nested dictionaries; SettingsError with all problems."""
        problems: list[str] = []
        values = read(cls, raw, problems)
        # Defaults stand in for what was wrong, so that the rest is checked in the same go.
        values = {"domain": "localhost"} | values
        settings = complete(cls(**values, state=state.absolute()))
        docs = {key: option.metadata["doc"] for key, option in documented(cls)}
        problems += [f"{key}: {what}. {docs[key]}" for key, what in contradictions(settings)]
        if problems:
            raise SettingsError(problems)
        return settings

    def path(self, relative: str) -> Path:
        """A path of the settings as an absolute one."""
        return self.state / relative

    @property
    def run_dir(self) -> Path:
        """Where the supervisor has its configuration, socket and process id.

        The environment names another place for it where each service has a supervisor of its own.
        """
        return Path(os.environ.get(RUN_DIR) or self.state / "run")

    @property
    def is_split(self) -> bool:
        """Whether each service has a supervisor, and a container, of its own."""
        return bool(os.environ.get(RUN_DIR))

    @property
    def bus_dir(self) -> Path:
        """Where a bus of the unix kind has its sockets."""
        return self.state / self.bus.partition(":")[2]

    @property
    def log_dir(self) -> Path:
        return self.state / "log"

    @property
    def beyond(self) -> str:
        """The service that reaches other servers; "" if the box talks with none."""
        return "s2s" if self.federation.enabled == "yes" else ""

    @property
    def uploads_dir(self) -> Path:
        """Where uploaded files are."""
        return self.state / "uploads"

    @property
    def backup_dir(self) -> Path:
        """What the box needs for its backups, and remembers of them."""
        return self.state / "backup"

    @property
    def health_dir(self) -> Path:
        """What the box remembers of the health of its storage."""
        return self.state / "health"

    @property
    def box_lock(self) -> Path:
        """Held together by whatever uses the box, and alone by a restore."""
        return self.state / "box.lock"

    @property
    def files_lock(self) -> Path:
        """Held while uploaded files are removed, or while none may be."""
        return self.backup_dir / "files.lock"

    @property
    def database_url(self) -> str:
        """`database` with an absolute path."""
        scheme, separator, path = self.database.partition(":///")
        return f"{scheme}{separator}{self.state / path}"

    @property
    def bus_url(self) -> str:
        """`bus` with an absolute path."""
        return f"unix:{self.bus_dir}" if self.bus.startswith("unix:") else self.bus

    @property
    def ascii_domain(self) -> str:
        """The domain as DNS and certificates write it."""
        return a_label(self.domain)

    @property
    def web_url(self) -> str:
        """`web.url` without a slash at its end."""
        return self.web.url.rstrip("/") or self._https(self.domain, self.ports.web)

    @property
    def database_mark(self) -> Path:
        """What tells the box's database from an empty one, and from another box's."""
        return self.state / "hausbote.id"

    @property
    def clock_mark(self) -> Path:
        """The last time that was right: see `base/believed_clock.py`."""
        return self.state / "clock.mark"

    @property
    def acme_record(self) -> Path:
        """How it stands with the certificate of an authority: see `base/acme_record.py`."""
        return self.state / "certs" / "acme.json"

    @property
    def relay_host(self) -> str:
        """Where clients find the relay.

        The front tells by the name whom a connection is for, so behind it the relay has its own.
        """
        usual = f"relay.{self.domain}" if self.has_front else self.domain
        return a_label(self.relay.host or usual)

    @property
    def relay_config(self) -> Path:
        """What a relay of our own is started with."""
        return self.run_dir / "relay.conf"

    @property
    def relay_pid(self) -> Path:
        """Its process id."""
        return self.run_dir / "relay.pid"

    @property
    def relay_secrets(self) -> Path:
        """The database that we share with the relay."""
        return self.state / "relay" / "secrets.db"

    @property
    def portal_url(self) -> str:
        """Where people find the box's own pages; "" if there are none."""
        if not self.has_portal:
            return ""
        return self._https(self.domain, self.ports.portal)

    @property
    def upload_url(self) -> str:
        """`upload.url` without a slash at its end."""
        return self.upload.url.rstrip("/") or self._https(self.names.upload, self.ports.upload)

    def _https(self, name: str, port: int) -> str:
        """A URL of the front if there is one, of that port otherwise."""
        port = self.ports.https if self.has_front else port
        return f"https://{a_label(name)}" + ("" if port == HTTPS else f":{port}")

    @property
    def has_front(self) -> bool:
        """Whether HAProxy stands before the services."""
        return self.front.run != "no"

    @property
    def front_dir(self) -> Path:
        """Where services wait for what the front brings, each at NAME.sock: all can reach it."""
        return self.bus_dir / "front"

    @property
    def front_config(self) -> Path:
        """What a front of our own is started with."""
        return self.run_dir / "front.conf"

    @property
    def has_web(self) -> bool:
        """Whether there are WebSocket and BOSH."""
        return self.has_front or self.ports.web > 0

    @property
    def has_portal(self) -> bool:
        """Whether there are pages for people and owners."""
        return self.has_front or self.ports.portal > 0

    @property
    def has_web_chat(self) -> bool:
        """Whether the portal has a client at /chat, and lets it log in."""
        return self.web.chat == "yes" and self.has_web and self.has_portal

    @property
    def has_upload(self) -> bool:
        """Whether there is a place for uploads."""
        return self.has_front or self.ports.upload > 0

    def items(self) -> Iterator[tuple[str, Any]]:
        """Every setting as ("section.key", value)."""
        for key, option in documented(type(self)):
            section, _, name = key.rpartition(".")
            yield key, getattr(getattr(self, section) if section else self, name or option.name)


def parse_override(text: str) -> tuple[str, Any]:
    """`section.key=value` of a command line: the value as TOML, or else as plain text."""
    key, found, value = text.partition("=")
    if not found:
        raise SettingsError([f"{text}: a setting is given as section.key=value"])
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except ValueError:
        return key.strip(), value


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} as {"a": {"b": 1}}."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        section, _, name = key.rpartition(".")
        place = tree.setdefault(section, {}) if section else tree
        if isinstance(place, dict):
            place[name] = value
    return tree


def flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """{"a": {"b": 1}} as {"a.b": 1}."""
    values: dict[str, Any] = {}
    for key, value in tree.items():
        inner = flat(value) if isinstance(value, Mapping) else {"": value}
        values.update({f"{key}.{name}" if name else key: one for name, one in inner.items()})
    return values
