"""What certbot says when it fails, as one sentence for the owner of the box.

certbot prints what the authority said of each name (a domain, a type of RFC 8555 §6.7, a detail),
or an error of its own.  The details come from elsewhere, so only harmless characters are told.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

_OF_A_NAME: Final = re.compile(
    r"^ {0,8}(?:Domain|Identifier): {1,8}(\S{1,260})\n {0,8}Type: {1,8}(\S{1,60})\n"
    r" {0,8}Detail: {1,8}(.+)$",
    re.M,
)
_RETRY_AFTER: Final = re.compile(r"retry after (\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
_HOOK: Final = re.compile(r"Hook '--manual-auth-hook' for \S{1,260} reported error code (\d{1,6})")
_TOLD_NAMES: Final = 3
_TOLD_CHARACTERS: Final = 160  # of what somebody else says
_NOT_TOLD: Final = ("Ask for help", "Some challenges have failed", "An unexpected error", "Saving")


class Trouble(NamedTuple):
    """Why there is no certificate; until `not_before` (seconds since 1970) the authority wants to
    hear nothing."""

    sentence: str
    not_before: float = 0.0


class Circumstances(NamedTuple):
    """What an explanation may need: the authority's name, and how names are proven."""

    authority: str
    http: bool
    port: int
    holder: Callable[[], str]  # the program that has the port, asked for only if that is in the way


def explain(said: str, here: Circumstances) -> Trouble:
    """`said` is all that certbot has printed."""
    hook = _HOOK.search(said)
    if hook:
        return Trouble(f"The program auth in certificates.hooks ended with code {hook[1]}.")
    refused = _OF_A_NAME.findall(said)
    if refused:
        return Trouble(_refusal(refused, here))
    known = said.lower()
    for words, explained in _ERRORS:
        if any(one in known for one in words):
            return explained(said, here)
    return Trouble(f"certbot failed: {_last_words(said)}")


def _refusal(refused: Sequence[tuple[str, str, str]], here: Circumstances) -> str:
    """The names with the first type of error; mending that may mend the others."""
    _, type, detail = refused[0]
    names = list(dict.fromkeys(name for name, of, _ in refused if of == type))
    told = ", ".join(names[:_TOLD_NAMES])
    if len(names) > _TOLD_NAMES:
        told += f" and {len(names) - _TOLD_NAMES} more"
    what = _WORDS.get(type, "{authority} refused to certify {names}")
    sentence = what.format(names=told, authority=here.authority, way=_way(type, here))
    return f"{sentence}: {harmless(detail)}."


_WORDS: Final = {
    "dns": "DNS does not lead {authority} to {names}: give these names their records{way}",
    "connection": "{authority} cannot reach {names}{way}",
    "unauthorized": "{authority} found something else than the box's proof at {names}{way}",
    "incorrectResponse": "{authority} found something else than the box's proof at {names}{way}",
    "caa": "A CAA record in DNS forbids {authority} to certify {names}; 'hausbote check' prints the"
    " right one",
    "rejectedIdentifier": "{authority} does not certify such a name as {names}",
    "tls": "{authority} met a redirect to broken TLS at {names}",
}


def _way(type: str, here: Circumstances) -> str:
    if type == "dns":
        return "" if here.http else ", and _acme-challenge below them what the hooks write"
    if not here.http:
        return " (the TXT record of _acme-challenge that certificates.hooks should have written)"
    if type == "connection":
        return f" at port 80: lead it through router and firewall to port {here.port} of the box"
    return " (port 80): do these names lead to this box and nowhere else?"


def _rate_limit(said: str, here: Circumstances) -> Trouble:
    found = _RETRY_AFTER.search(said)
    what = f"{here.authority} has given too many certificates or seen too many failures lately"
    if found is None:
        return Trouble(f"{what}: {harmless(_detail(said))}.")
    until = datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=UTC)
    return Trouble(
        f"{what}; it is asked again after {until:%Y-%m-%d %H:%M} UTC.", until.timestamp()
    )


