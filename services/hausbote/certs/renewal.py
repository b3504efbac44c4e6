"""Once: see whether it is time for a certificate, ask for it, look at it, and put it in its place.

    python -m hausbote.certs.renewal --state DIR

is what the service runs; `hausbote certificate` calls `renew` itself.  Whatever is cut off is taken
up next time: a certificate that certbot has got already is put in its place without asking anew.
"""

import argparse
import random
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

from hausbote.base.acme_record import (
    LONGEST_PAUSE,
    AcmeRecord,
    pause_after,
    read_record,
    write_record,
)
from hausbote.base.believed_clock import clock_is_doubted
from hausbote.base.certificate_words import CLOCK_DOUBTED
from hausbote.base.file_locks import Held, locked
from hausbote.base.log import Event, Sentence, log, set_level
from hausbote.base.parent import end_with_parent
from hausbote.base.settings import Settings, SettingsError
from hausbote.certs import account
from hausbote.certs.certbot import Certbot
from hausbote.certs.deployment import deploy, deployed
from hausbote.certs.explanation import Trouble
from hausbote.certs.names import wanted_names
from hausbote.certs.pair import Pair, Unusable, is_due, missing_names, read_pair, verify
from hausbote.certs.places import Places
from hausbote.certs.renewal_kinds import Outcome, Result, Urgency
from hausbote.net.chains import TrustError
from hausbote.net.judge import Cause


def renew(settings: Settings, urgency: Urgency = Urgency.USUAL) -> Outcome:
    """Do it, and write down how it went; OSError if the disk does not take that."""
    places = Places(settings)
    places.lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with locked(places.lock):
            return _Renewal(settings, places).run(urgency)
    except Held:
        return Outcome(Result.BUSY, "A certificate is being asked for already.")


