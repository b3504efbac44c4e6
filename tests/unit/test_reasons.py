"""What certificates and backups have to say is said in German, too.

The sentences are read in the source of the parts that write them down: a new one that nobody has
translated fails here.  Values in them are `@`, which is in no sentence.
"""

import ast
import re
from pathlib import Path

import pytest

import hausbote
from hausbote.backup.complaints import _COMPLAINTS, complaint
from hausbote.certs.explanation import _ERRORS, _WORDS, Circumstances, explain
from hausbote.portal.language import Language
from hausbote.portal.reasons import told

ROOT = Path(hausbote.__file__).parent
PARTS = (
    "backup/fetching.py",
    "backup/in_container.py",
    "backup/making.py",
    "backup/restic.py",
    "backup/staging.py",
    "base/backup_record.py",
    "certs/certbot.py",
    "certs/pair.py",
    "certs/renewal.py",
    "cli/backup_schedule.py",
    "net/chains.py",
    "net/dns.py",
    "net/dns_wire.py",
    "net/judge.py",
    "net/revocation.py",
    "net/strength.py",
    "storage/snapshot.py",
    "storage/soundness.py",
)
_FIELD = re.compile(r"\{[^{}]*\}")
_WORDS_IN_IT = re.compile(r"[A-Za-z]{2,} [a-z]+|[a-z]+ [A-Za-z]{2,}")
_PROGRAM = re.compile(r"SELECT|UPDATE|INSERT|PRAGMA|\\|BEGIN |DELETE")


# What is not said at once, but only with something before or behind it:
WHOLE = {
    "The name @ @ in DNS.": (
        "The name @ has no IP address in DNS.",
        "The name @ does not exist in DNS.",
    ),
    "has no IP address": (),
    "does not exist": (),
    "The certificate of @": (),
    " and others": ("@ and others",),
}
NOT_SHOWN = {
    # good news
    "The certificate of @ showed a certificate of @.",
    "The certificate of @ showed a certificate of the authority that its DNS names.",
    "The certificate of @ showed the certificate that is pinned until @.",
    "The certificate of @ showed the certificate that its DNS names.",
    "The box was restored and serves: what was kept from before is removed.",
    "The box was restored on @ from a backup of @.",
    "The last good backup is @ of @.",
    "The last one that was restored for a trial is @, verified on @.",
    # only said by a command
    "@ If it is of this box, give its password by --password-file.",
    "@: @ is not in the backup: it is outside of @.",
    "@ is not in the backup: it is larger than all that belongs to a box.",
    "There is no backup of this box yet: see 'hausbote backup create'.",
    "@ cannot be used: @",
    # said to other servers, and to people whose message comes back
    "The connection with @ broke.",
    "nobody asked for this answer",
    "the disk of this server is full",
    "this server stops",
    "too many messages wait for that server",
    "too much waits for that server",
    # of the program itself
    " WHERE content IS NULL",
    "cut short",
    "not an answer",
    "the last attempt returns or raises",
}


@pytest.fixture(scope="module")
def german():
    return Language("de")


def strings(path):
    """All texts of a module but its docstrings, with @ for what is put into them."""
    tree = ast.parse((ROOT / path).read_text())
    passed = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
        body = getattr(node, "body", None)
        if isinstance(body, list):
            passed |= {id(one.value) for one in body if isinstance(one, ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                part.value if isinstance(part, ast.Constant) else "@" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield _FIELD.sub("@", node.value)


def said(path):
    return [one for one in strings(path) if _WORDS_IN_IT.search(one) and not _PROGRAM.search(one)]


@pytest.mark.parametrize("path", PARTS)
def test_what_a_part_says_is_known_in_german(path, german):
    found = [whole for one in said(path) for whole in WHOLE.get(one, (one,))]
    if path == "net/judge.py":  # which says of a chain, whose it is before
        found = [
            one.replace("@", "The certificate of @", 1) if one[:1] == "@" else one for one in found
        ]
    unknown = [one for one in found if told(german, one) is None and one not in NOT_SHOWN]
    assert unknown == []


def explained():
    """All that can be made of what certbot says."""
    for http in (True, False):
        here = Circumstances("Let's Encrypt", http, 8402, lambda: "nginx")
        for kind in (*_WORDS, "somethingNew"):
            names = [
                f"Domain: {name}.example\nType: {kind}\nDetail: it is so\n" for name in "abcde"
            ]
            yield explain("".join(names), here).sentence
        for words, _ in _ERRORS:
            for one in words:
                yield explain(one, here).sentence
        yield explain("too many cert :: retry after 2026-11-30T12:00:00Z", here).sentence
        hook = "Hook '--manual-auth-hook' for a.example reported error code 1"
        yield from (explain(one, here).sentence for one in ("?", "", hook))


def complained():
    """All that can be made of what restic says."""
    yield from (str(tell("/media/usb", "it is so")) for _, tell in _COMPLAINTS)
    for said_by_it in ("", "locked by PID 12 on house", "it is so"):
        yield str(complaint("/media/usb", 1, said_by_it))


@pytest.mark.parametrize("sentences", [explained, complained])
def test_what_is_made_of_other_programs_words_is_known_in_german(sentences, german):
    found = list(sentences())
    assert len(set(found)) > 5
    assert [one for one in found if told(german, one) is None] == []


@pytest.mark.parametrize(
    ("english", "in_german"),
    [
        (
            "The backup of 2026-11-30 12:00:00 failed. There is no repository at /media/usb: is its"
            " disk connected and mounted?",
            "Das Backup von 2026-11-30 12:00:00 ist gescheitert. Unter /media/usb ist kein"
            " Repository: Ist seine Platte angeschlossen und eingehängt?",
        ),
        (
            "The backup 1a2b is not good: The file x is missing. box/y is not what it was. And 3"
            " more.",
            "Das Backup 1a2b ist nicht gut: Die Datei x fehlt. box/y ist nicht mehr, wie es war."
            " Und 3 weitere.",
        ),
        (
            "Let's Encrypt gave a certificate that others would refuse, and the box keeps the one"
            " that it has. The certificate of h.example ended on 2026-11-30.",
            "Let's Encrypt gab ein Zertifikat, das andere ablehnen würden; die Box behält ihr"
            " bisheriges. Das Zertifikat von h.example endete am 2026-11-30.",
        ),
    ],
)
def test_a_reason_within_a_reason_is_told_as_well(english, in_german, german):
    assert told(german, english) == in_german
    assert told(Language("en"), english) == english


@pytest.mark.parametrize("words", ["%(words)s", "100 %", "%s %(", "{x}", ". , . " * 100])
def test_words_of_others_are_only_words(words, german):
    assert told(german, f"certbot failed: {words}") == f"certbot ist gescheitert: {words}"


@pytest.mark.parametrize(
    "text",
    ["", ".", "Nobody has written this down", "a. b, c. d", "%(x)s", "The disk is full. " * 1_000],
)
def test_what_is_not_known_stays_as_it_is(text, german):
    assert told(german, text) is None
