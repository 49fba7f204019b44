"""Other screens of visitors: document status, ticket, hearings, call, leaving, idle warning."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.visitor.end_views import DocumentStatusView, HearingsView, ListedHearing
from kiosk.ui.visitor.filing_screen import stage_strip
from kiosk.ui.visitor.home import VisitorScreen
from kiosk.ui.visitor.telling_screens import typed_box
from kiosk.ui.visitor.telling_views import ResumeView
from kiosk.ui.widgets.keyboard import key_rows

TICKET_ROWS = ("1234567890", "ABCDEFGH", "JKMNPQRS", "TVWXYZ")
TICKET_SMALL = ("123456789", "0ABCDEFGH", "JKMNPQRST", "VWXYZ")
TICKET_LENGTH = len("ABCD-EFGH-JKMN-PQRS")


class DocumentStatusScreen(VisitorScreen):
    """Where a document is, by the code of its receipt; a ticket opens a parked filing."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Where is my document?"), ""

    def body(self, view: DocumentStatusView) -> Widget:
        """Return what to hold to the reader, or the answer."""
        kit, _ = self.kit, self.kit.translate.gettext
        compact = kit.theme.compact
        padding = (60, 40) if not compact else (24, 14)
        if not view.answer:
            left = kit.card(kit.centred(kit.icon("qrcode-scan", 170, "tint_text")), tone="accent",
                            size_hint_x=0.36)  # fmt: skip
            words = kit.column(
                kit.fitted_text(
                    _("Hold the code of your receipt to the reader"),
                    "headline",
                    weight="semibold",
                    valign="bottom",
                ),
                kit.fitted_text(
                    _(
                        "Only this code shows where your document is. A ticket of papers that "
                        "you keep for later opens them the same way."
                    ),
                    "say",
                    valign="top",
                ),
                gap=14,
            )
            return kit.row(left, words, gap=48, padding=padding)
        colour = "caution" if view.tone == "caution" else "good"
        parts: list[Widget] = [
            kit.fitted_text(
                view.answer,
                "headline",
                wid="track.answer",
                colour=colour,
                weight="semibold",
                valign="bottom",
            ),
        ]
        if view.number:
            parts.append(kit.fitted_text(view.number, "title", wid="track.number", weight="tabular",
                                         lines=1, size_hint_y=0.6))  # fmt: skip
        parts.append(kit.fitted_text(view.detail, "say", wid="track.detail", colour="quiet",
                                     size_hint_y=0.5))  # fmt: skip
        if view.reason:
            parts.append(kit.fitted_text(view.reason, "say", wid="track.reason", size_hint_y=0.8))
        if view.stages and not compact:
            parts.append(stage_strip(kit, view.stages))
        if view.printer:
            tone = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
            parts.append(kit.fitted_text(view.printer, "body", wid="track.printer", colour=tone,
                                         size_hint_y=0.9))  # fmt: skip
        return kit.column(*parts, gap=14, padding=padding)

    def footer(self, view: DocumentStatusView) -> list[Widget]:
        """Return back; the ticket's code, or the receipt printed again."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        parking, tracking = app.visit.parking, app.visit.tracking
        children: list[Widget] = [
            kit.button("back", _("Back"), app.visit.leave_or_ask, icon="arrow-left"),
            *self.aids(),
            kit.spacer(),
        ]
        if view.stages:
            again = (lambda: app.spawn(tracking.reprint_receipt())) if view.can_print else None
            children.append(
                kit.button("track.print", _("Print the receipt again"), again,
                           icon="printer-outline", once=True, max_width=460)
            )  # fmt: skip
        elif not view.answer:
            children.append(
                kit.button("track.ticket", _("Type a ticket's code"), parking.ask_for_ticket,
                           icon="ticket-outline", max_width=460)
            )  # fmt: skip
        return children


class ResumeScreen(VisitorScreen):
    """Resumes a parked filing: the code of its ticket is read or typed."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Go on with your papers"), ""

    def body(self, view: ResumeView) -> Widget:
        """Return what is typed, what came of it, and the keys."""
        kit, _, parking = self.kit, self.kit.translate.gettext, self.app.visit.parking
        compact = kit.theme.compact
        note = view.answer or _("Hold the ticket to the reader, or type its code.")
        colour = "caution" if view.answer and not view.is_searching else "text"
        words = kit.fitted_text(note, "lead", wid="resume.text", colour=colour)
        typed = typed_box(kit, "resume.typed", view.typed or " ")
        if compact:
            typed.height = kit.theme.target
            top = kit.row(
                kit.button("back", "", self.app.visit.leave_or_ask, icon="arrow-left"), typed,
                self._show(view), size_hint_y=None, height=kit.theme.target,
            )  # fmt: skip
            top.spacing = kit.theme.gap
            keys = key_rows(kit, TICKET_SMALL, parking.type_ticket_code)
            return kit.column(top, keys, gap=10, padding=(14, 8))
        top = kit.row(words, typed, gap=24, size_hint_y=None, height=kit.px(110))
        return kit.column(top, key_rows(kit, TICKET_ROWS, parking.type_ticket_code), gap=14,
                          padding=(48, 14))  # fmt: skip

    def has_footer(self, _view: Any) -> bool:
        """On a small screen the keys need its room."""
        return not self.kit.theme.compact

    def _show(self, view: ResumeView) -> Widget:
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        ready = len(view.typed) >= TICKET_LENGTH and not view.is_searching
        step = (lambda: app.spawn(app.visit.parking.resume())) if ready else None
        return kit.button("resume.open", _("Go on"), step, style="primary", kind="lead")

    def footer(self, view: ResumeView) -> list[Widget]:
        """Return back and go on."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        return [
            kit.button("back", _("Back"), visit.leave_or_ask, icon="arrow-left"),
            *self.aids(),
            kit.spacer(),
            self._show(view),
        ]


class HearingsScreen(VisitorScreen):
    """Today's hearings; of closed ones only time and number."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Today's hearings"), ""

    def body(self, view: HearingsView) -> Widget:
        """Return the rows of one page."""
        kit = self.kit
        each = self._each()
        rows = view.rows[view.page * each : (view.page + 1) * each]
        cards: list[Widget] = [
            self._row(view.page * each + n, row) for n, row in enumerate(rows, start=1)
        ]
        if view.empty:
            cards = [kit.spacer(), kit.text(view.empty, "title", align="center"), kit.spacer()]
        else:
            cards += [kit.spacer() for _n in range(each - len(cards))]
        return kit.column(*cards, gap=12, padding=(60, 20))

    def _each(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 5

    def _row(self, number: int, row: ListedHearing) -> Widget:
        kit = self.kit
        time = kit.fitted_text(
            row.time or "–", "choice", weight="tabular", lines=1, size_hint_x=0.16
        )
        case = kit.fitted_text(
            row.case_number, "heading", wid=f"hearing.{number}", weight="semibold", lines=1
        )
        words: list[Widget] = [case]
        if row.title:
            words.append(kit.fitted_text(row.title, "body", colour="quiet", lines=1, ellipsis=True))
        pill = kit.pill(row.publicity, "dark" if row.closed else "accent",
                        "lock" if row.closed else "", max_width=260)  # fmt: skip
        return kit.card(
            time, kit.column(*words), pill, orientation="horizontal", padding=(26, 8), gap=16
        )

    def footer(self, view: HearingsView) -> list[Widget]:
        """Return back and the pages of the list."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        pages = max(1, -(-len(view.rows) // self._each()))
        children: list[Widget] = [
            kit.button("back", _("Back"), visit.leave_or_ask, icon="arrow-left"),
            *self.aids(),
            kit.fitted_text(view.age, "small", colour="quiet", align="right"),
        ]
        if pages > 1:
            less = (lambda: visit.show_hearings(view.page - 1)) if view.page else None
            more = (lambda: visit.show_hearings(view.page + 1)) if view.page + 1 < pages else None
            children += [
                kit.button("hearing.less", "", less, icon="chevron-up"),
                kit.button("hearing.more", "", more, icon="chevron-down"),
            ]
        return children


class SecretaryCallScreen(VisitorScreen):
    """A sign, visible across the room, that calls the secretary."""

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Call the secretary"), ""

    def body(self, view: Any) -> Widget:
        """Return the sign."""
        kit, _ = self.kit, self.kit.translate.gettext
        icon = kit.icon("bell-ring-outline", 200, "caution")
        words = kit.column(
            kit.fitted_text(_("Help is needed here"), "display", weight="semibold", valign="bottom",
                            colour="caution"),
            kit.fitted_text(_("Please wait here. The secretary sees this sign, and a message when "
                              "signing in. No sound is made."), "say",
                            wid="called.text", valign="top"),
        )  # fmt: skip
        card = kit.card(
            kit.centred(icon, size_hint_x=0.4), words, tone="caution", orientation="horizontal",
            gap=20, padding=40,
        )  # fmt: skip
        return kit.column(card, padding=(60, 40))

    def footer(self, view: Any) -> list[Widget]:
        """Return: help is not needed any more."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        return [
            *self.aids(),
            kit.spacer(),
            kit.button("called.done", _("Go on"), visit.end_call, style="primary", kind="lead"),
        ]


