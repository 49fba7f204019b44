"""The visitor's first screen, and the base of all visitor screens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import LANGUAGES, NATIVE_NAMES
from kiosk.ui.app_state import AppState
from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.widgets.screen import StandardScreen
from kiosk.ui.widgets.widget_kit import Style

STEPS = 4


class VisitorScreen(StandardScreen):
    """A screen with the visitor's header: title, languages, clock."""

    app: AppState

    def header_key(self, view: Any, chrome: ScreenChrome) -> Any:
        """The header shows title, languages, clock."""
        return (
            self.title(view),
            self.is_home,
            chrome.display_settings,
            chrome.clock,
            chrome.court,
            chrome.room,
        )

    is_home = False

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return title and step at the left, languages and clock at the right."""
        kit, app = self.kit, self.app
        title, quiet = self.title(view)
        left: list[Widget] = []
        if not self.is_home:
            left.append(kit.button("home", "", app.visit.leave_or_ask, icon="home-outline"))
        left.append(
            kit.fitted_text(title, "body", weight="semibold", lines=2 if kit.theme.compact else 1)
        )
        if quiet:
            left.append(kit.fitted_text(quiet, "body", colour="quiet", lines=1, size_hint_x=0.6))
        languages = [
            kit.button(
                f"lang.{code}",
                NATIVE_NAMES[code],
                self._language(code),
                style="chosen" if code == chrome.display_settings.language else "ghost",
                max_width=170,
            )
            for code in LANGUAGES
        ]
        return [
            *left,
            kit.natural_row(*languages, gap=8),
            kit.text_line(chrome.clock, weight="tabular"),
        ]

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.app.set_display_settings(self.app.display_settings.with_language(code))

    def aids(self, *, words: bool = False) -> list[Widget]:
        """Return the buttons for text size, contrast and voice (where there is one)."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        icons = ("volume-off", "volume-medium", "volume-high", "volume-low")
        voice: list[Widget] = []
        if app.voice.is_enabled:
            voice = [
                kit.button(
                    "look.voice",
                    _("Voice") if words and kit.theme.text_size < 3 else "",
                    lambda: app.set_display_settings(app.display_settings.with_next_voice()),
                    icon=icons[app.display_settings.voice],
                    style="chosen" if app.display_settings.voice else "plain",
                )
            ]
        return [
            kit.button(
                "look.text",
                _("Text size") if words else "",
                lambda: app.set_display_settings(app.display_settings.with_next_text_size()),
                icon="format-size",
            ),
            kit.button(
                "look.contrast",
                _("Contrast") if words else "",
                lambda: app.set_display_settings(app.display_settings.with_toggled_contrast()),
                icon="contrast-circle",
            ),
            *voice,
        ]


class HomeScreen(VisitorScreen):
    """The first screen: four choices, one of them primary."""

    is_home = True

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return the court's name behind the quiet staff entry."""
        kit = self.kit
        staff = kit.button(
            "staff.enter", "", self.app.open_pin, icon="scale-balance", style="ghost"
        )
        court = kit.fitted_text(
            chrome.court, "body", weight="semibold", lines=2, size_hint_x=1.6, ellipsis=True
        )
        room = kit.fitted_text(
            chrome.room, "body", colour="quiet", lines=2, size_hint_x=0.4, ellipsis=True
        )
        return [staff, court, room, *super().header(view, chrome)[1:]]

    def update(self, view: Any, chrome: ScreenChrome) -> None:
        """Keep the frame: the footer tells whether the central system answers."""
        self._central = chrome.central
        super().update(view, chrome)

    def body(self, _view: Any) -> Widget:
        """Return greeting and choices."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        title = kit.fitted_text(
            _("Hello! What would you like to do?"), "headline", weight="semibold", lines=2,
            size_hint_y=0.34,
        )  # fmt: skip
        choices = [
            self._choice("home.file", "file-document-plus-outline", _("Hand in documents"),
                         _("Scan, register, get a receipt"), visit.start_filing, primary=True),
            self._choice("home.track", "text-box-search-outline", _("Where is my document?"),
                         _("By the code on the receipt"), visit.tracking.ask_for_receipt),
            self._choice("home.hearings", "calendar-clock-outline", _("Today's hearings"),
                         _("In this courtroom"), visit.list_hearings),
            self._choice("home.call", "bell-ring-outline", _("Call the secretary"),
                         _("If you need help"), visit.call_secretary),
        ]  # fmt: skip
        return kit.column(
            title,
            kit.row(*choices[:2], gap=24),
            kit.row(*choices[2:], gap=24),
            gap=20 if not kit.theme.compact else 12,
            padding=(60, 10, 60, 24),
        )

    def _choice(
        self, wid: str, icon: str, title: str, text: str, on_tap: Any, *, primary: bool = False
    ) -> Widget:
        kit = self.kit
        words = "on_accent" if primary else "text"
        quiet = "on_accent_quiet" if primary else "quiet"
        head = kit.fitted_text(
            title, "choice", colour=words, weight="semibold", valign="bottom", size_hint_y=1.1
        )
        foot = kit.fitted_text(
            text, "body", colour=quiet, valign="top", size_hint_y=0.7, ellipsis=True
        )
        picture = kit.icon(
            icon, 60 if not kit.theme.compact else 72, "on_accent" if primary else "accent"
        )
        style: Style = "primary" if primary else "plain"
        if kit.theme.compact or kit.theme.text_size > 2:
            words_box = kit.column(head, foot, gap=2)
            return kit.touchable_card(
                wid, title, on_tap, picture, words_box, style=style, orientation="horizontal",
                padding=(28, 14), gap=20,
            )  # fmt: skip
        icon_row = kit.row(picture, kit.spacer(), size_hint_y=None, height=picture.height)
        return kit.touchable_card(
            wid, title, on_tap, icon_row, head, foot, style=style, padding=(36, 22), gap=6
        )

    def footer_key(self, view: Any) -> Any:
        """The footer tells whether the central system answers."""
        return self._central

    def footer(self, _view: Any) -> list[Widget]:
        """Return text size, contrast, and whether the central system answers."""
        kit, _ = self.kit, self.kit.translate.gettext
        match self._central:
            case True:
                text = _("Central system · connected")
            case False:
                text = _("No connection. Documents are taken in and registered later.")
            case None:
                text = ""
        status = kit.fitted_text(
            text, "small", wid="home.link", colour="caution" if self._central is False else "quiet",
            align="right",
        )  # fmt: skip
        return [*self.aids(words=True), status]
