"""What people do in the portal to what belongs to them here, told to their clients and contacts as
if a client had done it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from hausbote.base.portal_actions import (
    ASK,
    TOLD,
    AccountAction,
    ActionDone,
    ActionRequest,
    ActionTrouble,
)
from hausbote.core.bus.frame import Frame
from hausbote.core.directory import Account
from hausbote.core.feature import Feature
from hausbote.core.host import Host
from hausbote.core.space import need_space
from hausbote.features import avatars
from hausbote.features.archive.preferences import decide
from hausbote.features.blocking import block_all, unblock_all
from hausbote.features.profile import set_name
from hausbote.features.roster import remove_contact
from hausbote.storage import StorageError
from hausbote.xmpp.errors import StanzaError

feature = Feature("portal actions")

_PORTAL: Final = "portal"
Later = list[Callable[[], None]]


class _Doing(NamedTuple):
    """`later` is done when the page has its answer."""

    host: Host
    account: Account
    value: str
    more: str
    later: Later


@feature.frame(ASK)
def act(host: Host, frame: Frame) -> None:
    """Waits for the disk; somebody looks at a page until the answer comes, whatever it is."""
    request, later = ActionRequest.unpack(frame.payload), Later()
    trouble = _tried(host, request, later)
    host.bus.send(_PORTAL, TOLD, "", (), ActionDone(request.id, trouble).pack())
    for job in later:
        job()


def _tried(host: Host, request: ActionRequest, later: Later) -> ActionTrouble:
    if not host.store.accounts.may_log_in(request.local):
        return ActionTrouble.GONE
    account = host.directory.account(request.local)
    try:
        return _ACTIONS[request.act](_Doing(host, account, request.value, request.more, later))
    except StorageError:
        return ActionTrouble.NO_SPACE
    except StanzaError:
        return ActionTrouble.NO_SPACE if host.store.reserve.is_low else ActionTrouble.TOO_MUCH


def _name(doing: _Doing) -> ActionTrouble:
    need_space(doing.host)
    set_name(doing.host, doing.account.local, doing.value, doing.later)
    return ActionTrouble.NONE


def _picture(doing: _Doing) -> ActionTrouble:
    host, text = doing.host, doing.value
    if 0 < host.settings.limits.pubsub_item_bytes < len(text):
        return ActionTrouble.TOO_MUCH
    picture = avatars.decoded(text, doing.more) if text else None
    avatars.replace(host, doing.account.local, picture, doing.later)
    return ActionTrouble.NONE


def _block(doing: _Doing) -> ActionTrouble:
    need_space(doing.host)
    block_all(doing.host, doing.account, [doing.value])
    return ActionTrouble.NONE


def _unblock(doing: _Doing) -> ActionTrouble:
    unblock_all(doing.host, doing.account, [doing.value])
    return ActionTrouble.NONE


def _remove_contact(doing: _Doing) -> ActionTrouble:
    found = remove_contact(doing.host, doing.account, doing.value)
    return ActionTrouble.NONE if found else ActionTrouble.MISSING


def _archive(doing: _Doing) -> ActionTrouble:
    need_space(doing.host)
    before = doing.host.store.archiving.preferences(doing.account.local)
    decide(doing.host, doing.account.local, before._replace(fallback=doing.value))
    return ActionTrouble.NONE


_ACTIONS: Final[dict[AccountAction, Callable[[_Doing], ActionTrouble]]] = {
    AccountAction.NAME: _name,
    AccountAction.PICTURE: _picture,
    AccountAction.BLOCK: _block,
    AccountAction.UNBLOCK: _unblock,
    AccountAction.REMOVE_CONTACT: _remove_contact,
    AccountAction.ARCHIVE: _archive,
}
