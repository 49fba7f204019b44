"""The end of a filing: summary, registering, receipt, failure, ticket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.theme import Tone
from kiosk.ui.visitor.end_views import (
    FilingFailedView,
    ParkedView,
    ReceiptView,
    SummaryLine,
    SummaryView,
)
from kiosk.ui.visitor.filing_screen import CodePicture, FilingScreen, stage_strip


class SummaryScreen(FilingScreen):
    """The summary of everything that goes to the court; a touch on a line changes it."""

    step = 4

    def body(self, view: SummaryView) -> Widget:
        """Return the lines of the summary."""
        kit, _ = self.kit, self.kit.translate.gettext
        compact = kit.theme.compact
        lines = [self._line(n, line) for n, line in enumerate(view.lines)]
        if compact:
            columns = 2
            lines += [kit.spacer() for _n in range(-len(lines) % columns)]
            rows = [kit.row(*lines[n : n + 2], gap=12) for n in range(0, len(lines), 2)]
            return kit.column(*rows, gap=12, padding=(20, 10))
        title = kit.fitted_text(_("Hand in this document?"), "title", weight="semibold", lines=1,
                                size_hint_y=None, height=kit.px(56))  # fmt: skip
        note = kit.fitted_text(_("The court gets the scan. Keep the paper original."), "body",
                               colour="quiet", size_hint_y=None, height=kit.px(40))  # fmt: skip
        if len(lines) > 5:
            lines += [kit.spacer() for _n in range(-len(lines) % 2)]
            lines = [kit.row(*lines[n : n + 2], gap=15) for n in range(0, len(lines), 2)]
        return kit.column(title, *lines, note, gap=15, padding=(48, 12))

    def _line(self, number: int, line: SummaryLine) -> Widget:
        kit = self.kit
        colour = "caution" if line.tone == "caution" else "text"
        return kit.touchable_card(
            f"confirm.{line.target}" if number < 4 else f"confirm.{line.target}.{number}",
            f"{line.label}: {line.text}",
            self._open(line.target),
            kit.fitted_text(line.label, "body", colour="quiet", size_hint_x=0.5),
            kit.fitted_text(line.text, "lead", wid=f"confirm.text.{number}", colour=colour,
                            weight="medium", ellipsis=True),
            kit.centred(kit.icon("chevron-right", 30, "quiet"), size_hint_x=None,
                        width=kit.px(36)),
            orientation="horizontal",
            padding=(22, 4),
            gap=14,
        )  # fmt: skip

    def _open(self, target: str) -> Callable[[], None]:
        visit = self.app.visit
        targets: dict[str, Callable[[], None]] = {
            "type": visit.start_filing,
            "case": visit.questions.ask_case,
            "who": visit.questions.ask_applicant,
            "slots": visit.questions.show_documents,
            "originals": visit.questions.ask_originals,
            "fee": visit.questions.ask_fee,
        }
        return targets[target]

    def footer(self, view: SummaryView) -> list[Widget]:
        """Return back, later and hand in."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        return [
            kit.button("back", _("Back"), app.visit.questions.show_documents, icon="arrow-left"),
            *self.aids(),
            *self.park_button(),
            kit.spacer(),
            kit.button("pages.submit", _("Submit"), lambda: app.spawn(app.visit.submit()),
                       icon="check", style="primary", kind="heading", once=True, max_width=520),
        ]  # fmt: skip


class RegisteringScreen(FilingScreen):
    """Shown while the filing is stored and registered."""

    step = 4

    def header(self, view: Any, chrome: Any) -> list[Widget]:
        """Nothing can be left here: no way home while it is being kept."""
        return super().header(view, chrome)[1:]

    def body(self, view: Any) -> Widget:
        """Return one sentence."""
        kit, _ = self.kit, self.kit.translate.gettext
        text = kit.text(
            _("Your document is being registered…"), "headline", wid="register.text",
            weight="semibold", align="center",
        )  # fmt: skip
        icon = kit.icon("timer-sand", 130, "accent")
        return kit.column(kit.spacer(), icon, text, kit.spacer(), gap=28, padding=(60, 40))

    def has_footer(self, view: Any) -> bool:
        """There is nothing to be done here."""
        return False


