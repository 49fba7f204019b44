"""The screen of all steps: what to do, large cards, and the same three buttons below."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.app_state import AppState
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.commissioning.step_view import Choice, StepView
from kiosk.ui.technician.commissioning.taps import tap
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.indicators import Meters
from kiosk.ui.widgets.live_picture import LivePicture
from kiosk.ui.widgets.widget_kit import WidgetKit

TITLE_SHARE, TEXT_SHARE, LINE_SHARE, MAX_ROW_SHARE = 0.11, 0.16, 0.11, 0.24
"""Of the height of the body: title, sentence, one result, at most one row of cards."""


class CommissioningScreen(StaffScreen):
    """One step of setting up the room, or the list of all."""

    heading = N_("Set up the room")

    def __init__(self, kit: WidgetKit, name: str, app: AppState) -> None:
        super().__init__(kit, name, app)
        self._meters = Meters(kit)
        self._picture: LivePicture | None = None

    def body(self, view: StepView) -> Widget:
        """Return title and sentence, then cards, results or the picture."""
        kit = self.kit
        self._meters.clear()
        self._close_picture()
        title = kit.fitted_text(
            view.title, "heading", wid="com.title", weight="semibold", lines=1,
            size_hint_y=TITLE_SHARE,
        )  # fmt: skip
        text = kit.fitted_text(
            view.text, "lead", wid="com.text", valign="top", size_hint_y=TEXT_SHARE
        )
        if view.picture is not None:
            below = [self._beside_picture(view)]
        else:
            free = 1.0 - TITLE_SHARE - TEXT_SHARE - LINE_SHARE * len(view.lines)
            below = [*self._results(view), *self._cards(view, free)]
        padding = (20, 8) if kit.theme.compact else (32, 12)
        return kit.column(title, text, *below, gap=8, padding=padding)

    def _beside_picture(self, view: StepView) -> Widget:
        """Return the live picture, with the results and cards beside it."""
        kit = self.kit
        no_picture = kit.translate.gettext("No picture")
        self._picture = LivePicture(kit, "" if view.picture else no_picture, size_hint_x=1.4)
        side = kit.column(*self._results(view), *self._cards(view, 0.5), gap=8)
        return kit.row(self._picture, side, gap=20)

    def _results(self, view: StepView) -> list[Widget]:
        kit = self.kit
        return [
            kit.fitted_text(
                line, "body", wid=f"com.line.{number}", lines=2, ellipsis=True,
                colour=tone_colour(tone, "text"), size_hint_y=LINE_SHARE,
            )
            for number, (line, tone) in enumerate(view.lines, 1)
        ]  # fmt: skip

    def _cards(self, view: StepView, free: float) -> list[Widget]:
        """Return the cards in ``free`` of the height, and the space that they leave."""
        kit = self.kit
        if not view.choices:
            return [kit.column(kit.spacer(), size_hint_y=free)]
        cells = [self._card(choice) for choice in view.choices]
        cells = kit.filled(cells, -(-len(cells) // view.columns) * view.columns)
        rows = kit.grid(cells, view.columns, gap="touch")
        share = min(free, MAX_ROW_SHARE * len(rows))
        cards = kit.column(*rows, gap="touch", size_hint_y=share)
        rest = kit.column(kit.spacer(), size_hint_y=max(0.001, free - share))
        return [cards, rest]

    def _card(self, choice: Choice) -> Widget:
        kit = self.kit
        parts: list[Widget] = [
            kit.fitted_text(choice.label, "body", weight="semibold", lines=2, ellipsis=True)
        ]
        if choice.detail:
            colour = tone_colour(choice.tone, "quiet")
            parts.append(
                kit.fitted_text(choice.detail, "small", colour=colour, lines=1, ellipsis=True)
            )
        if choice.level:
            parts.append(self._meters.add(choice.level, 16))
        wid = f"com.{choice.tap.replace(':', '.')}"
        if not choice.is_enabled:
            return kit.card(*parts, padding=(18, 8), gap=2)
        return kit.touchable_card(
            wid, f"{choice.label}: {choice.detail}" if choice.detail else choice.label,
            self._tap(choice.tap), *parts, padding=(18, 8), gap=2, chosen=choice.is_marked,
        )  # fmt: skip

    def _tap(self, name: str) -> Callable[[], None]:
        return lambda: tap(self.app, name)

    def has_footer(self, view: StepView) -> bool:
        """Return whether there is any button below."""
        return bool(view.primary or view.can_skip or view.can_go_back)

    def footer(self, view: StepView) -> list[Widget]:
        """Return back, skip, and the main button."""
        kit, _ = self.kit, self.kit.translate.gettext
        left: list[Widget] = []
        if view.can_go_back:
            left.append(kit.button("com.back", _("Back"), self._tap("back"), icon="arrow-left"))
        if view.can_skip:
            left.append(kit.button("com.skip", _("Skip"), self._tap("skip")))
        left.append(kit.spacer())
        if view.primary:
            main = self._tap(view.primary_tap) if view.primary_tap else None
            left.append(
                kit.button("com.next", view.primary, main, style="primary", kind="lead",
                           icon_after="arrow-right", max_width=520, once=True)
            )  # fmt: skip
        return left

    def update(self, view: StepView, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        super().update(view, chrome)
        self._view = view
        self.live()

    def live(self) -> None:
        """Draw levels and picture."""
        self._meters.show(self.app.audio_levels)
        if self._picture is not None and self._view.picture:
            self._picture.draw(self._view.picture)

    def _close_picture(self) -> None:
        if self._picture is not None:
            self._picture.close()
            self._picture = None
