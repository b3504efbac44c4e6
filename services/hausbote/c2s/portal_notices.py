"""Announcements that the owner makes in the portal, as others do by commands (XEP-0133 §4.23)."""

from hausbote.base.log import Event, Word, log
from hausbote.base.portal_notices import ASK, TOLD, Notice, NoticeAction, NoticeDone
from hausbote.core.bus.frame import Frame
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.features.administration import notices
from hausbote.storage import StorageError

feature = Feature("portal announcements")

_PORTAL = "portal"


@feature.frame(ASK)
def announce(host: Host, frame: Frame) -> None:
    """Waits for the disk; somebody looks at a page until the answer comes."""
    asked = Notice.unpack(frame.payload)
    done = NoticeDone(asked.id, _tried(host, asked))
    host.bus.send(_PORTAL, TOLD, "", (), done.pack())


def _tried(host: Host, asked: Notice) -> bool:
    try:
        match asked.act:
            case NoticeAction.NOW:
                notices.announce_now(host, asked.text)
            case NoticeAction.ALL:
                notices.say_today(host, asked.text)
            case NoticeAction.TAKE_BACK:
                notices.take_back_today(host)
    except StorageError:
        return False
    log(Event.ADMINISTERED, command=Word(f"announcement-{asked.act}"))
    return True
