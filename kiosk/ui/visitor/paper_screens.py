"""Scanning: paper is expected, moves, or has caused a fault."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.visitor.filing_screen import FilingScreen, thumbnail_strip
from kiosk.ui.visitor.paper_views import InsertPaperView, ScanFaultView


class InsertPaperScreen(FilingScreen):
    """Waits for paper or shows that it moves; pages appear as they arrive."""

    step = 2

    def body(self, view: InsertPaperView) -> Widget:
        """Return picture, what to do, and the pages so far."""
        kit = self.kit
        icon = "scanner" if view.scanning or view.glass else "tray-arrow-down"
        shown = kit.icon(icon, 190 if not view.thumbnails else 120, "tint_text")
        left = kit.card(kit.centred(shown), tone="accent", size_hint_x=0.33)
        words: list[Widget] = [
            kit.fitted_text(
                view.title, "headline", wid="scan.title", weight="semibold", valign="bottom"
            ),
            kit.fitted_text("\n".join(view.lines), "say", wid="scan.text", valign="top"),
        ]
        if view.count:
            words.append(
                kit.fitted_text(
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
        if view.thumbnails:
            parts.append(thumbnail_strip(kit, view.thumbnails[-8:]))
        return kit.column(*parts, gap=20, padding=(60, 24))

    def footer(self, view: InsertPaperView) -> list[Widget]:
        """Return back or stop; the glass for bound papers, both sides, later, help."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        scan = visit.scan
        back = kit.button("back", _("Back"), scan.stop, icon="arrow-left")
        stop = kit.button(
            "scan.stop", _("That is all"), scan.stop, icon="check",
            style="plain" if view.scanning or view.glass else "primary",
            kind="body" if view.glass else "lead", max_width=220 if view.glass else 300,
        )  # fmt: skip
        left: list[Widget] = [] if view.kept else [back]
        call = kit.button("scan.call", "", visit.call_secretary, icon="bell-ring-outline")
        right: list[Widget] = [stop] if view.kept else []
        if view.glass:
            right.append(
                kit.button("scan.glass", _("Scan this sheet"), scan.scan_glass, icon="scanner",
                           style="primary", kind="lead", max_width=370)
            )  # fmt: skip
        park = [] if view.glass else self.park_button()
        return [*left, *self.aids(), *park, call, kit.spacer(), *self._ways(view), *right]

    def _ways(self, view: InsertPaperView) -> list[Widget]:
        """Return the other ways to scan, while no paper moves."""
        kit, _, scan = self.kit, self.kit.translate.gettext, self.app.visit.scan
        if view.scanning:
            return []
        if view.glass:
            return [kit.button("scan.feeder", "", scan.use_feeder, icon="tray-arrow-down")]
        words = "" if kit.theme.compact or view.kept else _("Both sides")
        sides = kit.button(
            "scan.sides", words, scan.toggle_duplex, icon="flip-horizontal", max_width=240,
            style="chosen" if view.duplex else "plain",
        )  # fmt: skip
        words = "" if kit.theme.compact or view.kept else _("Bound paper")
        glass = kit.button("scan.bound", words, scan.scan_glass,
                           icon="book-open-page-variant-outline", max_width=260)  # fmt: skip
        return [glass] if view.retake else [sides, glass]


class ScanFaultScreen(FilingScreen):
    """Scanning stopped: consequence first; it disappears by itself once the fault is cleared."""

    step = 2

    def body(self, view: ScanFaultView) -> Widget:
        """Return picture and words."""
        kit, _ = self.kit, self.kit.translate.gettext
        shown = kit.icon(view.icon, 190, "caution")
        left = kit.card(kit.centred(shown), tone="caution", size_hint_x=0.32)
        colour = "good" if view.can_finish else "text"
        words: list[Widget] = [
            kit.fitted_text(
                view.title, "headline", wid="scan.title", weight="semibold", valign="bottom"
            ),
            kit.fitted_text(
                view.kept, "say", wid="scan.count", colour=colour, weight="medium", size_hint_y=0.35
            ),
            kit.fitted_text("\n".join(view.lines), "say", wid="scan.text", valign="top"),
        ]
        if view.is_finish_asked:
            note = _("Sheets that were not scanned are not handed in.")
            words = [
                kit.fitted_text(_("Are all your sheets among them?"), "headline", wid="scan.asks",
                                weight="semibold", valign="bottom"),
                kit.fitted_text(f"{view.kept}\n{note}", "say", wid="scan.text", valign="top"),
            ]  # fmt: skip
        return kit.row(left, kit.column(*words, gap=12), gap=48, padding=(60, 50))

    def footer(self, view: ScanFaultView) -> list[Widget]:
        """Return finish (asks once more) and call."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        if view.is_finish_asked:
            return [
                kit.button("scan.finish.confirm", view.finish, visit.scan.stop, max_width=520),
                kit.spacer(),
                kit.button("scan.finish.cancel", _("No, go on scanning"),
                           lambda: visit.scan.ask_finish(False), style="primary", max_width=520),
            ]  # fmt: skip
        if view.is_sheet_expected:
            return [
                kit.button("scan.sheet.later", _("Scan it at the end"),
                           lambda: visit.scan.confirm_sheet(False), max_width=420),
                *self.aids(),
                kit.spacer(),
                kit.button("scan.sheet.back", _("It lies there again"),
                           lambda: visit.scan.confirm_sheet(True), style="primary", kind="lead",
                           max_width=520),
            ]  # fmt: skip
        first = (
            kit.button(
                "scan.finish", view.finish, lambda: visit.scan.ask_finish(True), max_width=340
            )
            if view.can_finish
            else kit.button("back", _("Back"), visit.scan.stop, icon="arrow-left")
        )
        return [
            first,
            *self.aids(),
            *self.park_button(words=False),
            kit.spacer(),
            kit.button("scan.call", _("Call the secretary"), visit.call_secretary,
                       icon="bell-ring-outline", style="primary", max_width=400),
        ]  # fmt: skip
