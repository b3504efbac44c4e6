"""What the bus promises, on every kind of bus."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

import gevent
import pytest
from gevent.event import Event

from hausbote.core.bus import BusError, notify, open_bus, query_status
from hausbote.core.bus.frame import Frame, encode
from hausbote.core.bus.memory import MemoryBus
from hausbote.core.bus.unix import UnixBus

_numbers = itertools.count()


class Exchange:
    """Makes the ends of one bus, and closes them."""

    def __init__(self, kind, directory):
        self.kind = kind
        self.place = str(directory) if kind == "unix" else f"contract-{next(_numbers)}"
        self.refused = []
        self._open = []

    def join(self, service, handler=None, **bounds):
        make = UnixBus if self.kind == "unix" else MemoryBus
        bus = make(self.place, service, lambda *refusal: self.refused.append(refusal), **bounds)
        self._open.append(bus)
        if handler is not None:
            bus.serve(handler)
        return bus

    def close(self):
        for bus in self._open:
            bus.close(graceful=False)


@pytest.fixture(params=["memory", "unix"])
def exchange(request, tmp_path):
    made = Exchange(request.param, tmp_path)
    yield made
    made.close()


def collector(into):
    def handle(frame):
        into.append(frame)
        return []

    return handle


def until(condition, seconds=5):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        gevent.sleep(0.005)


def test_a_frame_arrives_as_it_was_sent(exchange):
    seen = []
    exchange.join("rooms", collector(seen))
    exchange.join("c2s").send("rooms", "stanza", "a@h/é", ["b@h", "c@h"], b"\0payload\xff")
    until(lambda: seen)
    (frame,) = seen
    assert frame[1:] == ("stanza", "a@h/é", ("b@h", "c@h"), b"\0payload\xff")


def test_frames_keep_their_order(exchange):
    seen = []
    exchange.join("rooms", collector(seen))
    c2s = exchange.join("c2s")
    for number in range(2_000):
        c2s.send("rooms", "n", "", [], str(number).encode())
    until(lambda: len(seen) == 2_000)
    assert [int(frame.payload) for frame in seen] == list(range(2_000))


def test_a_large_frame_passes(exchange):
    seen = []
    exchange.join("rooms", collector(seen))
    recipients = [f"occupant{n}@house.example/phone" for n in range(5_000)]
    exchange.join("c2s").send("rooms", "n", "", recipients, b"x" * 2_000_000)
    until(lambda: seen)
    assert len(seen[0].payload) == 2_000_000
    assert len(seen[0].recipients) == 5_000


def test_services_answer_each_other(exchange):
    seen = []
    rooms = exchange.join("rooms")

    def answer(frame):
        rooms.send("c2s", "answer", "", [], frame.payload)
        return []

    rooms.serve(answer)
    c2s = exchange.join("c2s", collector(seen))
    for number in range(100):
        c2s.send("rooms", "question", "", [], str(number).encode())
    until(lambda: len(seen) == 100)
    assert [int(frame.payload) for frame in seen] == list(range(100))


def test_a_service_that_comes_later_gets_what_was_sent_before(exchange):
    seen = []
    c2s = exchange.join("c2s")
    for number in range(10):
        c2s.send("rooms", "n", "", [], str(number).encode())
    gevent.sleep(0.1)
    exchange.join("rooms", collector(seen))
    until(lambda: len(seen) == 10)
    assert [int(frame.payload) for frame in seen] == list(range(10))
    assert exchange.refused == []


def test_what_was_handled_by_a_service_that_stopped_is_not_sent_to_its_successor(exchange):
    first, second = [], []
    rooms = exchange.join("rooms", collector(first))
    c2s = exchange.join("c2s")
    c2s.send("rooms", "n", "", [], b"1")
    until(lambda: first)
    gevent.sleep(0.05)
    rooms.close()
    c2s.send("rooms", "n", "", [], b"2")
    exchange.join("rooms", collector(second))
    until(lambda: second)
    gevent.sleep(0.1)
    assert [frame.payload for frame in second] == [b"2"]


def test_what_is_not_done_when_a_service_stops_is_left_to_its_successor(exchange):
    begun, done, again = Event(), [], []

    def handle(frame):
        begun.set()
        goes_on.wait()
        done.append(frame.id)
        return []

    goes_on = Event()
    first = exchange.join("rooms", handle)
    exchange.join("c2s").send("rooms", "stanza", "a@h", ["b@h"], b"")
    begun.wait()
    first.finish()
    goes_on.set()
    gevent.sleep(0)
    first.close(graceful=False)
    exchange.join("rooms", collector(again))
    until(lambda: again)
    assert done == []


def test_a_frame_is_not_acknowledged_before_what_it_caused_is_on_disk(exchange):
    """The receiver dies before its disk is ready: its successor gets the frame again."""

    class Disk:
        def then(self, callback):
            self.finish = callback

    disk, second = Disk(), []
    rooms = exchange.join("rooms", lambda _: [disk])
    exchange.join("c2s").send("rooms", "n", "", [], b"1")
    until(lambda: hasattr(disk, "finish"))
    rooms.close(graceful=False)
    exchange.join("rooms", collector(second))
    until(lambda: second)
    assert second[0].payload == b"1"


def test_nobody_waits_for_ever(exchange):
    c2s = exchange.join("c2s", patience=0.2)
    c2s.send("rooms", "n", "a@h", ["b@h"], b"1")
    until(lambda: exchange.refused)
    ((service, frame),) = exchange.refused
    assert (service, frame.payload) == ("rooms", b"1")
    seen = []
    exchange.join("rooms", collector(seen))
    c2s.send("rooms", "n", "", [], b"2")
    until(lambda: seen)
    gevent.sleep(0.1)
    assert [frame.payload for frame in seen] == [b"2"]
    assert len(exchange.refused) == 1


def test_there_is_only_so_much_room(exchange):
    c2s = exchange.join("c2s", capacity=10_000)
    for number in range(20):
        c2s.send("rooms", "n", f"{number}@h/x", [], b"x" * 1_000)
    assert 8 <= len(exchange.refused) <= 12


def test_who_fills_the_room_is_refused_first(exchange):
    c2s = exchange.join("c2s", capacity=20_000)
    for _ in range(30):
        c2s.send("rooms", "n", "greedy@h/x", [], b"x" * 1_000)
        c2s.send("rooms", "n", "greedy@h/y", [], b"x" * 1_000)
    greedy = len(exchange.refused)
    assert greedy > 45
    assert not c2s.ease("rooms", "greedy@h")
    assert c2s.ease("rooms", "0@h")
    for number in range(5):
        c2s.send("rooms", "n", f"{number}@h/x", [], b"x" * 1_000)
    c2s.send("rooms", "n", "a@elsewhere/x", [], b"x" * 1_000, account="greedy@h")
    assert [frame.sender for _, frame in exchange.refused[greedy:]] == ["a@elsewhere/x"]


def test_what_is_bulky_has_room_of_its_own_and_waits_for_it(exchange):
    """Nobody handles anything, and somebody sends long answers as quickly as possible."""
    rooms = exchange.join("rooms", capacity=80_000, patience=30)
    sent = []

    def answer():
        for _ in range(200):
            if rooms.send_bulky("c2s", "n", "greedy@h", [], b"x" * 2_000):
                sent.append(1)

    answers = [gevent.spawn(answer) for _ in range(5)]
    gevent.sleep(0.05)
    assert len(sent) == 4  # an eighth of the capacity
    for number in range(20):
        rooms.send("c2s", "n", f"{number}@h", [], b"x" * 2_000)
        assert rooms.ease("c2s", f"{number}@h") or number >= 18
    assert exchange.refused == []
    seen = []
    exchange.join("c2s", collector(seen))
    until(lambda: len(seen) == 1_020)  # the others go on, in turns
    gevent.killall(answers)
    assert exchange.refused == []


def test_a_bulky_frame_goes_alone_if_it_must_and_is_not_sent_if_it_cannot(exchange):
    class Disk:
        def then(self, callback):
            self.finish = callback

    disk = Disk()
    exchange.join("c2s", lambda _: [disk])
    rooms = exchange.join("rooms", capacity=80_000, patience=0.2)
    assert rooms.send_bulky("c2s", "n", "", [], b"x" * 70_000)
    assert not rooms.send_bulky("c2s", "n", "", [], b"x")  # it waited for that in vain
    assert not rooms.send_bulky("c2s", "n", "", [], b"x" * 80_000)
    disk.finish()
    assert rooms.send_bulky("c2s", "n", "", [], b"x")
    assert exchange.refused == []


def test_what_is_vital_is_never_given_up(exchange):
    seen = []
    c2s = exchange.join("c2s", patience=0.1, capacity=10_000)
    for number in range(9):
        c2s.send("rooms", "n", f"{number}@h", [], b"x" * 900)
    assert c2s.send_vital("rooms", "n", "a@h", [], b"vital")
    until(lambda: len(exchange.refused) == 9)
    gevent.sleep(0.2)
    exchange.join("rooms", collector(seen))
    until(lambda: seen)
    assert [frame.payload for frame in seen] == [b"vital"]
    rooms = exchange.join("turn", capacity=10_000)
    assert sum(rooms.send_vital("s2s", "n", "a@h", [], b"x" * 1_000) for _ in range(20)) == 9
    assert len(exchange.refused) == 9, "whoever sends it is told by the answer"


def test_a_frame_that_is_too_large_for_anybody_is_refused_at_once(exchange):
    exchange.join("c2s", capacity=1 << 30).send("rooms", "n", "", [], b"x" * 9_000_000)
    assert len(exchange.refused) == 1


def test_a_fault_in_a_handler_stops_nothing(exchange, capsys):
    seen = []

    def handle(frame):
        if frame.payload == b"bad":
            raise RuntimeError("x")
        seen.append(frame)
        return []

    exchange.join("rooms", handle)
    c2s = exchange.join("c2s")
    for payload in (b"1", b"bad", b"2"):
        c2s.send("rooms", "n", "", [], payload)
    until(lambda: len(seen) == 2)
    assert "RuntimeError" in capsys.readouterr().err


def test_a_name_is_served_once(exchange):
    exchange.join("rooms", collector([]))
    with pytest.raises(BusError, match="another rooms"):
        exchange.join("rooms", collector([]))


@pytest.mark.parametrize("url", ["redis://h", "unix:", "", "unix"])
def test_other_urls_are_refused(url):
    with pytest.raises(BusError):
        open_bus(url, "c2s", lambda *_: None)


# -- sockets only ------------------------------------------------------------------------------


@pytest.fixture
def unix(tmp_path):
    made = Exchange("unix", tmp_path)
    yield made
    made.close()


def ask(function, *arguments):
    """The control functions block; the service that answers is in this process."""
    return gevent.get_hub().threadpool.apply(function, arguments)


def test_status_and_notices(unix, tmp_path):
    notices = []
    rooms = unix.join("rooms")
    rooms.on_status(lambda: {"uptime": 5})
    rooms.on_notify(notices.append)
    rooms.serve(collector([]))
    assert ask(query_status, tmp_path, "rooms") == {"uptime": 5}
    assert ask(notify, tmp_path, "rooms", {"account": "romeo"})
    assert notices == [{"account": "romeo"}]
    assert ask(query_status, tmp_path, "turn") is None
    assert not ask(notify, tmp_path, "turn", {})


def test_a_notice_that_could_not_be_dealt_with_is_told(unix, tmp_path):
    rooms = unix.join("rooms")
    rooms.on_notify(lambda _: 1 / 0)
    rooms.serve(collector([]))
    assert not ask(notify, tmp_path, "rooms", {}, 0.5)


def test_the_socket_is_private_and_a_stale_one_is_replaced(unix, tmp_path):
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "rooms.sock"))
    stale.close()
    seen = []
    unix.join("rooms", collector(seen))
    assert (tmp_path / "rooms.sock").stat().st_mode & 0o777 == 0o600
    unix.join("c2s").send("rooms", "n", "", [], b"1")
    until(lambda: seen)


def test_a_deep_directory_is_no_obstacle(tmp_path):
    deep = tmp_path
    for _ in range(12):
        deep = deep / "a-directory-with-a-long-name"
    deep.mkdir(parents=True)
    exchange, seen = Exchange("unix", deep), []
    exchange.join("rooms", collector(seen))
    exchange.join("c2s").send("rooms", "n", "", [], b"1")
    until(lambda: seen)
    exchange.close()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"\0\0\0\4\0\0\0\0null", b"\0" * 64]
)
def test_garbage_on_the_socket_harms_nobody(unix, tmp_path, garbage):
    seen = []
    unix.join("rooms", collector(seen))
    stranger = socket.socket(socket.AF_UNIX)
    stranger.connect(str(tmp_path / "rooms.sock"))
    stranger.sendall(garbage)
    unix.join("c2s").send("rooms", "n", "", [], b"1")
    until(lambda: seen)
    stranger.close()


def test_a_frame_that_is_sent_twice_is_handled_once(unix, tmp_path):
    seen = []
    unix.join("rooms", collector(seen))
    hello = encode(Frame("", "bus.hello", "c2s", (), b""))
    for _ in range(2):
        sender = socket.socket(socket.AF_UNIX)
        sender.connect(str(tmp_path / "rooms.sock"))
        sender.sendall(hello + encode(Frame("x-1", "n", "", (), b"1")))
        gevent.sleep(0.1)
        sender.close()
    assert len(seen) == 1


ECHO = """
import sys, gevent
from hausbote.core.bus import open_bus
bus = open_bus("unix:" + sys.argv[1], "echo", lambda *_: None)
def handle(frame):
    gevent.sleep(0.0005)
    bus.send("c2s", "answer", "", [], frame.payload)
    return []
