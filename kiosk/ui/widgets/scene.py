"""A scene draws one screen; its slots are drawn anew only when what they show has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from kiosk.ui.frame import Frame
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.kit import Kit


class Slot(BoxLayout):
    """A place for one widget that is built from a key; an equal key builds nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._key: Any = None
        self._filled = False

    def show(self, key: Any, build: Callable[[], Widget | None]) -> bool:
        """Show ``build()`` unless ``key`` is what is shown already; return whether it built."""
        if self._filled and key == self._key:
            return False
        self._key, self._filled = key, True
        self.clear_widgets()
        widget = build()
        if widget is not None:
            self.add_widget(widget)
        self.filled(widget is not None)
        return True

    def filled(self, full: bool) -> None:
        """Called after a change; ``full``: something is shown."""


class NaturalSlot(Slot):
    """A slot as high as what it shows; empty, it takes no room (no padding either)."""

    def __init__(self, padding: tuple[int, int, int, int] = (0, 0, 0, 0)) -> None:
        super().__init__(orientation="vertical", size_hint_y=None, height=0)
        self._sides = padding
        self.bind(minimum_height=self.setter("height"))

    def filled(self, full: bool) -> None:
        """Keep the padding only around something."""
        self.padding = self._sides if full else (0, 0, 0, 0)


class Scene(BoxLayout):
    """Draws one kind of screen. ``name`` is what automation calls it."""

    def __init__(self, kit: Kit, name: str) -> None:
        super().__init__(orientation="vertical")
        self.kit, self.name = kit, name
        self.colours = kit.colours
        Band(self, kit.colours.background)

    def update(self, view: Any, frame: Frame) -> None:
        """Show ``view``."""
        raise NotImplementedError

    def live(self) -> None:
        """Draw what moves between two views (timer, levels, picture); ten times a second."""


class Page(Scene):
    """Header, notice, body and footer. Subclasses draw the parts; equal parts are kept.

    Args:
        kit: the widget kit.
        name: what automation calls the screen.
        desk: whose actions the buttons call.
    """

    def __init__(self, kit: Kit, name: str, desk: Any) -> None:
        super().__init__(kit, name)
        self.desk = desk
        bar = max(kit.px(72), kit.theme.target + kit.px(8))
        self._head = Slot(size_hint_y=None, height=bar)
        self._note = NaturalSlot()
        self._body = Slot()
        self._foot = Slot(size_hint_y=None, height=max(kit.px(104), kit.theme.target + kit.px(20)))
        for part in (self._head, self._note, self._body, self._foot):
            self.add_widget(part)

    def update(self, view: Any, frame: Frame) -> None:
        """Show ``view`` inside ``frame``."""
        self._head.show(self.head_key(view, frame), lambda: self._bar(self.head(view, frame)))
        self._note.show((frame.notice, frame.notice_tone), lambda: self._notice(frame))
        self._body.show(self.body_key(view), lambda: self.body(view))
        if not self.has_foot(view):
            if self._foot.parent:
                self.remove_widget(self._foot)
            return
        if not self._foot.parent:
            self.add_widget(self._foot)
        self._foot.show(self.foot_key(view), lambda: self._footer(self.foot(view)))

    def head_key(self, view: Any, frame: Frame) -> Any:
        """Return what the header depends on."""
        return (self.title(view), frame.look, frame.clock, frame.central)

    def body_key(self, view: Any) -> Any:
        """Return what the body depends on (default: all of the view)."""
        return view

    def foot_key(self, view: Any) -> Any:
        """Return what the footer depends on (default: all of the view)."""
        return view

    def has_foot(self, _view: Any) -> bool:
        """Return whether there is a footer."""
        return True

    def title(self, _view: Any) -> tuple[str, str]:
        """Return title and quiet addition for the header."""
        return "", ""

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return the header's widgets."""
        del view, frame
        return []

    def body(self, _view: Any) -> Widget:
        """Return the body."""
        return self.kit.space()

    def foot(self, _view: Any) -> list[Widget]:
        """Return the footer's widgets, left to right; use ``kit.space()`` between."""
        return []

    def _bar(self, children: list[Widget]) -> Widget:
        bar = self.kit.row(*children, gap=18, padding=(28, 0))
        Band(bar, self.colours.surface, self.colours.line)
        return bar

    def _footer(self, children: list[Widget]) -> Widget:
        bar = self.kit.row(*children, gap=16, padding=(28, 0))
        bar.spacing = self.kit.theme.gap
        Band(bar, self.colours.surface, self.colours.line, top=True)
        return bar

    def _notice(self, frame: Frame) -> Widget | None:
        if not frame.notice:
            return None
        kit = self.kit
        tone = frame.notice_tone
        colour = {"accent": "tint_text"}.get(tone, tone)
        text = kit.text(frame.notice, "body", wid="notice", colour=colour, weight="medium")
        text.pos_hint = {"center_y": 0.5}
        close = kit.button("notice.close", "", self.desk.close_notice, icon="close", style="ghost")
        icon = kit.icon("alert-circle" if tone != "good" else "check-circle", 34, colour)
        row = kit.row(icon, text, close, gap=16, padding=(28, 8), size_hint_y=None)
        row.bind(minimum_height=row.setter("height"))
        fills = {"accent": "tint"}
        Band(row, kit.colour(fills.get(tone, f"{tone}_tint")), self.colours.line)
        return row
