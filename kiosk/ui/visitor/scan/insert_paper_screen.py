"""Waits for paper or shows that it moves; pages appear as they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from kiosk.ui.visitor.scan.insert_paper import InsertPaperView
from kiosk.ui.visitor.scan.thumbnails import Thumbnail
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import picture

SHOWN_PAGES = 8


class InsertPaperScreen(FilingScreen):
    """Waits for paper or shows that it moves; pages appear as they arrive."""

    step = 2

    def body(self, view: InsertPaperView) -> Widget:
        """Return picture, what to do, and the pages so far."""
        kit = self.kit
        icon = "scanner" if view.scanning or view.glass else "tray-arrow-down"
        card = self.picture_card(icon, 120 if view.thumbnails else 190, "accent", 0.33)
        words = [
            self.headline(view.title, "scan.title"),
            self.paragraph("\n".join(view.lines), "scan.text"),
        ]
        if view.count:
            words.append(
                self.paragraph(view.count, "scan.count", valign="middle", weight="semibold",
                               colour="tint_text", size_hint_y=0.5)
            )  # fmt: skip
        parts = [kit.row(card, kit.column(*words, gap=14), gap=40)]
        if view.thumbnails:
            parts.append(self._thumbnails(view.thumbnails[-SHOWN_PAGES:]))
        return kit.column(*parts, gap=20, padding=(60, 24))

    def _thumbnails(self, thumbnails: Sequence[Thumbnail]) -> Widget:
        """Return the newest pages side by side."""
        kit = self.kit
        height = round(kit.theme.font("small") * 1.3)
        cells = [
            kit.card(
                picture(kit, thumbnail.picture),
                kit.fitted_text(str(thumbnail.position), "small", align="center",
                                size_hint_y=None, height=height, lines=1),
                padding=8,
            )
            for thumbnail in thumbnails
        ]  # fmt: skip
        return kit.row(*kit.filled(cells, SHOWN_PAGES), gap=12, size_hint_y=0.55)

    def footer(self, view: InsertPaperView) -> list[Widget]:
        """Return back or stop; the glass for bound papers, both sides, later, help."""
        kit, _, scan = self.kit, self.kit.translate.gettext, self.visit.scan
        call = self.call_button("scan.call", words=False)
        park = [] if view.glass else self.park_button()
        left, right = [], self._sources(view)
        if view.count:
            is_primary = not (view.scanning or view.glass)
            right.append(
                kit.button("scan.stop", _("That is all"), scan.stop, icon="check",
                           style="primary" if is_primary else "plain",
                           kind="body" if view.glass else "lead",
                           max_width=220 if view.glass else 300)
            )  # fmt: skip
        else:
            left.append(self.back(scan.stop))
        if view.glass:
            right.append(
                kit.button("scan.glass", _("Scan this sheet"), scan.scan_glass, icon="scanner",
                           style="primary", kind="lead", max_width=370)
            )  # fmt: skip
        return [*left, *self.aids(), *park, call, kit.spacer(), *right]

    def _sources(self, view: InsertPaperView) -> list[Widget]:
        """Return the other ways to scan, while no paper moves."""
        kit, _, scan = self.kit, self.kit.translate.gettext, self.visit.scan
        if view.scanning:
            return []
        if view.glass:
            return [kit.button("scan.feeder", "", scan.use_feeder, icon="tray-arrow-down")]
        has_words = not (kit.theme.compact or view.count)
        sides = kit.button("scan.sides", _("Both sides") if has_words else "", scan.toggle_duplex,
                           icon="flip-horizontal", max_width=240,
                           style="chosen" if view.duplex else "plain")  # fmt: skip
        glass = kit.button("scan.bound", _("Bound paper") if has_words else "", scan.scan_glass,
                           icon="book-open-page-variant-outline", max_width=260)  # fmt: skip
        return [glass] if view.retake else [sides, glass]
