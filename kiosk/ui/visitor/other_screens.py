"""What else a visitor can do: find a document, today's hearings, call, leave."""

from __future__ import annotations

from typing import Any

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.visitor.end_views import HearingsView, ListedHearing, TrackView
from kiosk.ui.visitor.home import VisitorPage
from kiosk.ui.visitor.step import stage_strip
from kiosk.ui.visitor.telling_screens import typed_box
from kiosk.ui.visitor.telling_views import ResumeView
from kiosk.ui.widgets.keyboard import key_rows
from kiosk.ui.widgets.kit import Kit

TICKET_ROWS = ("1234567890", "ABCDEFGH", "JKMNPQRS", "TVWXYZ")
TICKET_SMALL = ("123456789", "0ABCDEFGH", "JKMNPQRST", "VWXYZ")
TICKET_LENGTH = len("ABCD-EFGH-JKMN-PQRS")


class TrackPage(VisitorPage):
    """Where is my document: by the receipt's code alone; a ticket opens what was kept."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.track", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Where is my document?"), ""

    def body(self, view: TrackView) -> Widget:
        """Return what to hold to the reader, or the answer."""
        kit, _ = self.kit, self.kit.say.gettext
        compact = kit.theme.compact
        padding = (60, 40) if not compact else (24, 14)
        if not view.answer:
            left = kit.card(kit.middle(kit.icon("qrcode-scan", 170, "tint_text")), tone="accent",
                            size_hint_x=0.36)  # fmt: skip
            words = kit.column(
                kit.fit(_("Hold the code of your receipt to the reader"), "headline",
                        weight="semibold", valign="bottom"),
                kit.fit(_("Only this code shows where your document is. A ticket of papers that "
                          "you keep for later opens them the same way."), "say", valign="top"),
                gap=14,
            )  # fmt: skip
            return kit.row(left, words, gap=48, padding=padding)
        colour = "caution" if view.tone == "caution" else "good"
        parts: list[Widget] = [
            kit.fit(view.answer, "headline", wid="track.answer", colour=colour, weight="semibold",
                    valign="bottom"),
        ]  # fmt: skip
        if view.number:
            parts.append(kit.fit(view.number, "title", wid="track.number", weight="tabular",
                                 lines=1, size_hint_y=0.6))  # fmt: skip
        parts.append(kit.fit(view.detail, "say", wid="track.detail", colour="quiet",
                             size_hint_y=0.5))  # fmt: skip
        if view.reason:
            parts.append(kit.fit(view.reason, "say", wid="track.reason", size_hint_y=0.8))
        if view.stages and not compact:
            parts.append(stage_strip(kit, view.stages))
        if view.printer:
            tone = {"good": "good", "caution": "caution"}.get(view.printer_tone, "quiet")
            parts.append(kit.fit(view.printer, "body", wid="track.printer", colour=tone,
                                 size_hint_y=0.9))  # fmt: skip
        return kit.column(*parts, gap=14, padding=padding)

    def foot(self, view: TrackView) -> list[Widget]:
        """Return back; the ticket's code, or the receipt printed again."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        later = desk.visit.later
        children: list[Widget] = [
            kit.button("back", _("Back"), desk.visit.ask_home, icon="arrow-left"),
            *self.aids(),
            kit.space(),
        ]
        if view.stages:
            again = (lambda: desk.do(later.reprint())) if view.can_print else None
            children.append(
                kit.button("track.print", _("Print the receipt again"), again,
                           icon="printer-outline", once=True, most=460)
            )  # fmt: skip
        elif not view.answer:
            children.append(
                kit.button("track.ticket", _("Type a ticket's code"), later.ask_ticket,
                           icon="ticket-outline", most=460)
            )  # fmt: skip
        return children


