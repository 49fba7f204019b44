"""The end of handing in: summary, registering, receipt, refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.theme import Tone
from kiosk.ui.visitor.end_views import ConfirmView, Line, ParkedView, ReceiptView, RefusedView
from kiosk.ui.visitor.step import CodePicture, FilingPage, stage_strip
from kiosk.ui.widgets.kit import Kit


class ConfirmPage(FilingPage):
    """The summary: everything that goes to the court; a touch on a line changes it."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.confirm", desk)

    def body(self, view: ConfirmView) -> Widget:
        """Return the lines of the summary."""
        kit, _ = self.kit, self.kit.say.gettext
        compact = kit.theme.compact
        lines = [self._line(n, line) for n, line in enumerate(view.lines)]
        if compact:
            columns = 2
            lines += [kit.space() for _n in range(-len(lines) % columns)]
            rows = [kit.row(*lines[n : n + 2], gap=12) for n in range(0, len(lines), 2)]
            return kit.column(*rows, gap=12, padding=(20, 10))
        title = kit.fit(_("Hand in this document?"), "title", weight="semibold", lines=1,
                        size_hint_y=None, height=kit.px(56))  # fmt: skip
        told = kit.fit(_("The court gets the scan. Keep the paper original."), "body",
                       colour="quiet", size_hint_y=None, height=kit.px(40))  # fmt: skip
        if len(lines) > 5:
            lines += [kit.space() for _n in range(-len(lines) % 2)]
            lines = [kit.row(*lines[n : n + 2], gap=15) for n in range(0, len(lines), 2)]
        return kit.column(title, *lines, told, gap=15, padding=(48, 12))

    def _line(self, number: int, line: Line) -> Widget:
        kit = self.kit
        colour = "caution" if line.tone == "caution" else "text"
        return kit.touchable_card(
            f"confirm.{line.go}" if number < 4 else f"confirm.{line.go}.{number}",
            f"{line.label}: {line.text}",
            self._open(line.go),
            kit.fit(line.label, "body", colour="quiet", size_hint_x=0.5),
            kit.fit(line.text, "lead", wid=f"confirm.text.{number}", colour=colour,
                    weight="medium", ellipsis=True),
            kit.middle(kit.icon("chevron-right", 30, "quiet"), size_hint_x=None,
                       width=kit.px(36)),
            orientation="horizontal",
            padding=(22, 4),
            gap=14,
        )  # fmt: skip

    def _open(self, go: str) -> Callable[[], None]:
        visit = self.desk.visit
        ways: dict[str, Callable[[], None]] = {
            "type": visit.begin_filing,
            "case": visit.telling.ask_case,
            "who": visit.telling.ask_who,
            "slots": visit.telling.gather,
            "originals": visit.telling.ask_originals,
            "fee": visit.telling.ask_fee,
        }
        return ways[go]

    def foot(self, view: ConfirmView) -> list[Widget]:
        """Return back, later and hand in."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("back", _("Back"), desk.visit.telling.gather, icon="arrow-left"),
            *self.aids(),
            *self.later(),
            kit.space(),
            kit.button("pages.submit", _("Submit"), lambda: desk.do(desk.visit.submit()),
                       icon="check", style="primary", kind="heading", once=True, most=520),
        ]  # fmt: skip


class RegisteringPage(FilingPage):
    """The filing is being made durable and registered."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.registering", desk)

    def head(self, view: Any, frame: Any) -> list[Widget]:
        """Nothing can be left here: no way home while it is being kept."""
        return super().head(view, frame)[1:]

    def body(self, view: Any) -> Widget:
        """Return one sentence."""
        kit, _ = self.kit, self.kit.say.gettext
        text = kit.text(
            _("Your document is being registered…"), "headline", wid="register.text",
            weight="semibold", align="center",
        )  # fmt: skip
        icon = kit.icon("timer-sand", 130, "accent")
        return kit.column(kit.space(), icon, text, kit.space(), gap=28, padding=(60, 40))

    def has_foot(self, view: Any) -> bool:
        """There is nothing to be done here."""
        return False


