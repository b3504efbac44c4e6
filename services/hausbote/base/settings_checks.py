"""What can be wrong with settings, one sentence for each."""

import difflib
import ipaddress
import re
import shlex
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hausbote.base.jid import InvalidJID, prepare_domain
from hausbote.base.settings_sections import (
    Contact,
    Federation,
    Names,
    Ports,
    Relay,
    Tls,
    documented,
    parse_pin,
)

if TYPE_CHECKING:
    from hausbote.base.settings import Settings

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_ACCESS: Final = frozenset(
    ("admins", "moderators", "organization_member", "government", "advertisers", "partners", "none")
)


def read(cls: type, raw: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    """The fields of `cls` that `raw` sets; what is wrong with it is added to the problems."""
    return _section(cls, raw, "", problems, [name for name, _ in documented(cls)])


def _section(
    cls: type, raw: Mapping[str, Any], prefix: str, problems: list[str], known_keys: list[str]
) -> dict[str, Any]:
    known = {option.name: option for option in fields(cls) if "internal" not in option.metadata}
    values: dict[str, Any] = {}
    for key, value in raw.items():
        option = known.get(key)
        if option is None:
            problems.append(_unknown(prefix + key, known_keys))
        elif is_dataclass(option.type):
            values[key] = _subsection(option, key, value, problems, known_keys)
        else:
            problem = _mismatch(option, value)
            if problem:
                problems.append(f"{prefix}{key}: {problem}. {option.metadata['doc']}")
                continue
            values[key] = tuple(value) if isinstance(value, list) else value
    for name, option in known.items():
        if name not in raw and option.default is MISSING and option.default_factory is MISSING:
            problems.append(f"{prefix}{name}: must be set. {option.metadata['doc']}")
    return values


def _subsection(
    option: Field[Any], key: str, value: object, problems: list[str], known_keys: list[str]
) -> Any:
    cls = typing.cast(type, option.type)
    if not isinstance(value, Mapping):
        problems.append(f"{key}: is a section: write [{key}] and its settings below it")
        return cls()
    return cls(**_section(cls, value, f"{key}.", problems, known_keys))


def _unknown(key: str, known: list[str]) -> str:
    name = key.rpartition(".")[2]
    close = difflib.get_close_matches(key, known, 1, 0.6)
    if not close:
        by_name = {full.rpartition(".")[2]: full for full in known}
        close = [by_name[n] for n in difflib.get_close_matches(name, by_name, 1, 0.75)]
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{key}: there is no such setting{hint}"


def _mismatch(option: Field[Any], value: object) -> str | None:
    if option.type is int:
        return _bad_number(option, value)
    if isinstance(option.type, types.GenericAlias):
        texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        return None if texts else 'must be a list of texts: ["one", "two"]'
    if not isinstance(value, str):
        return f"must be a text, not {value!r}"
    if not value.isprintable():
        return f"has a character that cannot be seen: {value!r}"
    choices = option.metadata["choices"]
    if choices and value not in choices:
        return f"must be one of {', '.join(choices)}, not {value!r}"
    return None


def _bad_number(option: Field[Any], value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return f"must be a whole number, not {value!r}"
    if value < 0:
        return f"must not be negative, which {value} is"
    minimum = option.metadata["minimum"]
    if 0 < value < minimum:
        return f"must be 0 or at least {minimum}, which {value} is not"
    return None


def complete(settings: "Settings") -> "Settings":
    """The settings with those defaults that depend on others."""
    names = {
        option.name: getattr(settings.names, option.name) or f"{option.name}.{settings.domain}"
        for option in fields(Names)
    }
    address = settings.address or ("127.0.0.1" if settings.domain == "localhost" else "::")
    ports = _ports_in_use(settings)
    return replace(settings, names=Names(**names), address=address, ports=ports)


def _ports_in_use(settings: "Settings") -> Ports:
    """Those of a front only if there is one, and nothing else if it is to be the only way in."""
    front = settings.front
    if front.run == "no":
        proves = settings.certificates.acme == "yes"
        return replace(settings.ports, https=0, http=settings.ports.http if proves else 0)
    if front.ports == "all":
        return settings.ports
    kept = ["https", "http", "component"]
    if settings.relay.run == "elsewhere":
        kept += ["relay", "relay_tls"]
    closed = {name: 0 for name in vars(settings.ports) if name not in kept}
    return replace(settings.ports, **closed)


def contradictions(settings: "Settings") -> Iterator[tuple[str, str]]:
    """(key, what is wrong) where values are of the right type and still cannot be."""
    yield from _bad_names(settings)
    yield from _bad_ports(settings.ports)
    if not is_ip_address(settings.address):
        yield "address", f"{settings.address!r} is not an IP address"
    if not re.fullmatch(r"sqlite:///.+", settings.database):
        yield "database", f"must be sqlite:///FILE, which {settings.database!r} is not"
    if not re.fullmatch(r"unix:.+|memory:.*", settings.bus):
        yield "bus", f"must be unix:DIRECTORY or memory:, which {settings.bus!r} is not"
    if not re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", settings.language):
        yield "language", f"{settings.language!r} is not a language tag like en or de-AT"
    yield from _bad_addresses(settings)
    yield from _bad_components(settings)
    yield from _bad_federation(settings.federation)
    yield from _bad_relay(settings.relay)
    yield from _bad_backup(settings)
    try:
        shlex.split(settings.health.smartctl)
    except ValueError as error:
        yield "health.smartctl", f"is no command: {error}"
    relay_ports = (settings.ports.relay, settings.ports.relay_tls, settings.ports.https)
    if settings.relay.run != "off" and not any(relay_ports):
        yield "relay.run", "a relay needs one of ports.relay and ports.relay_tls"
    if settings.front.run != "no" and not settings.ports.https:
        yield "front.run", "a front needs ports.https"
    if not re.fullmatch(r"|https://[^/?#\s<>]+(/[^?#\s<>]*)?", settings.web.url):
        yield "web.url", f"{settings.web.url!r} is not https://NAME[:PORT]"
    for origin in settings.web.origins:
        if not re.fullmatch(r"https?://[^/?#\s<>]+", origin):
            yield "web.origins", f"{origin!r} is not https://NAME[:PORT]"
    if not re.fullmatch(r"|https://[^/?#\s<>]+/?", settings.upload.url):
        yield "upload.url", f"{settings.upload.url!r} is not https://NAME[:PORT]"
    if not re.fullmatch(r"[^\s/<>]*", settings.proxy.host):
        yield "proxy.host", f"{settings.proxy.host!r} is not a name or an IP address"
    if settings.dns.server and not _is_endpoint(settings.dns.server):
        yield "dns.server", f"{settings.dns.server!r} is not ADDRESS:PORT"
    yield from _bad_certificates(settings)


def _bad_names(settings: "Settings") -> Iterator[tuple[str, str]]:
    names = {"domain": settings.domain}
    for option in fields(Names):
        names[f"names.{option.name}"] = getattr(settings.names, option.name)
    if _bad_name(settings.domain):  # which says nothing new of the names below it
        names = {k: name for k, name in names.items() if not name.endswith(f".{settings.domain}")}
    taken: dict[str, str] = {}
    for key, name in names.items():
        problem = _bad_name(name)
        if problem:
            yield key, problem
        elif name in taken:
            yield key, f"{name} is already {taken[name]}"
        taken.setdefault(name, key)


def _bad_addresses(settings: "Settings") -> Iterator[tuple[str, str]]:
    for option in fields(Contact):
        for address in getattr(settings.contact, option.name):
            if not _URI.fullmatch(address):
                yield f"contact.{option.name}", f"{address!r} is not like mailto:me@example.org"
    if settings.policy.terms and not _URI.fullmatch(settings.policy.terms):
        yield "policy.terms", f"{settings.policy.terms!r} is not like https://example.org/terms"
    access = settings.policy.access
    unknown = set(access) - _ACCESS
    if unknown or not access or ("none" in access and len(access) > 1):
        yield "policy.access", f"{', '.join(access) or 'nothing'} cannot be"


def _bad_components(settings: "Settings") -> Iterator[tuple[str, str]]:
    key, taken = "components.secrets", {settings.domain, *vars(settings.names).values()}
    for number, entry in enumerate(settings.components.secrets, 1):
        domain, _, secret = entry.partition("=")
        # The entry itself is not shown: it may hold a secret.
        if not secret.strip():
            yield key, f"number {number} is not DOMAIN=SECRET"
        elif problem := _bad_name(domain.strip()):
            yield key, problem
        elif domain.strip() in taken:
            yield key, f"{domain.strip()} is taken already"
        taken.add(domain.strip())
    if not is_ip_address(settings.components.address):
        yield "components.address", f"{settings.components.address!r} is not an IP address"


def _bad_federation(federation: Federation) -> Iterator[tuple[str, str]]:
    for key in ("allow", "deny", "dialback"):
        for domain in getattr(federation, key):
            if problem := _bad_name(domain):
                yield f"federation.{key}", problem
    for domain in sorted(set(federation.allow) & set(federation.deny)):
        yield "federation.deny", f"{domain} is in federation.allow, too"
    for number, entry in enumerate(federation.pins, 1):
        try:
            problem = _bad_name(parse_pin(entry)[0])
        except ValueError as error:
            problem = f"number {number} {error}"
        if problem:
            yield "federation.pins", problem


def _bad_relay(relay: Relay) -> Iterator[tuple[str, str]]:
    if relay.host and not is_ip_address(relay.host) and (problem := _bad_name(relay.host)):
        yield "relay.host", problem
    if relay.address and not is_ip_address(relay.address):
        yield "relay.address", f"{relay.address!r} is not an IP address"
    external = relay.external
    if external not in ("", "dns") and (not is_ip_address(external) or ":" in external):
        yield "relay.external", f"{external!r} is neither dns nor an IPv4 address"
    if not 0 < relay.first_port <= relay.last_port <= 65_535:
        yield "relay.last_port", f"{relay.first_port} to {relay.last_port} are no ports"
    for network in relay.denied:
        if not _is_network(network):
            yield "relay.denied", f"{network!r} is not a network like 203.0.113.0/24"
    if not 0 < relay.credential_seconds <= 3_600:
        yield "relay.credential_seconds", f"{relay.credential_seconds} cannot be"


def _bad_certificates(settings: "Settings") -> Iterator[tuple[str, str]]:
    chosen = settings.certificates
    if not re.fullmatch(r"|https://[^/?#\s<>]+(/[^?#\s<>]*)?", chosen.server):
        yield "certificates.server", f"{chosen.server!r} is not https://NAME/DIRECTORY"
    if chosen.address and not is_ip_address(chosen.address):
        yield "certificates.address", f"{chosen.address!r} is not an IP address"
    if chosen.acme == "no":
        return
    if (settings.tls.certificate, settings.tls.key) != (Tls.certificate, Tls.key):
        yield (
            "certificates.acme",
            "puts its certificates where tls.certificate and tls.key are by default; say no, or"
            " leave these as they were",
        )
    needs_port = chosen.challenge == "http-01" and settings.front.run == "no"
    if needs_port and not settings.ports.http:
        yield "certificates.challenge", "http-01 needs a port: ports.http"


def _bad_backup(settings: "Settings") -> Iterator[tuple[str, str]]:
    backup, key = settings.backup, "backup.repository"
    if not backup.repository:
        return
    place = backup.repository.removeprefix("local:")
    if not re.match(r"[a-z0-9]+:", place):
        if not place.startswith("/"):
            yield key, f"{place!r} must begin with / or with what restic knows, like sftp:"
        elif Path(place).resolve().is_relative_to(settings.state.resolve()):
            yield key, f"{place} is in the box itself, and would be lost with it"
    if not (backup.keep_daily or backup.keep_weekly or backup.keep_monthly):
        yield "backup.keep_daily", "no backup would be kept"


def _bad_name(name: str) -> str | None:
    if is_ip_address(name.strip("[]")):
        return f"{name} is an IP address, and certificates and other servers want a name"
    try:
        prepared = prepare_domain(name)
    except InvalidJID as problem:
        return f"{name!r} is no domain name: {problem}"
    return None if prepared == name else f"write {prepared!r} instead of {name!r}"


def is_ip_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _is_endpoint(text: str) -> bool:
    address, _, port = text.rpartition(":")
    right_port = re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65_536
    return bool(right_port) and is_ip_address(address.removeprefix("[").removesuffix("]"))


def _bad_ports(ports: Ports) -> Iterator[tuple[str, str]]:
    taken: dict[int, str] = {}
    for option in fields(Ports):
        port = getattr(ports, option.name)
        if port > 65_535:
            yield f"ports.{option.name}", f"there is no port {port}"
        elif port and port in taken:
            yield f"ports.{option.name}", f"{port} is already ports.{taken[port]}"
        taken.setdefault(port, option.name)
