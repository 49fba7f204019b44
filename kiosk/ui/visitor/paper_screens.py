"""Paper is awaited, passes, or is stuck."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.visitor.paper_views import FaultView, FeedView
from kiosk.ui.visitor.step import FilingPage, thumb_strip
from kiosk.ui.widgets.kit import Kit


class FeedPage(FilingPage):
    """Paper is awaited or arriving; pages appear as they come."""

    step = 2

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.feed", desk)

    def update(self, view: FeedView, frame: Any) -> None:
        """Show ``view``; the name tells whether paper moves."""
        self.name = "visitor.scanning" if view.scanning else "visitor.feed"
        super().update(view, frame)

    def body(self, view: FeedView) -> Widget:
        """Return picture, what to do, and the pages so far."""
        kit = self.kit
        icon = "scanner" if view.scanning or view.glass else "tray-arrow-down"
        shown = kit.icon(icon, 190 if not view.thumbs else 120, "tint_text")
        left = kit.card(kit.middle(shown), tone="accent", size_hint_x=0.33)
        words: list[Widget] = [
            kit.fit(view.title, "headline", wid="scan.title", weight="semibold", valign="bottom"),
            kit.fit("\n".join(view.lines), "say", wid="scan.text", valign="top"),
        ]
        if view.count:
            words.append(
                kit.fit(
                    view.count,
                    "say",
                    wid="scan.count",
                    weight="semibold",
                    colour="tint_text",
                    size_hint_y=0.5,
                )
            )
        top = kit.row(left, kit.column(*words, gap=14), gap=40)
        parts: list[Widget] = [top]
        if view.thumbs:
            parts.append(thumb_strip(kit, view.thumbs[-8:]))
        return kit.column(*parts, gap=20, padding=(60, 24))

    def foot(self, view: FeedView) -> list[Widget]:
        """Return back or stop; the glass for bound papers, both sides, later, help."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        scan = visit.scan
        back = kit.button("back", _("Back"), scan.stop, icon="arrow-left")
        stop = kit.button(
            "scan.stop", _("That is all"), scan.stop, icon="check",
            style="plain" if view.scanning or view.glass else "primary",
            kind="body" if view.glass else "lead", most=220 if view.glass else 300,
        )  # fmt: skip
        left: list[Widget] = [] if view.kept else [back]
        call = kit.button("scan.call", "", visit.call_secretary, icon="bell-ring-outline")
        right: list[Widget] = [stop] if view.kept else []
        if view.glass:
            right.append(
                kit.button("scan.glass", _("Scan this sheet"), scan.scan_glass, icon="scanner",
                           style="primary", kind="lead", most=370)
            )  # fmt: skip
        later = [] if view.glass else self.later()
        return [*left, *self.aids(), *later, call, kit.space(), *self._ways(view), *right]

    def _ways(self, view: FeedView) -> list[Widget]:
        """Return the other ways to scan, while no paper moves."""
        kit, _, scan = self.kit, self.kit.say.gettext, self.desk.visit.scan
        if view.scanning:
            return []
        if view.glass:
            return [kit.button("scan.feeder", "", scan.use_feeder, icon="tray-arrow-down")]
        words = "" if kit.theme.compact or view.kept else _("Both sides")
        sides = kit.button(
            "scan.sides", words, scan.other_sides, icon="flip-horizontal", most=240,
            style="chosen" if view.duplex else "plain",
        )  # fmt: skip
        words = "" if kit.theme.compact or view.kept else _("Bound paper")
        glass = kit.button("scan.bound", words, scan.scan_glass,
                           icon="book-open-page-variant-outline", most=260)  # fmt: skip
        return [glass] if view.retake else [sides, glass]


class FaultPage(FilingPage):
    """Scanning stopped: consequence first; it goes away by itself once mended."""

    step = 2

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.fault", desk)

    def body(self, view: FaultView) -> Widget:
        """Return picture and words."""
        kit, _ = self.kit, self.kit.say.gettext
        shown = kit.icon(view.icon, 190, "caution")
        left = kit.card(kit.middle(shown), tone="caution", size_hint_x=0.32)
        colour = "good" if view.can_finish else "text"
        words: list[Widget] = [
            kit.fit(view.title, "headline", wid="scan.title", weight="semibold", valign="bottom"),
            kit.fit(view.kept, "say", wid="scan.count", colour=colour, weight="medium",
                    size_hint_y=0.35),
            kit.fit("\n".join(view.lines), "say", wid="scan.text", valign="top"),
        ]  # fmt: skip
        if view.asks:
            told = _("Sheets that were not scanned are not handed in.")
            words = [
                kit.fit(_("Are all your sheets among them?"), "headline", wid="scan.asks",
                        weight="semibold", valign="bottom"),
                kit.fit(f"{view.kept}\n{told}", "say", wid="scan.text", valign="top"),
            ]  # fmt: skip
        return kit.row(left, kit.column(*words, gap=12), gap=48, padding=(60, 50))

    def foot(self, view: FaultView) -> list[Widget]:
        """Return finish (asks once more) and call."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        if view.asks:
            return [
                kit.button("scan.finish.confirm", view.finish, visit.scan.stop, most=520),
                kit.space(),
                kit.button("scan.finish.cancel", _("No, go on scanning"),
                           lambda: visit.scan.ask_finish(False), style="primary", most=520),
            ]  # fmt: skip
        if view.awaited:
            return [
                kit.button("scan.sheet.later", _("Scan it at the end"),
                           lambda: visit.scan.sheet_lies_in(False), most=420),
                *self.aids(),
                kit.space(),
                kit.button("scan.sheet.back", _("It lies there again"),
                           lambda: visit.scan.sheet_lies_in(True), style="primary", kind="lead",
                           most=520),
            ]  # fmt: skip
        first = (
            kit.button("scan.finish", view.finish, lambda: visit.scan.ask_finish(True), most=340)
            if view.can_finish
            else kit.button("back", _("Back"), visit.scan.stop, icon="arrow-left")
        )
        return [
            first,
            *self.aids(),
            *self.later(words=False),
            kit.space(),
            kit.button("scan.call", _("Call the secretary"), visit.call_secretary,
                       icon="bell-ring-outline", style="primary", most=400),
        ]  # fmt: skip
