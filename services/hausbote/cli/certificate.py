"""hausbote certificate: a certificate that everybody trusts, and how it stands with it."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from hausbote.base.acme_record import read_record
from hausbote.base.certificate_words import acme_sentences
from hausbote.base.front import challenge_place
from hausbote.base.settings import FILE, Settings
from hausbote.certs.names import wanted_names
from hausbote.certs.own import renew_own
from hausbote.certs.places import Places
from hausbote.certs.renewal import renew as renew_once
from hausbote.certs.renewal_kinds import Outcome, Result, Urgency
from hausbote.cli.certificate_news import certificate_sentences
from hausbote.cli.problem import Problem
from hausbote.cli.state import load_settings, state_option
from hausbote.net.in_use import in_use

_TOLD = {
    Result.DEPLOYED: "The new certificate is in its place; new connections get it within a minute.",
    Result.KEPT: "It is not time yet: the certificate stays as it is. --force gets a new one.",
}


@click.group("certificate")
def command() -> None:
    """The box's certificate: ask an authority for it, renew it, see how it stands."""


@command.command("request")
@state_option
def request(state: Path) -> None:
    """Ask the authority now for a certificate with all names of the box, unless there is one.

    It does not wait, as the box does after failures; but not before the time that the authority
    itself has told.
    """
    _ask(state, Urgency.USUAL)


@command.command("renew")
@state_option
@click.option("--force", is_flag=True, help="Also if it is not time yet.")
def renew(state: Path, force: bool) -> None:
    """Renew the certificate if it is time: a third of its life is left, or names are missing.

    That of the box's own authority, too, if no other is asked for one.
    """
    settings = load_settings(state)
    shown = in_use(settings)
    if settings.certificates.acme == "no" and shown is not None and shown.own:
        _renew_own(settings, anew=force)
    else:
        _ask(state, Urgency.ANEW if force else Urgency.USUAL)


@command.command("status")
@state_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(state: Path, as_json: bool) -> None:
    """Tell which certificate the box shows, until when, and what keeps it from a better one.

    Ends with 1 if somebody should look after it.
    """
    settings = load_settings(state)
    if as_json:
        click.echo(json.dumps(_described(settings), indent=2))
    else:
        for line in _lines(settings):
            click.echo(line)
    if list(certificate_sentences(settings)):
        sys.exit(1)


def _renew_own(settings: Settings, *, anew: bool) -> None:
    try:
        renewed = renew_own(settings, anew=anew)
    except (OSError, ValueError) as error:
        raise Problem(f"It could not be renewed: {error}.") from None
    _tell(settings, Outcome(Result.DEPLOYED if renewed else Result.KEPT))


def _ask(state: Path, urgency: Urgency) -> None:
    settings = load_settings(state)
    if settings.certificates.acme == "no":
        raise Problem(
            f'certificates.acme is no in {state / FILE}: "yes" has the box ask for its certificate,'
            " and is your consent to the authority's terms of service."
        )
    record = read_record(settings.acme_record)
    if record.is_barred(time.time()):
        raise Problem(record.problem)
    places = Places(settings)
    names = wanted_names(settings)
    click.echo(f"Asking {places.authority_named} for {', '.join(names)} ...")
    outcome = renew_once(settings, urgency)
    _tell(settings, outcome)


def _tell(settings: Settings, outcome: Outcome) -> None:
    if outcome.result in (Result.FAILED, Result.BUSY):
        raise Problem(outcome.sentence)
    if outcome.result is Result.REHEARSED:
        for sentence in acme_sentences(settings, own=False):
            click.echo(sentence)
        return
    click.echo(_TOLD[outcome.result])
    shown = in_use(settings)
    if shown is not None:
        click.echo(shown.told(time.time()))


def _lines(settings: Settings) -> Iterator[str]:
    shown, record = in_use(settings), read_record(settings.acme_record)
    if shown is not None:
        yield shown.told(time.time())
        yield f"It is for {', '.join(shown.names)}."
    missing = [name for name in wanted_names(settings) if shown and name not in shown.names]
    if missing:
        yield f"These names of the box are not in it: {', '.join(missing)}."
    if settings.certificates.acme == "no":
        yield "No authority is asked for one: certificates.acme is no."
    else:
        yield f"It is asked of {Places(settings).authority_named}, by {_how(settings)}."
        if record.tried:
            yield f"It was asked last at {_moment(record.tried)}."
        if record.next:
            yield f"It is time again at {_moment(record.next)}."
        if record.account:
            yield f"Account: {record.account}"
    soon = shown is not None and shown.ends_soon(time.time())
    yield from list(certificate_sentences(settings))[1 if soon else 0 :]


def _how(settings: Settings) -> str:
    challenge = settings.certificates.challenge
    if challenge == "http-01":
        return f"http-01 at port {challenge_place(settings)[1]}"
    return f"dns-01 with the programs in {settings.path(settings.certificates.hooks)}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _described(settings: Settings) -> dict[str, object]:
    shown, record = in_use(settings), read_record(settings.acme_record)
    return {
        "acme": settings.certificates.acme == "yes",
        "server": Places(settings).server,
        "wanted": wanted_names(settings),
        "shown": None if shown is None else shown._asdict(),
        "tried": record.tried or None,
        "next": record.next or None,
        "failures": record.failures,
        "problem": record.problem or None,
        "account": record.account or None,
    }
