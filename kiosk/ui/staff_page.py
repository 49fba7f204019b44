"""A page with the staff's header."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.frame import Frame
from kiosk.ui.widgets.scene import Page


class StaffPage(Page):
    """A page with the staff's header: title, who is signed in, sign out, clock."""

    desk: Desk

    def head_key(self, view: Any, frame: Frame) -> Any:
        """The header shows who is signed in."""
        return (super().head_key(view, frame), frame.today, self.desk.staff)

    def head(self, view: Any, frame: Frame) -> list[Widget]:
        """Return title, sign-out and clock."""
        kit = self.kit
        title, quiet = self.title(view)
        say_quiet = " · ".join(part for part in (quiet, frame.room, frame.today) if part)
        name = self.desk.staff.name if self.desk.staff else ""
        languages = [
            kit.button(
                f"lang.{code}", code.upper(), self._language(code),
                style="chosen" if code == frame.look.language else "ghost", kind="small",
            )
            for code in ("kk", "ru", "en")
        ]  # fmt: skip
        return [
            kit.line(title, "body", weight="semibold", most=330),
            kit.fit(say_quiet, "small", colour="quiet", lines=2, ellipsis=True),
            kit.fit(name, "small", colour="quiet", align="right", lines=2, ellipsis=True),
            kit.button("look.text", "", self._text_size, icon="format-size", style="ghost"),
            *languages,
            kit.button("staff.signout", "", self.desk.sign_out, icon="logout", style="plain"),
            kit.line(frame.clock, "body", weight="tabular"),
        ]

    def _language(self, code: str) -> Callable[[], None]:
        return lambda: self.desk.set_look(self.desk.look.with_language(code))

    def _text_size(self) -> None:
        self.desk.set_look(self.desk.look.with_next_text_size())
