"""Documents of the filing, sheet count, originals, state fee."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.filing_screen import CodePicture, FilingScreen
from kiosk.ui.visitor.telling_screens import typed_box
from kiosk.ui.visitor.telling_views import (
    DocumentRow,
    DocumentsView,
    FeeView,
    OriginalsView,
    SheetCountView,
)
from kiosk.ui.widgets.keyboard import key_rows


class DocumentsScreen(FilingScreen):
    """All documents at the left, the next one large, one tap to finish."""

    step = 3

    def body(self, view: DocumentsView) -> Widget:
        """Return the list and the document that is next."""
        kit = self.kit
        if kit.theme.compact:
            return kit.row(self._list(view), self._next(view), gap=14, padding=(20, 10))
        return kit.row(self._list(view), self._next(view), gap=28, padding=(40, 20))

    def _list(self, view: DocumentsView) -> Widget:
        kit, questions = self.kit, self.app.visit.questions
        each = 3 if kit.theme.compact else 5
        pages = max(1, -(-len(view.rows) // each))
        at = next(n for n, row in enumerate(view.rows) if row.id == view.chosen) // each
        page = min(view.page - 1, pages - 1) if view.page else at
        rows = [self._row(row, row.id == view.chosen) for row in
                view.rows[page * each : (page + 1) * each]]  # fmt: skip
        rows += [kit.spacer() for _n in range(each - len(rows))]
        if pages > 1:
            less = (lambda: questions.show_documents(page)) if page else None
            more = (lambda: questions.show_documents(page + 2)) if page + 1 < pages else None
            rows.append(
                kit.row(
                    kit.button("slots.less", "", less, icon="chevron-up", wide=True),
                    kit.button("slots.more", "", more, icon="chevron-down", wide=True),
                    gap=14,
                    size_hint_y=None,
                    height=kit.theme.target,
                )
            )
        box = kit.column(*rows, size_hint_x=0.5)
        box.spacing = kit.theme.gap
        return box

    def _row(self, row: DocumentRow, chosen: bool) -> Widget:
        kit, questions = self.kit, self.app.visit.questions
        colour = row.tone if row.tone in ("good", "caution") else "quiet"
        words: list[Widget] = [kit.fitted_text(row.label, "body", weight="medium")]
        if row.state:
            words.append(
                kit.fitted_text(
                    row.state, "small", colour=colour, weight="medium", lines=1, size_hint_y=0.7
                )
            )
        return kit.touchable_card(
            f"slot.{row.id}",
            f"{row.label} {row.state}".strip(),
            lambda: questions.show_documents(chosen=row.id),
            kit.icon(row.icon, 38, colour),
            kit.column(*words),
            chosen=chosen,
            orientation="horizontal",
            padding=(18, 6),
            gap=14,
        )

    def _next(self, view: DocumentsView) -> Widget:
        kit, _ = self.kit, self.kit.translate.gettext
        words: list[Widget] = [
            kit.fitted_text(
                view.label, "title", wid="slots.label", weight="semibold", valign="bottom"
            ),
            kit.fitted_text(
                view.note, "lead", wid="slots.told", colour="quiet", valign="top", size_hint_y=0.6
            ),
        ]
        buttons = self._buttons(view)
        lines: list[Widget] = []
        for n in range(0, len(buttons), 2):
            line = kit.row(*buttons[n : n + 2], size_hint_y=None, height=self._height())
            line.spacing = kit.theme.gap
            lines.append(line)
        box = kit.column(*words, *lines)
        box.spacing = kit.theme.gap
        return kit.card(box, padding=24 if not kit.theme.compact else 12, size_hint_x=0.62)

    def _height(self) -> int:
        return max(self.kit.theme.target, self.kit.px(92))

    def _buttons(self, view: DocumentsView) -> list[Widget]:
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        questions, slot = visit.questions, view.chosen

        def button(wid: str, text: str, icon: str, on_tap: Any, style: Any = "plain") -> Widget:
            return kit.button(wid, text, on_tap, icon=icon, wide=True, height=-1, pad=10,
                              style=style)  # fmt: skip

        if view.pages:
            found = [
                button("slots.look", _("Look at the pages"), "magnify-plus-outline",
                       lambda: visit.page_review.open(slot)),
                button("slots.scan", _("Add sheets"), "tray-arrow-down",
                       lambda: visit.scan.begin(slot)),
            ]  # fmt: skip
            if view.many:
                found.append(button("slots.another", _("One more of these"), "file-plus-outline",
                                    lambda: questions.add_document(slot), "tint"))  # fmt: skip
            return found
        found = [
            button("slots.scan", _("Scan it"), "scanner", lambda: visit.scan.begin(slot), "tint"),
        ]
        if view.skipped:
            found.append(button("slots.unskip", _("I have it after all"), "undo",
                                lambda: questions.skip_document(slot, False)))  # fmt: skip
        else:
            found.append(button("slots.skip", _("I do not have it"), "minus-circle-outline",
                                lambda: questions.skip_document(slot)))  # fmt: skip
        if view.fee:
            found.append(button("slots.fee", _("How much is the fee?"), "calculator",
                                questions.ask_fee))  # fmt: skip
        return found

    def footer(self, view: DocumentsView) -> list[Widget]:
        """Return aids, park, originals, nothing more."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        originals = view.originals or _("It does not fit the scanner")
        return [
            *self.aids(),
            *self.park_button(),
            kit.button("slots.originals", originals, visit.questions.ask_originals,
                       icon="package-variant", max_width=360),
            kit.spacer(),
            kit.button("slots.done", _("Nothing more"),
                       visit.questions.finish_documents if visit.pages else None,
                       icon_after="arrow-right", style="primary", kind="lead", max_width=420),
        ]  # fmt: skip


