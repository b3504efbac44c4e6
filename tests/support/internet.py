"""Two network namespaces with a cable between them: a box with public addresses, and the internet.

Nothing of it can be reached from this machine's own networks, nor reach them.  Their addresses are
real public ones (AS112's), because the relay refuses those for documentation.
"""

import subprocess
import time

BOX, BOX6 = "192.31.196.1", "2620:4f:8000::1"
PEER, PEER6 = "192.175.48.2", "2620:4f:8001::2"
NEIGHBOUR = "192.31.196.77"  # in the box's own network
INSIDE = ("192.168.0.1", "10.0.0.1", "fd00::1")  # the house behind the box
_FOR_EVER = ["sleep", "1000000"]
_BOX = f"""
ip link set lo up
ip addr add {BOX}/24 dev cable
ip -6 addr add {BOX6}/64 dev cable nodad
ip link set cable up
ip route add default via 192.31.196.254
ip -6 route add default via 2620:4f:8000::254
ip addr add 192.168.0.1/32 dev lo
ip addr add 10.0.0.1/32 dev lo
ip -6 addr add fd00::1/128 dev lo nodad
"""
_INTERNET = f"""
ip link set lo up
ip addr add 192.31.196.254/24 dev cable
ip addr add {NEIGHBOUR}/24 dev cable
ip -6 addr add 2620:4f:8000::254/64 dev cable nodad
ip link set cable up
ip addr add {PEER}/32 dev lo
ip -6 addr add {PEER6}/128 dev lo nodad
"""


class Unavailable(Exception):
    """This machine lets nobody make namespaces."""


class Side:
    """One namespace, held by a process."""

    def __init__(self, holder):
        self.holder = holder
        self.enter = [
            "nsenter",
            f"--target={holder.pid}",
            "--user",
            "--preserve-credentials",
            "--net",
        ]

    def popen(self, command, **options):
        return subprocess.Popen([*self.enter, *command], **options)

    def run(self, command, **options):
        options = {"capture_output": True, "text": True, "timeout": 60} | options
        return subprocess.run([*self.enter, *command], **options)

    def script(self, text):
        done = self.run(["sh", "-ec", text])
        assert done.returncode == 0, done.stderr


class Internet:
    """`box` and `world`."""

    def __init__(self):
        self._held = []
        self.box = self._side(
            ["unshare", "--user", "--map-root-user", "--net", *_FOR_EVER], ["net", "user"]
        )
        self.world = self._side([*self.box.enter, "unshare", "--net", *_FOR_EVER], ["net"])
        there = f"netns {self.world.holder.pid}"
        self.box.script(f"ip link add cable type veth peer name cable {there}")
        self.world.script(_INTERNET)
        self.box.script(_BOX)

    def _side(self, command, kinds):
        holder = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self._held.append(holder)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and holder.poll() is None:
            with open(f"/proc/{holder.pid}/cmdline") as file:
                if file.read().startswith("sleep\0"):
                    return Side(holder)
            time.sleep(0.01)
        raise Unavailable(holder.stderr.read())

    def close(self):
        for holder in reversed(self._held):
            holder.kill()
            holder.wait()
            holder.stderr.close()
