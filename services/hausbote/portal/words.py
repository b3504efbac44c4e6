"""Times and sizes as people say them."""

from datetime import datetime
from typing import Final

from hausbote.portal.language import Language

_DECIMAL: Final = {"de": ",", "en": "."}
_KILO: Final = 1000


def day(language: Language, at: float, now: float) -> str:
    """A day of the past or the future, without an hour: nobody needs to know it."""
    then, today = datetime.fromtimestamp(at).date(), datetime.fromtimestamp(now).date()
    days = (then - today).days
    if days == 0:
        return language.say("today")
    if days == -1:
        return language.say("yesterday")
    if days == 1:
        return language.say("tomorrow")
    if -7 < days < 0:
        return language.say("on %(weekday)s", weekday=weekdays(language)[then.weekday()])
    when = date(language, at, with_year=then.year != today.year)
    return language.say("on %(date)s", date=when)


def date(language: Language, at: float, *, with_year: bool = True) -> str:
    """A day with its month and, mostly, its year."""
    then = datetime.fromtimestamp(at)
    month = months(language)[then.month - 1]
    if with_year:
        return language.say("%(day)s %(month)s %(year)s", day=then.day, month=month, year=then.year)
    return language.say("%(day)s %(month)s", day=then.day, month=month)


def weekdays(language: Language) -> list[str]:
    names = language.say("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
    return names.split()


def months(language: Language) -> list[str]:
    names = language.say(
        "January February March April May June July August September October November December"
    )
    return names.split()


def spelled(language: Language, number: int) -> str:
    """A number at the beginning of a sentence: in letters up to twelve."""
    names = language.say(
        "None One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve"
    ).split()
    return names[number] if number < len(names) else str(number)


def size(language: Language, count: int) -> str:
    """Bytes as people count them: 1 kB is 1000 bytes."""
    number, unit = float(count), 0
    units = ("B", "kB", "MB", "GB", "TB")
    while number >= _KILO and unit < len(units) - 1:
        number, unit = number / _KILO, unit + 1
    digits = f"{number:.1f}" if unit and number < 10 else f"{number:.0f}"
    if digits.endswith(".0"):
        digits = digits[:-2]
    return f"{digits.replace('.', _DECIMAL[language.tag])} {units[unit]}"
