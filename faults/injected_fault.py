"""One case of the fault matrix: inject the fault, see the alarm, end it, verify the recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faults.hearing_rig import SOURCES, HearingRig
from faults.part_media import PartMedia, read_entries
from faults.trial import Cost, NotSurvivedError
from kiosk.alarms import ALARMS
from kiosk.storage.hearing_folder import part_folder_name
from tests.support.virtual_courtroom import VirtualCourtroom
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class FaultCase:
    """One fault.

    Attributes:
        alarms: codes of which one must be shown, by ``source``.
        max_notice_s: seconds until the alarm.
        inject: injects the fault, given the courtroom; returns a function that ends it.
        interrupted_sources: sources with an interruption in the ledger; only those may lose media.
        duration_s: how long the fault lasts.
    """

    name: str
    alarms: Collection[str]
    source: str
    max_notice_s: float
    inject: Callable[[VirtualCourtroom], Callable[[], None]]
    interrupted_sources: Collection[str] = ()
    duration_s: float = 1.5


def shown_alarms(state: dict[str, Any], case: FaultCase) -> list[str]:
    """Return the alarms of the case that are shown."""
    alarms = [(alarm["code"], alarm["source"]) for alarm in state.get("alarms", [])]
    return [code for code, source in alarms if code in case.alarms and source == case.source]


def run_case(rig: HearingRig, case: FaultCase) -> Cost:
    """Inject the fault, end it, verify the recording.

    Raises:
        NotSurvivedError: no alarm, not in time, without a remedy, not recovered by itself, not in
            the ledger with its seconds, or another source lost something.
    """
    hearing, part = rig.hearing, rig.part
    began = time.monotonic()
    end_fault = case.inject(rig.room)
    try:
        noticed_s = _wait_seconds(
            rig, began, lambda: bool(shown_alarms(rig.room.state(), case)), "the alarm"
        )
        if rig.strict and noticed_s > case.max_notice_s:
            raise NotSurvivedError(
                f"noticed after {noticed_s:.2f} s, {case.max_notice_s} s allowed"
            )
        _require_remedy(shown_alarms(rig.room.state(), case))
        time.sleep(max(0.0, case.duration_s - noticed_s))
    finally:
        end_fault()
    ended_at = time.monotonic()
    recovery_s = _wait_seconds(
        rig, ended_at, lambda: _is_recovered(rig.room.state(), case), "its end"
    )
    rig.room.wait_recorded(rig.room.seconds_recorded() + 1.0)
    rig.room.sign_in()
    rig.room.call("POST", "/v1/hearing/recess", {"reason": "trial"})
    media = rig.verify_part(hearing / part_folder_name(part))
    _require_interruptions_recorded(hearing / part_folder_name(part), case)
    return Cost(_measure_loss(media, case, rig.strict), recovery_s, noticed_s)


def _is_recovered(state: dict[str, Any], case: FaultCase) -> bool:
    return bool(state) and not shown_alarms(state, case)


def _wait_seconds(rig: HearingRig, since: float, done: Callable[[], bool], what: str) -> float:
    """Return the seconds from ``since`` until ``done``."""
    try:
        wait_for(done, what, rig.timeout_s)
    except AssertionError as error:
        alarms = [alarm["code"] for alarm in rig.room.state().get("alarms", [])]
        raise NotSurvivedError(f"{error}; alarms: {', '.join(alarms)}") from error
    return time.monotonic() - since


def _require_remedy(codes: list[str]) -> None:
    for code in codes:
        if not ALARMS[code].staff:
            raise NotSurvivedError(f"the alarm {code} has no remedy")


def _require_interruptions_recorded(part: Path, case: FaultCase) -> None:
    """Check that each interruption is in the ledger, with its seconds."""
    ended: dict[str, list[Any]] = {}
    for line in read_entries(part):
        if line["kind"] == "interruption_ended":
            ended.setdefault(str(line["source"]), []).append(line.get("seconds"))
    for source in case.interrupted_sources:
        if source not in ended or None in ended[source]:
            raise NotSurvivedError(f"{source}: not in the ledger with its seconds")


def _measure_loss(media: PartMedia, case: FaultCase, strict: bool) -> dict[str, float]:
    """Return the media lost by the sources of the case.

    Raises:
        NotSurvivedError: another source lost something, or is not there.
    """
    lost: dict[str, float] = {}
    for name in SOURCES:
        if name not in media.spans:
            raise NotSurvivedError(f"{name}: nothing is recorded")
        holes = media.spans[name].lost_s
        # Only when strict: a busy machine starves the camera.
        if holes and strict and name not in case.interrupted_sources:
            raise NotSurvivedError(f"{name} lost {holes:.2f} s although it was healthy")
        if name in case.interrupted_sources:
            lost[name] = holes
    return lost