class LeaveConfirmationScreen(VisitorScreen):
    """Asks whether to leave, because scanned pages would be lost."""

    def header(self, view: Any, chrome: Any) -> list[Widget]:
        """The question itself is the way home."""
        return super().header(view, chrome)[1:]

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Hand in documents"), ""

    def body(self, view: int) -> Widget:
        """Return consequence first."""
        kit, _ = self.kit, self.kit.translate.gettext
        count = self.kit.translate.ngettext(
            "{n} scanned page will be deleted.", "{n} scanned pages will be deleted.", view
        )
        icon = kit.icon("trash-can-outline", 170, "caution")
        words = kit.column(
            kit.fitted_text(
                count, "headline", wid="leave.text", weight="semibold", valign="bottom"
            ),
            kit.fitted_text(_("Nothing has been handed in yet."), "say", valign="top"),
            gap=14,
        )
        left = kit.card(kit.centred(icon), tone="caution", size_hint_x=0.32)
        return kit.row(left, words, gap=48, padding=(60, 60))

    def footer(self, view: int) -> list[Widget]:
        """Return both ways; staying is the safe one."""
        kit, _, visit = self.kit, self.kit.translate.gettext, self.app.visit
        return [
            kit.button(
                "leave.yes", _("Delete and leave"), visit.leave, style="danger", max_width=460
            ),
            kit.spacer(),
            kit.button("leave.no", _("Go on"), visit.cancel_leaving, style="primary", kind="lead"),
        ]


