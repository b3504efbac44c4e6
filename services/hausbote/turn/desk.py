"""Answers questions for the relay, whichever way they come in."""

import time
from collections.abc import Callable
from typing import Final

from hausbote.base.log import Event, log
from hausbote.base.relay import Answer, Offer, Question
from hausbote.base.settings import Settings
from hausbote.core.throttle import Throttle
from hausbote.turn.credentials import issue
from hausbote.turn.offers import asked_for, offers
from hausbote.turn.secrets import Secrets

_HOUR: Final = 3_600.0
_DAY: Final = 86_400.0


class Desk:
    """Whoever asks has made sure that the account is one of the box."""

    def __init__(
        self,
        settings: Settings,
        secrets: Secrets,
        clock: Callable[[], float] = time.time,
        surely: Callable[[], float] | None = None,
    ) -> None:
        """`surely` is the part of the time that has surely passed, by which secrets are too old.

        Credentials are signed for the time of the machine: the relay's is the same.
        """
        self._settings = settings.relay
        self._secrets = secrets
        self._clock = clock
        self._surely = surely or clock
        self._offers = offers(settings)
        self._throttle = Throttle(settings.limits.relay_credentials_per_hour, _HOUR)
        self.handled = 0

    def answer(self, question: Question) -> Answer:
        """What there is of that kind; None if the account must wait before it gets credentials."""
        self.handled += 1
        found = [offer for offer in self._offers if asked_for(question, offer)]
        if not any(offer.is_restricted for offer in found):
            return Answer(question.id, tuple(found))
        if not self._may(question):
            return Answer(question.id, None)
        seconds = self._settings.credential_seconds
        made = issue(self._secrets.current(), question.account, self._clock(), seconds)
        signed = [Offer(*o[:4], *made) if o.is_restricted else o for o in found]
        return Answer(question.id, tuple(signed))

    def _may(self, question: Question) -> bool:
        if question.unasked:
            return True
        if self._throttle.exceeded(question.account):
            return False
        self._throttle.note(question.account)
        return True

    def tend(self) -> bool:
        """Change the secret if it is time, and drop old ones; to be called now and then.

        Returns whether what was signed so far is void, because somebody dropped the secret.
        A relay elsewhere knows only the secrets that its owner took there, so its stays.
        """
        now = self._surely()
        signed_with = self._secrets.current()
        self._secrets.reread()
        days = self._settings.secret_days if self._settings.run == "here" else 0
        if days and self._secrets.age(now) > days * _DAY:
            self._secrets.rotate(now)
            log(Event.RELAY_SECRET_CHANGED)
        self._secrets.forget_before(now - self._settings.credential_seconds)
        return signed_with not in self._secrets.all()