bus.serve(handle)
import signal
from gevent.event import Event
stop = Event()
gevent.signal_handler(signal.SIGTERM, stop.set)
stop.wait()
bus.close()
"""


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_a_service_that_is_ended_again_and_again_loses_and_doubles_nothing(unix, tmp_path, how):
    seen = []
    c2s = unix.join("c2s", collector(seen))
    script = textwrap.dedent(ECHO)

    def start():
        return subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])

    echo = start()
    total = 1_500
    for number in range(total):
        c2s.send("echo", "question", "", [], str(number).encode())
        if number % 300 == 299:
            before = len(seen)
            until(lambda: len(seen) > before, 20)  # it is in the middle of its work  # noqa: B023
            os.kill(echo.pid, getattr(signal, how))
            echo.wait(10)
            echo = start()
    until(lambda: len(seen) >= total, 30)
    gevent.sleep(0.3)
    echo.kill()
    echo.wait()
    assert sorted(int(frame.payload) for frame in seen) == list(range(total))
    assert unix.refused == []


def test_who_sends_faster_than_others_take_can_wait_for_them(exchange):
    seen = []

    def slow(frame):
        gevent.sleep(0.001)
        seen.append(frame.id)
        return []

    exchange.join("c2s", slow)
    rooms = exchange.join("rooms", collector([]))
    for _ in range(60):  # more than twice what may wait
        rooms.ease("c2s", "")
        rooms.send("c2s", "n", "", [], b"x" * 300_000)
    until(lambda: len(seen) == 60)
    assert exchange.refused == []


def test_it_does_not_wait_long_for_a_service_that_is_away(exchange):
    rooms = exchange.join("rooms", collector([]))
    for _ in range(10):
        rooms.send("c2s", "n", "", [], b"x" * 300_000)
    rooms.ease("c2s", "")
    assert exchange.refused == []