class SheetCountScreen(FilingScreen):
    """How many sheets were inserted: one tap up to nine; a difference is shown in words."""

    step = 3

    def body(self, view: SheetCountView) -> Widget:
        """Return the question with big digits, or the difference."""
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        compact = kit.theme.compact
        if view.has_mismatch:
            shown = kit.card(kit.centred(kit.icon("file-multiple-outline", 170, "caution")),
                             tone="caution", size_hint_x=0.32)  # fmt: skip
            words = kit.column(
                kit.fitted_text(view.title, "headline", wid="sheets.title", weight="semibold",
                                valign="bottom"),
                kit.fitted_text(view.text, "say", wid="sheets.text", valign="top"),
                gap=14,
            )  # fmt: skip
            return kit.row(shown, words, gap=48, padding=(60, 50) if not compact else (24, 16))
        parts: list[Widget] = [
            kit.fitted_text(view.title, "headline", wid="sheets.title", weight="semibold", lines=2),
            kit.fitted_text(view.text, "say", wid="sheets.text", colour="quiet", valign="top"),
        ]
        if view.has_keypad:
            parts.append(typed_box(kit, "sheets.typed", view.typed or " "))
        left = kit.column(*parts, gap=14)
        if view.has_keypad:
            keys: Widget = key_rows(kit, ("123", "456", "789", "0"), questions.type_sheet_count)
        else:
            digits = [self._digit(n) for n in range(1, 10)]
            lines = [kit.row(*digits[n : n + 3]) for n in range(0, 9, 3)]
            more = kit.button(
                "sheets.more",
                _("10 or more"),
                questions.show_sheet_keypad,
                wide=True,
                height=-1,
                kind="option",
            )
            keys = kit.column(*lines, more)
            for box in (*lines, keys):
                box.spacing = kit.theme.gap
        keys.size_hint_x = 0.7
        return kit.row(left, keys, gap=40, padding=(60, 24) if not compact else (24, 10))

    def _digit(self, number: int) -> Widget:
        questions = self.app.visit.questions
        return self.kit.button(
            f"sheets.{number}",
            str(number),
            lambda: questions.set_sheet_count(number),
            wide=True,
            height=-1,
            kind="title",
        )

    def footer(self, view: SheetCountView) -> list[Widget]:
        """Return back and leaving it out; at a difference, scan again or it is right."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        questions = visit.questions
        if view.has_mismatch:
            return [
                kit.button(
                    "sheets.right",
                    _("What was scanned is right"),
                    questions.accept_sheet_count,
                    max_width=340,
                ),
                kit.button("sheets.again", "", questions.recount_sheets, icon="restart"),
                kit.spacer(),
                kit.button(
                    "sheets.scan",
                    _("Scan the missing sheet")
                    if view.has_missing_sheet
                    else _("Look at the pages"),
                    visit.scan.begin if view.has_missing_sheet else self._look,
                    style="primary",
                    kind="lead",
                    max_width=460,
                ),
            ]
        children: list[Widget] = [
            kit.button("back", _("Back"), self._look, icon="arrow-left"),
            *self.aids(),
            kit.spacer(),
            kit.button("sheets.skip", _("Leave out"), questions.accept_sheet_count),
        ]
        if view.has_keypad:
            children.append(
                kit.button(
                    "sheets.ok",
                    _("Go on"),
                    questions.submit_sheet_count if view.typed else None,
                    style="primary",
                    kind="lead",
                )
            )
        return children

    def _look(self) -> None:
        visit = self.app.visit
        if visit.filing is not None:
            visit.page_review.open(visit.filing.record.slot)


class OriginalsScreen(FilingScreen):
    """Originals that do not fit the scanner and are handed in on paper."""

    step = 3

    def body(self, view: OriginalsView) -> Widget:
        """Return what can be chosen."""
        kit, _ = self.kit, self.kit.translate.gettext
        cells = [self._choice(*choice) for choice in view.choices]
        lines = [kit.row(*cells[n : n + 2]) for n in range(0, len(cells), 2)]
        box = kit.column(*lines)
        for line in (*lines, box):
            line.spacing = kit.theme.gap
        if kit.theme.compact:
            return kit.column(box, padding=(24, 12))
        title = kit.fitted_text(_("What does not fit the scanner?"), "headline", weight="semibold",
                                lines=1, size_hint_y=0.26)  # fmt: skip
        note = kit.fitted_text(
            _("It is written on your receipt as an original to be handed in."),
            "say",
            colour="quiet",
            size_hint_y=0.2,
            lines=2,
        )
        return kit.column(title, note, box, gap=12, padding=(60, 14, 60, 20))

    def _choice(self, wid: str, name: str, icon: str, chosen: bool) -> Widget:
        kit, questions = self.kit, self.app.visit.questions
        mark = "checkbox-marked" if chosen else "checkbox-blank-outline"
        return kit.touchable_card(
            f"original.{wid}",
            name,
            lambda: questions.toggle_original(name),
            kit.icon(mark, 42, "accent" if chosen else "quiet"),
            kit.icon(icon, 42, "quiet"),
            kit.fitted_text(name, "option"),
            style="tint" if chosen else "plain",
            chosen=chosen,
            orientation="horizontal",
            padding=(24, 8),
            gap=18,
        )

    def footer(self, view: OriginalsView) -> list[Widget]:
        """Return aids and go on."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        chosen = any(choice[3] for choice in view.choices)
        words = _("Go on") if chosen else _("Nothing of this")
        return [
            *self.aids(),
            kit.spacer(),
            kit.button("originals.done", words, visit.step_back, style="primary", kind="lead",
                       icon_after="arrow-right"),
        ]  # fmt: skip


