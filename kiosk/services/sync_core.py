"""Sync without process and HTTP: its threads, its State, and what its calls do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.published import pulled_at
from kiosk.api.recorder import RecorderState
from kiosk.api.states import ClockState, Phase
from kiosk.api.sync import FilingState, LinkCheckState, ScheduleAge, SyncState
from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.rules.load import load_rules
from kiosk.rules.rules import Rules
from kiosk.services.registration import RegistrationService
from kiosk.storage.ages import Ages
from kiosk.storage.paths import Paths
from kiosk.sync.context import SyncContext
from kiosk.sync.courier.receipts import CourierReceipts
from kiosk.sync.delivery.registrar import Registrar
from kiosk.sync.delivery.retention import Retention, receipted_hashes
from kiosk.sync.delivery.timestamps import TimestampWorker
from kiosk.sync.delivery.worker import DeliveryWorker
from kiosk.sync.link_check.line_publisher import LinePublisher
from kiosk.sync.link_check.link_check import (
    Connections,
    LinkCheck,
    LinkLimits,
    ProgressCallback,
)
from kiosk.sync.link_check.scheduled_checks import ScheduledLinkChecks
from kiosk.sync.outbox.lanes import Lane
from kiosk.sync.outbox.registrations import PROVISIONAL
from kiosk.sync.polling.heartbeat import forecast_state, queue_state, uploads_state
from kiosk.sync.polling.live_room import LiveRoomSender
from kiosk.sync.polling.poller import Poller
from kiosk.sync.state.upload_policy import current_upload_policy
from kiosk.sync.transport.connection import Connection

REPORT_PAUSE_S = 5.0
"""Alarms that come and go are reported at most this often; the usual poll reports the last."""


def _alarms_of(state: RecorderState) -> set[tuple[str, str | None]]:
    return {(alarm.code, alarm.source) for alarm in state.alarms}


class SyncCore:
    """The threads of sync and their shared state.

    Args:
        settings: of this kiosk.
        notify_change: called from any thread when State has changed.
    """

    def __init__(self, settings: Settings, notify_change: Callable[[], None]) -> None:
        self.settings = settings
        self.paths = Paths.from_settings(settings.paths)
        self.zone = ZoneInfo(settings.kiosk.timezone)
        self._notify_change = notify_change
        self._reported_at = self._asked_at = -REPORT_PAUSE_S
        self.context = SyncContext(settings, notify_change)
        self.live = LiveRoomSender(self.context)
        self.stamper = TimestampWorker(self.paths, settings.recording.timestamp_url)
        self.poller = Poller(self.context)
        self._registrar = Registrar(self.context)
        self.urgent = DeliveryWorker(
            self.context,
            "urgent",
            ("filing",),
            (Lane.URGENT,),
            self._registrar.send_pending,
            CourierReceipts(self.context).apply,
        )
        self.bulk = DeliveryWorker(
            self.context,
            "bulk",
            ("hearing", "report"),
            (Lane.RECORD, Lane.VIDEO),
            clean_up=Retention(self.context).apply,
        )
        self.link_check = LinkCheck(
            self.context,
            Connections(*(Connection(self.paths, settings.central.url) for _ in range(3))),
            link_limits(load_rules()),
        )
        before = timedelta(minutes=settings.sync.link_check_minutes)
        self.scheduled_checks = ScheduledLinkChecks(
            self.link_check, self.paths.link_checks, before, Ages(self.paths.link_check_ages)
        )
        workers = (self.poller, self.urgent, self.bulk, self.live)
        self.line = LinePublisher([worker.connection for worker in workers], self.paths.line)
        self.registration = RegistrationService(self.context)

    # -- life --------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the threads."""
        for worker in (self.poller, self.urgent, self.bulk, self.stamper, self.live):
            worker.start()

    def stop(self) -> None:
        """End the threads; what is being sent is resumed at the next start."""
        self.link_check.cancel()
        for worker in (self.bulk, self.urgent, self.poller, self.stamper, self.live):
            worker.stop()
        self.registration.close()

    def is_healthy(self) -> bool:
        """Return whether every thread that must run is running."""
        return self.poller.is_alive and self.urgent.is_alive and self.bulk.is_alive

    # -- recorder ----------------------------------------------------------------------------
    @property
    def is_hearing_open(self) -> bool:
        """Whether a hearing is open in this room, as far as the recorder answers."""
        recorder = self.poller.recorder_state
        return recorder is not None and recorder.phase.is_open

    @property
    def is_clock_trusted(self) -> bool:
        """Whether the wall clock can be believed, as far as the recorder answers."""
        recorder = self.poller.recorder_state
        return recorder is not None and recorder.clock.state is ClockState.OK

    def set_recorder_state(self, state: RecorderState | None) -> None:
        """Adapt to the recorder's State (None: it does not answer).

        Raises:
            StorageError: the database refuses.
        """
        before, self.poller.recorder_state = self.poller.recorder_state, state
        self._report_new_alarms(before, state)
        was_sealing = before is not None and before.phase is Phase.SEALING
        if was_sealing and (state is None or state.phase is not Phase.SEALING):
            self.bulk.wake()
        self._update_upload_policy()

    def _report_new_alarms(self, before: RecorderState | None, now: RecorderState | None) -> None:
        """Report to the central system at once what has begun or ended, but not without pause."""
        if before is None or now is None or _alarms_of(before) == _alarms_of(now):
            return
        if time.monotonic() - self._reported_at > REPORT_PAUSE_S:
            self._reported_at = time.monotonic()
            self.poller.wake()

    @property
    def is_line_watched(self) -> bool:
        """Whether there is something to do for :meth:`watch_line`."""
        return self.is_hearing_open or not self.line.is_at_rest

    def watch_line(self) -> None:
        """Judge the line by what flows, while a hearing is open; called every second then.

        While the recorder does not answer nothing is known of a hearing, and nothing changes.
        """
        if self.poller.recorder_state is None:
            return
        is_silent = self.line.poll(
            is_hearing_open=self.is_hearing_open,
            unanswered_since=self.context.link.unanswered_since,
        )
        if is_silent and time.monotonic() - self._asked_at > REPORT_PAUSE_S:
            self._asked_at = time.monotonic()
            self.poller.wake()  # its end is noticed, and not only with the next usual poll

    def set_live(self, state: RecorderState, levels: Mapping[str, Any]) -> None:
        """Take the levels of a room that records; an empty mapping: nothing is recorded."""
        is_recording = state.phase is Phase.RECORDING and bool(levels)
        self.live.word = (state, levels) if is_recording else None

    def _update_upload_policy(self) -> None:
        """Update the upload policy: windows, caps, a running hearing."""
        before, check = self.context.upload_policy, self.context.last_link_check()
        self.context.upload_policy = current_upload_policy(
            self.settings.sync,
            wall_time().astimezone(self.zone),
            check.up_mbit if check is not None else None,
            is_hearing_open=self.is_hearing_open,
        )
        self.bulk.connection.set_rate(self.context.upload_policy.rate)
        if before.state != self.context.upload_policy.state:
            self.bulk.wake()
            self._notify_change()

    # -- calls -------------------------------------------------------------------------------
    def deliver_now(self, *, is_manual: bool) -> None:
        """Wake the delivery; see :meth:`DeliveryWorker.deliver_now`."""
        self._registrar.retry_all()
        self.urgent.deliver_now(is_manual=is_manual)
        self.bulk.deliver_now(is_manual=is_manual)

    def run_due_check(self, report_progress: ProgressCallback) -> None:
        """Check the link if a hearing of the list is near and none is open."""
        self.scheduled_checks.run_if_due(
            self.poller.schedule.read.rows, report_progress, is_hearing_open=self.is_hearing_open
        )

    def filing_state(self, filing_id: str) -> FilingState | None:
        """Return how far a filing has come; None: there is no such filing."""
        known = self.context.registrations.get(filing_id)
        item = self.context.outbox.item(filing_id)
        if known is None and item is None:
            return None
        delivered = (
            item is not None
            and item.state == "delivered"
            and bool(receipted_hashes(self.paths, self.context.receipts, "filing", filing_id))
        )
        sent = "sent" if delivered else "queued"
        if known is None:
            return FilingState(state=sent, delivered=delivered)
        return FilingState(
            state=sent if known.state == PROVISIONAL else known.state,
            number=known.number,
            provisional=known.provisional,
            as_of=self.context.registrations.last_word(known),
            reason=known.reason,
            delivered=delivered,
        )

    def state(self) -> SyncState:
        """Return State.

        Raises:
            StorageError: the database refuses.
        """
        context, schedule = self.context, self.poller.schedule
        return SyncState(
            kiosk=self.settings.kiosk.id,
            link=context.link.current(),
            queue=queue_state(context),
            schedule=ScheduleAge(pulled_at=pulled_at(schedule.value)),
            delivering=context.progress.current(),
            uploads=uploads_state(context),
            forecast=forecast_state(context),
            database="rebuilt" if context.is_rebuilt else "ok",
            link_check=LinkCheckState(
                running=self.link_check.is_running,
                last=context.last_link_check(),
                next=self.scheduled_checks.next(schedule.read.rows),
            ),
            stamps=self.stamper.state(),
            lists=context.lists.active(),
            rules_pack=context.rules_pack,
            alarms=context.alarms.active(),
        )


def link_limits(rules: Rules) -> LinkLimits:
    """Return limits and words of a link check's verdict."""
    least = rules.limit("net_min_mbit")
    percent = rules.limit("net_borderline_percent")
    words = [
        {row.id: row.label.as_map() for row in rows.values()}
        for rows in (rules.link_verdicts, rules.call_verdicts, rules.link_remedies)
    ]
    return LinkLimits(float(least), float(percent) / 100, *words)