class ReceiptScreen(FilingScreen):
    """The receipt: registration number, state of the document, time until the screen is wiped."""

    step = 4

    def body(self, view: ReceiptView) -> Widget:
        """Return number and stages at the left, code and printer at the right."""
        kit = self.kit
        tone: Tone = "caution" if view.provisional else "good"
        icon = "clock-outline" if view.provisional else "check-circle"
        pill = kit.pill(view.state, tone, icon, wid="receipt.state", max_width=640)
        left = kit.column(
            kit.row(pill, kit.spacer(), size_hint_y=0.7),
            kit.fitted_text(
                view.label, "body", colour="quiet", valign="bottom", size_hint_y=0.5, lines=1
            ),
            kit.fitted_text(
                view.number,
                "display",
                wid="receipt.number",
                weight="tabular",
                lines=1,
                size_hint_y=1.2,
            ),
            kit.fitted_text(
                view.summary,
                "body",
                wid="receipt.summary",
                colour="quiet",
                valign="top",
                size_hint_y=0.8,
            ),
            *([] if kit.theme.compact else [stage_strip(kit, view.stages)]),
            kit.fitted_text(
                view.originals or view.explained,
                "lead" if view.provisional or view.originals else "body",
                wid="receipt.explained",
                valign="top",
            ),
            gap=8,
        )
        colour = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
        right = kit.card(
            CodePicture(view.reference, size_hint_y=0.7 if kit.theme.compact else 1.5),
            kit.fitted_text(
                view.printer, "body", wid="receipt.printer", colour=colour, align="center"
            ),
            gap=10,
            padding=20,
            size_hint_x=0.4,
        )
        return kit.row(left, right, gap=40, padding=(60, 22))

    def footer_key(self, view: ReceiptView) -> Any:
        """The footer counts down."""
        return (view.can_print, self.app.wipe_seconds_left)

    def footer(self, view: ReceiptView) -> list[Widget]:
        """Return print again, countdown, done."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        visit = app.visit
        again = (lambda: app.spawn(visit.print_receipt())) if view.can_print else None
        seconds = self.kit.translate.ngettext(
            "The screen is wiped in {n} second", "The screen is wiped in {n} seconds",
            app.wipe_seconds_left or 0,
        )  # fmt: skip
        large = (lambda: app.spawn(visit.print_receipt(large=True))) if view.can_print else None
        return [
            kit.button(
                "receipt.print",
                _("Print again"),
                again,
                icon="printer-outline",
                once=True,
                max_width=300,
            ),
            kit.button(
                "receipt.large",
                "" if kit.theme.compact or kit.theme.text_size > 2 else _("In large print"),
                large,
                icon="format-font-size-increase",
                once=True,
                max_width=300,
            ),
            *self.aids(),
            kit.fitted_text(seconds, "body", wid="receipt.wipe", colour="quiet", align="right"),
            kit.button("receipt.done", _("Done"), app.finish_visit, style="primary", kind="lead"),
        ]


class FilingFailedScreen(FilingScreen):
    """Shown when the filing could not be stored: what to do."""

    step = 4

    def body(self, view: FilingFailedView) -> Widget:
        """Return consequence and remedy."""
        kit = self.kit
        left = kit.card(kit.centred(kit.icon("alert-circle", 180, "fault")), tone="fault",
                        size_hint_x=0.32)  # fmt: skip
        words = kit.column(
            kit.fitted_text(
                view.title, "headline", wid="refused.title", weight="semibold", valign="bottom"
            ),
            kit.fitted_text(view.text, "say", wid="refused.text", valign="top"),
            gap=14,
        )
        return kit.row(left, words, gap=48, padding=(60, 60))

    def footer(self, view: FilingFailedView) -> list[Widget]:
        """Return again and call."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        retry = (lambda: app.spawn(app.visit.submit())) if view.pages_kept else app.visit.leave
        return [
            kit.button("refused.retry", _("Try again"), retry, icon="restart", once=True),
            *self.aids(),
            kit.spacer(),
            kit.button("refused.call", _("Call the secretary"), app.visit.call_secretary,
                       icon="bell-ring-outline", style="primary", max_width=440),
        ]  # fmt: skip


class ParkedScreen(FilingScreen):
    """The ticket of the parked filing, printed or on the screen."""

    step = 3

    def body(self, view: ParkedView) -> Widget:
        """Return what to do with the ticket; its code where it could not be printed."""
        kit, _ = self.kit, self.kit.translate.gettext
        compact = kit.theme.compact
        colour = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
        words: list[Widget] = [
            kit.fitted_text(
                view.title, "headline", wid="parked.title", weight="semibold", valign="bottom"
            ),
            kit.fitted_text(view.until, "title", wid="parked.until", lines=1, size_hint_y=0.5),
            kit.fitted_text(
                _(
                    "Hold the ticket to this kiosk's reader to go on. Nobody can open your "
                    "papers without it."
                ),
                "lead",
                colour="quiet",
                size_hint_y=0.8,
            ),
            kit.fitted_text(
                view.printer, "lead", wid="parked.printer", colour=colour, size_hint_y=0.8
            ),
        ]
        if view.shows_code:
            shown: Widget = kit.card(
                CodePicture(view.reference, size_hint_y=1.6),
                kit.fitted_text(view.code, "heading", wid="parked.code", weight="tabular",
                                align="center"),
                gap=8,
                padding=16,
                size_hint_x=0.5,
            )  # fmt: skip
        else:
            shown = kit.card(kit.centred(kit.icon("ticket-outline", 180, "tint_text")),
                             tone="accent", size_hint_x=0.36)  # fmt: skip
        left = kit.column(*words, gap=12)
        return kit.row(left, shown, gap=40, padding=(60, 30) if not compact else (24, 12))

    def footer_key(self, view: ParkedView) -> Any:
        """The footer counts down."""
        return (view.can_print, self.app.wipe_seconds_left)

    def footer(self, view: ParkedView) -> list[Widget]:
        """Return print again, countdown, done."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        again = (lambda: app.spawn(app.visit.parking.print_ticket())) if view.can_print else None
        seconds = kit.translate.ngettext(
            "The screen is wiped in {n} second", "The screen is wiped in {n} seconds",
            app.wipe_seconds_left or 0,
        )  # fmt: skip
        return [
            kit.button("parked.print", _("Print again"), again, icon="printer-outline", once=True,
                       max_width=300),
            *self.aids(),
            kit.fitted_text(seconds, "body", wid="parked.wipe", colour="quiet", align="right"),
            kit.button("parked.done", _("Done"), app.finish_visit, style="primary", kind="lead"),
        ]  # fmt: skip