class ResumePage(VisitorPage):
    """Go on with papers that were kept: the ticket's code, held to the reader or typed."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.resume", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Go on with your papers"), ""

    def body(self, view: ResumeView) -> Widget:
        """Return what is typed, what came of it, and the keys."""
        kit, _, later = self.kit, self.kit.say.gettext, self.desk.visit.later
        compact = kit.theme.compact
        told = view.answer or _("Hold the ticket to the reader, or type its code.")
        colour = "caution" if view.answer and not view.working else "text"
        words = kit.fit(told, "lead", wid="resume.text", colour=colour)
        typed = typed_box(kit, "resume.typed", view.typed or " ")
        if compact:
            typed.height = kit.theme.target
            top = kit.row(
                kit.button("back", "", self.desk.visit.ask_home, icon="arrow-left"), typed,
                self._show(view), size_hint_y=None, height=kit.theme.target,
            )  # fmt: skip
            top.spacing = kit.theme.gap
            keys = key_rows(kit, TICKET_SMALL, later.ticket_key)
            return kit.column(top, keys, gap=10, padding=(14, 8))
        top = kit.row(words, typed, gap=24, size_hint_y=None, height=kit.px(110))
        return kit.column(top, key_rows(kit, TICKET_ROWS, later.ticket_key), gap=14,
                          padding=(48, 14))  # fmt: skip

    def has_foot(self, _view: Any) -> bool:
        """On a small screen the keys need its room."""
        return not self.kit.theme.compact

    def _show(self, view: ResumeView) -> Widget:
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        ready = len(view.typed) >= TICKET_LENGTH and not view.working
        step = (lambda: desk.do(desk.visit.later.resume())) if ready else None
        return kit.button("resume.open", _("Go on"), step, style="primary", kind="lead")

    def foot(self, view: ResumeView) -> list[Widget]:
        """Return back and go on."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            kit.button("back", _("Back"), visit.ask_home, icon="arrow-left"),
            *self.aids(),
            kit.space(),
            self._show(view),
        ]


class HearingsPage(VisitorPage):
    """Today's hearings; of closed ones only time and number."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.hearings", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Today's hearings"), ""

    def body(self, view: HearingsView) -> Widget:
        """Return the rows of one page."""
        kit = self.kit
        each = self._each()
        rows = view.rows[view.page * each : (view.page + 1) * each]
        cards: list[Widget] = [
            self._row(view.page * each + n, row) for n, row in enumerate(rows, start=1)
        ]
        if view.empty:
            cards = [kit.space(), kit.text(view.empty, "title", align="center"), kit.space()]
        else:
            cards += [kit.space() for _n in range(each - len(cards))]
        return kit.column(*cards, gap=12, padding=(60, 20))

    def _each(self) -> int:
        return 3 if self.kit.theme.text_size > 2 or self.kit.theme.compact else 5

    def _row(self, number: int, row: ListedHearing) -> Widget:
        kit = self.kit
        time = kit.fit(row.time or "–", "choice", weight="tabular", lines=1, size_hint_x=0.16)
        case = kit.fit(row.case_number, "heading", wid=f"hearing.{number}", weight="semibold",
                       lines=1)  # fmt: skip
        words: list[Widget] = [case]
        if row.title:
            words.append(kit.fit(row.title, "body", colour="quiet", lines=1, ellipsis=True))
        pill = kit.pill(row.publicity, "dark" if row.closed else "accent",
                        "lock" if row.closed else "", most=260)  # fmt: skip
        return kit.card(
            time, kit.column(*words), pill, orientation="horizontal", padding=(26, 8), gap=16
        )

    def foot(self, view: HearingsView) -> list[Widget]:
        """Return back and the pages of the list."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        pages = max(1, -(-len(view.rows) // self._each()))
        children: list[Widget] = [
            kit.button("back", _("Back"), visit.ask_home, icon="arrow-left"),
            *self.aids(),
            kit.fit(view.age, "small", colour="quiet", align="right"),
        ]
        if pages > 1:
            less = (lambda: visit.show_hearings(view.page - 1)) if view.page else None
            more = (lambda: visit.show_hearings(view.page + 1)) if view.page + 1 < pages else None
            children += [
                kit.button("hearing.less", "", less, icon="chevron-up"),
                kit.button("hearing.more", "", more, icon="chevron-down"),
            ]
        return children


