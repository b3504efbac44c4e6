"""The load generator with scenarios for rooms that it does not have itself.

    rooms.py --tool DIRECTORY SCENARIO ...      the rest is as for xmppbench.py

join    a room of `--occupants`, into which `--count` more come, one after the other
stay    `--occupants` clients that are online already come into one room: the memory of that
crowd   `--count` messages, one a second, to a room of `--occupants` who are told nothing of each
        other's presence; meanwhile `--pairs` talk with each other, `--rate` messages a second

Rooms are open to everybody, and newcomers want no history.
"""

import os
import re
import statistics
import sys
import time

_JOIN = (
    "<presence to='%s/n%d'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>"
    "</presence>"
)
_OWN = re.compile(rb"<status[^>]*code=['\"]110['\"]")
_FORM = (
    "<query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'>"
    "<field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>"
    "%s</x></query>"
)
_SILENT = "<field var='muc#roomconfig_presencebroadcast'><value>moderator</value></field>"


class Room:
    """Who is in it, and what they were sent: `seen` counts stanzas whose tag is `counted`."""

    def __init__(self, ctx, fields=""):
        service = ctx.args.muc_service or f"conference.{ctx.opts.domain}"
        self.ctx = ctx
        self.jid = f"bench-{os.urandom(3).hex()}@{service}"
        self.fields = fields
        self.inside = []
        self.entered = 0  # nicks are never used twice
        self.counted = b"<presence "
        self.seen = 0

    def enter(self, conn):
        """Returns when the client has heard that it is in."""
        heard = []

        def listen(data):
            self.seen += data.count(self.counted)
            if _OWN.search(data):
                heard.append(data)

        conn.on_data = listen
        self.entered += 1
        conn.stanza((_JOIN % (self.jid, self.entered)).encode())
        self.wait(lambda: heard, f"{conn.user} cannot enter: {conn.last[-300:]!r}")
        conn.on_data = self.count
        self.inside.append(conn)
        if len(self.inside) == 1:
            self.ctx.iq(conn, (_FORM % self.fields).encode(), kind="set", to=self.jid)

    def leave(self, conn):
        self.inside.remove(conn)
        conn.stanza(f"<presence to='{self.jid}/n' type='unavailable'/>".encode())

    def count(self, data):
        self.seen += data.count(self.counted)

    def expect(self, stanzas):
        """Until so many more were seen."""
        self.wait(lambda: self.seen >= stanzas, f"more than {stanzas} stanzas were expected")

    def wait(self, condition, otherwise):
        if not self.ctx.loop.until(condition, 60):
            raise RuntimeError(otherwise)

    def settle(self):
        """Until nothing comes any more."""
        before = -1
        while self.seen != before:
            before = self.seen
            self.ctx.loop.sleep(0.5)


def join(ctx):
    asked = ctx.args
    conns = ctx.login_all(ctx.accounts(asked.occupants + asked.count))
    room = Room(ctx)
    for conn in conns[: asked.occupants]:
        room.enter(conn)
    newcomers = conns[asked.occupants :]
    runs = []
    for _ in range(asked.runs):
        room.settle()
        meter = ctx.meter()
        for conn in newcomers:
            size, before = len(room.inside), room.seen
            room.enter(conn)
            room.expect(before + 2 * size + 1)  # all to the newcomer, and the newcomer to all
        run = meter.stop()
        run["occupants"] = asked.occupants
        run["server_cpu_ms_per_join"] = run["server_cpu_s"] * 1e3 / len(newcomers)
        runs.append(run)
        ctx.log_run(run, "server_cpu_ms_per_join", "generator_util")
        for conn in newcomers:
            room.leave(conn)
        room.settle()
    ctx.alive(conns)
    ctx.logout_all(conns)
    return runs


def stay(ctx):
    asked = ctx.args
    conns = ctx.login_all(ctx.accounts(asked.occupants))
    warm = Room(ctx)
    for conn in conns[:100]:
        warm.enter(conn)
    for conn in conns[:100]:
        warm.leave(conn)
    ctx.loop.sleep(asked.settle)
    before = ctx.server.memory()
    room = Room(ctx)
    for conn in conns:
        room.enter(conn)
    room.settle()
    ctx.loop.sleep(asked.settle)
    after = ctx.server.memory()
    ctx.alive(conns)
    run = {f"{kind}_per_occupant": (after[kind] - before[kind]) / len(conns)
           for kind in ("rss_kb", "pss_kb")}  # fmt: skip
    ctx.log_run(run, *run)
    ctx.logout_all(conns)
    return [run]


def crowd(ctx):
    from xmppbench_lib import scenarios

    asked = ctx.args
    others, talkers = scenarios.make_pairs(ctx, asked.pairs, "chat")
    conns = ctx.login_all(ctx.accounts(asked.occupants))
    room = Room(ctx, _SILENT)
    for conn in conns:
        room.enter(conn)
    room.settle()
    room.counted = b"<message "
    runs = []
    for number in range(asked.runs):
        room.settle()
        took = []

        def say(number=number, took=took):
            """The next a second after this one has arrived everywhere."""
            start, until = time.perf_counter(), room.seen + len(conns)
            body = scenarios.message(conns[0].jid, room.jid, "groupchat", str(number), 0, True)
            conns[0].stanza(body)

            def look():
                if room.seen < until:
                    ctx.loop.after(0.002, look)
                    return
                took.append((time.perf_counter() - start) * 1e3)
                if len(took) < asked.count:
                    ctx.loop.after(1, say)

            look()

        ctx.loop.after(0.5, say)
        total = int(asked.count * asked.rate * 1.2)
        run = scenarios.paced(ctx, talkers, asked.rate, total, seed=number)
        room.wait(lambda took=took: len(took) == asked.count, "a message did not reach everybody")
        run["ms_until_all"] = statistics.median(took)
        run["slowest_ms_until_all"] = max(took)
        runs.append(run)
        ctx.log_run(run, "ms_until_all", "slowest_ms_until_all", "latency_ms_p50",
                    "latency_ms_p99", "generator_util")  # fmt: skip
    ctx.alive(conns)
    ctx.alive(others)
    ctx.logout_all(conns + others)
    return runs


SCENARIOS = {
    join: (20, 1, "clients come into a room of --occupants"),
    stay: (1, 1, "memory of --occupants in one room"),
    crowd: (5, 1, "a room of --occupants, while --pairs chat"),
}


def main():
    arguments = sys.argv[1:]
    at = arguments.index("--tool")
    sys.path.insert(0, arguments[at + 1])
    del arguments[at : at + 2]
    import xmppbench
    from xmppbench_lib import scenarios

    for scenario, defaults in SCENARIOS.items():
        xmppbench.DEFAULTS[scenario.__name__] = defaults
        scenarios.SCENARIOS[scenario.__name__] = scenario
    return xmppbench.main(arguments)


if __name__ == "__main__":
    sys.exit(main())
