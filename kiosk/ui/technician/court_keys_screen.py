"""Screen of the court's keys."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.locale import N_
from kiosk.ui.staff.staff_screen import StaffScreen
from kiosk.ui.technician.court_keys import CourtKeysView, KeyRow
from kiosk.ui.theme import tone_colour
from kiosk.ui.widgets.keyboard import key_rows

KEYS = ("234567ABCD", "EFGHIJKLMN", "OPQRSTUVW", "XYZ")
"""The characters of an answer (base32, RFC 4648)."""


class CourtKeysScreen(StaffScreen):
    """Both keys, a try of them, and the proof that their holders can decrypt."""

    heading = N_("Court keys")

    def body(self, view: CourtKeysView) -> Widget:
        """Return the keys, or the keyboard for an answer."""
        kit = self.kit
        colour = tone_colour(view.tone, "text")
        text = kit.fitted_text(view.text, "body", wid="keys.text", colour=colour)
        if view.typed is not None:
            typed = kit.card(
                kit.fitted_text(
                    view.typed or " ", "heading", wid="keys.typed", weight="tabular", lines=1
                ),
                padding=(18, 4),
            )
            top = kit.row(text, typed, gap=24, size_hint_y=None, height=kit.px(110))
            keys = key_rows(kit, KEYS, self.app.court_keys.type_answer)
            return kit.column(top, keys, gap=14, padding=(40, 14))
        rows = [self._card(row) for row in view.rows]
        return kit.column(*rows, text, gap=16, padding=(40, 20))

    def _card(self, row: KeyRow) -> Widget:
        kit = self.kit
        colour = tone_colour(row.tone, "text")
        return kit.card(
            kit.fitted_text(row.title, "body", weight="semibold", lines=1),
            kit.fitted_text(row.key, "body", wid=f"keys.{row.name}.key", lines=1),
            kit.fitted_text(row.proof, "body", wid=f"keys.{row.name}.proof", colour=colour),
            padding=(24, 10),
            gap=4,
        )

    def footer(self, view: CourtKeysView) -> list[Widget]:
        """Return what can be done."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        keys = app.court_keys
        if view.typed is not None:
            answer = (lambda: app.spawn(keys.answer())) if view.can_answer else None
            return [
                kit.button("keys.back", _("Back"), lambda: keys.type_answer(None)),
                kit.spacer(),
                kit.button("keys.ok", _("Check"), answer, style="primary"),
            ]
        can = view.can_act
        challenge = (lambda: app.spawn(keys.challenge())) if can else None
        test = (lambda: app.spawn(keys.test())) if can else None
        return [
            kit.button("keys.challenge", _("Challenge onto the stick"), challenge),
            kit.button("keys.answer", _("Type an answer"), keys.begin_answer if can else None),
            kit.spacer(),
            kit.button("keys.test", _("Try them now"), test, style="primary"),
        ]
