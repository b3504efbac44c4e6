"""Which apps to recommend: at most three for each platform, with what speaks for and against them.

The order is ours, nobody pays for it.  Looked at in November 2026.
"""

from typing import Final, NamedTuple

from hausbote.portal.language import Language


class App(NamedTuple):
    name: str
    url: str
    told: str


def platform_of(agent: str) -> str:
    """android, apple, or desk, by what a browser says of itself."""
    if "Android" in agent:
        return "android"
    if "iPhone" in agent or "iPad" in agent:
        return "apple"
    return "desk"


PLATFORMS: Final = ("android", "apple", "desk")


def apps_for(language: Language, platform: str) -> list[App]:
    say = language.say
    if platform == "android":
        return [
            App(
                "Conversations",
                "https://conversations.im/",
                say("Tried and tested. Free at F-Droid, a few euros at Google Play."),
            ),
            App(
                "Monocles Chat",
                "https://monocles.chat/",
                say("Of the same family, with more to set and to play with."),
            ),
            App(
                "Cheogram",
                "https://cheogram.com/",
                say("Of the same family, too; can also phone if you want that."),
            ),
        ]
    if platform == "apple":
        return [
            App(
                "Monal",
                "https://monal-im.org/",
                say("Free, also for the Mac. Messages may come a little late when it rests."),
            ),
            App(
                "Siskin IM",
                "https://siskin.im/",
                say("Free and plain; calls work well."),
            ),
        ]
    return [
        App("Gajim", "https://gajim.org/", say("For Windows, macOS and Linux; can do everything.")),
        App("Dino", "https://dino.im/", say("For Linux; simple and beautiful.")),
        App("Monal", "https://monal-im.org/", say("For the Mac.")),
    ]
