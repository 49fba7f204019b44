"""State and actions of the touch screen, in plain asyncio; the Kivy application only draws it.

There is one :class:`AppState` per process. It listens to the services, knows who is signed in and
where the visitor and the staff are, and wipes what an absent visitor leaves behind.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.api.persons import HearingPerson
from kiosk.api.recorder import Alarm, RecorderState
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import Phase
from kiosk.api.sync import LinkCheckStep, SyncState
from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.filing.service import FilingService
from kiosk.hardware.receipt_printer import PrinterError
from kiosk.hardware.tones import GONG
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import Rules
from kiosk.selftest.words import MeasuredWords
from kiosk.services.service_life import ServiceLife
from kiosk.storage.paths import Paths
from kiosk.ui.actions.camera_actions import CameraActions
from kiosk.ui.actions.chain_receipt_printer import ChainReceiptPrinter
from kiosk.ui.actions.commissioning_actions import CommissioningActions
from kiosk.ui.actions.court_key_actions import CourtKeyActions
from kiosk.ui.actions.filing_cleanup import clean_up_filings
from kiosk.ui.actions.minutes_desk import MinutesDesk
from kiosk.ui.actions.notice_board import NoticeBoard
from kiosk.ui.actions.paper_actions import PaperActions
from kiosk.ui.actions.receipt_actions import ReceiptActions
from kiosk.ui.actions.reminder_desk import ReminderDesk
from kiosk.ui.actions.reminders import Reminder, ReminderInputs
from kiosk.ui.actions.secretary_actions import SecretaryActions
from kiosk.ui.actions.self_test_runner import SelfTestRunner
from kiosk.ui.actions.sign_in_actions import SignInActions
from kiosk.ui.actions.touch_test import TouchTest
from kiosk.ui.actions.unfinished_filing_actions import UnfinishedFilingActions
from kiosk.ui.actions.upkeep_actions import POLL_SECONDS, UpkeepActions
from kiosk.ui.actions.visit.visit import Visit
from kiosk.ui.background_tasks import BackgroundTasks
from kiosk.ui.display_settings import DisplaySettings
from kiosk.ui.formatting import clock_text, day_text
from kiosk.ui.hall_state import HallState
from kiosk.ui.recorder_reader import RECORDER_DOWN, UNREADABLE_STATE, RecorderReader
from kiosk.ui.registry import (
    CommissioningPlace,
    CourtKeysPlace,
    DocumentsPlace,
    DocumentStatusPlace,
    ExportPlace,
    HomePlace,
    MinutesPlace,
    PaperPlace,
    QualityPlace,
    RehearsalPlace,
    ScanFaultPlace,
    SecretaryCallPlace,
    StaffPlace,
    TechnicianHomePlace,
    TechnicianPlace,
    TodayPlace,
    UnfinishedFilingsPlace,
)
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.screen_choice import ScreenInputs
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.screen_voice import ScreenVoice
from kiosk.ui.service_connection import ServiceConnection
from kiosk.ui.view_context import ViewContext

log = logging.getLogger(__name__)

NOTICE_REST_SECONDS = 4.0
"""A notice that goes moves all that is below it: never between two taps of somebody who types."""
SCAN_FAULT_SECONDS = 600.0


class AppState:
    """State and actions of the touch screen.

    Args:
        settings: settings of this kiosk.
        now: monotonic seconds.
        wall: wall time, timezone-aware.
        translate: the translator; None: a new one.
        rules: the court's rules; None: the shipped rules.
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = wall_time,
        translate: Translator | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.settings, self.now, self.wall = settings, now, wall
        self.paths = Paths.from_settings(settings.paths)
        self.zone = ZoneInfo(settings.kiosk.timezone)
        self.display_settings = self._default_display_settings = DisplaySettings(
            settings.kiosk.language
        )
        self.translate = translate or Translator(settings.kiosk.language)
        self.labels = RuleLabels(self.translate, rules)
        self.recorder_state: RecorderState | None = None
        self._recorder_reader = RecorderReader()
        self.recorder_state_at = 0.0
        self.audio_levels: dict[str, Any] = {}
        self.sync_state: SyncState | None = None
        self.staff: StaffSession | None = None
        self.hall: HallState | None = None
        """Set where the display in the hall is drawn; its own process has nothing else."""
        self._observers: list[Callable[[], None]] = []
        self._tasks = BackgroundTasks(self.show_notice)
        self.spawn = self._tasks.spawn
        self._badge_waiter: asyncio.Future[str] | None = None
        self._last_touch_at = now()
        recorder = LocalClient(self.paths.recorder_socket)
        sync = LocalClient(self.paths.sync_socket)
        self.recorder_connection = ServiceConnection(
            recorder, self.handle_recorder_event, self.notify_observers
        )
        self.sync_connection = ServiceConnection(sync, self._on_sync_event, self.notify_observers)
        self.sign_in = SignInActions(
            recorder, self.spawn, self.notify_observers, self.show_notice, self._welcome, self.now
        )
        self.secretary = SecretaryActions(
            recorder,
            sync,
            self.paths.schedule,
            self.notify_observers,
            self.show_notice,
            self.zone,
        )
        self.filing_service = FilingService(settings, self.labels.rules, sync)
        self.visit = Visit(
            self.filing_service,
            now,
            settings.ui.receipt_seconds,
            self.notify_observers,
            self.show_notice,
            self.spawn,
        )
        self.voice = ScreenVoice(settings.voice)
        self.chain_receipt = ChainReceiptPrinter(
            settings,
            recorder,
            self.translate,
            self.filing_service.print_image,
            self.notify_observers,
            self.show_notice,
        )
        self.receipts = ReceiptActions(
            self.filing_service, recorder, self.translate, self.notify_observers, self.show_notice
        )
        self.minutes_desk = MinutesDesk(
            self.secretary,
            self.receipts,
            self._running_hearing,
            lambda: self._last_touch_at,
            self.spawn,
        )
        self._connect_people()
        self.receipts.is_scanner_used = lambda: self.visit.scan.is_open
        self.unfinished_filings = UnfinishedFilingActions(
            self.filing_service, recorder, self.notify_observers, self.show_notice
        )
        self.life = ServiceLife(self.paths.ui_run)
        self.upkeep = UpkeepActions(
            recorder,
            sync,
            self.life,
            self._restart_refusal,
            self.notify_observers,
            self.show_notice,
        )
        self.court_keys = CourtKeyActions(recorder, self.notify_observers)
        self.paper = PaperActions(settings, self.notify_observers)
        self.touch_test = TouchTest(lambda: self.secretary.place, self.secretary.show)
        self.camera = CameraActions(recorder, self.notify_observers, self.show_notice)
        self.commissioning = CommissioningActions(
            settings,
            recorder,
            sync,
            self.wait_for_badge,
            self._say_step,
            lambda: self.voice.device.is_speaking,
            self.notify_observers,
        )
        self.commissioning.on_language = self._set_language
        self.commissioning.devices.use = self._use_loudspeaker
        self.commissioning.report.words = self._measured_words
        self.commissioning.on_finished = self.upkeep.take_settings
        self.reminder_desk = ReminderDesk(
            settings.hearing,
            self._reminder_inputs,
            lambda: self.staff is not None,
            self._say_reminder,
            now,
        )
        self.notices = NoticeBoard(
            self,
            self.reminder_desk,
            self.secretary,
            self.sign_in,
            now,
            self.spawn,
            self.notify_observers,
        )
        self.sign_in.on_answer = self.notices.withdraw_recorder_down
        self.self_test = SelfTestRunner(
            settings,
            self.paths,
            recorder,
            sync,
            self.wait_for_badge,
            self.touch_test.read,
            self.notify_observers,
        )

    def _connect_people(self) -> None:
        people = self.secretary.people
        people.levels = lambda: self.audio_levels
        people.persons = self._persons
        people.open_receipt = self.receipts.open
        people.open_minutes = self.minutes_desk.open_running

    # -- observers -----------------------------------------------------------------------------

    def add_observer(self, observer: Callable[[], None]) -> None:
        """Call ``observer`` after each change."""
        self._observers.append(observer)

    def notify_observers(self) -> None:
        """Call all observers."""
        for observer in self._observers:
            observer()

    async def run(self) -> None:
        """Listen to the services until cancelled."""
        with self.voice.device:
            await self._run_connections()

    async def _run_connections(self) -> None:
        async with self.filing_service, asyncio.TaskGroup() as group:
            group.create_task(clean_up_filings(self.filing_service, self._is_filing_open))
            group.create_task(self.recorder_connection.run())
            group.create_task(self.sync_connection.run())
            group.create_task(self.secretary.poll_schedule(self.today))
            group.create_task(self.secretary.poll_deliveries())
            group.create_task(self.secretary.export.poll_drives(self._is_export_shown))
            group.create_task(self.upkeep.poll(self._staff_place))
            group.create_task(self.camera.poll(self._staff_place))
            group.create_task(self._poll_shown())
            group.create_task(self.commissioning.poll(self._is_commissioning_shown))

    async def _poll_shown(self) -> None:
        """Ask for what the technician's screens of keys and printer show, while one is there."""
        while True:
            for kind, shown in ((CourtKeysPlace, self.court_keys), (PaperPlace, self.paper)):
                if isinstance(self._staff_place(), kind):
                    await shown.refresh()
                else:
                    shown.forget()
            await asyncio.sleep(POLL_SECONDS)

    def _is_filing_open(self) -> bool:
        return self.visit.filing is not None

    def _is_export_shown(self) -> bool:
        return self.staff is not None and isinstance(self.secretary.place, ExportPlace)

    def _staff_place(self) -> StaffPlace | None:
        return None if self.staff is None else self.secretary.place

    def _is_commissioning_shown(self) -> bool:
        return self.staff is not None and isinstance(self.secretary.place, CommissioningPlace)

    def _reminder_inputs(self, is_speaking: bool) -> ReminderInputs:
        """Return what decides the reminders; nothing is known while the recorder is silent."""
        schedule = self.secretary.schedule
        return ReminderInputs(
            recorder=None if self.recorder_problem else self.recorder_state,
            listed=schedule.hearings if schedule else (),
            done=self.secretary.deliveries.keys(),
            is_speaking=is_speaking,
            now=self.wall(),
            zone=self.zone,
        )

    def _say_reminder(self, reminder: Reminder) -> None:
        """Speak a reminder after a gong."""
        text = alarm_of(reminder.code).say(self.translate, reminder.source)
        self.voice.device.speak(text, self.display_settings.language, tone=GONG)

    def _say_step(self, what: str, role: str, tone: tuple[float, ...]) -> None:
        """Speak a sentence of the walk round the room, after ``tone``; never in a hearing."""
        _ = self.translate.gettext
        text = _("That was the last one.")
        if what == "speak_at":
            text = _("Speak at this seat: {role}", role=self.labels.role(role))
        self.voice.device.is_hearing_active = self._is_hearing_active
        self.voice.device.speak(text, self.display_settings.language, tone=tone)

    def _use_loudspeaker(self, address: str, is_silent: bool) -> None:
        """Speak on the loudspeaker ``address`` from now on; empty: on that of the settings."""
        voice = self.commissioning.settings().voice
        if address:
            voice = voice.model_copy(update={"loudspeaker": address, "enabled": True})
        self.voice.device.use(voice)
        if not is_silent:
            self.voice.device.is_hearing_active = self._is_hearing_active
            text = self.translate.gettext("This is the loudspeaker of the kiosk.")
            self.voice.device.speak(text, self.display_settings.language)

    def _set_language(self, language: str) -> None:
        self.set_display_settings(self.display_settings.with_language(language))

    def open_export(self) -> None:
        """Show the screen for the parties' copies."""
        self.secretary.show(ExportPlace())
        self.spawn(self.secretary.export.open(self.display_settings.language))

    def open_quality(self, hearing_id: str) -> None:
        """Show the report for the presiding judge on a hearing that has ended (S18)."""
        self.secretary.show(QualityPlace())
        self.spawn(self.secretary.quality.open(hearing_id))

    def open_rehearsal(self) -> None:
        """Show the screen on which whoever takes part hears and sees themselves (R35)."""
        self.secretary.rehearsal.stop()
        self.secretary.show(RehearsalPlace())

    def open_unfinished_filings(self) -> None:
        """Show the screen for unfinished filings."""
        self.secretary.show(UnfinishedFilingsPlace())
        self.unfinished_filings.refresh()

    async def recover_filing(self, filing_id: str) -> None:
        """Open an unfinished filing and hand the screen over to its visitor."""
        if self.visit.filing is not None:
            self.show_notice("filing_open")
            return
        filing = await self.unfinished_filings.recover(filing_id)
        if filing is None:
            return
        self.visit.filing = filing
        self.visit.show(DocumentsPlace())
        self.sign_out()
        self.record_touch()
        await filing.rebuild_previews()
        self.notify_observers()

    async def close(self) -> None:
        """Stop all background tasks."""
        await self.visit.close()
        await self._tasks.close()
        await self.recorder_connection.client.close()
        await self.sync_connection.client.close()

    # -- state ---------------------------------------------------------------------------------

    @property
    def recorder_problem(self) -> str:
        """Return the alarm code that says why the State shown is not the present one, or ``""``."""
        if self.recorder_connection.is_up is False:
            return RECORDER_DOWN
        return UNREADABLE_STATE if self._recorder_reader.is_unreadable else ""

    @property
    def is_recorder_stale(self) -> bool:
        """Return whether a State is known, but not the present one."""
        return self.recorder_state is not None and self.recorder_problem != ""

    @property
    def shown_recorder_state(self) -> RecorderState:
        """Return the last known State with the alarms that only the screen knows.

        They say why it is not the present one, and that filings cannot be protected.
        """
        known = self.recorder_state or RecorderState(phase=Phase.IDLE)
        codes = [self.recorder_problem] if self.recorder_problem else []
        if not self.filing_service.is_protecting:
            codes.append("filing_unprotected")
        known_codes = {alarm.code for alarm in known.alarms}
        added = [Alarm(code=code) for code in codes if code not in known_codes]
        if not added:
            return known
        return known.model_copy(update={"alarms": (*added, *known.alarms)})

    @property
    def is_clock_known(self) -> bool:
        """Return whether wall time can be shown."""
        return self.recorder_state is None or self.recorder_state.clock.state != "unset"

    def today(self) -> date:
        """Return today's date in the court's zone."""
        return self.wall().astimezone(self.zone).date()

    def view_context(self) -> ViewContext:
        """Return translator, labels and time for the views."""
        return ViewContext(self.translate, self.labels, self.zone, self.wall())

    def screen_inputs(self) -> ScreenInputs:
        """Return what decides which screen is shown."""
        recorder, staff = self.recorder_state, self.staff
        hearing = recorder.hearing if recorder is not None else None
        minutes = self.secretary.minutes.state.minutes
        is_written = (
            hearing is not None and minutes is not None and minutes.hearing_id == hearing.id
        )
        return ScreenInputs(
            phase=recorder.phase if recorder else None,
            has_hearing=recorder is not None and recorder.hearing is not None,
            is_staff=staff is not None,
            is_secretary=staff is not None and staff.has_role("secretary", "judge", "presiding"),
            visitor_place=self.visit.place,
            staff_place=self.secretary.place,
            sign_in_place=self.sign_in.place,
            idle_seconds_left=self.idle_seconds_left,
            is_leaving=self.visit.is_leaving,
            has_running_minutes=is_written,
        )

    def screen_chrome(self) -> ScreenChrome:
        """Return what surrounds the body of every screen."""
        notice = self.notices.present
        text, tone = "", notice.tone if notice else "caution"
        if notice:
            text = self.notice_text(notice.code, notice.source)
        return ScreenChrome(
            display_settings=self.display_settings,
            clock=clock_text(self.wall(), self.zone) if self.is_clock_known else "",
            court=self.translate.pick({str(k): v for k, v in self.settings.kiosk.court.items()}),
            room=self.translate.gettext("Room {room}", room=self.settings.kiosk.room),
            today=day_text(self.today(), self.translate) if self.is_clock_known else "",
            central=None if self.sync_state is None else self.sync_state.link.state == "up",
            notice=text,
            notice_tone=tone,
            notice_about=notice.about if notice else None,
            is_notice_lasting=self.notices.is_lasting,
            notice_action=self.translate.gettext(notice.action) if notice and notice.action else "",
            notice_second_action=self._keep_text(notice.kept_seconds) if notice else "",
        )

    def _keep_text(self, seconds: int) -> str:
        """Return the words of the button that starts with what was kept before, empty: none."""
        if not seconds:
            return ""
        return self.translate.gettext("Start with the {seconds} s before", seconds=seconds)

    def handle_recorder_event(self, name: str, value: Any) -> None:
        """Apply an event of the recorder."""
        if name == "levels":
            self.audio_levels = value if isinstance(value, dict) else {}
            if self._is_commissioning_shown():
                self.commissioning.take_levels(self.audio_levels)
            return
        if name == "export":
            self.secretary.export.apply_event(value)
        if name == "rehearsal":
            self.secretary.rehearsal.apply_event(value)
        if name == "state":
            self._apply_recorder_state(value)

    def _apply_recorder_state(self, value: Any) -> None:
        state = self._recorder_reader.read(value)
        if state is None:
            self.notify_observers()
            return
        before, self.recorder_state = self.recorder_state, state
        self.recorder_state_at = self.now()
        # who rehearses does not wait for a hearing
        if not self.secretary.rehearsal.state.is_running:
            self.reminder_desk.take(state, self.recorder_state_at)
        is_over = self.recorder_state.phase in ("sealing", "idle")
        if self.recorder_state.phase == "recording" and self.chain_receipt.state.state:
            self.chain_receipt.clear()
        was_running = before is not None and before.phase not in ("sealing", "idle")
        self._forget_former_hearing(before, state)
        if before and before.hearing and was_running and is_over:
            self.secretary.show_delivery(before.hearing.id, before.hearing.case_number or "")
        self.receipts.follow(self.recorder_state)
        if self.recorder_state.phase != "idle":
            self.self_test.stop("already_recording")
        if self.recorder_state.phase != "idle" and self.visit.parking.can_park:
            self.spawn(self.visit.parking.park(hearing_started=True))
        self.notify_observers()

    def _forget_former_hearing(self, before: RecorderState | None, now: RecorderState) -> None:
        """Close what was open about a hearing that is over: the next one's marks count anew."""
        former = before.hearing.id if before is not None and before.hearing else ""
        if former and (now.hearing is None or now.hearing.id != former):
            self.secretary.forget_hearing()

    def _on_sync_event(self, name: str, value: Any) -> None:
        if name == "state":
            self.sync_state = SyncState.model_validate(value)
            self.notify_observers()
        elif name == "link-check":
            self.self_test.show_progress(LinkCheckStep.model_validate(value))

    @property
    def recorded_seconds(self) -> float:
        """Return the recorded seconds of the hearing now; the timer runs between two states."""
        recorder = self.recorder_state
        if recorder is None or recorder.hearing is None:
            return 0.0
        is_running = recorder.phase == "recording" and not self.is_recorder_stale
        since = self.now() - self.recorder_state_at if is_running else 0.0
        return recorder.hearing.seconds + min(since, 5.0)

    def _running_hearing(self) -> str:
        hearing = self.recorder_state.hearing if self.recorder_state else None
        return hearing.id if hearing else ""

    def _persons(self) -> tuple[HearingPerson, ...]:
        hearing = self.recorder_state.hearing if self.recorder_state else None
        return hearing.persons if hearing else ()

    def _restart_refusal(self) -> str:
        """Return why the screen must not end now; empty: it may."""
        if self._is_hearing_active:
            return "restart_in_hearing"
        return "filing_open" if self.visit.filing is not None else ""

    # -- notices -------------------------------------------------------------------------------

    def show_notice(self, code: str) -> None:
        """Show one sentence at the top for a few seconds."""
        if code == "token_expired":
            self.staff = None
        self.notices.show(code)

    def notice_text(self, code: str, source: str = "") -> str:
        """Return consequence and remedy of ``code`` for the person at the screen."""
        alarm = alarm_of(code)
        remedy = alarm.remedy(self.translate, staff=self.staff is not None)
        return f"{alarm.say(self.translate, source)} {remedy}".strip()

    async def print_self_test(self) -> None:
        """Print the newest report of a self-test on the receipt printer."""
        kiosk = self.settings.kiosk
        court = self.translate.pick({str(k): v for k, v in kiosk.court.items()})
        image = await self.self_test.draw_slip(self._measured_words(), court)
        if image is None:
            return
        try:
            await self.filing_service.print_image(image)
        except PrinterError as error:
            self.show_notice(error.code)
        self.notify_observers()

    def _measured_words(self) -> MeasuredWords:
        return self.view_context().measured_words(self.shown_recorder_state.microphones)

    # -- display settings ----------------------------------------------------------------------

    def set_display_settings(self, display: DisplaySettings) -> None:
        """Change language, text size, contrast or voice."""
        self.display_settings = display
        if not display.voice:
            self.voice.stop()
        self.translate.switch_language(display.language)
        self.notify_observers()

    def speak(self, screen: str, view: Any) -> None:
        """Speak what ``screen`` shows, once, if the visitor has turned the voice on.

        The loudspeaker is silent during a hearing, and while the state of the recorder is unknown.
        """
        phase = self.recorder_state.phase if self.recorder_state else None
        self.voice.device.is_hearing_active = phase != "idle" or self.is_recorder_stale
        if self.staff is None:
            self.voice.speak(screen, view, self.display_settings)

    # -- staff ---------------------------------------------------------------------------------

    def handle_badge(self, text: str) -> None:
        """Handle what the reader has read: a badge signs in, a visitor's code opens its screen."""
        waiter = self._badge_waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(text)
        elif self.staff is None and self._handle_visitor_code(text):
            self.record_touch()
        elif not self.visit.tracking.is_receipt_code(text):
            self.spawn(self.sign_in.with_badge(text))
        elif self.staff is not None and isinstance(self.secretary.place, UnfinishedFilingsPlace):
            self.record_touch()
            self.spawn(self.unfinished_filings.reprint_receipt(text))

    def _handle_visitor_code(self, text: str) -> bool:
        """Open a visitor's receipt, ticket or summons; return whether ``text`` is one."""
        visit = self.visit
        if visit.tracking.is_receipt_code(text) and isinstance(
            visit.place, HomePlace | DocumentStatusPlace
        ):
            self.spawn(visit.tracking.track(text))
        elif visit.parking.is_ticket_code(text):
            self.spawn(visit.parking.resume(text))
        elif visit.case.is_summons(text):
            self.spawn(visit.case.find(text))
        else:
            return False
        return True

    async def wait_for_badge(self, seconds: float) -> str | None:
        """Return the next badge that is read within ``seconds`` (for the self-test), or None."""
        self._badge_waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                return await self._badge_waiter
        except TimeoutError:
            return None
        finally:
            self._badge_waiter = None

    def _welcome(self, session: StaffSession) -> None:
        """Show the screens of who has signed in; whoever was before her has signed out."""
        self._end_session()
        self.staff = session
        self.recorder_connection.client.token = session.token
        self.notices.passing = None
        if isinstance(self.visit.place, SecretaryCallPlace):
            self.show_notice("visitor_calls")
        self.secretary.reset()
        if not session.has_role("secretary", "judge", "presiding"):
            self.secretary.place = TechnicianHomePlace()
            self.spawn(self.self_test.load())
        elif isinstance(self.secretary.place, TechnicianPlace):
            self.secretary.place = TodayPlace()
        elif isinstance(self.secretary.place, MinutesPlace):
            self.spawn(self.secretary.minutes.refresh())
        elif isinstance(self.secretary.place, QualityPlace):
            self.spawn(self.secretary.quality.refresh())
        if session.has_role("secretary", "judge", "presiding"):
            self.spawn(self.secretary.minutes.look())
        self.record_touch()
        self.spawn(self.secretary.load_schedule(self.today()))
        self.notify_observers()

    def sign_out(self) -> None:
        """Sign the staff out; a running hearing continues."""
        self.staff = None
        self._end_session()
        self.commissioning.reset()
        self.secretary.rehearsal.stop()
        self.secretary.place = TodayPlace()
        self.secretary.reset()
        self.receipts.stop_scan()
        self.notices.hide_from_public()
        self.notify_observers()

    def _end_session(self) -> None:
        """End the token of whoever was signed in, and what she plays in the headset."""
        client = self.recorder_connection.client
        token, client.token = client.token, None
        if token is not None:
            self.spawn(self.sign_in.end(token))

    # -- time ----------------------------------------------------------------------------------

    def record_touch(self) -> None:
        """Record that somebody has touched the screen."""
        self._last_touch_at = self.now()

    @property
    def idle_seconds_left(self) -> int | None:
        """Return the seconds until an absent visitor's data are wiped; None: no warning yet."""
        place = self.visit.place
        blocked = self.visit.is_idle_blocked or self.visit.screen_expires_at is not None
        if isinstance(place, HomePlace) or blocked:
            return None
        ui = self.settings.ui
        idle_seconds = (
            SCAN_FAULT_SECONDS
            if isinstance(place, ScanFaultPlace | SecretaryCallPlace)
            else ui.idle_seconds
        )
        left = self._last_touch_at + idle_seconds + ui.countdown_seconds - self.now()
        return max(0, math.ceil(left)) if left <= ui.countdown_seconds else None

    @property
    def _is_hearing_active(self) -> bool:
        return self.recorder_state is not None and self.recorder_state.phase != "idle"

    @property
    def wipe_seconds_left(self) -> int | None:
        """Return the seconds until the receipt or ticket is wiped from the screen."""
        until = self.visit.screen_expires_at
        return None if until is None else max(0, math.ceil(until - self.now()))

    def finish_visit(self) -> None:
        """Wipe everything of this visitor: pages, language, text size, contrast, voice."""
        self.record_touch()
        self.display_settings = self._default_display_settings
        self.voice.reset()
        self.translate.switch_language(self.display_settings.language)
        self.spawn(self.visit.wipe())
        self.notify_observers()

    def tick(self) -> None:
        """Apply all timeouts; called once a second."""
        now, ui = self.now(), self.settings.ui
        self.reminder_desk.tick()
        untouched_seconds = now - self._last_touch_at
        if untouched_seconds > NOTICE_REST_SECONDS:
            self.notices.expire()
        if self.staff and untouched_seconds > ui.staff_idle_minutes * 60:
            self.sign_out()
        self.sign_in.tick()
        if self.sign_in.place and untouched_seconds > ui.idle_seconds:
            self.sign_in.close()
        self.visit.parking.extend_hidden_ticket(
            hidden=self.staff is not None or self._is_hearing_active
        )
        if self.idle_seconds_left == 0 or self.wipe_seconds_left == 0:
            self.finish_visit()
        is_home = self.staff is None and isinstance(self.visit.place, HomePlace)
        if (
            is_home
            and self.display_settings != self._default_display_settings
            and untouched_seconds > ui.idle_seconds
        ):
            self.finish_visit()
        self.notify_observers()