def _clock(_said: str, here: Circumstances) -> Trouble:
    now = datetime.now(UTC)
    return Trouble(
        f"The certificate of {here.authority} itself is not good at this time: is it really"
        f" {now:%Y-%m-%d %H:%M} UTC? Set the clock of this machine."
    )


def _port_taken(_said: str, here: Circumstances) -> Trouble:
    return Trouble(
        f"Port {here.port} is in use by {here.holder()}, and certbot needs it for the proof: stop"
        " that, or choose another ports.http and lead the internet's port 80 there."
    )


def _sentence(text: str) -> "Callable[[str, Circumstances], Trouble]":
    return lambda said, here: Trouble(
        text.format(authority=here.authority, port=here.port, detail=harmless(_detail(said)))
    )


# What certbot and its libraries write, in lower case; the first that is found counts.
_ERRORS: Final[tuple[tuple[tuple[str, ...], Callable[[str, Circumstances], Trouble]], ...]] = (
    (("too many requests of a given type", "error:ratelimited", "too many cert"), _rate_limit),
    (("already in use by another process",), _port_taken),
    (
        ("appropriate permissions",),
        _sentence(
            "This user may not open port {port}: choose a ports.http from 1024 on and lead the"
            " internet's port 80 there."
        ),
    ),
    (
        ("cannot assign requested address", "problem binding", "could not bind"),
        _sentence("Port {port} cannot be opened: see certificates.address and ports.http."),
    ),
    (
        ("records forbid the ca", "error:caa"),
        _sentence(
            "A CAA record in DNS forbids {authority} to certify the box; 'hausbote check' prints"
            " the right one."
        ),
    ),
    (
        ("will not issue certificates for the identifier", "error:rejectedidentifier"),
        _sentence("{authority} does not certify one of the box's names: {detail}."),
    ),
    (
        ("externalaccount", "external account"),
        _sentence(
            "{authority} wants an account that was made there before, which is not possible here:"
            " choose another certificates.server."
        ),
    ),
    (("certificate has expired", "certificate is not yet valid"), _clock),
    (
        ("certificate_verify_failed", "certificate verify failed"),
        _sentence(
            "{authority} shows a certificate that is not trusted here: is somebody in between, or"
            " does tls.trust lack its authority?"
        ),
    ),
    (("no space left on device",), _sentence("The disk is full.")),
    (
        ("read-only file system", "permission denied"),
        _sentence("certbot cannot write its files in certs/acme of the state directory."),
    ),
    (
        ("another instance of certbot is already running",),
        _sentence("A certificate is being asked for already."),
    ),
    (
        (
            "connectionerror",
            "connection refused",
            "connection reset",
            "max retries exceeded",
            "name resolution",
            "name or service not known",
            "network is unreachable",
            "no route to host",
            "timeout",
            "timed out",
        ),
        _sentence("{authority} cannot be reached: is this machine online, and does DNS work?"),
    ),
    (
        ("keyerror", "jsondecodeerror", "invalid json", "not found"),
        _sentence("What answers at certificates.server is no ACME server."),
    ),
    (
        ("error:serverinternal", "internal server error", "unavailable", "maintenance"),
        _sentence("{authority} has trouble of its own: {detail}."),
    ),
)


def harmless(text: str) -> str:
    """Words of somebody else's, as far as they can do no harm and are no address of a person."""
    text = re.sub(r"[^\w .,:;/()\[\]'\"_=<>!?+*-]", " ", text)
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _TOLD_CHARACTERS else text[:_TOLD_CHARACTERS] + "…"


def _detail(said: str) -> str:
    """What the error itself says, without what kind of error it is."""
    return _last_words(said).rpartition(" :: ")[2]


def _last_words(said: str) -> str:
    lines = [line.strip() for line in said.splitlines()]
    told = [line for line in lines if line and not line.startswith(_NOT_TOLD)]
    return harmless(told[-1]) if told else "it does not say why"
