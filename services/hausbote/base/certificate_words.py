"""What there is to tell of the certificate that is asked of an authority, for all who tell it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from hausbote.base.acme_record import AcmeRecord, read_record
from hausbote.base.believed_clock import clock_is_doubted
from hausbote.base.settings import Settings

CLOCK_DOUBTED: Final = (
    "The clock of this machine jumped, and nobody knows yet whether it is right; no certificate is"
    " asked for until then. If it is right, say 'hausbote clock accept'."
)


def acme_sentences(settings: Settings, *, own: bool) -> Iterator[str]:
    """Nothing while all is well; `own` is whether the box still shows the certificate of its own
    CA."""
    if settings.certificates.acme == "no":
        return
    if clock_is_doubted(settings.clock_mark):
        yield CLOCK_DOUBTED
    record = read_record(settings.acme_record)
    if own:
        yield (
            "Until an authority has given one, the box shows a certificate of its own, which only"
            " those trust who were given certs/ca.pem."
        )
    if record.problem:
        yield f"There is no new certificate: {record.problem}{_again(record)}"
    elif record.failures:
        yield f"The authority is being asked, or that was cut off.{_again(record)}"
    elif record.rehearsed:
        yield (
            "The rehearsal went well: certificates.staging = \"no\" and 'hausbote run' anew get the"
            " real certificate."
        )
    elif own:
        yield "The authority is asked for one as soon as the box runs."


def _again(record: AcmeRecord) -> str:
    if not record.next:
        return ""
    return f" It is time again at {datetime.fromtimestamp(record.next, UTC):%Y-%m-%d %H:%M} UTC."
