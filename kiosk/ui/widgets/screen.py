"""Base classes of screens; their slots are rebuilt only when what they show has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.screen_chrome import ScreenChrome
from kiosk.ui.theme import Kind
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.widget_kit import WidgetKit

LONG_NOTICE = 120
"""Characters; a longer notice in large letters would leave no room for the screen below it."""


class CachedSlot(BoxLayout):
    """Holds one widget and builds it again only when its key has changed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._key: Any = None
        self._is_filled = False

    def show(self, key: Any, build: Callable[[], Widget | None]) -> bool:
        """Show ``build()`` unless ``key`` is what is shown already; return whether it built."""
        if self._is_filled and key == self._key:
            return False
        self._key, self._is_filled = key, True
        self.clear_widgets()
        widget = build()
        if widget is not None:
            self.add_widget(widget)
        self.after_change(widget is not None)
        return True

    def after_change(self, full: bool) -> None:
        """React to a change; ``full``: something is shown."""


class NaturalCachedSlot(CachedSlot):
    """A slot as high as its content; empty, it has no height and no padding."""

    def __init__(self, padding: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        super().__init__(orientation="vertical", size_hint_y=None, height=0)
        self._sides = padding
        self.bind(minimum_height=self.setter("height"))

    def after_change(self, full: bool) -> None:
        """Keep the padding only around something."""
        self.padding = self._sides if full else (0, 0, 0, 0)


class Screen(BoxLayout):
    """Draws one kind of screen.

    Args:
        kit: the widget kit.
        name: of the screen in the registry.
        app: whose actions the buttons call.

    Attributes:
        is_guarded: its buttons change by themselves, and a tap on the wrong one does harm: see
            :class:`~kiosk.ui.widgets.tap_guard.TapGuard`.
    """

    is_guarded = False

    def __init__(self, kit: WidgetKit, name: str, app: Any) -> None:
        super().__init__(orientation="vertical")
        self.kit, self.name, self.app = kit, name, app
        self.colours = kit.colours
        Band(self, kit.colours.background)

    def update(self, view: Any, chrome: ScreenChrome) -> None:
        """Show ``view``."""
        raise NotImplementedError

    def live(self) -> None:
        """Draw what moves between two views (timer, levels, picture); ten times a second."""


class StandardScreen(Screen):
    """Header, notice, body and footer. Subclasses draw the parts; equal parts are kept.

    ``heading`` is the title, marked for translation, of a screen whose title is always the same.
    """

    heading = ""

    def __init__(self, kit: WidgetKit, name: str, app: Any) -> None:
        super().__init__(kit, name, app)
        bar = max(kit.px(72), kit.theme.target + kit.px(8))
        self._header_slot = CachedSlot(size_hint_y=None, height=bar)
        self._notice_slot = NaturalCachedSlot()
        self._body_slot = CachedSlot()
        self._footer_slot = CachedSlot(
            size_hint_y=None, height=max(kit.px(104), kit.theme.target + kit.px(20))
        )
        for part in (self._header_slot, self._notice_slot, self._body_slot, self._footer_slot):
            self.add_widget(part)

    def update(self, view: Any, chrome: ScreenChrome) -> None:
        """Show ``view`` with its surroundings."""
        self._header_slot.show(
            self.header_key(view, chrome), lambda: self._header_bar(self.header(view, chrome))
        )
        notice = (
            chrome.notice,
            chrome.notice_about,
            chrome.notice_tone,
            chrome.notice_action,
            chrome.notice_second_action,
        )
        self._notice_slot.show(notice, lambda: self._notice(chrome))
        self._body_slot.show(self.body_key(view), lambda: self.body(view))
        if not self.has_footer(view):
            if self._footer_slot.parent:
                self.remove_widget(self._footer_slot)
            return
        if not self._footer_slot.parent:
            self.add_widget(self._footer_slot)
        self._footer_slot.show(self.footer_key(view), lambda: self._footer_bar(self.footer(view)))

    def header_key(self, view: Any, chrome: ScreenChrome) -> Any:
        """Return what the header depends on."""
        return (self.title(view), chrome.display_settings, chrome.clock, chrome.central)

    def body_key(self, view: Any) -> Any:
        """Return what the body depends on (default: all of the view)."""
        return view

    def footer_key(self, view: Any) -> Any:
        """Return what the footer depends on (default: all of the view)."""
        return view

    def has_footer(self, _view: Any) -> bool:
        """Return whether there is a footer."""
        return True

    def title(self, _view: Any) -> tuple[str, str]:
        """Return title and quiet addition for the header."""
        return self.kit.translate.gettext(self.heading) if self.heading else "", ""

    def header(self, view: Any, chrome: ScreenChrome) -> list[Widget]:
        """Return the header's widgets."""
        del view, chrome
        return []

    def body(self, _view: Any) -> Widget:
        """Return the body."""
        return self.kit.spacer()

    def footer(self, _view: Any) -> list[Widget]:
        """Return the footer's widgets, left to right; use ``kit.spacer()`` between."""
        return []

    def _header_bar(self, children: list[Widget]) -> Widget:
        bar = self.kit.row(*children, gap=18, padding=(28, 0))
        Band(bar, self.colours.surface, self.colours.line)
        return bar

    def _footer_bar(self, children: list[Widget]) -> Widget:
        bar = self.kit.row(*children, gap="touch", padding=(28, 0))
        Band(bar, self.colours.surface, self.colours.line, top=True)
        return bar

    def _notice(self, chrome: ScreenChrome) -> Widget | None:
        if not chrome.notice:
            return None
        kit, app, about = self.kit, self.app, chrome.notice_about
        tone = chrome.notice_tone
        colour = {"accent": "tint_text"}.get(tone, tone)
        is_long = len(chrome.notice) > LONG_NOTICE or bool(chrome.notice_action)
        is_long = (is_long and kit.theme.text_size > 2) or kit.theme.compact
        kind: Kind = "small" if is_long else "body"  # still larger than at the first text size
        text = kit.text(chrome.notice, kind, wid="notice", colour=colour, weight="medium")
        text.pos_hint = {"center_y": 0.5}
        icon = kit.icon("alert-circle" if tone != "good" else "check-circle", 34, colour)
        parts: list[Widget] = [icon, text]
        if not chrome.is_notice_lasting:
            parts.append(
                kit.button(
                    "notice.close",
                    "",
                    lambda: app.notices.dismiss(about),
                    icon="close",
                    style="ghost",
                )
            )
        if chrome.notice_action:
            act = kit.button("notice.act", chrome.notice_action,
                             lambda: app.notices.act(about), style="primary", max_width=360,
                             once=True)  # fmt: skip
            parts.insert(2, act)
        if chrome.notice_second_action:
            keep = kit.button("notice.keep", chrome.notice_second_action,
                              lambda: app.notices.start_with_minute_before(about), max_width=360,
                              once=True)  # fmt: skip
            parts.insert(3, keep)
        padding = (28, 2 if kit.theme.compact else 8)
        row = kit.row(*parts, gap=16, padding=padding, size_hint_y=None)
        row.bind(minimum_height=row.setter("height"))
        fills = {"accent": "tint"}
        Band(row, kit.colour(fills.get(tone, f"{tone}_tint")), self.colours.line)
        return row
