"""One of the storages that hold the hearings: a thread and a queue of its own.

What is handed in is done in order, repeated while the disk refuses. A hearing for which this
storage fell behind (absent, or the queue outgrew its memory) is *behind*: its steps are dropped
here until the copier (:mod:`kiosk.storage.mirror_catch_up`) has brought it up from the other storage.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from kiosk.storage.volume import Disk, GapError, Refusal, kind_of

log = logging.getLogger(__name__)
QUEUE_BYTES = 32 << 20
"""Memory for steps that wait for one disk; what the other has is dropped beyond it."""
PROBE_S = 0.5
RETRY_S = 0.5
SLOW_S = 1.0
"""A step that takes longer, or waits longer, makes the storage slow; both are noticed at once."""
SLOW_STAYS_S = 3.0
AWAY = frozenset({"absent", "foreign"})


@dataclass(eq=False)
class Step:
    """Something to be done on every storage.

    Attributes:
        hearing: id of the hearing it belongs to.
        run: does it; raises OSError or StorageError when the disk refuses.
        size: bytes it keeps in memory.
        born: when it was handed in (monotonic seconds).
        done: names of the storages that have done it; ``refused`` those that would not.
        name: log that is ``end`` bytes long when it is done (``""``: none).
    """

    hearing: str
    run: Callable[[Disk], None]
    size: int
    born: float = field(default_factory=time.monotonic)
    done: set[str] = field(default_factory=set)
    refused: dict[str, Exception] = field(default_factory=dict)
    withdrawn: bool = False
    name: str = ""
    end: int = 0


class Replica:
    """One storage.

    Args:
        name: ``storage`` or ``mirror``.
        disk: where it lies.
        changed: shared by all storages of a vault: guards their queues, told of every change.
    """

    def __init__(self, name: str, disk: Disk, changed: threading.Condition) -> None:
        self.name = name
        self.disk = disk
        self.uuid = ""
        self.free_bytes: int | None = None
        self.total_bytes = 0
        self.lengths: dict[str, int] = {}
        self.touched: set[str] = set()
        self.holed: set[str] = set()
        self.behind: set[str] = set()
        self.catching_up: dict[str, list[Step]] = {}
        self._changed = changed
        self._queue: deque[Step] = deque()
        self._copying: deque[Step] = deque()
        self._bytes = 0
        self._refusal = ""
        self._identity = "ok"
        self._began: float | None = None
        self._slow_until = 0.0
        self._well_since = 0.0
        self._retry_at = 0.0
        self._probe_at = 0.0
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=f"{name}-writer", daemon=True)

    # -- from the vault (its lock is held) -----------------------------------------------------
    def put(self, step: Step) -> None:
        """Take a step, or leave it to the copier."""
        self.touched.add(step.hearing)
        if self._identity in AWAY and self.disk.role == "mirror":
            self.fall_behind(step.hearing)
        if step.hearing in self.behind:
            return
        if step.hearing in self.catching_up:
            self.catching_up[step.hearing].append(step)
        else:
            self._queue.append(step)
        self._retry_at = 0.0
        self._bytes += step.size
        if self._bytes > QUEUE_BYTES:
            self._shed()

    def holds(self, step: Step) -> bool:
        """Say whether the step waits here."""
        return step in self._queue or step in self.catching_up.get(step.hearing, ())

    def drop(self, step: Step) -> None:
        """Forget a step that was withdrawn."""
        for queue in (self._queue, self.catching_up.get(step.hearing, [])):
            if step in queue:
                queue.remove(step)
                self._bytes -= step.size

    def pending(self, hearing: str) -> list[Step]:
        """Return the steps of a hearing that wait here, in order."""
        return [
            *(step for step in self._queue if step.hearing == hearing),
            *self.catching_up.get(hearing, ()),
        ]

    def lacks(self, hearing: str) -> bool:
        """Say whether older bytes of ``hearing`` are missing here."""
        return hearing in self.behind or hearing in self.catching_up

    def all_steps(self) -> list[Step]:
        """Return all steps that wait here."""
        return [*self._queue, *self._kept()]

    def go_on_without(self, hearing: str) -> None:
        """Take steps of ``hearing`` although older ones are missing: nobody else can."""
        log.error("%s: %s goes on with a hole", self.name, hearing)
        self.behind.discard(hearing)
        self.holed.add(hearing)

    def copy(self, step: Step) -> None:
        """Take a step of the copier: it is done when nothing else waits, and only once."""
        self._copying.append(step)

    def begin_catching_up(self, hearing: str, missing: list[Step]) -> None:
        """Keep new steps of ``hearing``, after those the other storage has not done yet."""
        self.behind.discard(hearing)
        self.catching_up[hearing] = list(missing)
        self._bytes += sum(step.size for step in missing)

    def end_catching_up(self, hearing: str) -> None:
        """Everything older is here: go on with what was kept."""
        self._queue.extend(self.catching_up.pop(hearing, ()))
        self._well_since = time.monotonic()

    def fall_behind(self, hearing: str) -> None:
        """Leave ``hearing`` to the copier; steps that nobody else has done stay in memory."""
        kept = self.catching_up.pop(hearing, None)
        steps = [step for step in self._queue if step.hearing == hearing] + (kept or [])
        self._queue = deque(step for step in self._queue if step.hearing != hearing)
        self._bytes -= sum(step.size for step in steps)
        self.behind.add(hearing)

    def _shed(self) -> None:
        """Free memory: leave to the copier whatever the other storage has."""
        for hearing in {step.hearing for step in (*self._queue, *self._kept())}:
            if self._elsewhere(hearing):
                log.error("%s: %s is left for later", self.name, hearing)
                self.fall_behind(hearing)

    def _elsewhere(self, hearing: str) -> bool:
        """Say whether another storage has all that waits here, or will have it."""
        steps = self.pending(hearing)
        return self.disk.role == "mirror" or all(step.done - {self.name} for step in steps)

    def _kept(self) -> list[Step]:
        return [step for steps in self.catching_up.values() for step in steps]

    # -- how it is (the vault's lock is held) --------------------------------------------------
    @property
    def refusing(self) -> bool:
        """Whether the last step was refused, or the storage is not there."""
        return bool(self._refusal) or self._identity != "ok"

    @property
    def there(self) -> bool:
        """Whether it is there and can be written, as far as its mount tells."""
        return self._identity == "ok"

    @property
    def readable(self) -> bool:
        """Whether it is there."""
        return self._identity in ("ok", "read_only")

    @property
    def late(self) -> bool:
        """Whether a step takes or waits too long."""
        now = time.monotonic()
        began = self._began
        born = max(self._queue[0].born, self._well_since) if self._queue else now
        waits = 0.0 if self.refusing else now - born
        if (began is not None and now - began > SLOW_S) or waits > SLOW_S:
            self._slow_until = now + SLOW_STAYS_S
        return now < self._slow_until

    @property
    def state(self) -> str:
        """``ok``, ``behind``, ``slow``, ``full``, ``read_only``, ``absent``, … ."""
        if self._identity != "ok":
            return self._identity
        if self._refusal:
            return self._refusal
        if self.late:
            return "slow"
        return "behind" if self.behind or self.catching_up else "ok"

    @property
    def waiting_bytes(self) -> int:
        """Bytes in memory that wait for this disk."""
        return self._bytes

    @property
    def oldest_wait_s(self) -> float:
        """Seconds that the oldest step waits."""
        steps = [*list(self._queue)[:1], *self._kept()[:1]]
        return max((time.monotonic() - step.born for step in steps), default=0.0)

    # -- life ------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin; the first look at the storage is over when it returns."""
        self._probe()
        self._thread.start()

    def stop(self) -> None:
        """End after the step that runs (the vault's lock is held)."""
        self._stopped = True

    def join(self, seconds: float) -> None:
        """Wait for the end; a disk that hangs is not waited for longer."""
        self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopped:
                    return
                step = self._next()
                if step is None:
                    self._changed.wait(timeout=PROBE_S / 2)
                else:
                    self._began = time.monotonic()
            if step is not None:
                self._do(step)
            if time.monotonic() >= self._probe_at:
                self._probe()

    def _next(self) -> Step | None:
        if self._identity in AWAY or (self._refusal and time.monotonic() < self._retry_at):
            return None
        if self._queue:
            return self._queue[0]
        return self._copying[0] if self._copying else None

    def _do(self, step: Step) -> None:
        error: Exception | None = None
        try:
            self.disk.holes_allowed = step.hearing in self.holed
            if not step.withdrawn:
                step.run(self.disk)
        except (*Refusal, GapError) as problem:
            error = problem
        except Exception as problem:  # a fault of ours must not end the writing
            log.exception("%s: a step failed", self.name)
            error = problem
        with self._changed:
            began, self._began = self._began, None
            if began is not None and time.monotonic() - began > SLOW_S:
                self._slow_until = time.monotonic() + SLOW_STAYS_S
            self._settle(step, error)
            self._changed.notify_all()

    def _settle(self, step: Step, error: Exception | None) -> None:
        """Take a step that was tried out of the queue, or keep it for the next time."""
        if error is None:
            step.done.add(self.name)
            if step.name and not step.withdrawn:
                self.lengths[step.name] = step.end
            if self._refusal:
                log.warning("%s: takes everything again", self.name)
                self._refusal, self._well_since = "", time.monotonic()
            self._forget(step)
            return
        step.refused[self.name] = error
        if step in self._copying:
            self._copying.remove(step)
            return
        if isinstance(error, GapError):
            log.warning("%s: %s", self.name, error)
            if self._elsewhere(step.hearing):
                self.fall_behind(step.hearing)
            else:
                self.go_on_without(step.hearing)
            return
        if not self._refusal:
            log.error("%s: refuses: %s", self.name, error)
        self._refusal = kind_of(error)
        self._retry_at = time.monotonic() + RETRY_S

    def _forget(self, step: Step) -> None:
        if step in self._copying:
            self._copying.remove(step)
        elif step in self._queue:
            self._queue.remove(step)
            self._bytes -= step.size

    def _probe(self) -> None:
        """Look whether the storage is there, and is the one it was."""
        identity, uuid = self.disk.identity()
        free, total = self._space() if identity in ("ok", "read_only") else (None, 0)
        self._probe_at = time.monotonic() + PROBE_S
        with self._changed:
            self.free_bytes, self.total_bytes = free, total
            if identity == "ok":
                if self._identity != "ok" or uuid != self.uuid:
                    log.warning("%s: is there", self.name)
                    self._refusal, self._retry_at = "", 0.0
                    self._well_since = time.monotonic()
                if uuid != self.uuid:
                    self.lengths.clear()
                self.uuid = uuid
            elif identity != self._identity:
                log.error("%s: %s", self.name, identity)
            self._identity = identity
            if identity in AWAY:
                self._give_up()
            if self._bytes > QUEUE_BYTES:
                self._shed()
            self._changed.notify_all()

    def _space(self) -> tuple[int | None, int]:
        try:
            return self.disk.space()
        except OSError:
            return None, 0

    def _give_up(self) -> None:
        """The storage is not there: leave to the copier what the other has or will have."""
        for step in self._copying:
            step.refused[self.name] = OSError("the storage is not there")
        self._copying.clear()
        for hearing in {step.hearing for step in (*self._queue, *self._kept())}:
            if self.disk.role == "mirror":
                self.fall_behind(hearing)
