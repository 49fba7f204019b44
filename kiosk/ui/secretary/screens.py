"""The secretary's other screens: today, a hearing without the list, stops, sealing, sign-in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.places import AdHoc, AskingDate
from kiosk.ui.secretary.parts import Meter, RecordingLight, Timer, question_card
from kiosk.ui.secretary.views import (
    HearingRow,
    LockedView,
    ReadyLine,
    SealedView,
    StoppedView,
    TodayView,
)
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.fonts import NAMES
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.keyboard import CASE_NUMBER_ROWS, key_rows
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import Page, Slot
from kiosk.ui.widgets.text import lines_needed
from kiosk.ui.words import date_text, timer_text, turned

TONE_ICONS: dict[Tone, str] = {
    "plain": "minus-circle-outline",
    "accent": "clock-outline",
    "good": "check-circle",
    "caution": "alert-circle",
    "fault": "alert-circle",
    "dark": "minus-circle-outline",
}


class StaffPage(Page):
    """A page with the staff's header: title, who is signed in, sign out, clock."""

    desk: Desk

    def head_key(self, view: Any, frame: Frame) -> Any:
        """The header shows who is signed in."""
        return (super().head_key(view, frame), frame.today, self.desk.staff)

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return title, sign-out and clock."""
        kit = self.kit
        title, quiet = self.title(view)
        say_quiet = " · ".join(part for part in (quiet, frame.room, frame.today) if part)
        name = self.desk.staff.name if self.desk.staff else ""
        languages = [
            kit.button(
                f"lang.{code}", code.upper(), self._language(code),
                style="chosen" if code == frame.look.language else "ghost", kind="small",
            )
            for code in ("kk", "ru", "en")
        ]  # fmt: skip
        return [
            kit.line(title, "body", weight="semibold", most=330),
            kit.fit(say_quiet, "small", colour="quiet", lines=2, ellipsis=True),
            kit.fit(name, "small", colour="quiet", align="right", lines=2, ellipsis=True),
            kit.button("look.text", "", self._text_size, icon="format-size", style="ghost"),
            *languages,
            kit.button("staff.signout", "", self.desk.sign_out, icon="logout", style="plain"),
            kit.line(frame.clock, "body", weight="tabular"),
        ]

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.desk.set_look(self.desk.look.with_language(code))

    def _text_size(self) -> None:
        self.desk.set_look(self.desk.look.with_next_text_size())


class TodayPage(StaffPage):
    """Today's hearings: the next one chosen, its readiness, one large start."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.today", desk)

    def title(self, view: TodayView) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Today's hearings"), ""

    def has_foot(self, _view: Any) -> bool:
        """All of the height is for the list."""
        return False

    def body_key(self, view: TodayView) -> Any:
        """The body depends on the view and the page of the list."""
        return (view, self._page())

    def _page(self) -> int:
        return getattr(self.desk.office.place, "page", 0)

    def body(self, view: TodayView) -> Widget:
        """Return list and readiness side by side."""
        kit = self.kit
        return kit.row(
            kit.column(*self._list(view), gap=14, size_hint_x=0.58),
            kit.column(self._ready(view), size_hint_x=0.42),
            gap=24,
            padding=(28, 20),
        )

    def _list(self, view: TodayView) -> list[Widget]:
        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        room = 3 if kit.theme.text_size > 2 or kit.theme.compact else 4
        pages = max(1, -(-len(view.rows) // room))
        chosen = next((n for n, row in enumerate(view.rows) if row.chosen), 0)
        page = min(self._page(), pages - 1) if self._moved() else chosen // room
        rows = [
            self._row(n + 1, row)
            for n, row in enumerate(view.rows)
            if page * room <= n < (page + 1) * room
        ]
        if not rows:
            text = kit.text(view.empty, "heading", wid="today.empty", align="center")
            rows = [kit.card(kit.space(), text, kit.space())]
        rows += [kit.space() for _n in range(room - len(rows))] if view.rows else []
        adhoc = kit.button(
            "today.adhoc", _("Hearing not on the list"), self._adhoc, icon="plus", most=360
        )
        colour = "caution" if view.age_tone == "caution" else "quiet"
        age = kit.fit(view.age, "small", wid="today.age", colour=colour, ellipsis=True)
        steps: list[Widget] = [adhoc, age]
        if pages > 1:
            less = (lambda: office.go(self._at(page - 1))) if page else None
            more = (lambda: office.go(self._at(page + 1))) if page + 1 < pages else None
            steps += [
                kit.button("today.less", "", less, icon="chevron-up"),
                kit.button("today.more", "", more, icon="chevron-down"),
            ]
        foot = kit.row(*steps, gap=14, size_hint_y=None, height=kit.theme.target)
        foot.spacing = kit.theme.gap
        return [*rows, foot]

    def _moved(self) -> bool:
        return getattr(self.desk.office.place, "page", None) not in (None, 0)

    def _at(self, page: int) -> Any:
        from kiosk.ui.places import Today

        return Today(getattr(self.desk.office.place, "chosen", None), page)

    def _adhoc(self) -> None:
        desk = self.desk
        needs = not desk.clock_known and not (
            desk.office.schedule and desk.office.schedule.hearings
        )
        desk.office.ask_adhoc(needs, desk.today())

    def _row(self, number: int, row: HearingRow) -> Widget:
        from kiosk.ui.places import Today

        kit, office = self.kit, self.desk.office
        time = kit.fit(row.time or "–", "heading", weight="tabular", size_hint_x=None, lines=1)
        time.width = kit.px(112)
        case = kit.fit(
            row.case_number, "heading" if row.chosen else "body", weight="semibold", lines=1
        )
        title = kit.fit(row.title, "small", colour="quiet", lines=1, ellipsis=True)
        pills = [kit.pill(row.publicity, "dark" if row.closed else "accent",
                          "lock" if row.closed else "", most=150),
                 kit.pill(row.format, most=190)]  # fmt: skip
        if row.over:
            pills = [kit.pill(row.over, "good", "check", most=400)]
        bottom = kit.row(*pills, kit.space(), gap=8, size_hint_y=None, height=pills[0].height)
        words = kit.column(case, title, bottom, gap=2)
        return kit.touchable_card(
            f"today.hearing.{number}",
            f"{row.time} {row.case_number}",
            lambda: office.go(Today(row.id, self._page())),
            time,
            words,
            chosen=row.chosen,
            orientation="horizontal",
            padding=(24, 10),
            gap=14,
        )

    def _ready(self, view: TodayView) -> Widget:
        kit, _ = self.kit, self.kit.say.gettext
        start: Widget
        if view.chosen:
            start = self._start(view)
        else:
            start = kit.button(
                "today.start", _("Hearing not on the list"), self._adhoc, icon="plus",
                style="primary", kind="heading", wide=True, height=130,
            )  # fmt: skip
        title = kit.text(_("Readiness"), "heading", weight="semibold")
        lines = ReadyLines(kit, view.ready)
        return kit.card(title, lines, start, gap=10, padding=(26, 18))

    def _start(self, view: TodayView) -> Widget:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        title = kit.fit(
            _("Start hearing"), "title", colour="on_accent", weight="semibold", lines=1, factor=0.86
        )
        case = kit.fit(view.start_case, "lead", colour="on_accent", lines=1)
        icon = kit.icon("radiobox-marked", 54, "on_accent")
        words = kit.column(title, case)
        hearing = desk.office.hearing(view.chosen)

        def start() -> None:
            if hearing:
                desk.do(desk.office.start(hearing))

        return kit.touchable_card(
            "today.start",
            f"{_('Start hearing')} {view.start_case}",
            start,
            icon,
            words,
            style="primary",
            orientation="horizontal",
            padding=(28, 16),
            gap=18,
            size_hint_y=None,
            height=max(kit.px(150), kit.theme.target),
            once=True,
        )


class ReadyLines(Slot):
    """The sentences of readiness: all of them, with remedies as far as there is room."""

    def __init__(self, kit: Kit, lines: tuple[ReadyLine, ...]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(6))
        self._kit, self._lines = kit, lines
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        """Shrink until every remedy fits; where that is not enough, leave remedies out."""
        kit = self._kit
        sizes = range(kit.theme.font("body"), kit.least - 1, -1)
        for remedies, size in itertools.product((True, False), sizes):
            texts = [
                f"{line.text} {line.remedy}".strip() if remedies else line.text
                for line in self._lines
            ]
            heights = [self._height(text, size) for text in texts]
            if sum(heights) + self.spacing * len(heights) <= self.height:
                break
        self.clear_widgets()
        for line, text, height in zip(self._lines, texts, heights, strict=True):
            self.add_widget(self._row(line, text, size, height))
        self.add_widget(kit.space())

    def _height(self, text: str, size: int) -> int:
        width = self.width - self._kit.px(27 + 12)
        return round(lines_needed(text, NAMES["regular"], size, width) * size * 1.3)

    def _row(self, line: ReadyLine, text: str, size: int, height: int) -> Widget:
        kit = self._kit
        colour = {"good": "good", "caution": "caution", "fault": "fault"}.get(line.tone, "quiet")
        words = kit.fit(
            text,
            "body",
            wid=f"ready.{line.item}",
            colour="text" if line.tone in ("good", "plain") else colour,
            factor=size / kit.theme.font("body"),
        )
        icon = kit.icon(TONE_ICONS[line.tone], 27, colour)
        return kit.row(icon, words, gap=12, size_hint_y=None, height=height)


class AdHocPage(StaffPage):
    """A hearing that is not on the list: case kind and number; both may stay as they are."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.adhoc", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Hearing not on the list"), ""

    def body(self, view: AdHoc) -> Widget:
        """Return kinds and keys."""
        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        kinds = [
            kit.button(
                f"kind.{kind}", self.desk.labels.kind_title(kind), self._choose(kind),
                style="chosen" if kind == view.kind else "plain", wide=True, height=-1, left=True,
                icon="check" if kind == view.kind else "",
            )
            for kind in self.desk.labels.kinds()
        ]  # fmt: skip
        left = kit.column(kit.text(_("Case kind"), "body", colour="quiet"), *kinds, gap=12)
        typed = kit.fit(
            view.typed or _("may be added later"), "title" if view.typed else "body",
            wid="adhoc.number", weight="tabular" if view.typed else "regular",
            colour="text" if view.typed else "quiet", lines=1,
        )  # fmt: skip
        box = kit.card(typed, padding=(20, 6), size_hint_y=None, height=kit.px(90))
        right = kit.column(
            kit.text(_("Case number"), "body", colour="quiet"),
            box,
            key_rows(kit, CASE_NUMBER_ROWS, office.type_key),
            gap=12,
        )
        return kit.row(
            kit.column(left, size_hint_x=0.4), kit.column(right), gap=28, padding=(28, 20)
        )

    def _choose(self, kind: str) -> Callable[[], None]:
        return lambda: self.desk.office.choose_kind(kind)

    def foot(self, _view: Any) -> list[Widget]:
        """Return back and start."""
        from kiosk.ui.places import Today

        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("back", _("Back"), lambda: desk.office.go(Today())),
            kit.space(),
            kit.button(
                "adhoc.start", _("Start hearing"), lambda: desk.do(desk.office.start_adhoc()),
                icon="radiobox-marked", style="primary", kind="lead", once=True, most=520,
            ),
        ]  # fmt: skip


class DatePage(StaffPage):
    """No list and no clock: the date is asked."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.date", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Date"), ""

    def body(self, view: AskingDate) -> Widget:
        """Return the question and three dials."""
        kit, _ = self.kit, self.kit.say.gettext
        question = kit.text(
            _("The kiosk does not know the date. Which day is it today?"),
            "title", weight="semibold", wid="date.text",
        )  # fmt: skip
        dials = kit.row(
            self._dial("day", _("Day"), str(view.day.day), view.day, timedelta(days=1)),
            self._dial("month", _("Month"), f"{view.day.month:02d}", view.day, None),
            self._dial("year", _("Year"), str(view.day.year), view.day, None),
            gap=28,
        )
        words = kit.text(
            date_text(view.day, kit.say), "heading", wid="date.value", align="center",
            weight="semibold",
        )  # fmt: skip
        return kit.column(question, dials, words, gap=20, padding=(60, 24))

    def _dial(self, part: str, label: str, value: str, day: date, step: timedelta | None) -> Widget:
        kit, office = self.kit, self.desk.office

        def turn(by: int) -> Callable[[], None]:
            return lambda: office.go(AskingDate(turned(day, part, by)))

        del step
        return kit.column(
            kit.text(label, "body", colour="quiet", align="center"),
            kit.button(f"date.{part}.up", "", turn(1), icon="chevron-up", wide=True),
            kit.card(
                kit.fit(value, "display", weight="tabular", align="center", lines=1), padding=8
            ),
            kit.button(f"date.{part}.down", "", turn(-1), icon="chevron-down", wide=True),
            gap=12,
        )

    def foot(self, view: AskingDate) -> list[Widget]:
        """Return back and go on."""
        from kiosk.ui.places import Today

        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        return [
            kit.button("back", _("Back"), lambda: office.go(Today())),
            kit.space(),
            kit.button("date.ok", _("Next"), lambda: office.set_day(view.day), style="primary"),
        ]


class StoppedPage(StaffPage):
    """Recess or retirement: nothing is captured; resume is the one large action."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.stopped", desk)

    def title(self, view: StoppedView) -> tuple[str, str]:
        """Return case number and state."""
        return view.case_number, ""

    def body(self, view: StoppedView) -> Widget:
        """Return state and what comes next."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        icon = kit.icon("door" if view.retired else "pause", 120, "tint_text")
        picture = kit.card(kit.middle(icon), tone="accent", size_hint_x=0.3)
        recorded = _("Recorded so far: {time}", time=timer_text(view.seconds))
        words: list[Widget] = [
            kit.space(),
            kit.text(view.title, "title", wid="rec.state", weight="semibold"),
            kit.text(view.text, "lead", wid="stopped.text"),
            kit.text(recorded, "lead", wid="rec.timer", colour="quiet"),
        ]
        if view.banner:
            words.append(kit.text(view.banner, "body", wid="banner", colour="caution"))
        words.append(kit.space())
        parts: list[Widget] = [picture, kit.column(*words, gap=16)]
        if view.question:
            ask = question_card(kit, view.question, desk.office, desk.office.answers_page)
            parts.append(kit.column(ask, size_hint_x=0.85))
        return kit.row(*parts, gap=36, padding=(40, 32))

    def body_key(self, view: StoppedView) -> Any:
        """The body depends on the view and on the answers shown."""
        return (view, self.desk.office.answers_page)

    def foot_key(self, view: StoppedView) -> Any:
        """The footer depends on the question whether to end."""
        return self.desk.office.asks_end

    def foot(self, view: StoppedView) -> list[Widget]:
        """Return end (asks again) and resume."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        office = desk.office
        if office.asks_end:
            hearing = desk.recorder.hearing if desk.recorder else None
            return [
                kit.fit(_("End the hearing? It is sealed; nothing can be added after that."),
                        "body", wid="rec.end.text", weight="semibold"),
                kit.button("rec.end.cancel", _("Do not end"), lambda: office.ask_end(False),
                           style="primary"),
                kit.button("rec.end.confirm", _("End and seal"), lambda: desk.do(
                    office.end(hearing.id if hearing else "", view.case_number)),
                    icon="stop", style="danger", once=True),
            ]  # fmt: skip
        return [
            kit.button("rec.end", _("End hearing"), lambda: office.ask_end(True), icon="stop",
                       style="danger", most=400),
            kit.space(),
            kit.button("rec.resume", _("Resume the hearing"), lambda: desk.do(office.resume()),
                       icon="radiobox-marked", style="primary", kind="lead", once=True, most=640),
        ]  # fmt: skip


class SealedPage(StaffPage):
    """After the end: sealing, delivery, done."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.sealing", desk)

    def title(self, view: SealedView) -> tuple[str, str]:
        """Return the case number."""
        return view.case_number, ""

    def update(self, view: SealedView, frame: Frame) -> None:
        """Show ``view``; the screen's name says whether it is still being sealed."""
        self.name = "secretary.sealing" if view.sealing else "secretary.delivered"
        super().update(view, frame)

    def body(self, view: SealedView) -> Widget:
        """Return what has happened and what is happening."""
        kit, _ = self.kit, self.kit.say.gettext
        good = view.delivery_tone == "good"
        icon = "timer-sand" if view.sealing else "cloud-check-outline" if good else "lock"
        tone: Tone = "good" if good else "accent"
        colour = "good" if good else "tint_text"
        picture = kit.card(kit.middle(kit.icon(icon, 130, colour)), tone=tone, size_hint_x=0.34)
        sealed = "sealing.text" if view.sealing else "sealed.text"
        words: list[Widget] = [
            kit.space(),
            kit.text(view.sealed_text, "title", wid=sealed, weight="semibold"),
        ]
        if view.delivery_text:
            words.append(
                kit.text(
                    view.delivery_text, "lead", wid="delivery.text",
                    colour={"good": "good", "caution": "caution", "fault": "fault"}.get(
                        view.delivery_tone, "text"
                    ),
                )
            )  # fmt: skip
        if view.fraction is not None:
            bar = Meter(kit, 22)
            bar.fill(view.fraction)
            words.append(bar)
        if not view.sealing and not good:
            words.append(kit.text(_("You need not wait: it goes on by itself."), colour="quiet"))
        words.append(kit.space())
        return kit.row(picture, kit.column(*words, gap=18), gap=44, padding=(60, 60))

    def foot(self, view: SealedView) -> list[Widget]:
        """Return done."""
        from kiosk.ui.places import Today

        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        done = (lambda: desk.office.go(Today())) if view.done else None
        return [
            kit.space(),
            kit.button("sealed.done", _("Done"), done, style="primary", kind="lead"),
        ]


class LockedPage(Page):
    """A hearing runs and nobody is signed in: light and time for everybody, badge for the rest."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.locked", desk)
        self._timer = Timer(kit, "rec.timer", 24.0, round(kit.theme.width * 0.8), "on_dark")
        Band(self, self.colours.dark)
        self._clock = Slot()

    def head(self, view: LockedView, frame: Frame) -> list[Widget]:
        """Return court and clock."""
        kit = self.kit
        return [
            kit.fit(f"{frame.court} · {frame.room}", "body", colour="quiet", lines=1),
            kit.line(frame.clock, "body", weight="tabular"),
        ]

    def head_key(self, view: Any, frame: Frame) -> Any:
        """The header shows court and clock."""
        return (frame.look, frame.clock)

    def body(self, view: LockedView) -> Widget:
        """Return light, state, time."""
        kit = self.kit
        if self._timer.parent:
            self._timer.parent.remove_widget(self._timer)
        state = kit.line(
            view.state, "title", wid="rec.state", colour="on_dark", weight="semibold", most=1000
        )
        light = RecordingLight(kit, 56, on=view.recording)
        rows: list[Widget] = [
            kit.space(),
            self._centred(kit.strip(light, state, gap=20, size_hint_y=None, height=kit.px(110))),
            self._centred(self._timer),
        ]
        if view.proof:
            icon = "check-decagram" if view.proof.tone == "good" else "alert-circle"
            pill = kit.pill(view.proof.text, view.proof.tone, icon, wid="rec.proof", most=700)
            rows.append(self._centred(pill))
        text = kit.text(view.text, "lead", wid="locked.text", colour="on_dark", align="center")
        rows += [kit.space(), text, kit.space()]
        box = kit.column(*rows, gap=16, padding=(40, 10))
        Band(box, self.colours.dark)
        return box

    def _centred(self, child: Widget) -> Widget:
        return self.kit.row(
            self.kit.space(), child, self.kit.space(), size_hint_y=None, height=child.height
        )

    def foot(self, _view: Any) -> list[Widget]:
        """Return the way in without a badge."""
        kit = self.kit
        return [
            kit.space(),
            kit.button(
                "staff.enter", kit.say.gettext("Sign in with a PIN"), self.desk.open_pin,
                icon="lock-outline",
            ),
        ]  # fmt: skip

    def live(self) -> None:
        """Draw the running time."""
        self._timer.show(timer_text(self.desk.seconds_recorded))


class PinPage(Page):
    """The PIN pad; digits are shown as dots."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "staff.pin", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Staff"), ""

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return title and clock."""
        kit = self.kit
        return [
            kit.icon("lock-outline", 30),
            kit.fit(kit.say.gettext("Staff"), "body", weight="semibold", lines=1),
            kit.line(frame.clock, "body", weight="tabular"),
        ]

    def body(self, view: Any) -> Widget:
        """Return sentence, dots and pad."""
        kit, _ = self.kit, self.kit.say.gettext
        dots = kit.fit("•" * len(view.digits) or " ", "title", weight="semibold", align="center")
        box = kit.card(dots, padding=6, size_hint_y=None, height=kit.px(84))
        told = _("This PIN is not right. Try again or use your badge.") if view.wrong else _(
            "Hold your badge to the reader, or type your PIN."
        )  # fmt: skip
        text = kit.text(
            told, "heading", wid="pin.text", colour="fault" if view.wrong else "text",
            weight="medium",
        )  # fmt: skip
        left = kit.column(kit.space(), text, box, kit.space(), gap=24)
        pad = key_rows(kit, ("123", "456", "789", "0"), self.desk.pin_key, prefix="pin")
        return kit.row(left, pad, gap=60, padding=(60, 24))

    def foot(self, view: Any) -> list[Widget]:
        """Return cancel and sign in."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("pin.cancel", _("Cancel"), desk.close_pin),
            kit.space(),
            kit.button(
                "pin.ok", _("Log in"), desk.pin_enter if view.digits else None, style="primary",
                once=True,
            ),
        ]  # fmt: skip