class ReceiptPage(FilingPage):
    """The number is the largest thing; where the document is; when the screen is wiped."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.receipt", desk)

    def body(self, view: ReceiptView) -> Widget:
        """Return number and stages at the left, code and printer at the right."""
        kit = self.kit
        tone: Tone = "caution" if view.provisional else "good"
        icon = "clock-outline" if view.provisional else "check-circle"
        pill = kit.pill(view.state, tone, icon, wid="receipt.state", most=640)
        left = kit.column(
            kit.row(pill, kit.space(), size_hint_y=0.7),
            kit.fit(view.label, "body", colour="quiet", valign="bottom", size_hint_y=0.5, lines=1),
            kit.fit(view.number, "display", wid="receipt.number", weight="tabular", lines=1,
                    size_hint_y=1.2),
            kit.fit(view.summary, "body", wid="receipt.summary", colour="quiet", valign="top",
                    size_hint_y=0.8),
            *([] if kit.theme.compact else [stage_strip(kit, view.stages)]),
            kit.fit(view.originals or view.explained,
                    "lead" if view.provisional or view.originals else "body",
                    wid="receipt.explained", valign="top"),
            gap=8,
        )  # fmt: skip
        colour = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
        right = kit.card(
            CodePicture(view.reference, size_hint_y=0.7 if kit.theme.compact else 1.5),
            kit.fit(view.printer, "body", wid="receipt.printer", colour=colour, align="center"),
            gap=10,
            padding=20,
            size_hint_x=0.4,
        )
        return kit.row(left, right, gap=40, padding=(60, 22))

    def foot_key(self, view: ReceiptView) -> Any:
        """The footer counts down."""
        return (view.can_print, self.desk.wipe_seconds)

    def foot(self, view: ReceiptView) -> list[Widget]:
        """Return print again, countdown, done."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        visit = desk.visit
        again = (lambda: desk.do(visit.print_receipt())) if view.can_print else None
        seconds = self.kit.say.ngettext(
            "The screen is wiped in {n} second", "The screen is wiped in {n} seconds",
            desk.wipe_seconds or 0,
        )  # fmt: skip
        large = (lambda: desk.do(visit.print_receipt(large=True))) if view.can_print else None
        return [
            kit.button(
                "receipt.print",
                _("Print again"),
                again,
                icon="printer-outline",
                once=True,
                most=300,
            ),
            kit.button(
                "receipt.large",
                "" if kit.theme.compact or kit.theme.text_size > 2 else _("In large print"),
                large,
                icon="format-font-size-increase",
                once=True,
                most=300,
            ),
            *self.aids(),
            kit.fit(seconds, "body", wid="receipt.wipe", colour="quiet", align="right"),
            kit.button("receipt.done", _("Done"), desk.finish_visit, style="primary", kind="lead"),
        ]


class RefusedPage(FilingPage):
    """The filing could not be kept: what to do."""

    step = 4

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.refused", desk)

    def body(self, view: RefusedView) -> Widget:
        """Return consequence and remedy."""
        kit = self.kit
        left = kit.card(kit.middle(kit.icon("alert-circle", 180, "fault")), tone="fault",
                        size_hint_x=0.32)  # fmt: skip
        words = kit.column(
            kit.fit(
                view.title, "headline", wid="refused.title", weight="semibold", valign="bottom"
            ),
            kit.fit(view.text, "say", wid="refused.text", valign="top"),
            gap=14,
        )
        return kit.row(left, words, gap=48, padding=(60, 60))

    def foot(self, view: RefusedView) -> list[Widget]:
        """Return again and call."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        retry = (lambda: desk.do(desk.visit.submit())) if view.pages_kept else desk.visit.leave
        return [
            kit.button("refused.retry", _("Try again"), retry, icon="restart", once=True),
            *self.aids(),
            kit.space(),
            kit.button("refused.call", _("Call the secretary"), desk.visit.call_secretary,
                       icon="bell-ring-outline", style="primary", most=440),
        ]  # fmt: skip


class ParkedPage(FilingPage):
    """The filing is kept: the ticket, printed or on the screen, opens it again."""

    step = 3

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.parked", desk)

    def body(self, view: ParkedView) -> Widget:
        """Return what to do with the ticket; its code where it could not be printed."""
        kit, _ = self.kit, self.kit.say.gettext
        compact = kit.theme.compact
        colour = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
        words: list[Widget] = [
            kit.fit(view.title, "headline", wid="parked.title", weight="semibold",
                    valign="bottom"),
            kit.fit(view.until, "title", wid="parked.until", lines=1, size_hint_y=0.5),
            kit.fit(_("Hold the ticket to this kiosk's reader to go on. Nobody can open your "
                      "papers without it."), "lead", colour="quiet", size_hint_y=0.8),
            kit.fit(view.printer, "lead", wid="parked.printer", colour=colour, size_hint_y=0.8),
        ]  # fmt: skip
        if view.shows_code:
            shown: Widget = kit.card(
                CodePicture(view.reference, size_hint_y=1.6),
                kit.fit(view.code, "heading", wid="parked.code", weight="tabular",
                        align="center"),
                gap=8,
                padding=16,
                size_hint_x=0.5,
            )  # fmt: skip
        else:
            shown = kit.card(kit.middle(kit.icon("ticket-outline", 180, "tint_text")),
                             tone="accent", size_hint_x=0.36)  # fmt: skip
        left = kit.column(*words, gap=12)
        return kit.row(left, shown, gap=40, padding=(60, 30) if not compact else (24, 12))

    def foot_key(self, view: ParkedView) -> Any:
        """The footer counts down."""
        return (view.can_print, self.desk.wipe_seconds)

    def foot(self, view: ParkedView) -> list[Widget]:
        """Return print again, countdown, done."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        again = (lambda: desk.do(desk.visit.later.print_ticket())) if view.can_print else None
        seconds = kit.say.ngettext(
            "The screen is wiped in {n} second", "The screen is wiped in {n} seconds",
            desk.wipe_seconds or 0,
        )  # fmt: skip
        return [
            kit.button("parked.print", _("Print again"), again, icon="printer-outline", once=True,
                       most=300),
            *self.aids(),
            kit.fit(seconds, "body", wid="parked.wipe", colour="quiet", align="right"),
            kit.button("parked.done", _("Done"), desk.finish_visit, style="primary", kind="lead"),
        ]  # fmt: skip
