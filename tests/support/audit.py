"""What became of all that people of `kill_people` said and sent."""

from support.archive import page, rsm
from support.files import http_


def audit(talker):
    """Sentences about what is lost or doubled of what this one said."""
    here, there = talker.box, talker.other
    places = {
        "far": [(there, "listener", talker.bare), (here, "talker", f"listener@{there.domain}")],
        "near": [(here, "listener", talker.bare), (here, "talker", f"listener@{here.domain}")],
        "room": [(here, "talker", None, talker.room)],
    }
    for kind, archives in places.items():
        sent = {n for n in range(talker.sent) if talker.kind(n) == kind}
        safe = talker.acknowledged() & sent - talker.refused
        for place in archives:
            found = archived(*place)
            name = f"{kind}: {place[1]}@{place[0].domain}'s archive"
            for number in sorted(safe):
                if found.get(str(number), 0) == 0:
                    yield f"{name}: {number} of {talker.bare} was acknowledged and is lost"
            for body, count in found.items():
                if count > 1:
                    yield f"{name}: {body} of {talker.bare} is there {count} times"


def archived(box, name, with_=None, room=None):
    """How often which body is in an archive."""
    client = box.log_in(name, "auditor")
    found, after = {}, None
    while True:
        more = {} if after is None else {"after": after}
        came = page(client, filter_(with_), rsm(max=100, **more), to=room)
        for body in came.bodies:
            found[body] = found.get(body, 0) + 1
        if came.complete:
            client.leaves()
            return found
        after = came.told("last")


def filter_(with_):
    if with_ is None:
        return ""
    kind = "<field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
    return (
        f"<x xmlns='jabber:x:data' type='submit'>{kind}"
        f"<field var='with'><value>{with_}</value></field></x>"
    )


def missing_files(uploader):
    """Sentences about files whose upload was confirmed with 201."""
    for path, content in uploader.confirmed:
        status, _, body = http_(uploader.box, "GET", path)
        if status != 200 or body != content:
            yield f"a file of {len(content)} bytes was confirmed, and now it is {status}"
