"""Self-test screen: all checks, or one of them large: running, asking, its result, its history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kivy.uix.widget import Widget

import kiosk
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import SelfTestPlace
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.self_test import CheckRow, CurrentCheck, SelfTestView
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.fonts import NAMES
from kiosk.ui.widgets.indicators import Meters
from kiosk.ui.widgets.live_picture import LivePicture
from kiosk.ui.widgets.text import FittedText, lines_needed
from kiosk.ui.widgets.widget_kit import Style, WidgetKit

GRID, LARGE_TEXT_GRID, COMPACT_GRID = (4, 5), (3, 4), (4, 3)
"""Columns and rows of the list: no name gets smaller at a larger text size, the list pages."""
LINE_HEIGHT = 1.3
"""Height of a line of text, in font sizes."""


class SelfTestScreen(StaffScreen):
    """All checks in a grid; the one that runs or was picked fills the screen."""

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._meters = Meters(kit)
        self._decibels: dict[str, FittedText] = {}
        self._picture: LivePicture | None = None

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title, which kiosk, which version."""
        kiosk_id = self.app.settings.kiosk.id
        return self.kit.translate.gettext("Self-test"), f"{kiosk_id} · {kiosk.__version__}"

    def body_key(self, view: SelfTestView) -> Any:
        """Return what the body depends on."""
        what = view.rows if view.shows_list else view.current_check
        return view.shows_list, what, view.page, view.is_running

    def body(self, view: SelfTestView) -> Widget:
        """Return the list, or the check shown large."""
        self._meters.clear()
        self._decibels.clear()
        if self._picture is not None:
            self._picture.close()
            self._picture = None
        return self._list(view) if view.shows_list else self._large(view)

    # -- all checks ----------------------------------------------------------------------------
    def _list(self, view: SelfTestView) -> Widget:
        kit, (columns, size) = self.kit, self._grid()
        rows = [self._row(row) for row in view.rows[view.page * size : (view.page + 1) * size]]
        cells = kit.filled(rows, size)
        return kit.column(*kit.grid(cells, columns, gap=12), gap=12, padding=(20, 12))

    def _grid(self) -> tuple[int, int]:
        """Return the columns of the list, and how many checks are on one page."""
        theme = self.kit.theme
        large = LARGE_TEXT_GRID if theme.text_size > 2 else GRID
        columns, rows = COMPACT_GRID if theme.compact else large
        return columns, columns * rows

    def _row(self, row: CheckRow) -> Widget:
        kit = self.kit
        name = kit.fitted_text(row.name, "body", lines=2, weight="medium")
        pill = kit.pill(row.status.partition(" · ")[0], row.tone, max_width=250)
        return kit.touchable_card(
            f"tech.check.{row.check}",
            f"{row.name}: {row.status}",
            self._show(SelfTestPlace(row.check)),
            name,
            kit.row(pill, kit.spacer(), height=pill.height),
            padding=(16, 6),
            gap=2,
        )

    def _show(self, place: SelfTestPlace) -> Callable[[], None]:
        return lambda: self.app.secretary.show(place)

    # -- one check -----------------------------------------------------------------------------
    def _large(self, view: SelfTestView) -> Widget:
        kit, check = self.kit, view.current_check
        padding = 14 if kit.theme.compact else 24
        pill = kit.pill(check.status, check.tone, max_width=420)
        title = kit.fitted_text(check.title, "lead", wid="tech.now", weight="semibold", lines=2)
        top = [title, pill]
        if not view.is_running:
            top.insert(0, self._back(view))
        head = kit.row(*top, gap=18, height=max(kit.theme.target, kit.px(64)))
        if check.question:
            inside = self._with_picture(check, kit.column(*self._question(check), gap=14))
        else:
            inside = self._with_picture(check, self._lines(view, padding))
        return kit.column(kit.card(head, inside, gap=10, padding=padding), padding=(20, 12))

    def _back(self, view: SelfTestView) -> Widget:
        place = SelfTestPlace(view.current_check.check if view.is_history else None)
        return self.kit.button("tech.list", "", self._show(place), icon="arrow-left")

    def _with_picture(self, check: CurrentCheck, words: Widget) -> Widget:
        """Return the words, beside them what is seen or heard now."""
        kit = self.kit
        if check.shows_picture:
            self._picture = LivePicture(kit, "", size_hint_x=1.2)
            return kit.row(words, self._picture, gap=20)
        if check.levels:
            return kit.row(words, self._levels(check), gap=24)
        return words

    def _levels(self, check: CurrentCheck) -> Widget:
        kit = self.kit
        height = round(kit.theme.font("body") * LINE_HEIGHT)
        rows: list[Widget] = [kit.spacer()]
        for name, label in check.levels:
            words = kit.fitted_text(label, "body", lines=1)
            level = kit.fitted_text("", "body", lines=1, align="right", wid=f"level.{name}")
            level.size_hint_x = 0.5
            self._decibels[name] = level
            line = kit.row(words, level, height=height)
            rows.append(kit.natural_column(line, self._meters.add(name, 22), gap=2))
        return kit.column(*rows, kit.spacer(), gap=12)

    def _lines(self, view: SelfTestView, padding: float) -> Widget:
        """Return as many lines as fit at the chosen text size, and the buttons for the others."""
        kit, theme, check = self.kit, self.kit.theme, view.current_check
        size = theme.font("body")
        is_half = check.shows_picture or bool(check.levels)
        width = theme.width * (0.42 if is_half else 1) - kit.px(2 * padding + 60) - theme.target
        height = theme.height - 3 * theme.target - kit.px(110 + 3 * padding + 60)
        pages = paginate(check.lines, width, height, NAMES["regular"], size)
        page = min(view.page, len(pages) - 1)
        text = kit.text("\n".join(pages[page]), "body", wid="tech.lines")
        column = kit.column(text, kit.spacer())
        if len(pages) == 1:
            return column
        place = SelfTestPlace(check.check, shows_history=view.is_history)
        less, more = kit.pager(
            "tech.lines",
            page,
            len(pages),
            lambda n: self.app.secretary.show(replace(place, page=n)),
        )
        side = kit.column(less, kit.spacer(), more, gap="touch", width=less.width)
        return kit.row(column, side, gap=12)

    def _question(self, check: CurrentCheck) -> list[Widget]:
        """Return the question, and the answers where a tap answers it."""
        kit, _, self_test = self.kit, self.kit.translate.gettext, self.app.self_test
        text = kit.fitted_text(
            check.question, "lead", wid="tech.question", weight="semibold", valign="top"
        )
        if not check.can_answer:
            return [text]
        answers = (
            kit.button("tech.no", _("No"), lambda: self_test.answer(False), wide=True,
                       kind="heading", once=True, height=96),
            kit.button("tech.yes", _("Yes"), lambda: self_test.answer(True), wide=True,
                       kind="heading", style="primary", once=True, height=96),
        )  # fmt: skip
        return [text, kit.row(*answers, gap=24, height=max(kit.px(96), kit.theme.target))]

    def update(self, view: SelfTestView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        super().update(view, chrome)
        self.live()

    def live(self) -> None:
        """Draw levels and picture."""
        self._meters.show(self.app.audio_levels)
        for name, label in self._decibels.items():
            level = (self.app.audio_levels.get(name) or {}).get("rms_db")
            text = "" if level is None else f"{level:.0f}".replace("-", "−")
            label.text = self.kit.translate.gettext("{n} dB", n=text) if text else ""
        recorder = self.app.recorder_state
        if self._picture is not None and recorder is not None:
            self._picture.draw(recorder.preview.path or "")

    # -- footer --------------------------------------------------------------------------------
    def footer_key(self, view: SelfTestView) -> Any:
        """Return what the footer depends on."""
        check = view.current_check
        return replace(view, rows=(), current_check=replace(check, lines=(), question=""))

    def footer(self, view: SelfTestView) -> list[Widget]:
        """Return what became of the report, and what can be done now."""
        kit = self.kit
        wid, text = ("tech.report", view.report) if view.report else ("tech.summary", view.summary)
        colour = tone_colour(view.report_tone, "quiet")
        words = kit.fitted_text(text, "body", wid=wid, colour=colour)
        if view.is_running:
            return [words, *self._running_buttons()]
        return [
            words,
            *(self._list_buttons(view) if view.shows_list else self._check_buttons(view)),
        ]

    def _running_buttons(self) -> list[Widget]:
        kit, _, self_test = self.kit, self.kit.translate.gettext, self.app.self_test
        return [
            kit.button("tech.skip", _("Skip"), self_test.skip, once=True, max_width=280),
            kit.button(
                "tech.stop", _("Stop"), self_test.stop, icon="stop", once=True, max_width=320
            ),
        ]

    def _list_buttons(self, view: SelfTestView) -> list[Widget]:
        kit, app, _ = self.kit, self.app, self.kit.translate.gettext
        style: Style = "plain" if view.can_save_again else "primary"
        is_large = kit.theme.compact or kit.theme.text_size > 2
        is_tight = is_large and view.can_save_again
        start = kit.button(
            "tech.run_all", "" if is_tight else _("Test everything"),
            lambda: app.spawn(app.self_test.run()), icon="play", style=style, max_width=460,
        )  # fmt: skip
        buttons: list[Widget] = []
        pages = -(-len(view.rows) // self._grid()[1])
        if pages > 1 and not is_tight:
            show = lambda page: app.secretary.show(SelfTestPlace(page=page))  # noqa: E731
            buttons += kit.pager("tech.list", view.page, pages, show)
        if view.can_save_again:
            buttons.append(
                kit.button(
                    "tech.save_again",
                    _("Save again"),
                    lambda: app.spawn(app.self_test.save_again()),
                    style="primary",
                    max_width=300,
                    once=True,
                )
            )
        elif view.can_print:
            buttons.append(
                kit.button(
                    "tech.print",
                    "",
                    lambda: app.spawn(app.print_self_test()),
                    icon="printer-outline",
                    once=True,
                )
            )
        return [*buttons, start]

    def _check_buttons(self, view: SelfTestView) -> list[Widget]:
        kit, app, _ = self.kit, self.app, self.kit.translate.gettext
        check = view.current_check
        buttons: list[Widget] = []
        if check.has_history and not view.is_history:
            place = SelfTestPlace(check.check, shows_history=True)
            buttons.append(
                kit.button("tech.history", _("Earlier results"), self._show(place), max_width=380)
            )
        again = kit.button(
            "tech.run_one", _("Test this"),
            lambda: app.spawn(app.self_test.run((check.check,))),
            icon="play", style="primary", max_width=420,
        )  # fmt: skip
        return [*buttons, again]


def paginate(
    lines: tuple[str, ...], width: float, height: float, font: str, size: int
) -> list[list[str]]:
    """Return ``lines`` in pages that fit ``height`` at this text size: no text gets smaller."""
    pages: list[list[str]] = [[]]
    left = most = max(1, int(height / (size * LINE_HEIGHT)))
    for line in lines:
        needed = lines_needed(line, font, size, width)
        if needed > left and pages[-1]:
            pages.append([])
            left = most
        pages[-1].append(line)
        left -= needed
    return pages
