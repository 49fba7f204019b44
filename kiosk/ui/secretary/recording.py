"""The running hearing: light, time and proof read from two metres; the rest within reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.secretary.parts import (
    LivePicture,
    Meter,
    RecordingLight,
    Timer,
    alarm_strip,
    banner_strip,
    question_card,
)
from kiosk.ui.secretary.recording_views import EventButton, LevelRow, ProofView, RecordingView
from kiosk.ui.widgets.graphics import Band, Surface
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.kit import Kit
from kiosk.ui.widgets.scene import NaturalSlot, Scene, Slot
from kiosk.ui.words import iso_date, timer_text

TIMER_CAP_MM = 24.0
SMALL_TIMER_CAP_MM = 15.0


class RecordingScene(Scene):
    """Draws :class:`RecordingView`."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "secretary.recording")
        self.desk = desk
        self._meters: dict[str, Meter] = {}
        self._picture: LivePicture | None = None
        theme = kit.theme
        cap = SMALL_TIMER_CAP_MM if theme.compact else TIMER_CAP_MM
        self._timer = Timer(kit, "rec.timer", cap, round(theme.width * 0.6), "on_dark")
        height = max(self._timer.height + kit.px(4), kit.px(140))
        self._head = Slot(size_hint_y=None, height=height)
        self._notice = NaturalSlot(padding=(kit.px(22), kit.px(10), kit.px(22), 0))
        self._left = Slot()
        self._middle = Slot()
        self._right = Slot()
        self._foot = Slot(size_hint_y=None, height=theme.target + kit.px(22))
        self._right_side = kit.column(self._right, size_hint_x=0.30)
        self._columns = kit.row(
            kit.column(self._left, size_hint_x=0.33),
            kit.column(self._middle, size_hint_x=0.37),
            self._right_side,
            gap=18,
            padding=(22, 12),
        )
        for part in (self._head, self._notice, self._columns, self._foot):
            self.add_widget(part)

    # -- what changes with the state -----------------------------------------------------------

    def update(self, view: RecordingView, frame: Frame) -> None:
        """Show ``view``."""
        head_key = (view.state, view.stale, view.proof, view.case.publicity, frame.clock)
        self._head.show(head_key, lambda: self._head_of(view, frame))
        strip = (frame.notice, view.alarm, view.banner)
        self._notice.show(strip, lambda: self._strip(view, frame))
        self._left.show((view.levels, view.camera_word), lambda: self._sources(view))
        desk = self.desk.office
        asks = self._asks_alone(view)
        self._spread(asks)
        middle = (
            view.question if asks else None,
            desk.answers_page,
            view.expected,
            view.others,
            view.every if desk.show_all else (),
            desk.show_all,
            desk.all_page,
            desk.typing,
        )
        self._middle.show(middle, lambda: self._events(view))
        strip_on = bool(view.alarm or view.banner)
        right = (view.question, desk.answers_page, view.course, view.case, view.can_undo, strip_on)
        if not asks:
            self._right.show(right, lambda: self._course(view))
        self._foot.show(desk.asks_end, lambda: self._footer(view))
        self.live()

    def _asks_alone(self, view: RecordingView) -> bool:
        """Return whether a question stands alone beside the picture: on a small screen.

        There an alarm goes before a question, which comes back in the next stop.
        """
        return self.kit.theme.compact and view.question is not None and view.alarm is None

    def _spread(self, asks: bool) -> None:
        """On a small screen a question takes the room of events and course until answered."""
        shown = self._right_side.parent is not None
        if asks and shown:
            self._columns.remove_widget(self._right_side)
        elif not asks and not shown:
            self._columns.add_widget(self._right_side)

    def live(self) -> None:
        """Draw timer, levels and picture."""
        self._timer.show(timer_text(self.desk.seconds_recorded))
        for name, meter in self._meters.items():
            level = self.desk.levels.get(name) or {}
            meter.show(level.get("rms_db"))
        recorder = self.desk.recorder
        if self._picture is not None and recorder and recorder.preview:
            self._picture.draw(recorder.preview.path)

    # -- parts ---------------------------------------------------------------------------------

    def _head_of(self, view: RecordingView, frame: Frame) -> Widget:
        kit, c = self.kit, self.colours
        if self._timer.parent:
            self._timer.parent.remove_widget(self._timer)
        state = kit.fit(
            view.state, "heading", wid="rec.state", colour="on_dark", weight="semibold", lines=2
        )
        left = kit.column(
            kit.row(RecordingLight(kit, 40, on=not view.stale), state, gap=14),
            self._proof_of(view.proof),
            gap=8,
            padding=(0, 12),
        )
        clock = kit.line(frame.clock, "heading", colour="on_dark", weight="tabular")
        lock = "lock" if view.case.closed else ""
        public = kit.pill(view.case.publicity, "dark", lock, most=100)
        right = kit.column(
            kit.space(),
            kit.row(kit.space(), clock, size_hint_y=None, height=clock.height),
            kit.row(kit.space(), public, size_hint_y=None, height=public.height),
            kit.space(),
            gap=10,
            size_hint_x=None,
            width=max(kit.px(172), kit.least * 8),
        )
        bar = kit.row(left, self._timer, right, gap=12, padding=(22, 0))
        Band(bar, c.dark, c.line if kit.theme.high_contrast else None)
        return bar

    def _proof_of(self, proof: ProofView) -> Widget:
        """Return the proof light: large enough to be seen across the room."""
        kit = self.kit
        good = proof.tone == "good"
        fill = {"good": "good_tint", "caution": "caution_tint", "fault": "fault_tint"}
        colour = proof.tone if proof.tone in fill else "on_dark"
        text = kit.fit(proof.text, "body", wid="rec.proof", colour=colour, weight="medium", lines=2)
        icon = kit.icon("check-decagram" if good else "alert-circle", 34, colour)
        row = kit.row(icon, text, gap=10, padding=(14, 4))
        Surface(row, kit.colour(fill.get(proof.tone, "dark_pill")), None, kit.px(18), 0)
        return row

    def _strip(self, view: RecordingView, frame: Frame) -> Widget | None:
        if frame.notice:
            return banner_strip(self.kit, frame.notice)
        if view.alarm:
            return alarm_strip(self.kit, view.alarm)
        if not view.banner or self._asks_alone(view):
            return None
        return banner_strip(self.kit, view.banner)

    def _sources(self, view: RecordingView) -> Widget:
        kit = self.kit
        if self._picture is not None:
            self._picture.close()
        self._picture = LivePicture(kit, view.camera_word, size_hint_y=1)
        self._meters = {}
        rows = [self._level(level) for level in view.levels]
        levels = kit.card(*rows, grow=False, gap=8, padding=(18, 12))
        return kit.column(self._picture, levels, gap=12)

    def _level(self, level: LevelRow) -> Widget:
        kit = self.kit
        loud = level.tone in ("fault", "caution")
        colour = level.tone if loud else "text"
        name = kit.fit(
            level.label, "small", colour=colour, weight="semibold", lines=1, ellipsis=True
        )
        word = kit.fit(
            level.word, "small", wid=f"level.{level.name}", colour=colour if loud else "quiet",
            align="right", lines=1, ellipsis=True,
        )  # fmt: skip
        name.size_hint_x, word.size_hint_x = len(level.label) * 1.25, len(level.word)
        height = round(kit.theme.font("small") * 1.3)
        parts: list[Widget] = []
        if level.tone == "fault":
            parts.append(kit.icon("microphone-off", 24, "fault"))
        parts += [name, word] if level.word else [name]
        meter = Meter(kit, 14, dull=level.tone == "fault")
        self._meters[level.name] = meter
        row = kit.row(*parts, gap=6, size_hint_y=None, height=height)
        return kit.stack(row, meter, gap=2)

    def _events(self, view: RecordingView) -> Widget:
        office = self.desk.office
        if office.typing is not None and view.question and view.question.typed:
            return self._keys(view.question.subject, office.typing)
        if self._asks_alone(view) and view.question:
            return question_card(self.kit, view.question, office, office.answers_page)
        return self._all_events(view) if office.show_all else self._usual_events(view)

    def _keys(self, subject: str, typed: str) -> Widget:
        """Return the keys for an answer that is typed: a case number or a date."""
        kit, _, office = self.kit, self.kit.say.gettext, self.desk.office
        value = iso_date(typed) if subject == "date" else typed.strip()
        hint = _("day.month.year") if subject == "date" else " "
        shown = kit.fit(typed or hint, "title", wid="ask.typed", weight="tabular", lines=1,
                        colour="text" if typed else "quiet")  # fmt: skip
        box = kit.card(shown, padding=(16, 2), size_hint_y=0.6)
        send = (lambda: office.say(subject, value)) if value else None
        keys = key_rows(kit, ("12345", "67890"), office.type_answer, delete=False)
        keys.size_hint_y = 2.2
        last: list[Widget] = [
            kit.button(f"key.{c}", c, self._key(c), wide=True, height=-1, kind="heading", pad=4)
            for c in ("." if subject == "date" else "-/")
        ]
        last += [
            kit.button("key.delete", "", self._key(""), icon="backspace-outline", wide=True,
                       height=-1),
            kit.button("ask.type.cancel", "", office.end_typing, icon="close", wide=True,
                       height=-1),
            kit.button("ask.type.ok", "", send, icon="check", style="primary", wide=True,
                       height=-1),
        ]  # fmt: skip
        row = kit.row(*last)
        column = kit.column(box, keys, row)
        column.spacing = row.spacing = kit.theme.gap
        return column

    def _key(self, character: str) -> Callable[[], None]:
        return lambda: self.desk.office.type_answer(character)

    def _usual_events(self, view: RecordingView) -> Widget:
        kit, _ = self.kit, self.kit.say.gettext
        parts: list[Widget] = []
        small = kit.theme.compact
        if view.expected:
            if not small:
                parts.append(self._caption(_("Up next")))
            first = [
                self._event(event, "primary" if n == 0 else "tint")
                for n, event in enumerate(view.expected[: 1 if small else 2])
            ]
            row = kit.row(*first, gap=12, size_hint_y=None)
            row.height = max(kit.px(92), round(kit.theme.target * 1.25))
            parts.append(row)
        if not small:
            parts.append(self._caption(_("Other")))
        parts.append(EventPad(kit, len(view.others), lambda count: self._others(view, count)))
        return kit.column(*parts, gap=10)

    def _others(self, view: RecordingView, count: int) -> list[Widget]:
        buttons = [self._event(event, "plain") for event in view.others[: count - 1]]
        every = self.kit.button(
            "rec.all",
            self.kit.say.gettext("All events"),
            lambda: self.desk.office.all_events(True),
            icon="format-list-bulleted",
            wide=True,
            height=-1,
            pad=10,
        )
        return [*buttons, every]

    def _all_events(self, view: RecordingView) -> Widget:
        kit, office = self.kit, self.desk.office
        across, each = (1, 2) if kit.theme.compact else (2, 8)
        pages = max(1, -(-len(view.every) // each))
        page = min(office.all_page, pages - 1)
        shown = [self._event(e, "plain") for e in view.every[page * each : (page + 1) * each]]
        while len(shown) < each:
            shown.append(kit.space())
        rows = [kit.row(*shown[n : n + across], gap=12) for n in range(0, each, across)]
        back = (lambda: office.all_events(True, page - 1)) if page else None
        forth = (lambda: office.all_events(True, page + 1)) if page + 1 < pages else None
        less = kit.button("rec.less", "", back, icon="chevron-left")
        more = kit.button("rec.more", "", forth, icon="chevron-right")
        word = "" if kit.theme.compact or kit.theme.text_size > 2 else kit.say.gettext("Close")
        close = kit.button(
            "rec.all.close", word, lambda: office.all_events(False), icon="close", wide=True, pad=8
        )
        count = kit.line(f"{page + 1} / {pages}", "small", colour="quiet", weight="tabular")
        steps = kit.row(less, count, more, close, gap=12, size_hint_y=None, height=kit.theme.target)
        return kit.column(*rows, steps, gap=10)

    def _event(self, event: EventButton, style: Any) -> Widget:
        desk = self.desk
        return self.kit.button(
            f"rec.mark.{event.id}",
            event.label,
            lambda: desk.do(desk.office.mark(event.id)),
            style=style,
            wide=True,
            height=-1,
            pad=10,
        )

    def _caption(self, text: str) -> Widget:
        kit = self.kit
        return kit.text(text, "small", colour="quiet")

    def _course(self, view: RecordingView) -> Widget:
        kit, desk = self.kit, self.desk
        if view.question is None or kit.theme.compact:
            return self._course_card(view)
        number = kit.fit(
            view.case.case_number, "body", wid="rec.case", weight="semibold", lines=1,
            size_hint_y=None, height=kit.px(34),
        )  # fmt: skip
        question = question_card(kit, view.question, desk.office, desk.office.answers_page)
        return kit.column(number, question, gap=6)

    def _course_card(self, view: RecordingView) -> Widget:
        kit, _, case = self.kit, self.kit.say.gettext, view.case
        rows: list[Widget] = [
            kit.fit(
                case.case_number, "body", wid="rec.case", weight="semibold", lines=1,
                size_hint_y=None, height=round(kit.theme.font("body") * 1.3),
            )
        ]  # fmt: skip
        quiet = " · ".join(part for part in (case.title, case.people) if part)
        if quiet and not kit.theme.compact:
            height = round(kit.least * 1.3 * 2)
            rows.append(
                kit.fit(
                    quiet, "small", colour="quiet", ellipsis=True, size_hint_y=None, height=height
                )
            )
        if case.next_time:
            rows.append(kit.text(case.next_time, "small", colour="tint_text", weight="medium"))
        course = Course(kit, [(line.time, line.text, line.fault) for line in view.course])
        parts: list[Widget] = [kit.stack(*rows, gap=2), course]
        if view.can_undo and not (kit.theme.compact and (view.alarm or view.banner)):
            parts.append(
                kit.button(
                    "rec.undo", _("Take back the last mark"),
                    lambda: self.desk.do(self.desk.office.undo()),
                    icon="undo", wide=True, pad=12,
                )
            )  # fmt: skip
        return kit.card(*parts, gap=8, padding=(18, 14))

    def _footer(self, view: RecordingView) -> Widget:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        office = desk.office
        if office.asks_end:
            hearing = desk.recorder.hearing if desk.recorder else None
            children: list[Widget] = [
                kit.fit(
                    _("End the hearing? It is sealed; nothing can be added after that."),
                    "body", wid="rec.end.text", weight="semibold",
                ),
                kit.button("rec.end.cancel", _("Go on recording"), lambda: office.ask_end(False),
                           style="primary"),
                kit.button(
                    "rec.end.confirm", _("End and seal"),
                    lambda: desk.do(
                        office.end(hearing.id, hearing.case_number) if hearing else _nothing()
                    ),
                    icon="stop", style="danger", once=True,
                ),
            ]  # fmt: skip
        else:
            children = [
                kit.button(
                    "rec.recess", _("Recess"), lambda: desk.do(office.recess()), icon="pause",
                    once=True, most=300,
                ),
                kit.button(
                    "rec.retire", _("Retire to deliberate"), lambda: desk.do(office.retire()),
                    icon="door", once=True, most=400,
                ),
                kit.space(),
                kit.button("staff.signout", "", desk.sign_out, icon="logout", style="ghost"),
                kit.gap(40),
                kit.button(
                    "rec.end", _("End hearing"), lambda: office.ask_end(True), icon="stop",
                    style="danger", most=330,
                ),
            ]  # fmt: skip
        del view
        bar = kit.row(*children, gap=16, padding=(22, 0))
        bar.spacing = kit.theme.gap
        Band(bar, self.colours.surface, self.colours.line, top=True)
        return bar


async def _nothing() -> None:
    """Do nothing: the hearing is gone already."""


class EventPad(BoxLayout):
    """Two columns of buttons, in as many rows as there is room for at 12.7 mm each."""

    def __init__(self, kit: Kit, most: int, build: Callable[[int], list[Widget]]) -> None:
        super().__init__(orientation="vertical", spacing=kit.px(12))
        self._kit, self._most, self._build = kit, most, build
        self._rows = 0
        self.bind(height=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        room = int((self.height + self.spacing) // (kit.theme.target + self.spacing))
        rows = max(1, min(room, (self._most + 2) // 2, 4))
        if rows == self._rows:
            return
        self._rows = rows
        self.clear_widgets()
        buttons = self._build(rows * 2)
        for n in range(0, len(buttons), 2):
            self.add_widget(kit.row(*buttons[n : n + 2], gap=12))


class Course(Slot):
    """The newest lines of the course: as many as there is room for, whole lines only."""

    def __init__(self, kit: Kit, lines: list[tuple[str, str, bool]]) -> None:
        super().__init__(orientation="vertical")
        self._kit, self._lines = kit, lines
        self.bind(size=self._fill)

    def _fill(self, *_: Any) -> None:
        kit = self._kit
        self.clear_widgets()
        room, gap = self.height, kit.px(6)
        for time, text, fault in self._lines:
            colour = "fault" if fault else "text"
            label = kit.text(
                f"{time}  {text}", "small", colour=colour, size_hint_x=None, width=self.width
            )
            label.text_size = (self.width, None)
            label.texture_update()
            label.height = label.texture_size[1]
            room -= label.height + gap
            if room < 0:
                break
            self.add_widget(label)
            self.add_widget(kit.space_of(gap))
        self.add_widget(kit.space())
