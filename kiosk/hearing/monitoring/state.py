"""Builds State of the recorder with its alarms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from kiosk.api.recorder import AlarmKey, Clock, Preview, Proof, RecorderState
from kiosk.api.states import LampState, Phase
from kiosk.clocks import format_wall, recording_ns
from kiosk.hardware.real_time_clock import read_real_time_clock
from kiosk.hardware.wall_clock import clock_state
from kiosk.hearing.monitoring.active_alarms import AlarmHistory, active_alarms
from kiosk.hearing.monitoring.invariant_monitor import InvariantMonitor
from kiosk.hearing.monitoring.known_inputs import KnownInputs
from kiosk.hearing.monitoring.monitor import HearingMonitor
from kiosk.hearing.session.context import HearingContext
from kiosk.hearing.session.kept_minute import KeptMinute
from kiosk.storage.patient_reader import PatientReader

PREVIEW_SIZE = (640, 360)
OWED_AFTER_S = 1.0
"""A step that no disk has after so long is shown as owed."""


class StateBuilder:
    """Builds State; any thread may call it. It waits for no disk: it runs in the event loop."""

    def __init__(
        self,
        context: HearingContext,
        monitor: HearingMonitor,
        inputs: KnownInputs,
        invariants: InvariantMonitor,
        kept_minute: KeptMinute,
        panel_alarms: Callable[[], list[AlarmKey]],
    ) -> None:
        self._context = context
        self._current_hearing, self._publicity = context.current, context.publicity
        self._monitor = monitor
        self._kept_minute = kept_minute
        self._invariants, self._panel_alarms = invariants, panel_alarms
        self._inputs = inputs
        self._alarm_history = AlarmHistory()
        self._rtc = PatientReader(read_real_time_clock)
        self._is_enrolled = PatientReader(context.paths.device_certificate.exists)

    def build(self) -> RecorderState:
        """Return State."""
        begun_ns = recording_ns()
        current, context, monitor = self._current_hearing, self._context, self._monitor
        with current.lock:
            hearing = current.hearing
            closed = self._publicity.closed_hearings(hearing.state if hearing is not None else None)
            running = hearing.describe() if hearing is not None else None
            phase = hearing.state.phase if hearing is not None else Phase.IDLE
            proof = hearing.proof() if hearing is not None else Proof()
            owed_seconds = hearing.owed_seconds if hearing is not None else 0.0
        storage, mirror = context.storage.state(running, current.storage_error)
        width, height = PREVIEW_SIZE
        state = RecorderState(
            wall=format_wall(),
            phase=phase,
            recovered=current.recovered,
            hearing=running,
            camera=context.sources.describe_camera(),
            microphones=monitor.describe_microphones(
                context.sources.describe_microphones(), hearing
            ),
            storage=storage,
            mirror=mirror,
            clock=Clock(state=clock_state(), rtc=self._rtc.latest().state),
            proof=proof,
            lamp=context.panel.lamp or LampState.OFF,
            court_keys=self._publicity.court_keys(hearing.state if hearing is not None else None),
            closed_hearings=closed,
            listening=monitor.listen_back.state(),
            reminder=monitor.reminder.state(),
            kept_before=self._kept_minute.state(),
            preview=Preview(path=str(context.paths.preview), width=width, height=height),
        )
        found = [*active_alarms(state), *self._recorder_alarms()]
        if owed_seconds > OWED_AFTER_S:
            found.append(("steps_owed", "storage"))
        alarms = self._alarm_history.update([*monitor.alarms(found, state, hearing, begun_ns)])
        state = state.model_copy(update={"alarms": alarms})
        self._invariants.shown = begun_ns, state
        return state

    def _recorder_alarms(self) -> list[AlarmKey]:
        """Return the alarms that do not follow from State."""
        found = []
        with suppress(OSError):  # a disk that is gone: nobody can tell, and storage says so
            if not self._is_enrolled.latest():
                found.append(("not_enrolled", "recorder"))
        speech = self._context.sources.speech
        if speech is not None and speech.has_failed:
            found.append(("speech_detector_down", "microphones"))
        if self._kept_minute.has_failed:
            found.append(("kept_minute_off", "recorder"))
        if self._context.panel.state == "absent":
            found.append(("panel_absent", "panel"))
        found += [*self._panel_alarms(), *self._inputs.alarms()]
        if self._current_hearing.has_failed_start:
            found.append(("start_failed", "recorder"))
        failing = self._context.seal_queue.failing_hearings
        found += [("seal_failed", hearing) for hearing in failing]
        found += self._invariants.alarms
        return [*found, *self._context.events.further_alarms()]