class FeeScreen(FilingScreen):
    """The state fee: a hint and a code to pay; the filing is never refused."""

    step = 3

    def body(self, view: FeeView) -> Widget:
        """Return the hint at the left; keys, fees or grounds of exemption at the right."""
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        compact = kit.theme.compact
        words: list[Widget] = []
        if view.label and not compact:
            words.append(
                kit.fitted_text(view.label, "lead", colour="quiet", lines=2, size_hint_y=0.5)
            )
        if view.figure:
            words.append(
                kit.fitted_text(
                    view.figure,
                    "headline",
                    wid="fee.figure",
                    weight="tabular",
                    lines=1,
                    size_hint_y=0.7,
                )
            )
        words.append(kit.fitted_text(view.text, "lead", wid="fee.text", size_hint_y=0.6))
        if view.exempt:
            words.append(kit.fitted_text(view.exempt, "body", colour="quiet", size_hint_y=0.5))
        elif view.code:
            words.append(CodePicture(view.code, size_hint_y=1.6))
        if view.amount_asked and view.choosing == "amount" and not view.exempt:
            words.append(typed_box(kit, "fee.amount", f"{view.amount or '0'} ₸"))
        left = kit.column(*words, gap=10)
        if view.choosing == "amount":
            right: Widget = kit.spacer()
            if view.amount_asked:
                right = key_rows(kit, ("123", "456", "789", "0"), questions.type_amount)
            right.size_hint_x = 0.7
        else:
            right = self._choices(view)
        return kit.row(left, right, gap=32, padding=(48, 18) if not compact else (20, 10))

    def _choices(self, view: FeeView) -> Widget:
        kit = self.kit
        each = 2 if kit.theme.compact else 4
        pages = max(1, -(-len(view.choices) // each))
        page = min(view.page, pages - 1)
        lines: list[Widget] = [
            kit.button(f"fee.{view.choosing}.{option}", label, self._choose(view.choosing, option),
                       wide=True, height=-1, left=True, pad=18,
                       style="chosen" if option == view.chosen else "plain")
            for option, label in view.choices[page * each : (page + 1) * each]
        ]  # fmt: skip
        lines += [kit.spacer() for _n in range(each - len(lines))]
        if pages > 1:
            less = self._page(view.choosing, page - 1) if page else None
            more = self._page(view.choosing, page + 1) if page + 1 < pages else None
            steps = kit.row(
                kit.button("fee.less", "", less, icon="chevron-up", wide=True),
                kit.button("fee.more", "", more, icon="chevron-down", wide=True),
                size_hint_y=None,
                height=kit.theme.target,
            )
            steps.spacing = kit.theme.gap
            lines.append(steps)
        box = kit.column(*lines, size_hint_x=1.1)
        box.spacing = kit.theme.gap
        return box

    def _page(self, choosing: str, page: int) -> Callable[[], None]:
        return lambda: self.app.visit.questions.show_fee_options(choosing, page)

    def _choose(self, choosing: str, option: str) -> Callable[[], None]:
        questions = self.app.visit.questions
        if choosing == "fee":
            return lambda: questions.choose_fee(option)
        return lambda: questions.choose_exemption(option)

    def footer(self, view: FeeView) -> list[Widget]:
        """Return the other questions and go on."""
        kit, _, questions = self.kit, self.kit.translate.gettext, self.app.visit.questions
        children: list[Widget] = [*self.aids()]
        if view.several:
            children.append(
                kit.button("fee.which", _("Another fee"), lambda: questions.show_fee_options("fee"),
                           icon="format-list-bulleted", max_width=260)
            )  # fmt: skip
        if view.exempt:
            children.append(
                kit.button(
                    "fee.pay",
                    _("No exemption"),
                    lambda: questions.choose_exemption(None),
                    max_width=260,
                )
            )
        else:
            children.append(
                kit.button(
                    "fee.exempt",
                    _("I am exempt"),
                    lambda: questions.show_fee_options("exemption"),
                    icon="hand-back-left-outline",
                    max_width=260,
                )
            )
        return [
            *children,
            kit.spacer(),
            kit.button("fee.done", _("Go on"), questions.finish_fee, style="primary", kind="lead",
                       icon_after="arrow-right"),
        ]  # fmt: skip
