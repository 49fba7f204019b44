"""The state fee: a hint and a code to pay; the filing is never refused."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget

from kiosk.ui.visitor.form.fee import FeeView
from kiosk.ui.visitor.visitor_screen import FilingScreen
from kiosk.ui.visitor.widgets import typed_box
from kiosk.ui.widgets.code_picture import CodePicture
from kiosk.ui.widgets.keyboard import NUMBER_PAD, key_rows


class FeeScreen(FilingScreen):
    """The state fee: a hint and a code to pay; the filing is never refused."""

    step = 3

    def body(self, view: FeeView) -> Widget:
        """Return the hint at the left; keys, fees or grounds of exemption at the right."""
        kit = self.kit
        padding = (20, 10) if kit.theme.compact else (48, 18)
        left = kit.column(*self._hint(view), gap=10)
        right = self._keys(view) if view.choosing == "amount" else self._choices(view)
        return kit.row(left, right, gap=32, padding=padding)

    def _hint(self, view: FeeView) -> list[Widget]:
        kit = self.kit
        parts: list[Widget] = []
        if view.label and not kit.theme.compact:
            parts.append(kit.fitted_text(view.label, "lead", colour="quiet", lines=2,
                                         size_hint_y=0.5))  # fmt: skip
        if view.figure:
            parts.append(kit.fitted_text(view.figure, "headline", wid="fee.figure",
                                         weight="tabular", lines=1, size_hint_y=0.7))  # fmt: skip
        parts.append(kit.fitted_text(view.text, "lead", wid="fee.text", size_hint_y=0.6))
        if view.exempt:
            parts.append(kit.fitted_text(view.exempt, "body", colour="quiet", size_hint_y=0.5))
        elif view.code:
            parts.append(CodePicture(view.code, size_hint_y=1.6))
        if view.choosing == "amount" and view.needs == "amount":
            if view.figure:
                parts.append(kit.fitted_text(view.asked, "body", colour="quiet", size_hint_y=0.4))
            parts.append(typed_box(kit, "fee.amount", f"{view.amount or '0'} ₸"))
        elif view.choosing == "amount" and view.needs == "counts":
            parts.extend(self._count(view, *row) for row in view.counts)
        return parts

    def _count(self, view: FeeView, what: str, label: str, number: str) -> Widget:
        return self.kit.button(
            f"fee.{what}",
            f"{label}: {number or '0'}",
            partial(self.visit.fee.count, what),
            style="chosen" if what == view.counting else "plain",
            wide=True,
        )

    def _keys(self, view: FeeView) -> Widget:
        keys, fee = self.kit.spacer(), self.visit.fee
        if view.needs:
            typing = fee.type_amount if view.needs == "amount" else fee.type_count
            keys = key_rows(self.kit, NUMBER_PAD, typing)
        keys.size_hint_x = 0.7
        return keys

    def _choices(self, view: FeeView) -> Widget:
        kit, fee = self.kit, self.visit.fee
        choose = {
            "fee": fee.choose_fee,
            "exemption_group": fee.choose_exemption_group,
            "exemption": fee.choose_exemption,
        }[view.choosing]
        each = 2 if kit.theme.compact else 4
        pages = max(1, -(-len(view.choices) // each))
        page = min(view.page, pages - 1)
        lines = [
            kit.button(f"fee.{view.choosing}.{option}", label, partial(choose, option),
                       wide=True, height=-1, left=True, pad=18,
                       style="chosen" if option == view.chosen else "plain")
            for option, label in view.choices[page * each : (page + 1) * each]
        ]  # fmt: skip
        lines = kit.filled(lines, each)
        if pages > 1:
            show = partial(fee.show_options, view.choosing)
            lines.append(kit.touch_line(*kit.pager("fee", page, pages, show, wide=True)))
        return kit.column(*lines, gap="touch", size_hint_x=1.1)

    def footer(self, view: FeeView) -> list[Widget]:
        """Return the other questions and go on."""
        kit, _, fee = self.kit, self.kit.translate.gettext, self.visit.fee
        children = self.aids()
        if view.several:
            show = partial(fee.show_options, "fee")
            children.append(kit.button("fee.which", _("Another fee"), show,
                                       icon="format-list-bulleted", max_width=260))  # fmt: skip
        if view.exempt:
            pay = partial(fee.choose_exemption, None)
            children.append(kit.button("fee.pay", _("No exemption"), pay, max_width=260))
        elif view.label or view.several:
            show = partial(fee.show_options, "exemption_group")
            children.append(kit.button("fee.exempt", _("I am exempt"), show,
                                       icon="hand-back-left-outline", max_width=260))  # fmt: skip
        return [*children, kit.spacer(), self.primary("fee.done", _("Go on"), fee.finish)]
