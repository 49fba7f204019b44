"""Virtual time: threads run one at a time, in an order that a seed decides, and wait no real time.

Every wait of the code under test (a lock, an event, a condition, a sleep, a join) goes through a
:class:`World`. It hands the turn to another thread and, when all of them wait, sets the clock to
the next moment at which one wakes up. The same seed gives the same run; a deadlock ends it with the
stacks of all threads. :func:`living_in` puts the world's ``threading`` and ``time`` into modules.
"""

from __future__ import annotations

import heapq
import random
import sys
import threading as real
import time as real_time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import partial
from types import ModuleType, SimpleNamespace, TracebackType
from typing import Any, Self

NS_PER_S = 1_000_000_000
SHORTEST_WAIT_NS = 1000
"""No wait is shorter: two that differ by rounding alone would wait for each other for ever."""
START_NS = 40_000 * NS_PER_S
WALL_START_S = int(real_time.time())
"""Certificates that a test makes are valid now."""


class WorldEnded(BaseException):
    """The world is over: the thread ends, and nothing may catch this."""


class DeadlockError(AssertionError):
    """Every thread waits for another one."""


class Inhabitant:
    """A thread of the world.

    Attributes:
        process: name of the process that it belongs to; all of its threads die together.
    """

    def __init__(self, name: str, process: str) -> None:
        self.name, self.process = name, process
        self.turn = real.Semaphore(0)
        self.waits = 0  # a number for each wait, so that late timers are known
        self.is_waiting = self.was_woken = False
        self.is_dead = False
        self.thread: real.Thread | None = None


