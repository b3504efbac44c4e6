"""PUT: a file comes into the slot that was given for it.

It is said to be there when it is on the disk together with its row.  A small file is a part of its
row; the others are written, hashed and brought to the disk by a thread.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any, Final

from hausbote.base.log import Event, bug, log
from hausbote.core.host import Host
from hausbote.net.http import Exchange
from hausbote.storage import Upload
from hausbote.upload.depot import Depot, DiskFull, Incoming
from hausbote.upload.http_request import FileRequest, Refused
from hausbote.upload.pending import Pending, Slot
from hausbote.upload.slots import key_hash, plain_type, spare

_SMALL: Final = 16_384  # bytes of a file that lies in the store


def receive(host: Host, depot: Depot, request: FileRequest) -> None:
    """Refused; nothing is left of the file then, and its slot may be tried again."""
    slot = _slot(host, request)
    slot.busy = True
    try:
        _take(host, depot, slot, request.exchange)
    finally:
        slot.busy = False


def _slot(host: Host, request: FileRequest) -> Slot:
    """The slot that this request may fill."""
    slot = host.state(Pending).get(request.id)
    if slot is None:
        if host.store.uploads.get(request.id) is not None:
            raise Refused("409 Conflict", "This file is here already.")
        raise Refused("404 Not Found", "There is no place for this file: ask for another.")
    if not hmac.compare_digest(slot.key, key_hash(request.key)):
        raise Refused("403 Forbidden", "This place is for somebody else's file.")
    if slot.busy:
        raise Refused("409 Conflict", "This file is being uploaded already.")
    if slot.until < host.clock():
        raise Refused("410 Gone", "This came too late: ask for another place.")
    size = request.exchange.announced
    if size is None:
        raise Refused("411 Length Required", "The size of the file must be told.")
    if size != slot.size:
        status = "413 Content Too Large" if size > slot.size else "400 Bad Request"
        raise Refused(status, "This is not the size that was announced.")
    if request.type is not None and plain_type(request.type) != slot.type:
        raise Refused("415 Unsupported Media Type", "This is not the type that was announced.")
    if request.is_part:
        raise Refused("400 Bad Request", "A file comes as a whole.")
    if request.is_encoded:
        raise Refused("415 Unsupported Media Type", "A file comes as it is, without a coding.")
    if request.means_another(None):
        raise Refused("412 Precondition Failed", "There is no file yet that could be meant.")
    return slot


def _take(host: Host, depot: Depot, slot: Slot, exchange: Exchange) -> None:
    """Return when the file and its row are on the disk."""
    if not depot.has_room(slot.size, spare(host)):
        raise Refused("507 Insufficient Storage", "The disk is full.")
    body = exchange.receive(slot.size)
    piece = _next(body)
    if slot.size <= _SMALL and len(piece) == slot.size:
        content = bytes(piece)
        _enter(host, slot, hashlib.sha256(content).digest(), content)
        return
    try:
        incoming = _store(host, depot, slot, piece, body)
    except DiskFull:
        raise Refused("507 Insufficient Storage", "The disk is full.") from None
    try:
        _enter(host, slot, incoming.digest, None)
    except BaseException:
        host.compute(incoming.discard)
        raise
    host.compute(incoming.settle)


def _store(
    host: Host, depot: Depot, slot: Slot, piece: memoryview, body: Iterator[memoryview]
) -> Incoming:
    """The file, which is in its place then.  DiskFull; nothing is left of it."""
    compute = host.compute
    if len(piece) == slot.size:  # one way to the thread is enough
        whole: Incoming = _to_disk(compute, depot.put, slot.id, piece)
        return whole
    incoming: Incoming = _to_disk(compute, depot.begin, slot.id, slot.size)
    try:
        while piece:
            _to_disk(compute, incoming.write, piece)
            piece = _next(body)
        _to_disk(compute, incoming.finish)
    except BaseException:
        compute(incoming.discard)
        raise
    return incoming


def _enter(host: Host, slot: Slot, digest: bytes, content: bytes | None) -> None:
    """Give it its row; Refused if its owner's account has been deleted meanwhile."""
    limits = host.settings.upload
    evict = limits.account_bytes if limits.when_full == "oldest-go" else 0
    now = host.clock()
    file = Upload(slot.id, slot.name, slot.type, slot.size, digest, now, slot.expires)
    entered = host.store.uploads.add(slot.account, file, content, evict)
    host.state(Pending).remove(slot)
    if not entered:
        raise Refused("404 Not Found", "There is no place for this file any more.")


def _next(body: Iterator[memoryview]) -> memoryview:
    """The next piece of a body; an empty one at its end."""
    try:
        return next(body, memoryview(b""))
    except TimeoutError:
        raise Refused("408 Request Timeout", "This came too slowly.") from None


def _to_disk(compute: Callable[..., Any], step: Callable[..., Any], *arguments: object) -> Any:
    """Do it in a thread; trouble with the disk that is not of its being full is ours."""
    try:
        return compute(step, *arguments)
    except OSError as error:
        bug(error)
        log(Event.FILE_FAILED)
        raise Refused("503 Service Unavailable", "The file cannot be kept.") from None
