"""What a visitor can do from home, each with a code for the telephone."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.entry.online_services import OnlineServicesView
from kiosk.ui.visitor.visitor_screen import VisitorScreen
from kiosk.ui.widgets.code_picture import CodePicture


class OnlineServicesScreen(VisitorScreen):
    """The services at the left; what the chosen one is for, and its code."""

    def title(self, _view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("From home"), ""

    def body(self, view: OnlineServicesView) -> Widget:
        """Return services, purpose and code."""
        kit = self.kit
        words: list[Widget] = [kit.fitted_text(view.purpose, "lead", wid="online.purpose")]
        if len(view.services) > 1:
            words += [
                kit.button(
                    f"online.{service}",
                    label,
                    partial(self.visit.show_online_services, service),
                    style="chosen" if service == view.chosen else "plain",
                    wide=True,
                    left=True,
                    pad=18,
                )
                for service, label in view.services
            ]
        elif view.services:
            label = kit.fitted_text(view.services[0][1], "headline", weight="semibold",
                                    lines=2, size_hint_y=0.5)  # fmt: skip
            words.insert(0, label)
        left = kit.column(*words, gap="touch")
        if not view.url:
            return kit.column(left, padding=(60, 24))
        code = kit.column(
            CodePicture(view.url),
            kit.fitted_text(view.url.removeprefix("https://"), "body", align="center", lines=1,
                            wid="online.url", size_hint_y=0.15),
            gap=10, size_hint_x=0.7,
        )  # fmt: skip
        return kit.row(left, code, gap=40, padding=(60, 24))

    def footer(self, _view: Any) -> list[Widget]:
        """Return back."""
        return [self.back(self.visit.leave_or_ask), *self.aids(), self.kit.spacer()]
