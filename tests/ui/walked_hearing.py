"""A hearing that a secretary walks through by taps: the real screen, the real recorder.

Devices are virtual, behind the real libraries. What the display in the hall showed is noted after
each step. Nothing here says what should have been: that is in the tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from kiosk.clocks import format_wall
from kiosk.demo.screen_driver import get_json
from kiosk.demo.x_server import Display
from kiosk.hardware.virtual.badge_reader import VirtualBadgeReader
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.hearing.session.persons import OF_WHOM_PREFIX
from tests.services.recorder_process import PEOPLE, RecorderProcess
from tests.support.court_keys import CourtSecrets
from tests.support.waiting import wait_for
from tests.ui.touch_screen import TouchScreen
from tests.ui.walked_record import WalkedRecord

HEARING = "11111111-2222-4333-8444-555555555555"
MICROPHONES = ("presiding", "witness")
WAIT_S = 60.0
MOST_PAGES = 12
OATH = "I swear to tell the court all that I know of the case, and to tell nothing but the truth."
OATH_TIME = timedelta(seconds=3)
"""From its first words: longer than the kiosk expects of the shortest text (R50)."""
TYPED = "typed"
"""What is asked where the answer is typed: the screen does not name it."""


@dataclass
class WalkedHearing:
    """The secretary before the screen.

    Attributes:
        number: of the case.
        people: their names by id, as listed.
        hall: what the display in the hall showed of the hearing, each state once in a row:
            status, whether it is open, and whether number and title can be read.
    """

    screen: TouchScreen
    recorder: RecorderProcess
    microphones: VirtualMicrophones
    badge: VirtualBadgeReader
    court: CourtSecrets
    number: str
    people: dict[str, str]
    _asked_mark: str = ""
    hall: list[tuple[str, str, bool]] = field(default_factory=list)

    # -- what is there -----------------------------------------------------------------------------
    @property
    def state(self) -> dict[str, Any]:
        """The recorder's state."""
        return get_json(self.recorder.paths.recorder_socket, "/v1/state")

    @property
    def hearing(self) -> dict[str, Any]:
        """The open hearing of State; ``{}``: there is none."""
        return dict(self.state["hearing"] or {})

    @property
    def due(self) -> list[str]:
        """What is due, each as ``EVENT`` or ``EVENT:PERSON``."""
        rows = self.hearing["due"]
        return [f"{row['event']}:{row['of']}" if row["of"] else row["event"] for row in rows]

    @property
    def marks(self) -> list[str]:
        """The marks that are in force, each as ``EVENT`` or ``EVENT:PERSON``."""
        rows = [row for row in self.hearing["marks"] if not row["withdrawn"]]
        return [f"{row['type']}:{row['of']['id']}" if row["of"] else row["type"] for row in rows]

    @property
    def folder(self) -> Path:
        """Of the hearing."""
        return self.recorder.hearing_folder(HEARING)

    # -- taps --------------------------------------------------------------------------------------
    def tap(self, *widgets: str) -> None:
        """Tap one widget after the other, each when it can be tapped."""
        for widget in widgets:
            self._tap_first(widget)

    def _tap_first(self, *widgets: str) -> str:
        """Tap the first of ``widgets`` that is on the screen, again if it refuses; say which."""
        while not (tapped := self._tap_once(*widgets)):
            pass
        return tapped

    def _tap_once(self, *widgets: str) -> str:
        """Tap the first of ``widgets`` that is on the screen; say which; empty: it refused."""
        found = wait_for(lambda: self._first_of(widgets), " or ".join(widgets), WAIT_S)
        return str(found["id"]) if self.screen.click(found) else ""

    def _first_of(self, widgets: tuple[str, ...]) -> dict[str, Any] | None:
        rows = self._rows()
        return next((rows[name] for name in widgets if rows.get(name, {}).get("enabled")), None)

    def _rows(self) -> dict[str, dict[str, Any]]:
        """Return what is on the screen, by name; nothing while it changes.

        An event that is due of somebody is ``rec.mark.EVENT:PERSON``.
        """
        screen = self.screen.screen()
        rows = screen["widgets"] if screen.get("settled") else ()
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            of = (f":{who}" for who, name in self.people.items() if name in str(row["text"]))
            person = next(of, "") if "rec.mark." in str(row["id"]) else ""
            found[f"{row['id']}{person}"] = dict(row)
        return found

    def _rows_to_tap(self) -> dict[str, dict[str, Any]] | None:
        """Return what is on the screen once its events take taps: they have just changed."""
        rows = self._rows()
        marks = [row for name, row in rows.items() if name.startswith("rec.mark.")]
        return rows if marks and all(row["enabled"] for row in marks) else None

    def _turn_and_tap(self, widget: str, pager: str) -> None:
        """Tap ``widget``, which may be on a later page."""
        for _page in range(MOST_PAGES):
            if self._tap_or_turn(widget, pager):
                return
        raise AssertionError(f"{widget} is on no page; shown: {sorted(self._rows())}")

    def _tap_or_turn(self, widget: str, pager: str) -> bool:
        """Tap ``widget``, else turn the page and wait for the other one; return which it was."""
        before = wait_for(self._rows, widget, WAIT_S)
        if widget in before:
            self.tap(widget)
            return True
        self.tap(pager)
        wait_for(lambda: (self._rows().keys() or before.keys()) != before.keys(), pager, WAIT_S)
        return False

    def mark(self, *marks: str) -> None:
        """Mark events, each ``EVENT`` or ``EVENT:PERSON``, by what the screen offers."""
        for text in marks:
            person = text.partition(":")[2]
            mark = self._new_mark(text)
            if person and mark["of"] is None:
                self.answer(f"of_whom:{mark['id']}", person)
            wait_for(partial(self._is_newest, text), f"{text}: {self.marks[-1]}", WAIT_S)
            self.look()

    def _new_mark(self, text: str) -> dict[str, Any]:
        count = len(self.hearing["marks"])
        self._tap_event(text)
        return wait_for(partial(self._marks_after, count), text, WAIT_S)[0]

    def _marks_after(self, count: int) -> list[dict[str, Any]]:
        return list(self.hearing["marks"][count:])

    def _is_newest(self, text: str) -> bool:
        return self.marks[-1] == text

    def _is_other(self, subject: str) -> bool:
        return self._asked() != subject

    def _tap_event(self, text: str) -> None:
        """Tap an event, of its person where it is due of them; buttons move: wait for what is due.

        Args:
            text: ``EVENT`` or ``EVENT:PERSON``.
        """
        wait_for(self._shows_what_is_due, "what is due", WAIT_S)
        button, rows = f"rec.mark.{text.partition(':')[0]}", wait_for(self._rows, text, WAIT_S)
        if f"rec.mark.{text}" in rows:
            self.tap(f"rec.mark.{text}")
            return
        if "oath.end" in rows:  # what is said stands where the other events are
            self.tap("oath.end")
            wait_for(self._shows_usual_events, "the events", WAIT_S)
        if not self._tap_or_turn(button, "rec.all"):
            self._turn_and_tap(button, "rec.more")

    def _shows_what_is_due(self) -> bool:
        shown = [name.removeprefix("rec.mark.") for name in self._rows() if "rec.mark." in name]
        return bool(shown) and shown[:1] == (self.due[:1] or shown[:1])

    def _shows_usual_events(self) -> bool:
        return self._shows("rec.all") and not self._shows("oath.end")

    def events(self) -> set[str]:
        """Return all events that the screen offers, of all pages."""
        found: set[str] = set()
        assert not self._tap_or_turn("rec.all.close", "rec.all")
        for _page in range(MOST_PAGES):
            rows = wait_for(self._rows_to_tap, "events", WAIT_S)
            found |= {name for name in rows if name.startswith("rec.mark.")}
            if not rows.get("rec.more", {}).get("enabled"):
                break
            self._tap_or_turn("rec.all.close.", "rec.more")
        self.tap("rec.all.close")
        wait_for(lambda: self._shows("rec.all") and not self._shows("rec.all.close"), "a", WAIT_S)
        return {name.removeprefix("rec.mark.").partition(":")[0] for name in found}

    def begin_mark(self, event: str) -> None:
        """Tap an event that concerns somebody, and wait until it is asked whom."""
        mark = self._new_mark(event)
        self._asked_mark = f"of_whom:{mark['id']}"
        wait_for(lambda: self._asked() == self._asked_mark, "whom", WAIT_S)

    def offered_people(self) -> set[str]:
        """Return the ids of the people who are offered for the mark that was begun."""
        found: set[str] = set()
        for _page in range(MOST_PAGES):
            rows = wait_for(lambda: self._rows() or None, "people", WAIT_S)
            new = {name.rpartition(".")[2] for name in rows if self._asked_mark in name} - found
            if not new or "ask.more" not in rows:
                return found | new
            found |= new
            self.tap("ask.more")
        return found

    def finish_mark(self, text: str) -> None:
        """Say whom the mark that was begun concerns: ``EVENT:PERSON``."""
        self.answer(self._asked_mark, text.partition(":")[2])
        wait_for(lambda: self.marks[-1] == text, text, WAIT_S)

    def answer(self, subject: str, value: str) -> None:
        """Answer the question about ``subject``; what is asked before it is put off.

        Whom a mark concerns is asked before all else: that is waited for.
        """
        if subject.startswith(OF_WHOM_PREFIX):
            wait_for(lambda: self._asked() == subject, subject, WAIT_S)
        self._put_off_until(subject)
        self._turn_and_tap(f"ask.{subject}.{value}", "ask.more")
        wait_for(lambda: subject not in self.hearing["open_questions"], subject, WAIT_S)
        wait_for(lambda: self._rows() and not self._shows(f"ask.{subject}."), subject, WAIT_S)
        self.look()

    def _put_off_until(self, subject: str) -> None:
        """Put off what is asked before ``subject``.

        What the recorder asks meanwhile comes first: on a slow machine a touch may come later than
        it, and put off what was to be answered.
        """
        while self._asked() != subject:
            self._wait_drawn()
            asked = self._asked()
            # a touch that is refused: another question has just come
            if asked != subject and self._tap_once("ask.later"):
                wait_for(partial(self._is_other, asked), f"another than {asked}", WAIT_S)

    def _wait_drawn(self) -> None:
        """Wait until the screen shows what the recorder's State is now."""
        now = datetime.fromisoformat(self.state["wall"])
        wait_for(partial(self._is_drawn_since, now), "the recorder's state", WAIT_S)

    def _is_drawn_since(self, moment: datetime) -> bool:
        drawn = str(self.screen.screen().get("recorder_at") or "")
        return bool(drawn) and datetime.fromisoformat(drawn) >= moment

    def _shows(self, beginning: str) -> bool:
        return any(name.startswith(beginning) for name in self._rows())

    def _asked(self) -> str:
        """Return what is asked on the screen now, once something is."""
        own = ("ask.later", "ask.more", "ask.type")

        def subject() -> str:
            names = [name for name in self._rows() if name.startswith("ask.")]
            found = [
                name.removeprefix("ask.").rpartition(".")[0] for name in names if name not in own
            ]
            return (found or [TYPED] * ("ask.type" in names) or [""])[0]

        return wait_for(subject, "a question", WAIT_S)

    def person(self, person: str) -> dict[str, Any]:
        """Return a person of the hearing."""
        return next(dict(row) for row in self.hearing["persons"] if row["id"] == person)

    def choose(self, *choices: str) -> None:
        """Choose one thing after the other in the open panel or sheet."""
        for choice in choices:
            self._turn_and_tap(f"panel.{choice}", "panel.more")

    def say_of(self, person: str, *choices: str) -> None:
        """Say something of a person on the people's sheet; what is asked is put off."""
        while self._tap_first("rec.people", "ask.later") != "rec.people":
            pass
        for choice in choices:
            before = self.person(person)
            self.choose(f"person:{person}", choice)
            wait_for(partial(self._has_changed, before), choice, WAIT_S)
            wait_for(partial(self._shows, f"panel.person:{person}"), "the list", WAIT_S)
        self.tap("panel.close")
        wait_for(lambda: self._rows() and not self._shows("panel."), "the events", WAIT_S)

    def _has_changed(self, before: dict[str, Any]) -> bool:
        return self.person(str(before["id"])) != before

    def type_answer(self, subject: str, keys: str) -> None:
        """Type the answer to a question that is asked as the first of those that are typed."""
        self._put_off_until(TYPED)
        self.tap("ask.type", *(f"key.{key}" for key in keys), "ask.type.ok")
        wait_for(lambda: subject not in self.hearing["open_questions"], subject, WAIT_S)

    # -- steps of the hearing ----------------------------------------------------------------------
    def start(self) -> None:
        """Sign in and start the hearing of the list."""
        self.badge.scan(PEOPLE["secretary"])
        self.screen.wait_screen("secretary.today")
        listed = self.number  # until the list is there it begins another one
        wait_for(lambda: listed in self.screen.text("today.start"), "the list", WAIT_S)
        self.tap("today.start")
        self.screen.wait_screen("secretary.recording")
        wait_for(lambda: self.hearing.get("id") == HEARING, "the hearing", WAIT_S)
        self.look()

    def wait_phase(self, phase: str) -> None:
        """Wait until the recorder is in ``phase``."""
        self.recorder.wait_for_state(lambda state: state["phase"] == phase, phase)
        self.look()

    def pause(self, how: str) -> None:
        """Tap ``recess`` or ``retire``."""
        self.tap(f"rec.{how}")
        self.screen.wait_screen("secretary.recess")
        self.look()

    def resume(self) -> None:
        """Go on with the next part."""
        self.tap("rec.resume")
        self.screen.wait_screen("secretary.recording")
        self.wait_phase("recording")

    def wait_person(self, person: str, *, left: bool) -> None:
        """Wait until somebody is there, or has left."""
        wait_for(lambda: bool(self.person(person)["left"]) == left, person, WAIT_S)

    def swear(self, microphone: str) -> None:
        """Read the oath that is shown at ``microphone``, and say that it is taken."""
        assert self.screen.text("oath.text")
        voice = self.microphones.speak(microphone, OATH)
        before = self._heard(microphone)
        wait_for(lambda: self._heard(microphone) != before, "the voice", WAIT_S)
        begun = datetime.fromisoformat(self._heard(microphone))
        is_said = partial(self._is_heard_at, microphone, begun + OATH_TIME)
        wait_for(is_said, "the oath to its end", WAIT_S)
        self.tap("oath.end")
        wait_for(lambda: self.hearing["marks"][-1]["ended"], "the end of the oath", WAIT_S)
        voice.kill()
        voice.wait()

    def _heard(self, microphone: str) -> str:
        """Return when somebody was heard there last; empty: never."""
        rows = self.state["microphones"]
        return next(str(row["heard"] or "") for row in rows if row["name"] == microphone)

    def _is_heard_at(self, microphone: str, moment: datetime) -> bool:
        return datetime.fromisoformat(self._heard(microphone)) >= moment

    def close(self, ground: str) -> None:
        """Close the hearing, and name the ground when it is asked."""
        self.tap("rec.close")
        wait_for(lambda: self.hearing["closed"], "a closed hearing", WAIT_S)
        self.look()
        self.answer("closure_ground", ground)

    def open_again(self) -> None:
        """Open it to the public again."""
        self.tap("rec.open")
        wait_for(lambda: self.hearing["closed"] is None, "an open hearing", WAIT_S)
        wait_for(lambda: self._hall_row()[1] == "open", "the hall", WAIT_S)
        self.look()

    def lose(self, microphone: str) -> None:
        """Unplug a microphone that serves somebody, and plug it in again."""
        self.microphones.unplug(microphone)
        self._wait_microphone(microphone, lost=True)
        self.microphones.plug(microphone)
        self._wait_microphone(microphone, lost=False)

    def _wait_microphone(self, microphone: str, *, lost: bool) -> None:
        def is_so() -> bool:
            rows = self.state["microphones"]
            state = next(row["state"] for row in rows if row["name"] == microphone)
            return bool((state == "absent") == lost)

        wait_for(is_so, f"{microphone}: {'lost' if lost else 'back'}", WAIT_S)

    def end(self) -> None:
        """End it, and wait for the seal."""
        self.tap("rec.end", "rec.end.confirm")
        self.recorder.wait_for_state(lambda state: state["hearing"] is None, "the seal")
        self.look()

    # -- what was shown and kept -------------------------------------------------------------------
    def look(self) -> None:
        """Note what the display in the hall shows of the hearing."""
        seen = self._hall_row()
        if self.hall[-1:] != [seen]:
            self.hall.append(seen)

    def _hall_row(self) -> tuple[str, str, bool]:
        (row,) = get_json(self.recorder.paths.hall_socket, "/v1/hall")["rows"]
        return row["status"], row["publicity"], row["case"] is not None

    def visitors_list(self) -> str:
        """Return all that stands on the visitors' list of hearings."""
        self.screen.wait_screen("visitor.home")
        self.tap("home.hearings")
        shown = self.screen.wait_screen("visitor.hearings")
        self.tap("back")
        self.screen.wait_screen("visitor.home")
        return "\n".join(str(row["text"]) for row in shown["widgets"])

    def hall_text(self) -> str:
        """Return all that the display in the hall is told now."""
        told = get_json(self.recorder.paths.hall_socket, "/v1/hall")
        return json.dumps(told, ensure_ascii=False)

    def read_of(self, texts: Iterable[str]) -> list[str]:
        """Return which of ``texts`` are read in the hall, or on the locked screen."""
        read = self.hall_text() + self.locked_text()
        return [text for text in texts if text in read]

    def locked_text(self) -> str:
        """Return all that visitors read on the screen while it is locked; sign in again then."""
        self.tap("staff.signout")
        shown = self.screen.wait_screen("secretary.lock")
        self.badge.scan(PEOPLE["secretary"])
        self.screen.wait_screen("secretary.recording")
        return "\n".join(str(row["text"]) for row in shown["widgets"])

    def write_line(self, field: int, key: str) -> None:
        """Type a line of a letter into a field of the full minutes, and go back to the hearing."""
        self.tap("rec.note", "panel.minutes:")
        self.screen.wait_screen("secretary.minutes")
        assert self.screen.text("rec.timer"), "it is recorded meanwhile"
        self.tap(f"minutes.field.{field}", "minutes.add", f"key.{key}", "typing.save")
        wait_for(lambda: self._shows("minutes.add"), "the line", WAIT_S)
        self.tap("minutes.hearing")
        self.screen.wait_screen("secretary.recording")

    def sign_out(self) -> None:
        """Leave the screen to the visitors."""
        self.tap("staff.signout")
        self.screen.wait_screen("visitor.home")

    @property
    def record(self) -> WalkedRecord:
        """What the recorder kept of it."""
        return WalkedRecord(self.folder, self.recorder, self.court)