class IdleWarningScreen(VisitorScreen):
    """Warns that the screen is wiped soon, because nobody has touched it."""

    def header(self, view: Any, chrome: Any) -> list[Widget]:
        """Only languages and clock."""
        return super().header(view, chrome)[1:]

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.translate.gettext("Are you still here?"), ""

    def body(self, view: int) -> Widget:
        """Return the seconds that are left."""
        kit, _ = self.kit, self.kit.translate.gettext
        number = kit.fitted_text(
            str(view), "display", wid="idle.seconds", weight="tabular", align="center", factor=1.6
        )
        left = kit.card(number, tone="caution", size_hint_x=0.32)
        words = kit.column(
            kit.fitted_text(
                _("Are you still here?"), "headline", weight="semibold", valign="bottom"
            ),
            kit.fitted_text(
                _("Otherwise everything you have entered and scanned is deleted."),
                "say",
                valign="top",
            ),
            gap=14,
        )
        return kit.row(left, words, gap=48, padding=(60, 60))

    def footer_key(self, view: int) -> Any:
        """The footer does not count."""
        return None

    def footer(self, view: int) -> list[Widget]:
        """Return the one large button, and the other way."""
        kit, _, app = self.kit, self.kit.translate.gettext, self.app
        return [
            kit.button("idle.finish", _("Delete and finish"), app.finish_visit),
            kit.spacer(),
            kit.button("idle.here", _("I am still here"), app.record_touch, style="primary",
                       kind="heading", max_width=620),
        ]  # fmt: skip
