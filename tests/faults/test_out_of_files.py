"""A service that has used up its descriptors: it waits, says so, and goes on."""

import os
import resource
import socket

import pytest

from support.worlds import RunningWorld, hausbote

ADDRESS = "127.0.0.29"


@pytest.fixture
def house(tmp_path):
    world = RunningWorld(tmp_path / "state", address=ADDRESS)
    yield world
    world.close()


@pytest.mark.parametrize("port", ["port", "web_port"])
def test_who_comes_while_there_are_none_waits_and_is_let_in_later(house, port):
    pid = house.pid("c2s")
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    few = len(os.listdir(f"/proc/{pid}/fd")) + 2
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, before[1]))
    waiting = [socket.create_connection((ADDRESS, getattr(house, port))) for _ in range(8)]
    try:
        while "out-of-files" not in house.log("c2s"):
            pass
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (4_096, before[1]))
        if port == "port":
            for one in waiting:
                one.settimeout(20)
                one.sendall(
                    b"<?xml version='1.0'?><stream:stream to='h' version='1.0' xmlns='jabber:client'"
                    b" xmlns:stream='http://etherx.jabber.org/streams'>"
                )
                assert one.recv(100)
        assert house.log("c2s").count("out-of-files") == 1
        assert "bug" not in house.log("c2s")
    finally:
        for one in waiting:
            one.close()
    assert "has used up its descriptors" in hausbote("status", state=house.state).stdout
