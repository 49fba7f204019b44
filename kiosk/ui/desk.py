"""Everything the screen knows and can do, in plain asyncio: the App only draws it.

One :class:`Desk` per process. It listens to the services, knows who is signed in, where the
visitor and the staff are, and wipes what an absent visitor leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.alarms import alarm_of
from kiosk.clocks import wall_time
from kiosk.config import Settings
from kiosk.errors import KioskError
from kiosk.filing.service import FilingDesk
from kiosk.hardware.voice import Voice
from kiosk.ipc import LocalClient, ServiceRefusedError
from kiosk.locale import Translator
from kiosk.rules import Rules
from kiosk.storage.paths import Layout
from kiosk.ui.facts import Recorder, Staff, Sync
from kiosk.ui.frame import Frame, Notice
from kiosk.ui.here import Here
from kiosk.ui.links import ServiceLine
from kiosk.ui.look import VOICES, Look
from kiosk.ui.places import (
    AtBench,
    AtCopies,
    AtHome,
    AtLeftovers,
    Calling,
    Gathering,
    PinPad,
    Stuck,
    Today,
    Tracking,
)
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.screen import Known
from kiosk.ui.secretary.leftovers import Leftovers
from kiosk.ui.secretary.office import Office
from kiosk.ui.secretary.slips import Slips
from kiosk.ui.technician.bench import Bench
from kiosk.ui.visitor.flow.visit import Visit
from kiosk.ui.visitor.prompts import prompt_of
from kiosk.ui.words import clock_text, day_text

log = logging.getLogger(__name__)

NOTICE_SECONDS = 8.0
# A filing that was left behind by a crash lies so long for the secretary, then it is wiped.
ABANDONED_SECONDS = 1800.0
STUCK_SECONDS = 600.0


class Desk:
    """State and actions of the touch screen.

    Args:
        settings: settings of this kiosk.
        now: monotonic seconds.
        wall: wall time, aware.
        say: the translator; None: a new one.
        rules: the court's rules; None: what is shipped.
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = wall_time,
        say: Translator | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.settings, self.now, self.wall = settings, now, wall
        self.layout = Layout.of(settings.paths)
        self.zone = ZoneInfo(settings.kiosk.timezone)
        self.look = self._first_look = Look(settings.kiosk.language)
        self.say = say or Translator(settings.kiosk.language)
        self.labels = RuleLabels(self.say, rules)
        self.recorder: Recorder | None = None
        self.recorder_at = 0.0
        self.levels: dict[str, Any] = {}
        self.sync: Sync | None = None
        self.staff: Staff | None = None
        self.pin: PinPad | None = None
        self.notice: Notice | None = None
        self._observers: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._badge_wanted: asyncio.Future[str] | None = None
        self._touched = now()
        recorder = LocalClient(self.layout.recorder_socket)
        sync = LocalClient(self.layout.sync_socket)
        self.recorder_line = ServiceLine(recorder, self._from_recorder, self.changed)
        self.sync_line = ServiceLine(sync, self._from_sync, self.changed)
        self.office = Office(
            recorder, sync, self.layout.schedule, self.changed, self.show_notice, self.do, self.zone
        )
        self.filing_desk = FilingDesk(settings, self.labels.rules, sync)
        self.visit = Visit(
            self.filing_desk,
            now,
            settings.ui.receipt_seconds,
            self.changed,
            self.show_notice,
        )
        self.voice = Voice(settings.voice)
        self._said: tuple[str, str, str, int] | None = None
        self.slips = Slips(
            settings,
            recorder,
            self.say,
            self.filing_desk.print_image,
            self.changed,
            self.show_notice,
        )
        self.leftovers = Leftovers(self.filing_desk, recorder, self.changed, self.show_notice)
        self.bench = Bench(settings, self.layout, recorder, sync, self.next_badge, self.changed)

    # -- observers and tasks -------------------------------------------------------------------

    def observe(self, observer: Callable[[], None]) -> None:
        """Call ``observer`` after each change."""
        self._observers.append(observer)

    def changed(self) -> None:
        """Tell the observers that something is different."""
        for observer in self._observers:
            observer()

    def do(self, step: Coroutine[Any, Any, Any]) -> None:
        """Run ``step`` in the background; an error shows as a notice."""
        task = asyncio.get_running_loop().create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, KioskError):
            log.warning("step failed: %s", error)
            self.show_notice(error.code)
        elif error is not None:
            log.error("step failed", exc_info=error)
            self.show_notice("error")

    async def run(self) -> None:
        """Listen to the services until cancelled."""
        with self.voice:
            await self._listen()

    async def _listen(self) -> None:
        async with self.filing_desk, asyncio.TaskGroup() as group:
            group.create_task(self._tidy_filings())
            group.create_task(self.recorder_line.run())
            group.create_task(self.sync_line.run())
            group.create_task(self.office.keep_list(self.today))
            group.create_task(self.office.keep_deliveries())
            group.create_task(self.office.copies.watch(self._at_copies))

    def _at_copies(self) -> bool:
        return self.staff is not None and isinstance(self.office.place, AtCopies)

    def open_copies(self) -> None:
        """Show the screen for the parties' copies."""
        self.office.go(AtCopies())
        self.do(self.office.copies.begin(self.look.language))

    def open_leftovers(self) -> None:
        """Show what a crash left of visitors' documents."""
        self.office.go(AtLeftovers())
        self.leftovers.look()

    async def recover(self, filing_id: str) -> None:
        """Open an unfinished document and leave the screen to its visitor."""
        if self.visit.filing is not None:
            self.show_notice("filing_open")
            return
        filing = await self.leftovers.recover(filing_id)
        if filing is None:
            return
        self.visit.filing = filing
        self.visit.go(Gathering())
        self.sign_out()
        self.touch()
        await filing.look_again()
        self.changed()

    async def _tidy_filings(self) -> None:
        """Finish what was being handed in when the power went; wipe what was left behind."""
        with contextlib.suppress(KioskError):
            await self.filing_desk.resume_submitting()
        while True:
            with contextlib.suppress(KioskError):
                self.filing_desk.wipe_unfinished(ABANDONED_SECONDS)
            if self.visit.filing is None:
                await self.filing_desk.tidy()
            await asyncio.sleep(60)

    async def close(self) -> None:
        """End what runs in the background."""
        await self.visit.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.recorder_line.client.close()
        await self.sync_line.client.close()

    # -- what is known -------------------------------------------------------------------------

    @property
    def recorder_stale(self) -> bool:
        """Return whether the recorder has ceased to answer after it had spoken."""
        return self.recorder is not None and self.recorder_line.up is False

    @property
    def clock_known(self) -> bool:
        """Return whether wall time can be shown."""
        return self.recorder is None or self.recorder.clock.state != "unset"

    def today(self) -> date:
        """Return today's date in the court's zone."""
        return self.wall().astimezone(self.zone).date()

    def here(self) -> Here:
        """Return words and time for the staff's screens."""
        return Here(self.say, self.labels, self.zone, self.wall())

    def known(self) -> Known:
        """Return what decides on the screen."""
        recorder, staff = self.recorder, self.staff
        return Known(
            phase=recorder.phase if recorder else None,
            has_hearing=recorder is not None and recorder.hearing is not None,
            staff=staff is not None,
            secretary=staff is not None and staff.may("secretary", "judge", "presiding"),
            visit=self.visit.place,
            place=self.office.place,
            pin=self.pin,
            idle_left=self.idle_left,
            leaving=self.visit.leaving,
        )

    def frame(self) -> Frame:
        """Return what every screen shows around its middle."""
        notice = self.notice
        text, tone = "", notice.tone if notice else "caution"
        if notice:
            text = self.notice_text(notice.code)
        return Frame(
            look=self.look,
            clock=clock_text(self.wall(), self.zone) if self.clock_known else "",
            court=self.say.pick({str(k): v for k, v in self.settings.kiosk.court.items()}),
            room=self.say.gettext("Room {room}", room=self.settings.kiosk.room),
            today=day_text(self.today(), self.say) if self.clock_known else "",
            central=None if self.sync is None else self.sync.link.state == "up",
            notice=text,
            notice_tone=tone,
        )

    def _from_recorder(self, name: str, value: Any) -> None:
        if name == "levels":
            self.levels = value if isinstance(value, dict) else {}
            return
        if name == "export":
            self.office.copies.take(value)
        if name != "state":
            return
        before, self.recorder = self.recorder, Recorder.model_validate(value)
        self.recorder_at = self.now()
        over = self.recorder.phase in ("sealing", "idle")
        if self.recorder.phase == "recording" and self.slips.state.state:
            self.slips.clear()
        running = before is not None and before.phase not in ("sealing", "idle")
        if before and before.hearing and running and over:
            self.office.was_ended(before.hearing.id, before.hearing.case_number)
        if self.recorder.phase != "idle" and self.visit.later.can_park:
            self.do(self.visit.later.park(because=True))
        self.changed()

    def _from_sync(self, name: str, value: Any) -> None:
        if name == "state":
            self.sync = Sync.model_validate(value)
            self.changed()

    @property
    def seconds_recorded(self) -> float:
        """Return the running hearing's seconds now (the timer runs between two states)."""
        recorder = self.recorder
        if recorder is None or recorder.hearing is None:
            return 0.0
        running = recorder.phase == "recording" and not self.recorder_stale
        since = self.now() - self.recorder_at if running else 0.0
        return recorder.hearing.seconds + min(since, 5.0)

    # -- notices -------------------------------------------------------------------------------

    def show_notice(self, code: str) -> None:
        """Show one sentence at the top for a few seconds."""
        self.notice = Notice(code, until=self.now() + NOTICE_SECONDS)
        if code == "token_expired":
            self.staff = None
        self.changed()

    def close_notice(self) -> None:
        """Take the sentence at the top away."""
        self.notice = None
        self.changed()

    def notice_text(self, code: str) -> str:
        """Return consequence and remedy of ``code`` for who stands here."""
        alarm = alarm_of(code)
        remedy = alarm.remedy(self.say, staff=self.staff is not None)
        return f"{alarm.say(self.say)} {remedy}".strip()

    # -- look ----------------------------------------------------------------------------------

    def set_look(self, look: Look) -> None:
        """Change language, text size, contrast or voice."""
        self.look = look
        if not look.voice:
            self.voice.stop()
            self._said = None
        self.say.switch(look.language)
        self.changed()

    def speak(self, screen: str, view: Any) -> None:
        """Say what ``screen`` shows, once, if the visitor has the voice on.

        The loudspeaker is silent while a hearing is on, or while the recorder does not tell.
        """
        phase = self.recorder.phase if self.recorder else None
        self.voice.hearing_runs = phase != "idle" or self.recorder_stale
        step = self.look.voice
        if not step or self.staff is not None:
            return
        key = (screen, prompt_of(screen, view, self.say), self.look.language, step)
        if key != self._said and key[1]:
            self._said = key
            volume = VOICES[step]
            self.voice.volume = self.settings.voice.volume if volume is None else volume
            self.voice.say(key[1], self.look.language, message=screen)

    # -- staff ---------------------------------------------------------------------------------

    def open_pin(self) -> None:
        """Open the PIN pad."""
        self.pin = PinPad()
        self.changed()

    def close_pin(self) -> None:
        """Close the PIN pad."""
        self.pin = None
        self.changed()

    def pin_key(self, key: str) -> None:
        """Type one digit of the PIN (``""``: delete the last)."""
        if self.pin is not None:
            digits = (self.pin.digits + key)[:12] if key else self.pin.digits[:-1]
            self.pin = PinPad(digits)
            self.changed()

    def pin_enter(self) -> None:
        """Sign in with the PIN that was typed."""
        if self.pin is not None and self.pin.digits:
            self.do(self.sign_in({"pin": self.pin.digits}))

    def badge(self, text: str) -> None:
        """Take what the reader has read: a badge signs in, a receipt's code asks where it is."""
        waiting = self._badge_wanted
        if waiting is not None and not waiting.done():
            waiting.set_result(text)
        elif self.staff is None and self._for_visitor(text):
            self.touch()
        elif not self.visit.later.is_reference(text):
            self.do(self.sign_in({"badge": text}))
        elif self.staff is not None and isinstance(self.office.place, AtLeftovers):
            self.touch()
            self.do(self.leftovers.print_again(text))

    def _for_visitor(self, text: str) -> bool:
        """Take what a visitor holds to the reader: a receipt, a ticket, a summons."""
        visit = self.visit
        if visit.later.is_reference(text) and isinstance(visit.place, AtHome | Tracking):
            self.do(visit.later.track(text))
        elif visit.later.is_ticket(text):
            self.do(visit.later.resume(text))
        elif visit.telling.is_summons(text):
            self.do(visit.telling.find_case(text))
        else:
            return False
        return True

    async def next_badge(self, seconds: float) -> str | None:
        """Return the next badge that is held to the reader (for the self-test), or None."""
        self._badge_wanted = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds):
                return await self._badge_wanted
        except TimeoutError:
            return None
        finally:
            self._badge_wanted = None

    async def sign_in(self, proof: dict[str, str]) -> None:
        """Sign in at the recorder with a badge or a PIN."""
        try:
            answer = await self.recorder_line.client.post("/v1/sign-in", proof)
        except ServiceRefusedError as error:
            self._refuse_sign_in(error.code, by_pin="pin" in proof)
            return
        except KioskError:
            self.show_notice("recorder_down")
            return
        self.staff = Staff.model_validate(answer)
        self.recorder_line.client.token = self.staff.token
        self.pin = self.notice = None
        if isinstance(self.visit.place, Calling):
            self.show_notice("visitor_calls")
        self.office.reset()
        if not self.staff.may("secretary", "judge", "presiding"):
            self.office.place = AtBench()
            self.do(self.bench.load())
        elif isinstance(self.office.place, AtBench):
            self.office.place = Today()
        self.touch()
        self.do(self.office.load_list(self.today()))
        self.changed()

    def _refuse_sign_in(self, code: str, *, by_pin: bool) -> None:
        if by_pin:
            self.pin = PinPad(wrong=True)
            self.changed()
        else:
            self.show_notice(code)

    def sign_out(self) -> None:
        """Sign the staff out; a running hearing goes on."""
        self.staff = None
        self.recorder_line.client.token = None
        self.office.place = Today()
        self.office.reset()
        self.changed()

    # -- time ----------------------------------------------------------------------------------

    def touch(self) -> None:
        """Somebody has touched the screen."""
        self._touched = self.now()

    @property
    def idle_left(self) -> int | None:
        """Return the seconds until an absent visitor's things are wiped; None: no warning yet."""
        place = self.visit.place
        still = self.visit.stands_still or self.visit.keeps_screen is not None
        if isinstance(place, AtHome) or still:
            return None
        screen = self.settings.ui
        patience = STUCK_SECONDS if isinstance(place, Stuck | Calling) else screen.idle_seconds
        left = self._touched + patience + screen.countdown_seconds - self.now()
        return max(0, math.ceil(left)) if left <= screen.countdown_seconds else None

    @property
    def _hearing_runs(self) -> bool:
        return self.recorder is not None and self.recorder.phase != "idle"

    @property
    def wipe_seconds(self) -> int | None:
        """Return the seconds until the receipt's screen is wiped."""
        until = self.visit.keeps_screen
        return None if until is None else max(0, math.ceil(until - self.now()))

    def finish_visit(self) -> None:
        """Wipe everything of this visitor: pages, language, text size, contrast, voice."""
        self.touch()
        self.look = self._first_look
        self._said = None
        self.voice.reset()
        self.say.switch(self.look.language)
        self.do(self.visit.wipe())
        self.changed()

    def tick(self) -> None:
        """Let time pass: once a second."""
        now, screen = self.now(), self.settings.ui
        still = now - self._touched
        if self.notice and now > self.notice.until:
            self.notice = None
        if self.staff and still > screen.staff_idle_minutes * 60:
            self.sign_out()
        if self.pin and still > screen.idle_seconds:
            self.pin = None
        self.visit.later.keep_ticket(hidden=self.staff is not None or self._hearing_runs)
        if self.idle_left == 0 or self.wipe_seconds == 0:
            self.finish_visit()
        at_home = self.staff is None and isinstance(self.visit.place, AtHome)
        if at_home and self.look != self._first_look and still > screen.idle_seconds:
            self.finish_visit()
        self.changed()
