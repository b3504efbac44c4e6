"""Whatever goes wrong, and wherever: the log says so by type and place, and nothing says more."""

import re
import subprocess
import sys

import pytest

PLACES = {
    "a greenlet": "gevent.spawn(fail); gevent.sleep(0.01)",
    "a callback of the loop": "gevent.get_hub().loop.run_callback(fail); gevent.sleep(0.01)",
    "a timer": "timer = gevent.get_hub().loop.timer(0.001); timer.start(fail); gevent.sleep(0.05)",
    "the pool of threads": "gevent.get_hub().threadpool.spawn(fail); gevent.sleep(0.05)",
    "a thread": "import threading; t = threading.Thread(target=fail); t.start(); t.join()",
    "a finalizer": "type('Romeo', (), {'__del__': lambda _: fail()})()",
    "the program": "fail()",
}
PROGRAM = """
import gevent
from hausbote.core.faults import report_faults, silence_libraries
report_faults()
silence_libraries()
def fail():
    raise ValueError("romeo@h")
{}
"""
LINE = re.compile(r"\S+Z error bug type=(\w+) at=[\w<>.]*:\d+\n")


def said_by(code):
    program = [sys.executable, "-c", PROGRAM.format(code)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("code", PLACES.values(), ids=PLACES.keys())
def test_a_fault_is_one_line_without_its_message(code):
    line = LINE.fullmatch(said_by(code))
    assert line
    assert line[1] == "ValueError"


def test_a_warning_is_one_line_without_its_message():
    line = LINE.fullmatch(said_by("import warnings; warnings.warn('romeo@h')"))
    assert line
    assert line[1] == "UserWarning"


def test_what_libraries_log_is_not_heard():
    assert said_by("import logging; logging.getLogger('dns').error('romeo@h')") == ""


def test_what_a_thread_raises_is_its_callers_and_nobody_elses():
    code = """
from hausbote.core.threads import compute
assert compute(max, 1, 2) == 2
try:
    compute(fail)
except ValueError as error:
    assert str(error) == "romeo@h"
else:
    raise AssertionError
"""
    assert said_by(code) == ""