class World:
    """Clock and threads.

    Args:
        seed: decides which of several threads that could run goes on.

    Attributes:
        now_ns: the recording clock.
        errors: tracebacks of threads that ended with an error.
    """

    def __init__(self, seed: int = 0) -> None:
        self.now_ns = START_NS
        self.wall_step_ns = 0
        self.errors: list[str] = []
        self.is_over = False
        self._random = random.Random(seed)
        self._ready: list[Inhabitant] = []
        self._timers: list[tuple[int, int, Inhabitant, int]] = []
        self._order = 0
        self._main = Inhabitant("main", "main")
        self._main.thread = real.current_thread()
        self._everyone = [self._main]
        self._deadlock = ""
        self.current = self._main
        self.process = "main"
        self.threading = _threading_of(self)
        self.time = _time_of(self)

    # -- turns ---------------------------------------------------------------------------------
    def block(self, seconds: float | None = None) -> bool:
        """Wait until :meth:`wake` or for ``seconds``; return whether it was woken."""
        if self.is_over:
            raise WorldEnded
        me = self.current
        me.waits += 1
        me.is_waiting, me.was_woken = True, False
        if seconds is not None:
            self._order += 1
            due_ns = self.now_ns + max(SHORTEST_WAIT_NS, round(seconds * NS_PER_S))
            heapq.heappush(self._timers, (due_ns, self._order, me, me.waits))
        self._pass_turn(me)
        return me.was_woken

    def wake(self, inhabitant: Inhabitant) -> None:
        """Let a waiting thread go on, when it is its turn."""
        if inhabitant.is_dead:
            return
        inhabitant.was_woken = True  # also if its time is just over and its turn has not come
        if inhabitant.is_waiting:
            self._make_ready(inhabitant)

    def _make_ready(self, inhabitant: Inhabitant) -> None:
        inhabitant.waits += 1
        inhabitant.is_waiting = False
        self._ready.append(inhabitant)

    def _pass_turn(self, me: Inhabitant) -> None:
        following = self._next()
        if following is not me:
            self.current = following
            following.turn.release()
            me.turn.acquire()
        if self.is_over:
            raise WorldEnded
        if self._deadlock and me is self._main:
            text, self._deadlock = self._deadlock, ""
            raise DeadlockError(text)

    def _next(self) -> Inhabitant:
        """Return the thread that goes on; advance the clock if none is ready."""
        while not self._ready:
            if not self._timers:
                self._deadlock = f"nobody can go on:\n{self.stacks()}"
                return self._main
            due_ns, _, inhabitant, wait = heapq.heappop(self._timers)
            if inhabitant.is_dead or inhabitant.waits != wait:
                continue
            self.now_ns = max(self.now_ns, due_ns)
            self._make_ready(inhabitant)
        return self._ready.pop(self._random.randrange(len(self._ready)))

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.block(seconds)

    def wait_until(self, condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
        """Let time pass until ``condition`` holds.

        Raises:
            AssertionError: it does not within ``seconds`` of virtual time.
        """
        end_ns = self.now_ns + round(seconds * NS_PER_S)
        while not condition():
            assert self.now_ns < end_ns, f"not within {seconds} s of virtual time: {what}"
            self.sleep(0.05)

    def stacks(self) -> str:
        """Return where each living thread is."""
        frames = sys._current_frames()  # noqa: SLF001 - there is no public one
        rows = []
        for inhabitant in self._everyone:
            ident = inhabitant.thread.ident if inhabitant.thread else None
            if not inhabitant.is_dead and ident in frames:
                lines = traceback.format_stack(frames[ident])[-5:]
                rows.append(f"-- {inhabitant.process}/{inhabitant.name}\n{''.join(lines)}")
        return "\n".join(rows)

    # -- threads -------------------------------------------------------------------------------
    def spawn(self, run: Callable[[], object], name: str) -> Inhabitant:
        """Start a thread in the present process."""
        born = Inhabitant(name, self.current.process if self.process == "main" else self.process)

        def live() -> None:
            born.turn.acquire()
            try:
                if not self.is_over:
                    run()
            except WorldEnded:
                pass
            except BaseException:
                self.errors.append(f"{name}: {traceback.format_exc()}")
            finally:
                self._end(born)

        born.thread = real.Thread(target=live, name=name, daemon=True)
        self._everyone.append(born)
        born.thread.start()
        self._ready.append(born)
        return born

    def _end(self, inhabitant: Inhabitant) -> None:
        if self.is_over or inhabitant.is_dead:
            return
        inhabitant.is_dead = True
        self._everyone.remove(inhabitant)
        self.current = self._next()
        self.current.turn.release()

    @contextmanager
    def in_process(self, name: str) -> Iterator[None]:
        """Threads that are started belong to the process ``name``."""
        before, self.process = self.process, name
        try:
            yield
        finally:
            self.process = before

    def kill(self, process: str) -> None:
        """End all threads of ``process`` where they are, as ``kill -9`` does."""
        for inhabitant in self._everyone:
            if inhabitant.process == process:
                inhabitant.is_dead = True
        self._ready = [one for one in self._ready if not one.is_dead]

    def end(self) -> None:
        """End every thread; the world cannot be used any more."""
        self.is_over = True
        for inhabitant in self._everyone:
            if inhabitant is not self._main and inhabitant.thread is not None:
                inhabitant.turn.release()
                inhabitant.thread.join(timeout=10)

    # -- time ----------------------------------------------------------------------------------
    def wall(self) -> datetime:
        """Return the wall time."""
        return datetime.fromtimestamp(self.wall_ns() / NS_PER_S, UTC)

    def wall_ns(self) -> int:
        """Return the wall time in nanoseconds since 1970."""
        return WALL_START_S * NS_PER_S + self.now_ns - START_NS + self.wall_step_ns


# -- the modules' threading and time -----------------------------------------------------------
class _Lock:
    """A lock; reentrant if asked."""

    def __init__(self, world: World, *, is_reentrant: bool = False) -> None:
        self._world, self._is_reentrant = world, is_reentrant
        self._owner: Inhabitant | None = None
        self._depth = 0
        self._waiting: deque[Inhabitant] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        world, me = self._world, self._world.current
        if world.is_over:
            return True
        while self._owner is not None and not (self._is_reentrant and self._owner is me):
            if not blocking:
                return False
            self._waiting.append(me)
            if not world.block(None if timeout < 0 else timeout):
                self._waiting.remove(me)
                return False
        self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        if self._world.is_over:
            return
        assert self._depth > 0, "a lock is released that nobody holds"
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
            if self._waiting:
                self._world.wake(self._waiting.popleft())

    def locked(self) -> bool:
        return self._owner is not None

    def release_all(self) -> int:
        depth, self._depth = self._depth, 1
        self.release()
        return depth

    def restore(self, depth: int) -> None:
        self.acquire()
        self._depth = depth

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_error: object) -> None:
        self.release()


