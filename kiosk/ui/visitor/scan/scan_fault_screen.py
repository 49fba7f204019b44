"""Scanning stopped: consequence first; the screen disappears once the fault is cleared."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.scan.scan_fault import ScanFaultView
from kiosk.ui.visitor.visitor_screen import FilingScreen


class ScanFaultScreen(FilingScreen):
    """Scanning stopped: consequence first; it disappears by itself once the fault is cleared."""

    step = 2

    def body(self, view: ScanFaultView) -> Widget:
        """Return picture and words."""
        kit, _ = self.kit, self.kit.translate.gettext
        if view.is_finish_asked:
            note = _("Sheets that were not scanned are not handed in.")
            words = [
                self.headline(_("Are all your sheets among them?"), "scan.asks"),
                self.paragraph(f"{view.kept}\n{note}", "scan.text"),
            ]
        else:
            colour = "good" if view.can_finish else "text"
            words = [
                self.headline(view.title, "scan.title"),
                self.paragraph(view.kept, "scan.count", valign="middle", colour=colour,
                               weight="medium", size_hint_y=0.35),
                self.paragraph("\n".join(view.lines), "scan.text"),
            ]  # fmt: skip
        card = self.picture_card(view.icon, 190)
        return kit.row(card, kit.column(*words, gap=12), gap=48, padding=(60, 50))

    def footer(self, view: ScanFaultView) -> list[Widget]:
        """Return finish (asks once more) and call."""
        kit, _, scan = self.kit, self.kit.translate.gettext, self.visit.scan
        if view.is_finish_asked:
            return [
                kit.button("scan.finish.confirm", view.finish, scan.stop, max_width=520),
                kit.spacer(),
                self.primary("scan.finish.cancel", _("No, go on scanning"),
                             partial(scan.ask_finish, False), arrow=False, kind="body",
                             max_width=520),
            ]  # fmt: skip
        if view.is_sheet_expected:
            return [
                kit.button("scan.sheet.later", _("Scan it at the end"),
                           partial(scan.confirm_sheet, False), max_width=420),
                *self.aids(),
                kit.spacer(),
                self.primary("scan.sheet.back", _("It lies there again"),
                             partial(scan.confirm_sheet, True), arrow=False, max_width=520),
            ]  # fmt: skip
        first = self.back(scan.stop)
        if view.can_finish:
            first = kit.button(
                "scan.finish", view.finish, partial(scan.ask_finish, True), max_width=340
            )
        call = self.call_button("scan.call", style="primary", max_width=400)
        return [first, *self.aids(), *self.park_button(words=False), kit.spacer(), call]
