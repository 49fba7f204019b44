"""The visitor's first screen, and what all visitor screens share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.locale import LANGUAGES, OWN_NAMES
from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.widgets.kit import Kit, Style
from kiosk.ui.widgets.scene import Page

STEPS = 4


class VisitorPage(Page):
    """A page with the visitor's header (languages at the right) and help always at hand."""

    desk: Desk

    def head_key(self, view: Any, frame: Frame) -> Any:
        """The header shows title, languages, clock."""
        return (self.title(view), self.at_home, frame.look, frame.clock, frame.court, frame.room)

    at_home = False

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return title and step at the left, languages and clock at the right."""
        kit, desk = self.kit, self.desk
        title, quiet = self.title(view)
        left: list[Widget] = []
        if not self.at_home:
            left.append(kit.button("home", "", desk.visit.ask_home, icon="home-outline"))
        left.append(kit.fit(title, "body", weight="semibold", lines=2 if kit.theme.compact else 1))
        if quiet:
            left.append(kit.fit(quiet, "body", colour="quiet", lines=1, size_hint_x=0.6))
        languages = [
            kit.button(
                f"lang.{code}",
                OWN_NAMES[code],
                self._language(code),
                style="chosen" if code == frame.look.language else "ghost",
                most=170,
            )
            for code in LANGUAGES
        ]
        return [*left, kit.strip(*languages, gap=8), kit.line(frame.clock, weight="tabular")]

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.desk.set_look(self.desk.look.with_language(code))

    def aids(self, *, words: bool = False) -> list[Widget]:
        """Return the buttons for text size, contrast and voice (where there is one)."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        icons = ("volume-off", "volume-medium", "volume-high", "volume-low")
        voice: list[Widget] = []
        if desk.voice.enabled:
            voice = [
                kit.button(
                    "look.voice",
                    _("Voice") if words and kit.theme.text_size < 3 else "",
                    lambda: desk.set_look(desk.look.with_next_voice()),
                    icon=icons[desk.look.voice],
                    style="chosen" if desk.look.voice else "plain",
                )
            ]
        return [
            kit.button(
                "look.text",
                _("Text size") if words else "",
                lambda: desk.set_look(desk.look.with_next_text_size()),
                icon="format-size",
            ),
            kit.button(
                "look.contrast",
                _("Contrast") if words else "",
                lambda: desk.set_look(desk.look.with_other_contrast()),
                icon="contrast-circle",
            ),
            *voice,
        ]


class HomePage(VisitorPage):
    """At most four choices, one of them primary."""

    at_home = True

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.home", desk)

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return the court's name behind the quiet staff entry."""
        kit = self.kit
        staff = kit.button(
            "staff.enter", "", self.desk.open_pin, icon="scale-balance", style="ghost"
        )
        court = kit.fit(
            frame.court, "body", weight="semibold", lines=2, size_hint_x=1.6, ellipsis=True
        )
        room = kit.fit(frame.room, "body", colour="quiet", lines=2, size_hint_x=0.4, ellipsis=True)
        return [staff, court, room, *super().head(view, frame)[1:]]

    def update(self, view: Any, frame: Frame) -> None:
        """Keep the frame: the footer tells whether the central system answers."""
        self._central = frame.central
        super().update(view, frame)

    def body(self, _view: Any) -> Widget:
        """Return greeting and choices."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        title = kit.fit(
            _("Hello! What would you like to do?"), "headline", weight="semibold", lines=2,
            size_hint_y=0.34,
        )  # fmt: skip
        choices = [
            self._choice("home.file", "file-document-plus-outline", _("Hand in documents"),
                         _("Scan, register, get a receipt"), visit.begin_filing, primary=True),
            self._choice("home.track", "text-box-search-outline", _("Where is my document?"),
                         _("By the code on the receipt"), visit.later.begin_tracking),
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
        head = kit.fit(
            title, "choice", colour=words, weight="semibold", valign="bottom", size_hint_y=1.1
        )
        foot = kit.fit(text, "body", colour=quiet, valign="top", size_hint_y=0.7, ellipsis=True)
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
        icon_row = kit.row(picture, kit.space(), size_hint_y=None, height=picture.height)
        return kit.touchable_card(
            wid, title, on_tap, icon_row, head, foot, style=style, padding=(36, 22), gap=6
        )

    def foot_key(self, view: Any) -> Any:
        """The footer tells whether the central system answers."""
        return self._central

    def foot(self, _view: Any) -> list[Widget]:
        """Return text size, contrast, and whether the central system answers."""
        kit, _ = self.kit, self.kit.say.gettext
        match self._central:
            case True:
                text = _("Central system · connected")
            case False:
                text = _("No connection. Documents are taken in and registered later.")
            case None:
                text = ""
        status = kit.fit(
            text, "small", wid="home.link", colour="caution" if self._central is False else "quiet",
            align="right",
        )  # fmt: skip
        return [*self.aids(words=True), status]
