"""Files over HTTP, as clients and browsers move them, against a running box."""

import hashlib
import json
import os
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from support.files import http_, put, slot
from support.worlds import hausbote

BODY = os.urandom(300_000)


@pytest.fixture
def world(box):
    return box


@pytest.fixture
def romeo(cast):
    return cast("romeo")


@pytest.fixture
def uploaded(box, romeo):
    """Uploads something and returns its place."""

    def upload(body=BODY, name="picture.jpg", type=None, **more):
        place = slot(romeo, len(body), name, type, **more)
        status, _, said = put(box, place, body)
        assert (status, said) == (201, b"")
        return place

    return upload


def test_a_file_goes_from_one_client_to_the_other(box, cast, romeo, uploaded):
    juliet = cast("juliet")
    place = uploaded()
    romeo.sends(f"<message to='juliet@h' type='chat'><body>{place.get}</body></message>")
    url = juliet.receives("<message from='romeo@h/somewhere'/>")[0].text
    assert url == place.get
    status, headers, content = http_(box, "GET", place.path)
    assert (status, content) == (200, BODY)
    assert headers["ETag"] == f'"{hashlib.sha256(BODY).hexdigest()[:32]}"'
    assert headers["Content-Length"] == str(len(BODY))
    assert headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize("size", [1, 16_383, 16_384, 16_385, 262_144, 5_000_000])
def test_every_size_arrives_whole(box, uploaded, size):
    body = os.urandom(size)
    assert http_(box, "GET", uploaded(body).path)[2] == body


def test_a_small_file_is_like_any_other(box, uploaded):
    body = os.urandom(1_000)
    path = uploaded(body).path
    status, headers, content = http_(box, "GET", path)
    assert (status, content) == (200, body)
    assert headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    status, headers, content = http_(box, "GET", path, Range="bytes=10-19")
    assert (status, content) == (206, body[10:20])
    assert headers["Content-Range"] == "bytes 10-19/1000"
    status, headers, content = http_(box, "HEAD", path)
    assert (status, headers["Content-Length"], content) == (200, "1000", b"")


def test_nothing_is_there_before_it_was_uploaded(box, romeo):
    place = slot(romeo, 10)
    assert http_(box, "GET", place.path)[0] == 404
    assert http_(box, "HEAD", place.path)[0] == 404


def test_the_name_in_the_address_is_for_people(box, uploaded):
    place = uploaded()
    for path in (f"/{place.id}", f"/{place.id}/", f"/{place.id}/other%20name.html"):
        status, headers, content = http_(box, "GET", path)
        assert (status, content) == (200, BODY)
        assert headers["Content-Disposition"] == "inline; filename*=UTF-8''picture.jpg"


def test_head_tells_the_same_without_the_file(box, uploaded):
    path = uploaded().path
    _, whole, _ = http_(box, "GET", path)
    status, headers, content = http_(box, "HEAD", path)
    assert (status, content) == (200, b"")
    del whole["Date"], headers["Date"]
    assert dict(headers) == dict(whole)


@pytest.mark.parametrize(
    ("range_", "first", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=299990-", 299_990, 300_000),
        ("bytes=-5", 299_995, 300_000),
        ("bytes=-999999999", 0, 300_000),
        ("bytes=100-999999999", 100, 300_000),
        ("Bytes=16383-16385", 16_383, 16_386),
    ],
)
def test_a_part_of_a_file(box, uploaded, range_, first, end):
    status, headers, content = http_(box, "GET", uploaded().path, Range=range_)
    assert (status, content) == (206, BODY[first:end])
    assert headers["Content-Range"] == f"bytes {first}-{end - 1}/300000"
    assert headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize("range_", ["bytes=300000-", "bytes=300000-300001", "bytes=-0"])
def test_a_part_that_is_not_there(box, uploaded, range_):
    status, headers, _ = http_(box, "GET", uploaded().path, Range=range_)
    assert status == 416
    assert headers["Content-Range"] == "bytes */300000"