class CalledPage(VisitorPage):
    """A sign that is seen across the room: the secretary is needed here."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.called", desk)

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Call the secretary"), ""

    def body(self, view: Any) -> Widget:
        """Return the sign."""
        kit, _ = self.kit, self.kit.say.gettext
        icon = kit.icon("bell-ring-outline", 200, "caution")
        words = kit.column(
            kit.fit(_("Help is needed here"), "display", weight="semibold", valign="bottom",
                    colour="caution"),
            kit.fit(_("Please wait here. The secretary sees this sign, and a message when "
                      "signing in. No sound is made."), "say",
                    wid="called.text", valign="top"),
        )  # fmt: skip
        card = kit.card(
            kit.middle(icon, size_hint_x=0.4), words, tone="caution", orientation="horizontal",
            gap=20, padding=40,
        )  # fmt: skip
        return kit.column(card, padding=(60, 40))

    def foot(self, view: Any) -> list[Widget]:
        """Return: help is not needed any more."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            *self.aids(),
            kit.space(),
            kit.button("called.done", _("Go on"), visit.call_done, style="primary", kind="lead"),
        ]


class LeavePage(VisitorPage):
    """Pages would be lost: asked once more."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.leave", desk)

    def head(self, view: Any, frame: Any) -> list[Widget]:
        """The question itself is the way home."""
        return super().head(view, frame)[1:]

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Hand in documents"), ""

    def body(self, view: int) -> Widget:
        """Return consequence first."""
        kit, _ = self.kit, self.kit.say.gettext
        count = self.kit.say.ngettext(
            "{n} scanned page will be deleted.", "{n} scanned pages will be deleted.", view
        )
        icon = kit.icon("trash-can-outline", 170, "caution")
        words = kit.column(
            kit.fit(count, "headline", wid="leave.text", weight="semibold", valign="bottom"),
            kit.fit(_("Nothing has been handed in yet."), "say", valign="top"),
            gap=14,
        )
        left = kit.card(kit.middle(icon), tone="caution", size_hint_x=0.32)
        return kit.row(left, words, gap=48, padding=(60, 60))

    def foot(self, view: int) -> list[Widget]:
        """Return both ways; staying is the safe one."""
        kit, _, visit = self.kit, self.kit.say.gettext, self.desk.visit
        return [
            kit.button("leave.yes", _("Delete and leave"), visit.leave, style="danger", most=460),
            kit.space(),
            kit.button("leave.no", _("Go on"), visit.stay, style="primary", kind="lead"),
        ]


class IdlePage(VisitorPage):
    """Nobody has touched the screen for a while: it is going to be wiped."""

    def __init__(self, kit: Kit, desk: Desk) -> None:
        super().__init__(kit, "visitor.idle", desk)

    def head(self, view: Any, frame: Any) -> list[Widget]:
        """Only languages and clock."""
        return super().head(view, frame)[1:]

    def title(self, view: Any) -> tuple[str, str]:
        """Return the title."""
        return self.kit.say.gettext("Are you still here?"), ""

    def body(self, view: int) -> Widget:
        """Return the seconds that are left."""
        kit, _ = self.kit, self.kit.say.gettext
        number = kit.fit(
            str(view), "display", wid="idle.seconds", weight="tabular", align="center", factor=1.6
        )
        left = kit.card(number, tone="caution", size_hint_x=0.32)
        words = kit.column(
            kit.fit(_("Are you still here?"), "headline", weight="semibold", valign="bottom"),
            kit.fit(_("Otherwise everything you have entered and scanned is deleted."), "say",
                    valign="top"),
            gap=14,
        )  # fmt: skip
        return kit.row(left, words, gap=48, padding=(60, 60))

    def foot_key(self, view: int) -> Any:
        """The footer does not count."""
        return None

    def foot(self, view: int) -> list[Widget]:
        """Return the one large button, and the other way."""
        kit, _, desk = self.kit, self.kit.say.gettext, self.desk
        return [
            kit.button("idle.finish", _("Delete and finish"), desk.finish_visit),
            kit.space(),
            kit.button("idle.here", _("I am still here"), desk.touch, style="primary",
                       kind="heading", most=620),
        ]  # fmt: skip