@contextmanager
def walked_hearing(
    folder: Path,
    display: Display,
    tables: dict[str, dict[str, Any]] | None = None,
    **row: Any,
) -> Iterator[WalkedHearing]:
    """Start recorder and screen; the court's list has one hearing of today.

    Args:
        folder: with a short path.
        tables: further settings of the screen.
        row: of the list.
    """
    with ExitStack() as stack:
        microphones = stack.enter_context(VirtualMicrophones(folder / "mics", MICROPHONES))
        badge = stack.enter_context(VirtualBadgeReader())
        # no camera: the live picture would keep the processor that draws the screen
        recorder = RecorderProcess(folder, microphones, camera="none")
        stack.callback(recorder.close)
        court = CourtSecrets()
        court.pin(recorder.paths)
        listed = {"id": HEARING, "publicity": "open", "scheduled_at": format_wall(), **row}
        recorder.paths.schedule.parent.mkdir(parents=True, exist_ok=True)
        recorder.paths.schedule.write_text(json.dumps({"hearings": [listed]}), encoding="utf-8")
        recorder.start()
        recorder.wait_until_ready()
        screen = TouchScreen(folder, display, {"badge": {"port": badge.port}, **(tables or {})})
        stack.enter_context(screen)
        listed_people = enumerate(row.get("participants", ()), 1)
        people = {f"p{number}": str(person["name"]) for number, person in listed_people}
        number = str(row["case_number"])
        yield WalkedHearing(screen, recorder, microphones, badge, court, number, people)
