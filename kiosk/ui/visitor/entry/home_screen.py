"""The visitor's first screen: four choices, one of them primary, and what can be done from home."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.visitor.entry.home import HomeView
from kiosk.ui.visitor.visitor_screen import VisitorScreen
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import Style


class HomeScreen(VisitorScreen):
    """The first screen: four choices, one of them primary."""

    def header(self, _view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return the court's name behind the quiet staff entry."""
        kit = self.kit
        options: dict[str, Any] = {"lines": 2, "ellipsis": True}
        return [
            kit.button(
                "staff.enter", "", self.app.sign_in.open, icon="scale-balance", style="ghost"
            ),
            kit.fitted_text(chrome.court, "body", weight="semibold", size_hint_x=1.6, **options),
            kit.fitted_text(chrome.room, "body", colour="quiet", size_hint_x=0.4, **options),
            *self.languages_and_clock(chrome),
        ]

    def update(self, view: HomeView, chrome: ScreenChrome) -> None:
        """Show ``view``; the footer shows whether the central system answers."""
        self._central = chrome.central
        super().update(view, chrome)

    def body(self, view: HomeView) -> Widget:
        """Return greeting and choices."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.visit
        compact = kit.theme.compact
        share = 0.34 if kit.theme.text_size < 3 else 0.38
        title = self.headline(view.title, valign="middle", lines=2, size_hint_y=share)
        file = self._choice("home.file", "file-document-plus-outline", _("Hand in documents"),
                            _("Scan, register, get a receipt"), visit.start_filing)  # fmt: skip
        track = self._choice("home.track", "text-box-search-outline", _("Where is my document?"),
                             _("By the code on the receipt"),
                             visit.tracking.ask_for_receipt)  # fmt: skip
        hearings = self._choice("home.hearings", "calendar-clock-outline", _("Today's hearings"),
                                _("In this courtroom"), visit.show_hearings)  # fmt: skip
        call = self._choice("home.call", "bell-ring-outline", _("Call the secretary"),
                            _("If you need help"), visit.call_secretary)  # fmt: skip
        online = kit.button(
            "home.online", _("From home, by telephone or computer"), visit.show_online_services,
            icon="cellphone", wide=True,
        )  # fmt: skip
        first, second = kit.row(file, track, gap=24), kit.row(hearings, call, gap=24)
        gap = 12 if compact else 20
        return kit.column(title, first, second, online, gap=gap, padding=(60, 10, 60, 14))

    def _choice(self, wid: str, icon: str, title: str, text: str, on_tap: Tap) -> Widget:
        kit = self.kit
        compact, is_primary = kit.theme.compact, wid == "home.file"
        style: Style = "primary" if is_primary else "plain"
        colours = ("on_accent", "on_accent_quiet") if is_primary else ("text", "quiet")
        head = kit.fitted_text(title, "choice", colour=colours[0], weight="semibold",
                               valign="bottom", size_hint_y=1.1)  # fmt: skip
        foot = kit.fitted_text(
            text, "body", colour=colours[1], valign="top", size_hint_y=0.7, ellipsis=True
        )
        picture = kit.icon(icon, 72 if compact else 60, "on_accent" if is_primary else "accent")
        if compact or kit.theme.text_size > 2:
            options: dict[str, Any] = {"padding": (28, 14), "gap": 20, "orientation": "horizontal"}
            children = [picture, kit.column(head, foot, gap=2)]
        else:
            options = {"padding": (36, 22), "gap": 6}
            icon_row = kit.row(picture, kit.spacer(), size_hint_y=None, height=picture.height)
            children = [icon_row, head, foot]
        return kit.touchable_card(wid, title, on_tap, *children, style=style, **options)

    def footer_key(self, _view: Any) -> Any:
        """Return whether the central system answers."""
        return self._central

    def footer(self, _view: Any) -> list[Widget]:
        """Return text size, contrast, and whether the central system answers."""
        _ = self.kit.translate.gettext
        match self._central:
            case True:
                text = _("Central system · connected")
            case False:
                text = _("No connection. Documents are taken in and registered later.")
            case None:
                text = ""
        colour = "caution" if self._central is False else "quiet"
        status = self.kit.fitted_text(text, "small", wid="home.link", colour=colour, align="right")
        return [*self.aids(words=True), status]
