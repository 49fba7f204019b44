"""Widgets that several staff screens share: light, timer, meter, picture, question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.uix.label import Label
from kivy.uix.widget import Widget

from kiosk.hardware.camera.preview import PreviewReader
from kiosk.ui.secretary.questions import Question
from kiosk.ui.secretary.recording import AlarmView
from kiosk.ui.secretary.secretary_actions import SecretaryActions
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.fonts import NAMES, text_extents
from kiosk.ui.widgets.graphics import Dot, Surface, rgba
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import WidgetKit

MIN_LEVEL_DB = -60.0
CAP_HEIGHT = 0.727


class RecordingLight(Widget):
    """The red light: on while something is recorded."""

    def __init__(self, kit: WidgetKit, diameter: float, *, on: bool) -> None:
        size = kit.px(diameter * 1.55)
        super().__init__(size_hint=(None, None), size=(size, size), pos_hint={"center_y": 0.5})
        colours = kit.colours
        colour = colours.recording if on else colours.meter_quiet
        Dot(self, colour, colours.recording_halo if on else None, kit.px(diameter))


class Timer(Label):
    """A running time in figures of one width.

    Args:
        cap_mm: wanted height of the figures, millimetres.
        most: widest, pixels; longer times have smaller figures.
    """

    def __init__(self, kit: WidgetKit, wid: str, cap_mm: float, per_page: int, colour: str) -> None:
        theme = kit.theme
        self._wanted_size = round(cap_mm / CAP_HEIGHT * theme.width / theme.width_mm)
        self._max_width, self._shown = per_page, ""
        size = self._size_for("0:00:00")
        super().__init__(
            text="",
            font_name=NAMES["tabular"],
            font_size=size,
            color=rgba(kit.colour(colour)),
            size_hint=(None, None),
            size=(text_extents("0:00:00", NAMES["tabular"], size)[0] + 4, round(size * 1.0)),
            pos_hint={"center_y": 0.5},
            halign="center",
            valign="middle",
        )
        self.text_size = self.size
        self.wid, self.is_cut = wid, False

    def _size_for(self, text: str) -> int:
        size = self._wanted_size
        while size > 20 and text_extents(text, NAMES["tabular"], size)[0] > self._max_width:
            size -= 2
        return size

    def show(self, text: str) -> None:
        """Show ``text``; it gets smaller figures when it gets longer."""
        if text == self._shown:
            return
        if len(text) != len(self._shown):
            self._max_width = max(self._max_width, int(self.width))
            self.font_size = min(self._size_for("0:00:00"), self._size_for(text))
        self.text = self._shown = text


class Meter(Widget):
    """A level bar. It moves only when its length in pixels changes."""

    def __init__(self, kit: WidgetKit, height: float, *, is_dull: bool = False) -> None:
        super().__init__(size_hint_y=None, height=kit.px(height))
        self._colours = kit.colours
        self._fraction = 0.0
        radius = self.height / 2
        with self.canvas:
            Color(rgba=rgba(kit.colours.fault_tint if is_dull else kit.colours.meter))
            self._track = SmoothRoundedRectangle(radius=[radius])
            self._colour = Color(rgba=rgba(kit.colours.accent))
            self._bar = SmoothRoundedRectangle(radius=[radius])
        self.bind(pos=self._place, size=self._place)

    def show(self, level_db: float | None) -> None:
        """Show a level in dB of full scale; None: no signal."""
        self.fill(
            0.0 if level_db is None else (max(MIN_LEVEL_DB, min(0.0, level_db)) / -MIN_LEVEL_DB) + 1
        )

    def fill(self, fraction: float) -> None:
        """Show a part between 0 and 1."""
        if round(fraction * self.width) != round(self._fraction * self.width):
            self._fraction = fraction
            self._place()

    def _place(self, *_: Any) -> None:
        self._track.pos, self._track.size = self.pos, self.size
        width = self._fraction * self.width
        quiet = self._fraction < 0.08
        self._colour.rgba = rgba(self._colours.meter_quiet if quiet else self._colours.accent)
        self._bar.pos = self.pos
        self._bar.size = (max(self.height, width), self.height) if width > 0 else (0, 0)


class LivePicture(Widget):
    """The camera's picture from shared memory, as large as fits; ``word`` when there is none."""

    def __init__(self, kit: WidgetKit, message: str, **options: Any) -> None:
        super().__init__(**options)
        self._reader: PreviewReader | None = None
        self._path = ""
        self._number = -1
        self._texture: Texture | None = None
        colours = kit.colours
        with self.canvas:
            self._back = Color(rgba=rgba("#2b3b47"))
            self._box = SmoothRoundedRectangle(radius=[kit.px(14)])
            self._tint = Color(rgba=(1, 1, 1, 0))
            self._picture = Rectangle()
        del colours
        self._label = kit.fitted_text(
            message, "body", colour="on_dark", align="center", ellipsis=True
        )
        self.add_widget(self._label)
        self.bind(pos=self._place, size=self._place)

    def set_message(self, message: str) -> None:
        """Say why there is no picture (empty: there is one)."""
        if self._label.text != message:
            self._label.text = message
            self._tint.rgba = (1, 1, 1, 0 if message else 1 if self._texture else 0)

    def draw(self, path: str) -> None:
        """Take the newest frame of ``path``, if there is a new one."""
        if path != self._path:
            self._path = path
            self._reader = PreviewReader(Path(path)) if path else None
        frame = self._reader.read() if self._reader and not self._label.text else None
        if frame is None or frame.number == self._number:
            return
        self._number = frame.number
        size = (frame.width, frame.height)
        if self._texture is None or tuple(self._texture.size) != size:
            self._texture = Texture.create(size=size, colorfmt="rgb")
            self._texture.flip_vertical()
            self._picture.texture = self._texture
            self._place()
        self._texture.blit_buffer(frame.rgb, colorfmt="rgb", bufferfmt="ubyte")
        self._tint.rgba = (1, 1, 1, 1)
        self.canvas.ask_update()

    def close(self) -> None:
        """Let go of the shared memory."""
        if self._reader is not None:
            self._reader.close()

    def _place(self, *_: Any) -> None:
        self._box.pos, self._box.size = self.pos, self.size
        self._label.pos, self._label.size = self.pos, self.size
        ratio = self._texture.width / self._texture.height if self._texture else 16 / 9
        width = min(self.width, self.height * ratio)
        height = width / ratio
        self._picture.size = (width, height)
        self._picture.pos = (self.center_x - width / 2, self.center_y - height / 2)


