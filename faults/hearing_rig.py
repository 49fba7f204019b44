"""A rig that records one hearing through many faults and verifies what each fault left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from faults.part_media import PartMedia, read_part
from faults.trial import CAMERA, Cost, NotSurvivedError, Outcome
from faults.verification import verify_sealed
from kiosk.storage.hearing_folder import SIGNATURE, part_folder_name
from tests.support.virtual_courtroom import MICROPHONES, VirtualCourtroom
from tests.support.waiting import wait_for

SOURCES = [CAMERA, *MICROPHONES]
MAX_LOSS_S = 1.0
"""Maximum media that a crash may cost in any source."""
MAX_RESUME_S = 5.0
"""Maximum time from the recorder's start until a hearing resumes."""


class HearingRig:
    """A virtual courtroom in which a hearing is recorded through all faults.

    Args:
        strict: check limits in seconds, too (a busy machine does not meet them).
        timeout_s: time after which any step counts as failed.

    Attributes:
        killed_ns: recording clock, of that boot, of the recorder's last kill.
        restarted_ns: recording clock of its restart.
    """

    def __init__(
        self, room: VirtualCourtroom, random: Random, strict: bool = True, timeout_s: float = 30.0
    ) -> None:
        self.room = room
        self.random = random
        self.strict = strict
        self.timeout_s = timeout_s
        self.restarted_ns = self.killed_ns = 0
        self._downtime_s = 0.0

    # -- observation ---------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """Return the recorder's state as soon as it answers.

        Raises:
            NotSurvivedError: it does not.
        """

        def answer() -> dict[str, Any] | None:
            ended = self.room.recorder is not None and self.room.recorder.poll() is not None
            assert not ended, "the recorder has ended"
            return self.room.state()

        try:
            return wait_for(answer, "the recorder's answer", self.timeout_s) or {}
        except AssertionError as error:
            log = (self.room.folder / "recorder.log").read_text(encoding="utf-8")
            raise NotSurvivedError(f"{error}; its log ends: {log[-1500:]}") from error

    @property
    def part(self) -> int:
        """Number of the newest part."""
        return int((self.state().get("hearing") or {}).get("part", 0))

    @property
    def hearing(self) -> Path:
        """Folder of the open hearing."""
        return self.room.paths.hearings / str(self.state()["hearing"]["id"])

    def wait_all_recorded(self) -> PartMedia:
        """Wait until every source is in the newest part on the disk; return its media.

        Raises:
            NotSurvivedError: one is not.
        """
        folder = self.hearing / part_folder_name(self.part)

        seen: list[str] = []

        def all_recorded() -> PartMedia | None:
            with contextlib.suppress(OSError, ValueError, IndexError):
                media = read_part(folder)
                seen[:] = media.spans
                return media if all(name in media.spans for name in SOURCES) else None
            return None

        try:
            return wait_for(
                all_recorded, f"every source in {folder.name} on the disk", self.timeout_s
            )
        except AssertionError as error:
            raise NotSurvivedError(f"{error}, only {', '.join(seen) or 'nothing'} is") from error

    def _check_gap(self) -> None:
        """Check the gap of the newest interruption: the time that passed, or unknown.

        Raises:
            NotSurvivedError: it is something else.
        """
        recovered = self.state()["recovered"]
        seconds = recovered["gap_seconds"] if recovered else None
        # From the last media to the new part: a little longer than it was down.
        if (
            seconds is not None
            and not self._downtime_s - 1 < seconds < self._downtime_s + self.timeout_s
        ):
            raise NotSurvivedError(
                f"a gap of {seconds} s is reported, it was away for {self._downtime_s:.1f}"
            )

    def verify_part(self, part: Path) -> PartMedia:
        """Wait for a part's seal, have ``kiosk verify`` judge it, return its media."""
        try:
            wait_for((part / SIGNATURE).exists, f"the seal of {part.name}", self.timeout_s)
        except AssertionError as error:
            raise NotSurvivedError(str(error)) from error
        verify_sealed(part, self.room.ca_certificate())
        return read_part(part)

    def prepare_recording(self) -> None:
        """Make the courtroom record all sources."""
        if self.state()["phase"] == "sealing":
            wait_for(lambda: self.state()["phase"] != "sealing", "the seal", 60)
        phase = self.state()["phase"]
        self.room.wait_ready(self.timeout_s * 2)
        if phase == "idle":
            self.room.sign_in()
            self.room.start_hearing()
        elif phase in ("recess", "retired"):
            self.room.sign_in()
            self.room.call("POST", "/v1/hearing/resume", {})
        self.wait_all_recorded()

    def attempt(self, outcome: Outcome, trial: Callable[[], Cost]) -> None:
        """Make the courtroom record, then run ``trial``."""

        def from_a_recording() -> Cost:
            self.prepare_recording()
            return trial()

        outcome.attempt(from_a_recording)

    def check_resumed(self, hearing: Path, part: int) -> float:
        """Check that part ``part`` or a later one is recorded without anybody's help.

        Returns:
            Seconds from the recorder's start until every source was recorded.

        Raises:
            NotSurvivedError: it is not, or too late, or the recorded gap is wrong.
        """
        state = self.state()
        hearing_state = state.get("hearing") or {}
        if (
            state["phase"] != "recording"
            or hearing_state.get("id") != hearing.name
            or hearing_state["part"] < part
        ):
            raise NotSurvivedError(
                f"{state['phase']}, part {hearing_state.get('part')}: it did not resume"
            )
        media = self.wait_all_recorded()
        self._check_gap()
        opened = (media.tap_ns - self.restarted_ns) / 1e9
        if self.strict and opened > MAX_RESUME_S:
            raise NotSurvivedError(f"it resumed {opened:.1f} s after its start")
        return (media.complete_from_ns(SOURCES) - self.restarted_ns) / 1e9

    def measure_loss(
        self, hearing: Path, part: int, ended_ns: int, asked_ns: int = 0
    ) -> dict[str, float]:
        """Verify a part that a fault ended at ``ended_ns``; measure what was lost.

        Args:
            asked_ns: see :meth:`PartMedia.seconds_lost`.

        Returns:
            Media lost, by source.

        Raises:
            NotSurvivedError: more than is allowed, or it does not verify.
        """
        media = self.verify_part(hearing / part_folder_name(part))
        seconds = media.seconds_lost(ended_ns, SOURCES, asked_ns)
        worst = max(seconds, key=lambda name: seconds[name])
        if self.strict and seconds[worst] > MAX_LOSS_S:
            raise NotSurvivedError(f"{seconds[worst]:.2f} s of {worst} lost")
        return seconds
