"""Whether uploaded files are what was uploaded."""

import hashlib
from collections.abc import Iterable, Iterator

from hausbote.storage import Store, Upload
from hausbote.upload.depot import Depot


def trouble_with(depot: Depot, store: Store, upload: Upload) -> str:
    """What is wrong with a file, which is read for that; "" if nothing is."""
    try:
        sound = _digest(depot, store, upload) == (upload.size, upload.digest)
        trouble = "" if sound else "is damaged: it is not what was uploaded"
    except FileNotFoundError:
        trouble = "is missing"
    except OSError as error:
        trouble = f"cannot be read: {error.strerror}"
    # It may have been deleted meanwhile.
    return trouble if trouble and store.uploads.get(upload.id) is not None else ""


def damaged(depot: Depot, store: Store, uploads: Iterable[Upload]) -> Iterator[str]:
    """A sentence for each of these files that is not what was uploaded."""
    for one in uploads:
        if trouble := trouble_with(depot, store, one):
            yield f"{one.id} {trouble}"


def strays(depot: Depot, store: Store) -> Iterator[str]:
    """A sentence for each file that has no row."""
    found = set(depot.ids())
    coming = set(depot.unfinished())  # read before the rows: it loses its name there afterwards
    for id in sorted(found - coming - store.uploads.known()):
        yield f"{id} is nobody's: no row knows it"


def _digest(depot: Depot, store: Store, upload: Upload) -> tuple[int, bytes]:
    """Size and digest of a file as it is now."""
    _, content = store.uploads.fetch(upload.id) or (None, None)
    if content is None:
        return depot.digest(upload.id)
    return len(content), hashlib.sha256(content).digest()