def alarm_bar(kit: WidgetKit, alarm: AlarmView, on_remedy: Tap | None = None) -> Widget:
    """Return an alarm over the whole width: consequence, then what to do.

    Args:
        on_remedy: opens the remedies for the microphone.
    """
    tone = alarm.tone
    more = f"  +{alarm.more}" if alarm.more else ""
    sentence = kit.fitted_text(
        alarm.sentence + more, "body", wid=f"alarm.{alarm.code}", colour=tone, weight="semibold"
    )
    words = kit.column(sentence)
    if not (on_remedy and kit.theme.compact):  # there the remedies are behind the button
        words.add_widget(kit.fitted_text(alarm.remedy, "body"))
    icon = kit.icon("alert-circle", 38, tone)
    row = kit.row(icon, words, gap=16, padding=(20, 6), size_hint_y=None)
    if on_remedy:
        what = kit.translate.gettext("What to do")
        row.add_widget(
            kit.button(
                "alarm.mend", what, on_remedy, icon="wrench-outline", style="primary", max_width=260
            )
        )
    row.height = max(kit.px(112), kit.min_font * 6)
    fill = kit.colour(f"{tone}_tint")
    Surface(row, fill, kit.colour(tone), kit.px(14), 1)
    return row


def banner_bar(
    kit: WidgetKit, text: str, icon_name: str = "clock-alert-outline", tone: Tone = "caution"
) -> Widget:
    """Return a calm sentence over the whole width."""
    colour = "tint_text" if tone == "accent" else tone
    words = kit.text(text, "body", wid="banner", colour=colour, weight="medium")
    words.pos_hint = {"center_y": 0.5}
    icon = kit.icon(icon_name, 34, colour)
    row = kit.row(icon, words, gap=16, padding=(20, 8), size_hint_y=None)
    row.bind(minimum_height=row.setter("height"))
    fill, line = ("tint", "tint_line") if tone == "accent" else ("caution_tint", "caution_line")
    Surface(row, kit.colour(fill), kit.colour(line), kit.px(14), 1)
    return row


ANSWERS_PER_PAGE = 5
LONG_ANSWERS_PER_PAGE = 3
LONG_ANSWER_LENGTH = 24


def question_card(
    kit: WidgetKit, question: Question, secretary: SecretaryActions, page: int = 0
) -> Widget:
    """Return one question with its answers; it never covers the recording.

    A question with many answers has pages; one to be typed opens the keys (``ask.type``).
    """
    _ = kit.translate.gettext
    long = any(len(label) > LONG_ANSWER_LENGTH for _value, label in question.choices)
    per_page = LONG_ANSWERS_PER_PAGE - kit.theme.compact if long else ANSWERS_PER_PAGE
    first = page * per_page
    answers: list[Widget] = [
        _answer_button(kit, f"ask.{question.subject}.{value}", label, secretary, question, value)
        for value, label in question.choices[first : first + per_page]
    ]
    last = [
        kit.button("ask.later", _("Later"), lambda: secretary.postpone_question(question.subject),
                   style="chosen", wide=True, height=-1, pad=8)
    ]  # fmt: skip
    if len(question.choices) > per_page:
        after = page + 1 if first + per_page < len(question.choices) else 0
        last.append(
            kit.button("ask.more", _("More"), lambda: secretary.show_answers_page(after), wide=True,
                       height=-1, pad=8, icon_after="chevron-right")
        )  # fmt: skip
    if question.typed:
        answers.append(
            kit.button(
                "ask.type", _("Enter"), secretary.open_answer_keys, wide=True, height=-1, pad=8
            )
        )
    columns = 1 if long or len(answers) <= 2 else 2
    rows = [kit.row(*answers[n : n + columns], gap=12) for n in range(0, len(answers), columns)]
    if not long and len(answers) % 2 and columns == 2:
        rows[-1].add_widget(last.pop(0))
    if last:
        rows.append(kit.row(*last, gap=12))
    text = kit.fitted_text(
        question.text, "body", wid="question.text", weight="semibold", size_hint_y=0.6
    )
    return kit.card(text, *rows, tone="accent", gap=10, padding=10)


def _answer_button(
    kit: WidgetKit,
    wid: str,
    label: str,
    secretary: SecretaryActions,
    question: Question,
    value: str,
) -> Widget:
    return kit.button(
        wid,
        label,
        lambda: secretary.spawn_answer(question.subject, value),
        wide=True,
        height=-1,
        once=True,
        pad=8,
    )