class _Renewal:
    def __init__(self, settings: Settings, places: Places) -> None:
        self._settings = settings
        self._places = places
        self._names = wanted_names(settings)
        self._rehearses = settings.certificates.staging == "yes"
        self._record = read_record(settings.acme_record)
        self._asked = False

    def run(self, urgency: Urgency) -> Outcome:
        if clock_is_doubted(self._settings.clock_mark):
            return Outcome(Result.FAILED, CLOCK_DOUBTED)
        try:
            has = self._lineage()
            good = self._is_good(has)
            if not good and self._record.failures and urgency is Urgency.LOOK:
                return Outcome(Result.FAILED, self._record.problem)  # it is not time yet
            trouble = self._ask(has, anew=not good or urgency is Urgency.ANEW, urgency=urgency)
            return self._failed(trouble) if trouble is not None else self._put_in_place()
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            return self._failed(Trouble(f"{where}{error.strerror or error}."))

    # -- asking --------------------------------------------------------------------------------

    def _ask(self, has: Pair | None, *, anew: bool, urgency: Urgency) -> Trouble | None:
        """Ask the authority, if there is a reason to; None if nothing is wrong."""
        if not self._names:
            return Trouble("All names of the box have certificates of their own in certs/.")
        certbot = Certbot(self._settings, self._places)
        if not anew and (urgency is Urgency.LOOK or certbot.missing or not certbot.asks_when()):
            return None
        if has is None:  # nothing, or what a kill has left of it
            self._forget_lineage()
        self._asked = True
        self._expect_the_worst(anew=anew)
        trouble = certbot.obtain(self._names, anew=anew)
        self._record = account.noted(self._record, self._settings, self._places)
        return trouble if anew else None  # the certificate is good, and there will be other days

    def _lineage(self) -> Pair | None:
        """What certbot has got; None if that is not whole."""
        try:
            known = self._places.renewal.read_text("utf-8", "replace")
            return read_pair(self._places.chain, self._places.key) if "fullchain" in known else None
        except (FileNotFoundError, Unusable):
            return None

    def _is_good(self, pair: Pair | None) -> bool:
        return (
            pair is not None
            and not missing_names(pair, self._names)
            and not is_due(pair, time.time())
        )

    def _forget_lineage(self) -> None:
        for directory in self._places.lineages:
            if directory.exists():
                shutil.rmtree(directory)

    def _expect_the_worst(self, *, anew: bool) -> None:
        """On disk before the authority is asked: whoever is killed again and again in the middle
        of it waits as others do who fail."""
        failures, now = self._record.failures + anew, time.time()
        pause = pause_after(max(failures, 1), 0.5)
        cut_off = replace(self._record, tried=now, next=now + pause, failures=failures, problem="")
        write_record(self._settings.acme_record, cut_off)

    # -- looking at it, and putting it in its place ----------------------------------------------

    def _put_in_place(self) -> Outcome:
        try:
            pair = read_pair(self._places.chain, self._places.key)
            if pair is None:
                return self._failed(Trouble("certbot ended well and left no certificate."))
            verdict = verify(self._settings, pair, self._names, time.time())
        except (Unusable, TrustError) as error:
            return self._failed(Trouble(str(error)))
        if not verdict.accepted:
            if self._rehearses and verdict.cause in (Cause.UNKNOWN_AUTHORITY, Cause.INCOMPLETE):
                return self._went_well(Result.REHEARSED)
            return self._failed(
                Trouble(
                    f"{self._places.authority_named} gave a certificate that others would refuse,"
                    f" and the box keeps the one that it has. {verdict.sentence}"
                )
            )
        if deployed(self._places.certs) == (pair.chain, pair.key):
            return self._went_well(Result.KEPT)
        deploy(self._places.certs, pair.chain, pair.key)
        return self._went_well(Result.DEPLOYED)

    # -- the record ----------------------------------------------------------------------------

    def _went_well(self, result: Result) -> Outcome:
        now = time.time()
        self._write(
            replace(
                self._record,
                tried=now if self._asked else self._record.tried,
                next=now + LONGEST_PAUSE * random.uniform(0.8, 1.2),  # noqa: S311 - no secret
                failures=0,
                problem="",
                not_before=0.0,
                rehearsed=now if result is Result.REHEARSED else 0.0,
            )
        )
        return Outcome(result)

    def _failed(self, trouble: Trouble) -> Outcome:
        """Tries of an authority are the ones that are counted, and wait longer and longer."""
        now, record = time.time(), self._record
        failures = record.failures + 1
        pause = pause_after(failures, random.random())  # noqa: S311 - no secret
        self._write(
            replace(
                record,
                tried=now if self._asked else record.tried,
                next=max(now + pause, trouble.not_before),
                failures=failures,
                problem=trouble.sentence,
                not_before=trouble.not_before,
                rehearsed=0.0,
            )
        )
        return Outcome(Result.FAILED, trouble.sentence)

    def _write(self, record: AcmeRecord) -> None:
        self._record = record
        write_record(self._settings.acme_record, record)


def _log(settings: Settings, outcome: Outcome) -> None:
    if outcome.result is Result.DEPLOYED:
        log(Event.CERTIFICATE_DEPLOYED)
    elif outcome.result is Result.FAILED:
        minutes = int((read_record(settings.acme_record).next - time.time()) / 60)
        sentence = "".join(c for c in outcome.sentence if c.isprintable() and c != "@")
        log(Event.CERTIFICATE_FAILED, minutes=minutes, why=Sentence(sentence[:500]))


def main() -> int:
    end_with_parent()
    parser = argparse.ArgumentParser(prog="hausbote.certs.renewal")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--urgency", choices=[one.value for one in Urgency], required=True)
    arguments = parser.parse_args()
    try:
        settings = Settings.load(arguments.state)
        set_level(settings.log.level)
        _log(settings, renew(settings, Urgency(arguments.urgency)))
    except SettingsError as error:
        sys.exit("\n".join(error.problems))
    except OSError as error:
        sys.exit(f"certs: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
