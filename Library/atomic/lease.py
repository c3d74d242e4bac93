"""One writer for one journal, and a heartbeat that can be watched from outside.

Every live instance writes a heartbeat under a key of its own and reads those of the others. Who finds no other fresh
one holds the journal at once; who finds one waits for its next beat, and then holds only if nobody does and it is the
first of those that wait. So two instances that start together never both hold. A heartbeat that is older than
`ttl` is stale; one of this host whose process is gone is dead at once, so that a restart after a kill does not wait.
Containers of one machine bear its name (the LEAN CLI gives it to them) and count their processes apart: each is a host.
An instance that was suspended for longer than `ttl` has lost its hold and asks again.

Times are seconds of the wall clock: algorithm time may be replayed, two machines share only this one.
"""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from .journal.frame import pack_line, unpack_lines
from .ports import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .ports import Store

#: seconds between two beats, and after which an instance counts as dead
BEAT = 10.0
TTL = 45.0
#: heartbeats older than this are removed
_FORGOTTEN = 7 * 86400.0
_VERSION = 1


class Heartbeat(NamedTuple):
    """What an instance last said of itself."""

    #: stem of the journal's keys
    base: str
    instance: str
    host: str
    pid: int
    #: when it started, and when it said this
    since: float
    at: float
    #: it is the one that writes and trades
    holds: bool
    #: groups that are not closed, those that are held, and whether new ones may open
    open_groups: int
    held: int
    ready: bool

    @property
    def key(self) -> str:
        """Its key in the store."""
        return f"{self.base}/heartbeat-{self.instance}"

    def describe(self, now: float) -> str:
        """Who and since when, for a person."""
        return f"process {self.pid} on {self.host}, last heard {max(0.0, now - self.at):.0f} s ago"


def read_heartbeats(store: Store, base: str) -> list[Heartbeat]:
    """All heartbeats of one journal; damaged ones are left out. Raises StoreError."""
    read = getattr(store, "read_fresh", store.read)
    found = []
    for key in store.keys(f"{base}/heartbeat-"):
        for _, text in unpack_lines(read(key) or "")[0]:
            try:
                found.append(Heartbeat(*json.loads(text)))
            except (TypeError, ValueError):
                continue
    return found


def this_host() -> str:
    """Where a process number means one process: the machine's name, its start, and the space its processes count in."""
    name = socket.gethostname()
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read(8)
        return f"{name}/{boot}/{os.readlink('/proc/self/ns/pid').strip('pid:[]')}"
    except OSError:  # no Linux: no containers that share a name either
        return name


def may_live(beat: Heartbeat, now: float, ttl: float = TTL) -> bool:
    """False when the instance is stale, or a process of this host that has gone."""
    fresh = abs(now - beat.at) <= ttl
    return fresh and (beat.host != this_host() or process_alive(beat.pid))


def overdue(beats: list[Heartbeat], now: float, ttl: float = TTL) -> Heartbeat | None:
    """The newest heartbeat when it is stale and its instance left open groups: nobody watches them."""
    newest = max(beats, key=lambda beat: beat.at, default=None)
    return newest if newest is not None and newest.open_groups and now - newest.at > ttl else None


class Lease:
    """This instance's claim on a journal.

    Args:
        store: where the journal is.
        base: stem of the journal's keys.
        beat: seconds between two beats.
        ttl: seconds after which a heartbeat is stale.
        clock: the wall clock, seconds.
    """

    def __init__(
        self, store: Store, base: str, *, beat: float = BEAT, ttl: float = TTL, clock: Callable[[], float] = time.time,
        host: str = "", pid: int = 0, alive: Callable[[int], bool] | None = None,
    ) -> None:  # fmt: skip
        now = clock()
        self._store = store
        self._beat, self._ttl, self._clock = beat, ttl, clock
        self._alive = alive if alive is not None else process_alive
        self._own = Heartbeat(
            base, uuid4().hex[:12], host or this_host(), pid or os.getpid(), now, 0.0, False, 0, 0, False
        )
        self._waits = False
        #: why it may not write or trade; "" while it holds
        self.refusal = "not claimed yet"
        #: how often it took hold: more than once means that it was away in between
        self.taken = 0
        #: others that are alive without holding: they wait for this one to stop
        self.waiting: list[Heartbeat] = []

    @property
    def holds(self) -> bool:
        """True while this instance may write and trade: it holds, and was not away for longer than the ttl."""
        return self._own.holds and self._clock() - self._own.at <= self._ttl

    @property
    def next_beat(self) -> float:
        """When to call `beat` again, wall clock."""
        return self._own.at + self._beat

    def beat(self, *, open_groups: int = 0, held: int = 0, ready: bool = False, force: bool = False) -> str:
        """Say that this instance lives, look at the others, and decide who holds. Never raises.

        Call it at the start and then at least every `BEAT` seconds; calls in between cost nothing.

        Returns:
            "" while this instance holds, else why it does not.
        """
        now = self._clock()
        if not force and self._own.at and self._own.at <= now < self.next_beat:
            return self.refusal
        lapsed = bool(self._own.at) and now - self._own.at > self._ttl
        holds = self._own.holds and not lapsed
        self._own = self._own._replace(at=now, holds=holds, open_groups=open_groups, held=held, ready=ready)
        try:
            self._write()
            others = [beat for beat in read_heartbeats(self._store, self._own.base) if self._is_other(beat, now)]
            self._decide(others, now)
        except StoreError as error:
            self._own = self._own._replace(holds=False)
            self.refusal = f"no heartbeat could be kept: {error}"
        return self.refusal

    def release(self) -> None:
        """Stop in order: the next instance need not wait."""
        self._own = self._own._replace(holds=False)
        self.refusal = "released"
        try:
            self._store.delete(self._own.key)
        except StoreError:
            return  # it will be stale soon

    def _write(self) -> None:
        text = json.dumps(list(self._own), separators=(",", ":"))
        self._store.write(self._own.key, pack_line(_VERSION, text))
        self._store.flush(self._own.key)

    def _is_other(self, beat: Heartbeat, now: float) -> bool:
        """True for another instance that may be alive."""
        own = self._own
        if beat.instance == own.instance:
            return False
        if abs(now - beat.at) > self._ttl:
            if now - beat.at > _FORGOTTEN:
                self._store.delete(beat.key)
            return False
        return not (beat.host == own.host and (beat.pid == own.pid or not self._alive(beat.pid)))

    def _decide(self, others: list[Heartbeat], now: float) -> None:
        own = self._own
        self.waiting = [beat for beat in others if not beat.holds]
        holder = next((beat for beat in others if beat.holds), None)
        if holder is not None and (not own.holds or _rank(holder) < _rank(own)):
            self._own = own._replace(holds=False)
            self.refusal = (
                f"another instance trades on {own.base} ({holder.describe(now)}): stop it, "
                f"or wait {self._ttl:.0f} s after it has died"
            )
            self._waits = True
            return
        if own.holds:
            self.refusal = ""
            return
        first = min([own, *others], key=_rank)
        if others and (not self._waits or first is not own):
            self._waits = True
            self.refusal = f"{len(others)} other instances want {own.base} ({first.describe(now)}): waiting"
            return
        self._waits = False
        self._own = own._replace(holds=True)
        self._write()
        self.taken += 1
        self.refusal = ""


def _rank(beat: Heartbeat) -> tuple[float, str]:
    return beat.since, beat.instance


def process_alive(pid: int) -> bool:
    """True unless it is certain that no such process runs on this host."""
    if os.name != "posix":  # signal 0 is no harmless question elsewhere
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
