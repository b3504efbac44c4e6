"""The log: a closed vocabulary that cannot hold an address."""

import os
import subprocess
import sys

import pytest

from hausbote.base.log import Event, Word, bug, log, set_level


@pytest.mark.parametrize("text", ["romeo@h", "two words", "", "a\nb", "x" * 200, "<x>"])
def test_a_word_cannot_be_an_address_or_a_sentence(text):
    with pytest.raises(ValueError, match="technical word"):
        Word(text)


def test_only_words_and_numbers_go_in(capsys):
    log(Event.LISTENING, port=5222, service=Word("c2s"))
    line = capsys.readouterr().err
    assert line.endswith(" info listening port=5222 service=c2s\n")
    with pytest.raises(TypeError):
        log(Event.LISTENING, who="romeo@h")


def test_a_fault_is_told_by_type_and_place_without_its_message(capsys):
    try:
        raise KeyError("romeo@h")
    except KeyError as error:
        bug(error)
    line = capsys.readouterr().err
    assert "KeyError" in line
    assert "test_log.py:" in line
    assert "romeo" not in line


def test_a_fault_of_any_name_and_place_can_be_told(capsys):
    with pytest.raises(Exception, match="romeo") as caught:
        exec("class Größe(Exception): pass\nraise Größe('romeo@h')", {})
    caught.value.__traceback__ = caught.value.__traceback__.tb_next
    bug(caught.value)
    assert " error bug type=Gre at=" in capsys.readouterr().err


def test_a_log_that_nobody_reads_stops_no_service():
    program = (
        "from hausbote.base.log import Event, log; log(Event.SERVICE_STARTED); print('at work')"
    )
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as unread:
        service = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=unread
        )
    assert service.communicate(timeout=20)[0] == b"at work\n"


def test_levels(capsys):
    log(Event.SESSION_STARTED)
    assert capsys.readouterr().err == ""
    set_level("debug")
    log(Event.SESSION_STARTED)
    set_level("info")
    assert "session-started" in capsys.readouterr().err


def test_every_event_has_a_sentence():
    for event in Event:
        assert event.sentence.endswith(".")
        assert event.level in ("debug", "info", "warning", "error")
