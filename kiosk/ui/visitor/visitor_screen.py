"""Bases of the visitor's screens: header, aids, and the parts that many of them share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import LANGUAGES, NATIVE_NAMES, Language
from kiosk.ui.actions.visit.visit import Visit
from kiosk.ui.app_state import AppState
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.screen import StandardScreen
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import Style

FILING_STEPS = 4
VOICE_ICONS = ("volume-off", "volume-medium", "volume-high", "volume-low")


class VisitorScreen(StandardScreen):
    """A screen with the visitor's header: title, languages, clock."""

    app: AppState
    has_home_button = True

    @property
    def visit(self) -> Visit:
        """The visit, whose actions the buttons call."""
        return self.app.visit

    def spawning(self, step: Callable[[], Any], *, enabled: bool = True) -> Tap | None:
        """Return a tap that runs the coroutine of ``step`` in the background; None: disabled."""
        return (lambda: self.app.spawn(step())) if enabled else None

    # -- header --------------------------------------------------------------------------------

    def header_key(self, view: Any, chrome: ScreenChrome) -> Any:
        """Return title, languages, clock and names of court and room."""
        names = (chrome.clock, chrome.court, chrome.room)
        return (self.title(view), chrome.display_settings, names)

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return title and step at the left, languages and clock at the right."""
        kit, (title, quiet) = self.kit, self.title(view)
        lines = 2 if kit.theme.compact or kit.theme.text_size > 2 else 1
        left: list[Widget] = [kit.fitted_text(title, "body", weight="semibold", lines=lines)]
        if self.has_home_button:
            left.insert(0, kit.button("home", "", self.visit.leave_or_ask, icon="home-outline"))
        if quiet:
            left.append(kit.fitted_text(quiet, "body", colour="quiet", lines=1, size_hint_x=0.6))
        return [*left, *self.languages_and_clock(chrome)]

    def languages_and_clock(self, chrome: ScreenChrome) -> list[Widget]:
        """Return the right side of the header."""
        kit, display = self.kit, chrome.display_settings

        def button(code: Language) -> Widget:
            style: Style = "chosen" if code == display.language else "ghost"
            tap = partial(self._set_language, code)
            return kit.button(f"lang.{code}", NATIVE_NAMES[code], tap, style=style, max_width=170)

        languages = kit.natural_row(*(button(code) for code in LANGUAGES), gap=8)
        return [languages, kit.text_line(chrome.clock, weight="tabular")]

    def _set_language(self, code: Language) -> None:
        self.app.set_display_settings(self.app.display_settings.with_language(code))

    # -- parts of the footer -------------------------------------------------------------------

    def aids(self, *, words: bool = False) -> list[Widget]:
        """Return the buttons for text size, contrast and voice (where there is one)."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        display, change = app.display_settings, app.set_display_settings
        buttons: list[Widget] = [
            kit.button("look.text", _("Text size") if words else "",
                       lambda: change(app.display_settings.with_next_text_size()),
                       icon="format-size"),
            kit.button("look.contrast", _("Contrast") if words else "",
                       lambda: change(app.display_settings.with_toggled_contrast()),
                       icon="contrast-circle"),
        ]  # fmt: skip
        if app.voice.is_enabled:
            text = _("Voice") if words and kit.theme.text_size < 3 else ""
            buttons.append(
                kit.button("look.voice", text,
                           lambda: change(app.display_settings.with_next_voice()),
                           icon=VOICE_ICONS[display.voice],
                           style="chosen" if display.voice else "plain")
            )  # fmt: skip
        return buttons

    def back(self, on_tap: Tap, *, words: bool = True) -> Widget:
        """Return the button that goes one step back."""
        _ = self.kit.translate.gettext
        return self.kit.button("back", _("Back") if words else "", on_tap, icon="arrow-left")

    def primary(
        self, wid: str, text: str, on_tap: Tap | None, *, arrow: bool = True, **options: Any
    ) -> Widget:
        """Return the one primary button of a screen."""
        icon = "arrow-right" if arrow else ""
        options = {"kind": "lead", "icon_after": icon, **options}
        return self.kit.button(wid, text, on_tap, style="primary", **options)

    def call_button(self, wid: str, *, words: bool = True, **options: Any) -> Widget:
        """Return the button that calls the secretary."""
        text = self.kit.translate.gettext("Call the secretary") if words else ""
        return self.kit.button(
            wid, text, self.visit.call_secretary, icon="bell-ring-outline", **options
        )

    # -- parts of the body ---------------------------------------------------------------------

    def headline(self, text: str, wid: str = "", **options: Any) -> Widget:
        """Return the sentence that says what the screen is about."""
        options = {"weight": "semibold", "valign": "bottom", **options}
        return self.kit.fitted_text(text, "headline", wid=wid, **options)

    def paragraph(self, text: str, wid: str = "", **options: Any) -> Widget:
        """Return the explanation below a headline."""
        return self.kit.fitted_text(text, "say", wid=wid, **{"valign": "top", **options})

    def picture_card(
        self, icon: str, size: float = 170, tone: Tone = "caution", width: float = 0.32
    ) -> Widget:
        """Return a coloured card with one large icon."""
        colour = "tint_text" if tone == "accent" else tone
        child = self.kit.centred(self.kit.icon(icon, size, colour))
        return self.kit.card(child, tone=tone, size_hint_x=width)


class FilingScreen(VisitorScreen):
    """A step of the filing: the title shows its number of four."""

    step = 0

    def title(self, _view: Any) -> tuple[str, str]:
        """Return what is being done, and the step of four."""
        _ = self.kit.translate.gettext
        return _("Hand in documents"), f"{self.step} / {FILING_STEPS}"

    def park_button(self, *, words: bool = True) -> list[Widget]:
        """Return the button that parks the filing, if there is something to park."""
        kit, _, parking = self.kit, self.kit.translate.gettext, self.visit.parking
        if not parking.can_park:
            return []
        is_small = kit.theme.compact or kit.theme.text_size > 2 or not words
        tap = self.spawning(parking.park)
        text = "" if is_small else _("Go on later")
        return [kit.button("park", text, tap, icon="ticket-outline", once=True, max_width=300)]

    def wipe_countdown(self, wid: str) -> Widget:
        """Return how long the screen is still shown."""
        seconds = self.app.wipe_seconds_left or 0
        text = self.kit.translate.ngettext(
            "The screen is wiped in {n} second", "The screen is wiped in {n} seconds", seconds
        )
        return self.kit.fitted_text(text, "body", wid=wid, colour="quiet", align="right")

    def print_button(self, wid: str, job: Callable[[], Any], can_print: bool) -> Widget:
        """Return the button that prints once more."""
        text, tap = self.kit.translate.gettext("Print again"), self.spawning(job, enabled=can_print)
        return self.kit.button(wid, text, tap, icon="printer-outline", once=True, max_width=300)