class _Condition:
    def __init__(self, world: World, lock: _Lock | None = None) -> None:
        self._world = world
        self._lock = lock or _Lock(world, is_reentrant=True)
        self._waiting: deque[Inhabitant] = deque()
        self.acquire, self.release = self._lock.acquire, self._lock.release

    def wait(self, timeout: float | None = None) -> bool:
        world, me = self._world, self._world.current
        if world.is_over:
            raise WorldEnded
        self._waiting.append(me)
        depth = self._lock.release_all()
        was_woken = world.block(timeout)
        if not was_woken and me in self._waiting:
            self._waiting.remove(me)
        self._lock.restore(depth)
        return was_woken

    def wait_for(self, condition: Callable[[], Any], timeout: float | None = None) -> Any:
        end_ns = None if timeout is None else self._world.now_ns + round(timeout * NS_PER_S)
        while not (value := condition()):
            left = None if end_ns is None else (end_ns - self._world.now_ns) / NS_PER_S
            if left is not None and left <= 0:
                break
            self.wait(left)
        return value

    def notify(self, count: int = 1) -> None:
        for _ in range(min(count, len(self._waiting))):
            self._world.wake(self._waiting.popleft())

    def notify_all(self) -> None:
        self.notify(len(self._waiting))

    def __enter__(self) -> Self:
        self._lock.acquire()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._lock.release()


class _Event:
    def __init__(self, world: World) -> None:
        self._world = world
        self._is_set = False
        self._waiting: list[Inhabitant] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for inhabitant in waiting:
            self._world.wake(inhabitant)

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        if self._world.is_over:
            raise WorldEnded
        if not self._is_set:
            me = self._world.current
            self._waiting.append(me)
            if not self._world.block(timeout) and me in self._waiting:
                self._waiting.remove(me)
        return self._is_set


class _Thread:
    def __init__(
        self,
        world: World,
        target: Callable[..., object],
        name: str = "thread",
        args: Iterable[Any] = (),
        kwargs: dict[str, Any] | None = None,
        daemon: bool | None = None,
    ) -> None:
        self._world, self.name, self.daemon = world, name, daemon
        self._run: Callable[[], object] = partial(target, *args, **(kwargs or {}))
        self._inhabitant: Inhabitant | None = None
        self._done = _Event(world)

    def start(self) -> None:
        def run() -> None:
            try:
                self._run()
            finally:
                if not self._world.is_over:
                    self._done.set()

        self._inhabitant = self._world.spawn(run, self.name)

    @property
    def ident(self) -> int | None:
        return None if self._inhabitant is None else id(self._inhabitant)

    def is_alive(self) -> bool:
        return self._inhabitant is not None and not self._done.is_set()

    def join(self, timeout: float | None = None) -> None:
        assert self._inhabitant is not None, f"{self.name} was never started"
        self._done.wait(timeout)


def _threading_of(world: World) -> Any:
    """Return what kiosk uses of :mod:`threading`, in ``world``."""
    return SimpleNamespace(
        Lock=lambda: _Lock(world),
        RLock=lambda: _Lock(world, is_reentrant=True),
        Condition=lambda lock=None: _Condition(world, lock),
        Event=lambda: _Event(world),
        Thread=lambda *args, **kwargs: _Thread(world, *args, **kwargs),
    )


def _time_of(world: World) -> Any:
    """Return what kiosk uses of :mod:`time`, in ``world``."""
    return SimpleNamespace(
        **{
            name: getattr(real_time, name)
            for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC", "strftime", "gmtime", "localtime")
        },
        monotonic=lambda: world.now_ns / NS_PER_S,
        monotonic_ns=lambda: world.now_ns,
        perf_counter=lambda: world.now_ns / NS_PER_S,
        time=lambda: world.wall_ns() / NS_PER_S,
        time_ns=world.wall_ns,
        clock_gettime=lambda _clock: world.now_ns / NS_PER_S,
        clock_gettime_ns=lambda _clock: world.now_ns,
        sleep=world.sleep,
    )


@contextmanager
def living_in(world: World, packages: tuple[str, ...]) -> Iterator[None]:
    """Let the loaded modules of ``packages`` live in ``world``; end it afterwards."""

    class WorldDatetime(datetime):
        """The wall time of the world."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return world.wall().astimezone(tz or UTC)

    replaced: list[tuple[ModuleType, str, Any]] = []

    def replace(module: ModuleType, name: str, value: Any) -> None:
        replaced.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    for name, module in list(sys.modules.items()):
        if not name.startswith(packages) or module is None:
            continue
        if getattr(module, "threading", None) is real:
            replace(module, "threading", world.threading)
        if getattr(module, "time", None) is real_time:
            replace(module, "time", world.time)
        if name == "kiosk.clocks":
            replace(module, "datetime", WorldDatetime)
    try:
        yield
    finally:
        world.end()
        for module, attribute, value in reversed(replaced):
            setattr(module, attribute, value)
