"""The applicant: the number first, then the name."""

from __future__ import annotations

from functools import partial
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.applicant import ApplicantField, ApplicantView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import compact_typing
from kiosk.ui.widgets.keyboard import DIGITS, key_rows, letter_keyboard
from kiosk.ui.widgets.touchable import Tap

KIND_ICONS = {"person": "account-outline", "entity": "domain"}
PHONE_KEYS = ("12345", "67890+")


class ApplicantScreen(FilingScreen):
    """The applicant: the number first, then the name; everything may be left out."""

    step = 1

    def body(self, view: ApplicantView) -> Widget:
        """Return person or organisation, the fields, the keys for the active field."""
        kit = self.kit
        if kit.theme.compact:
            return self._compact_body(view)
        title = kit.fitted_text(view.title, "title", weight="semibold", lines=1, size_hint_x=0.8)
        top = kit.row(title, *self._kinds(view), gap=14, size_hint_y=None, height=kit.theme.target)
        fields = kit.row(
            *(self._field_card(field, field.id == view.active_field) for field in view.fields),
            gap="touch",
            size_hint_y=None,
            height=max(kit.px(122 if kit.theme.text_size < 4 else 140), kit.theme.target),
        )
        return kit.column(top, fields, self._keys(view), gap=12, padding=(28, 12))

    def _compact_body(self, view: ApplicantView) -> Widget:
        """Return one field at a time above the keys."""
        kit, applicant = self.kit, self.visit.applicant
        other = "entity" if view.kind == "person" else "person"
        field = next(field for field in view.fields if field.id == view.active_field)
        line = (
            self.back(self.visit.step_back, words=False),
            kit.button(f"who.{other}", "", partial(applicant.set_kind, other),
                       icon=KIND_ICONS[view.kind], style="tint"),
            self._field_card(field, True, applicant.select_next_field),
            self._done(view),
        )  # fmt: skip
        return compact_typing(kit, line, self._keys(view))

    def _kinds(self, view: ApplicantView) -> list[Widget]:
        kit, _ = self.kit, self.kit.translate.gettext
        return [
            kit.button(f"who.{kind}", label, partial(self.visit.applicant.set_kind, kind),
                       icon=KIND_ICONS[kind], wide=True, pad=12,
                       style="chosen" if kind == view.kind else "plain")
            for kind, label in (("person", _("A person")), ("entity", _("An organisation")))
        ]  # fmt: skip

    def _field_card(self, field: ApplicantField, chosen: bool, on_tap: Tap | None = None) -> Widget:
        kit, wid, compact = self.kit, f"who.{field.id}", self.kit.theme.compact
        parts: list[Widget] = []
        if not (compact and field.text and field.advice):
            label = kit.fitted_text(field.label, "small", colour="quiet", weight="medium", lines=1)
            parts.append(kit.row(label, size_hint_y=0.55))
        if field.text or not compact:
            parts.append(
                kit.fitted_text(field.text or " ", "option", wid=f"{wid}.text", weight="medium",
                                lines=1, ellipsis=True)
            )  # fmt: skip
        if field.advice and not (compact and field.text and field.fine):
            colour = "good" if field.fine else "caution" if field.text else "quiet"
            parts.append(
                kit.fitted_text(field.advice, "small", wid=f"{wid}.advice", colour=colour,
                                ellipsis=compact, size_hint_y=0.9)
            )  # fmt: skip
        tap = on_tap or partial(self.visit.applicant.select_field, field.id)
        padding = (12, 4) if compact else (16, 6)
        return kit.touchable_card(
            wid, field.label, tap, *parts, chosen=chosen, padding=padding, gap=2
        )

    def _keys(self, view: ApplicantView) -> Widget:
        kit, applicant = self.kit, self.visit.applicant
        if view.active_field in ("iin", "bin", "phone"):
            rows = PHONE_KEYS if view.active_field == "phone" else DIGITS
            return key_rows(kit, rows, applicant.type)
        return letter_keyboard(
            kit,
            applicant.type,
            applicant.show_next_keys,
            page=view.key_page,
            on_capitals=applicant.toggle_capitals,
            capitals=view.has_capitals,
        )

    def has_footer(self, _view: Any) -> bool:
        """Return whether there is room: on a small screen the keys need it."""
        return not self.kit.theme.compact

    def _done(self, view: ApplicantView) -> Widget:
        _ = self.kit.translate.gettext
        text = _("Leave out") if view.empty else _("Go on")
        arrow = not self.kit.theme.compact
        return self.primary("who.done", text, self.visit.applicant.finish, arrow=arrow)

    def footer_key(self, view: ApplicantView) -> Any:
        """Return whether anything was typed."""
        return view.empty

    def footer(self, view: ApplicantView) -> list[Widget]:
        """Return back, aids, go on."""
        hint = self.kit.translate.gettext("Whatever you leave out, the court asks later.")
        text = self.kit.fitted_text(hint, "small", colour="quiet", align="right")
        return [self.back(self.visit.step_back), *self.aids(), text, self._done(view)]
