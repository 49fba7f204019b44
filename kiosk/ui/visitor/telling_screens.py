"""Questions about the filing: case, case number, applicant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.filing_screen import FilingScreen
from kiosk.ui.visitor.telling_views import ApplicantField, ApplicantView, CaseNumberView, CaseView
from kiosk.ui.widgets.keyboard import DIGITS, key_rows, letter_keyboard
from kiosk.ui.widgets.widget_kit import Style, WidgetKit


class CaseScreen(FilingScreen):
    """Whether a case exists already or the filing starts one; one tap either way."""

    step = 1

    def body(self, view: CaseView) -> Widget:
        """Return the new case's kinds at the left, the existing case at the right."""
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        compact = kit.theme.compact
        title = kit.fitted_text(
            _("Is there a case already?"), "headline", weight="semibold", lines=1, size_hint_y=0.22
        )
        style: Style = "primary" if len(view.kinds) == 1 else "plain"
        news: list[Widget] = [
            kit.button(f"case.new.{kind}", label, self._new(kind), wide=True, height=-1,
                       kind="option", style=style, pad=20, icon="file-plus-outline", left=True)
            for kind, label in view.kinds
        ]  # fmt: skip
        left = kit.column(
            kit.fitted_text(_("No, a new one:"), "say", lines=1, size_hint_y=0.5), *news, gap=14
        )
        number = kit.touchable_card(
            "case.number",
            _("Yes: type its number"),
            questions.enter_case_number,
            kit.icon("keyboard-outline", 60, "accent"),
            kit.fitted_text(_("Yes: type its number"), "option", weight="semibold"),
            orientation="horizontal",
            padding=(24, 10),
            gap=20,
        )
        code = kit.card(
            kit.icon("qrcode-scan", 60, "tint_text"),
            kit.fitted_text(_("Or hold the code of your summons to the reader"), "body",
                            colour="tint_text"),
            tone="accent",
            orientation="horizontal",
            padding=(24, 10),
            gap=20,
        )  # fmt: skip
        right = kit.column(number, code, gap=14)
        parts = kit.row(left, right, gap=32)
        if compact:
            return kit.column(parts, padding=(24, 12))
        return kit.column(title, parts, gap=16, padding=(60, 16, 60, 24))

    def _new(self, kind: str) -> Callable[[], None]:
        return lambda: self.app.visit.questions.new_case(kind)

    def footer(self, view: Any) -> list[Widget]:
        """Return back, aids, and leaving it out."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        return [
            kit.button("back", _("Back"), visit.step_back, icon="arrow-left"),
            *self.aids(),
            kit.spacer(),
            kit.button("case.skip", _("I do not know"), visit.questions.skip_case,
                       icon_after="arrow-right", max_width=420),
        ]  # fmt: skip


class CaseNumberScreen(FilingScreen):
    """The case number, typed with Kazakh and Russian letters, and what is known of the case."""

    step = 1

    def body(self, view: CaseNumberView) -> Widget:
        """Return what is typed above the keys; the answer in place of them."""
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        compact = kit.theme.compact
        typed = typed_box(kit, "number.typed", view.typed or _("Case number"), empty=not view.typed)
        if view.answer:
            colour = {"good": "good", "caution": "caution"}.get(view.tone, "text")
            words = kit.column(
                kit.fitted_text(view.answer, "title", wid="number.answer", colour=colour,
                                weight="semibold", valign="bottom"),
                kit.fitted_text(view.detail, "say", wid="number.detail", valign="top"),
                gap=10,
            )  # fmt: skip
            return kit.column(typed, words, gap=20, padding=(60, 24) if not compact else (24, 12))
        keys = letter_keyboard(
            kit,
            questions.type_case_number,
            questions.show_next_keys,
            page=view.key_page,
            digits=True,
        )
        if compact:
            top = kit.row(
                kit.button("back", "", self.app.visit.questions.ask_case, icon="arrow-left"),
                typed,
                self._find(view),
                size_hint_y=None,
                height=kit.theme.target,
            )
            top.spacing = kit.theme.gap
            typed.height = kit.theme.target
            return kit.column(top, keys, gap=10, padding=(14, 8))
        return kit.column(typed, keys, gap=14, padding=(28, 14))

    def has_footer(self, view: CaseNumberView) -> bool:
        """On a small screen the keys need its room."""
        return not self.kit.theme.compact or bool(view.answer)

    def _find(self, view: CaseNumberView) -> Widget:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        find = (lambda: app.spawn(app.visit.questions.find_case())) if view.typed else None
        return kit.button("number.find", _("Go on"), find, style="primary", kind="lead")

    def footer(self, view: CaseNumberView) -> list[Widget]:
        """Return back; find, or take what was found."""
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        if view.answer:
            take = None if view.is_searching else questions.accept_case
            return [
                kit.button("number.again", _("Change the number"), questions.change_case_number,
                           icon="keyboard-outline"),
                *self.aids(),
                kit.spacer(),
                kit.button("number.take", _("Go on"), take, style="primary", kind="lead",
                           icon_after="arrow-right"),
            ]  # fmt: skip
        return [
            kit.button("back", _("Back"), questions.ask_case, icon="arrow-left"),
            *self.aids(),
            kit.spacer(),
            self._find(view),
        ]


def typed_box(kit: WidgetKit, wid: str, text: str, *, empty: bool = False) -> Widget:
    """Return the box that shows what is being typed."""
    return kit.card(
        kit.fitted_text(text, "title", wid=wid, weight="tabular", lines=1,
                        colour="quiet" if empty else "text"),
        padding=(18, 4),
        size_hint_y=None,
        height=max(kit.px(84), kit.theme.target),
    )  # fmt: skip


class ApplicantScreen(FilingScreen):
    """The applicant: the number first, then the name; everything may be left out."""

    step = 1

    def body(self, view: ApplicantView) -> Widget:
        """Return person or organisation, the entries, the keys for the one being typed."""
        kit, _ = self.kit, self.kit.translate.gettext
        if kit.theme.compact:
            return self._small(view)
        title = kit.fitted_text(
            _("Who files?"), "title", weight="semibold", lines=1, size_hint_x=0.8
        )
        top = kit.row(title, *self._kinds(view), gap=14, size_hint_y=None, height=kit.theme.target)
        fields = kit.row(
            *(self._field_card(field, field.id == view.active_field) for field in view.fields),
            size_hint_y=None,
            height=max(kit.px(122 if kit.theme.text_size < 4 else 140), kit.theme.target),
        )
        fields.spacing = kit.theme.gap
        return kit.column(top, fields, self._keys(view), gap=12, padding=(28, 12))

    def _small(self, view: ApplicantView) -> Widget:
        kit, questions = self.kit, self.app.visit.questions
        other = "entity" if view.kind == "person" else "person"
        field = next(field for field in view.fields if field.id == view.active_field)
        icon = "account-outline" if view.kind == "person" else "domain"
        top = kit.row(
            kit.button("back", "", self.app.visit.step_back, icon="arrow-left"),
            kit.button(f"who.{other}", "", lambda: questions.set_applicant_kind(other), icon=icon,
                       style="tint"),
            self._field_card(field, True, questions.select_next_field),
            self._done(view),
            size_hint_y=None,
            height=kit.theme.target,
        )  # fmt: skip
        top.spacing = kit.theme.gap
        return kit.column(top, self._keys(view), gap=10, padding=(14, 8))

    def _kinds(self, view: ApplicantView) -> list[Widget]:
        kit, _ = self.kit, self.kit.translate.gettext
        choices = (
            ("person", _("A person"), "account-outline"),
            ("entity", _("An organisation"), "domain"),
        )
        return [
            kit.button(f"who.{kind}", label, self._kind(kind), icon=icon, wide=True, pad=12,
                       style="chosen" if kind == view.kind else "plain")
            for kind, label, icon in choices
        ]  # fmt: skip

    def _kind(self, kind: str) -> Callable[[], None]:
        return lambda: self.app.visit.questions.set_applicant_kind(kind)

    def _field_card(
        self, field: ApplicantField, chosen: bool, on_tap: Callable[[], None] | None = None
    ) -> Widget:
        kit, questions = self.kit, self.app.visit.questions
        line = kit.row(
            kit.fitted_text(field.label, "small", colour="quiet", weight="medium", lines=1),
            size_hint_y=0.55,
        )
        crowded = kit.theme.compact and bool(field.text and field.advice)
        parts: list[Widget] = [] if crowded else [line]
        if field.text or not kit.theme.compact:
            parts.append(
                kit.fitted_text(
                    field.text or " ",
                    "option",
                    wid=f"who.{field.id}.text",
                    weight="medium",
                    lines=1,
                    ellipsis=True,
                )
            )
        if field.advice and not (kit.theme.compact and field.text and field.fine):
            colour = "good" if field.fine else "caution" if field.text else "quiet"
            parts.append(
                kit.fitted_text(field.advice, "small", wid=f"who.{field.id}.advice", colour=colour,
                                ellipsis=kit.theme.compact, size_hint_y=0.9)
            )  # fmt: skip
        return kit.touchable_card(
            f"who.{field.id}",
            field.label,
            on_tap or (lambda: questions.select_field(field.id)),
            *parts,
            chosen=chosen,
            padding=(16, 6) if not kit.theme.compact else (12, 4),
            gap=2,
        )

    def _keys(self, view: ApplicantView) -> Widget:
        kit, questions = self.kit, self.app.visit.questions
        if view.active_field in ("iin", "bin", "phone"):
            rows = (*DIGITS[:1], DIGITS[1]) if view.active_field != "phone" else ("12345", "67890+")
            return key_rows(kit, rows, questions.type_in_field)
        return letter_keyboard(
            kit,
            questions.type_in_field,
            questions.show_next_keys,
            page=view.key_page,
            on_capitals=questions.toggle_capitals,
            capitals=view.has_capitals,
        )

    def has_footer(self, _view: Any) -> bool:
        """On a small screen the keys need its room."""
        return not self.kit.theme.compact

    def _done(self, view: ApplicantView) -> Widget:
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        words = _("Leave out") if view.empty else _("Go on")
        return kit.button(
            "who.done",
            words,
            questions.finish_applicant,
            style="primary",
            kind="lead",
            icon_after="" if kit.theme.compact else "arrow-right",
        )

    def footer_key(self, view: ApplicantView) -> Any:
        """The footer depends on whether anything was typed."""
        return view.empty

    def footer(self, view: ApplicantView) -> list[Widget]:
        """Return back, aids, go on."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        hint = kit.fitted_text(
            _("Whatever you leave out, the court asks later."),
            "small",
            colour="quiet",
            align="right",
        )
        return [
            kit.button("back", _("Back"), visit.step_back, icon="arrow-left"),
            *self.aids(),
            hint,
            self._done(view),
        ]
