"""Originals that do not fit the scanner and are handed in on paper."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.originals import OriginalChoice, OriginalsView
from kiosk.ui.visitor.visitor_screen import FilingScreen


class OriginalsScreen(FilingScreen):
    """Originals that do not fit the scanner and are handed in on paper."""

    step = 3

    def body(self, view: OriginalsView) -> Widget:
        """Return what can be chosen."""
        kit, _ = self.kit, self.kit.translate.gettext
        cells = [self._choice(choice) for choice in view.choices]
        choices = kit.column(*kit.grid(cells, 2), gap="touch")
        if kit.theme.compact:
            return kit.column(choices, padding=(24, 12))
        title = self.headline(view.title, valign="middle", lines=1, size_hint_y=0.26)
        text = _("It is written on your receipt as an original to be handed in.")
        note = self.paragraph(text, valign="middle", colour="quiet", size_hint_y=0.2, lines=2)
        return kit.column(title, note, choices, gap=12, padding=(60, 14, 60, 20))

    def _choice(self, choice: OriginalChoice) -> Widget:
        kit, chosen = self.kit, choice.is_chosen
        mark = "checkbox-marked" if chosen else "checkbox-blank-outline"
        return kit.touchable_card(
            f"original.{choice.id}",
            choice.name,
            partial(self.visit.documents.toggle_original, choice.name),
            kit.icon(mark, 42, "accent" if chosen else "quiet"),
            kit.icon(choice.icon, 42, "quiet"),
            kit.fitted_text(choice.name, "option"),
            style="tint" if chosen else "plain",
            chosen=chosen,
            orientation="horizontal",
            padding=(24, 8),
            gap=18,
        )

    def footer(self, view: OriginalsView) -> list[Widget]:
        """Return the aids and the button that goes on."""
        _ = self.kit.translate.gettext
        is_any = any(choice.is_chosen for choice in view.choices)
        text = _("Go on") if is_any else _("Nothing of this")
        done = self.primary("originals.done", text, self.visit.step_back)
        return [*self.aids(), self.kit.spacer(), done]