@pytest.mark.parametrize(
    "range_", ["bytes=", "bytes=-", "bytes=5-1", "bytes=0-1,5-6", "lines=1-2", "x", "bytes=a-b"]
)
def test_what_is_no_range_means_everything(box, uploaded, range_):
    status, _, content = http_(box, "GET", uploaded().path, Range=range_)
    assert (status, content) == (200, BODY)


def test_a_part_is_given_only_of_the_file_that_is_meant(box, uploaded):
    path = uploaded().path
    tag = http_(box, "HEAD", path)[1]["ETag"]
    assert http_(box, "GET", path, Range="bytes=0-1", If_Range=tag)[0] == 206
    assert http_(box, "GET", path, Range="bytes=0-1", If_Range='"other"')[0] == 200


def test_who_has_it_already_is_spared_it(box, uploaded):
    path = uploaded().path
    headers = http_(box, "GET", path)[1]
    assert headers["Cache-Control"] == "private, max-age=86400, immutable"
    tag = headers["ETag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        status, headers, content = http_(box, "GET", path, If_None_Match=known)
        assert (status, content, headers["ETag"]) == (304, b"", tag)
    assert http_(box, "GET", path, If_None_Match='"x"')[0] == 200


def test_only_the_file_that_is_meant_is_given(box, uploaded):
    path = uploaded().path
    tag = http_(box, "HEAD", path)[1]["ETag"]
    for meant in (tag, f'"x", {tag}', "*"):
        assert http_(box, "GET", path, If_Match=meant)[0] == 200
    for meant in ('"x"', f"W/{tag}", ""):
        assert http_(box, "GET", path, If_Match=meant, If_None_Match=tag)[0] == 412
    status, _, content = http_(box, "HEAD", path, If_None_Match=tag, Range="bytes=0-1")
    assert (status, content) == (304, b"")
    assert http_(box, "HEAD", path, Range="bytes=0-1")[0] == 200


def test_pages_from_elsewhere_may_upload_and_download(box, uploaded):
    path = uploaded().path
    status, headers, _ = http_(
        box, "OPTIONS", path, Origin="https://chat.example", Access_Control_Request_Method="PUT"
    )
    assert status == 204
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert {"GET", "PUT", "HEAD"} <= set(headers["Access-Control-Allow-Methods"].split(", "))
    assert {"Authorization", "Content-Type"} <= set(
        headers["Access-Control-Allow-Headers"].split(", ")
    )
    for answer in (http_(box, "GET", path), http_(box, "GET", "/"), http_(box, "PUT", path, b"x")):
        assert answer[1]["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("type", ["image/png", "video/mp4", "audio/ogg", "text/plain"])
def test_what_can_do_no_harm_is_shown(box, uploaded, type):
    headers = http_(box, "GET", uploaded(b"x", "x", type).path)[1]
    assert headers["Content-Type"].partition(";")[0] == type
    assert headers["Content-Disposition"].startswith("inline")


@pytest.mark.parametrize(
    ("type", "told"),
    [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
        ("application/xslt+xml", "application/octet-stream"),
        ("application/pdf", "application/pdf"),
        ("application/zip", "application/zip"),
        ("unheard/of", "unheard/of"),
    ],
)
def test_everything_else_is_saved_and_never_run(box, uploaded, type, told):
    page = b"<script>alert(1)</script>"
    headers = http_(box, "GET", uploaded(page, "page.html", type).path)[1]
    assert headers["Content-Type"] == told
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''page.html"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_a_type_that_was_not_told_is_guessed_from_the_name(box, uploaded):
    for name, disposition in (("x.png", "inline"), ("x.svg", "attachment"), ("x", "attachment")):
        headers = http_(box, "GET", uploaded(b"x", name).path)[1]
        assert headers["Content-Disposition"].startswith(disposition)


def test_a_name_cannot_break_out_of_its_header(box, uploaded):
    headers = http_(box, "GET", uploaded(b"x", '"; é&#10;x=y;.txt').path)[1]
    assert headers["Content-Disposition"] == "inline; filename*=UTF-8''%22%3B%20%C3%A9x%3Dy%3B.txt"


def test_a_file_ends_when_it_was_meant_to(box, uploaded):
    soon = datetime.now(UTC) + timedelta(seconds=2)
    stamp = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    path = uploaded(
        inside=f"<ephemeral xmlns='urn:xmpp:http:upload:purpose:0' expire-before='{stamp}'/>"
    ).path
    while datetime.now(UTC) < soon:
        time.sleep(0.1)
    assert http_(box, "GET", path)[0] == 404


def gone_from_disk(box, id):
    """Whether the file goes within a while."""
    deadline = time.monotonic() + 20
    while list((box.state / "uploads").rglob(id)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_an_account_takes_its_files_along(box, cast, uploaded):
    place = uploaded()
    assert list((box.state / "uploads").rglob(place.id))
    hausbote("user", "delete", "romeo@h", state=box.state)
    assert http_(box, "GET", place.path)[0] == 404
    assert gone_from_disk(box, place.id)


def test_the_owner_sees_and_deletes_files(box, cast, uploaded):
    box.add_account("mercutio")
    kept, place = uploaded(), uploaded(b"four")
    rows = hausbote("files", "list", "romeo@h", "--json", state=box.state).stdout.splitlines()
    told = [json.loads(row) for row in rows]
    assert [one["id"] for one in told] == [kept.id, place.id]
    assert told[1]["size"] == 4
    assert told[1]["digest"] == hashlib.sha256(b"four").hexdigest()
    rows = hausbote("files", "usage", "--json", state=box.state).stdout.splitlines()
    assert {"jid": "romeo@h", "files": 2, "bytes": 300_004} in [json.loads(row) for row in rows]
    assert hausbote("files", "list", "mercutio@h", state=box.state).stdout == ""
    said = hausbote(
        "files", "delete", "mercutio@h", "--file", place.id, state=box.state, check=False
    )
    assert said.returncode == 1
    hausbote("files", "delete", "romeo@h", "--file", place.id, state=box.state)
    assert http_(box, "GET", place.path)[0] == 404
    assert http_(box, "GET", kept.path)[0] == 200
    assert gone_from_disk(box, place.id)
    assert "1 file was" in hausbote("files", "delete", "romeo@h", state=box.state).stdout
    assert gone_from_disk(box, kept.id)


def test_a_flipped_bit_of_a_small_file_is_found(box, uploaded):
    sound, flipped = uploaded(b"sound"), uploaded(b"flipped")
    path = box.settings.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        change = "UPDATE upload SET content = x'666c6970706564ff' WHERE id = ?"
        database.execute(change, (flipped.id,))
        database.commit()
    found = hausbote("files", "scrub", state=box.state, check=False)
    assert found.stderr == f"{flipped.id} is damaged: it is not what was uploaded\n"
    assert http_(box, "GET", sound.path)[2] == b"sound"
    hausbote("files", "delete", "romeo@h", state=box.state)


def test_a_flipped_bit_and_a_missing_file_are_found(box, uploaded):
    sound, flipped, missing = uploaded(), uploaded(), uploaded()
    assert "as uploaded" in hausbote("files", "scrub", state=box.state).stdout
    (path,) = (box.state / "uploads").rglob(flipped.id)
    content = bytearray(path.read_bytes())
    content[1234] ^= 1
    path.write_bytes(content)
    next((box.state / "uploads").rglob(missing.id)).unlink()
    stray = path.parent / ("0" * 32)
    stray.write_bytes(b"x")
    found = hausbote("files", "scrub", state=box.state, check=False)
    assert found.returncode == 1
    assert {line.partition(" ")[0] for line in found.stderr.splitlines()} == {
        flipped.id, missing.id, stray.name,
    }  # fmt: skip
    assert http_(box, "GET", missing.path)[0] == 404
    assert http_(box, "GET", sound.path)[0] == 200
    stray.unlink()
    hausbote("files", "delete", "romeo@h", state=box.state)
    assert "as uploaded" in hausbote("files", "scrub", state=box.state).stdout
