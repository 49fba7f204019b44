"""The bottom of a running hearing: stops, closing, listening; the end stands apart."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.desk import Desk
from kiosk.ui.secretary.panels import ListenPanel
from kiosk.ui.secretary.recording_views import RecordingView
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.kit import Kit


def footer_bar(kit: Kit, desk: Desk, view: RecordingView) -> Widget:
    """Return the bar of actions, or the question whether to end."""
    children = _asks_end(kit, desk) if desk.office.asks_end else _actions(kit, desk, view)
    bar = kit.row(*children, gap=16, padding=(22, 11))
    bar.spacing = kit.theme.gap
    Band(bar, kit.colours.surface, kit.colours.line, top=True)
    return bar


def _asks_end(kit: Kit, desk: Desk) -> list[Widget]:
    _, office = kit.say.gettext, desk.office
    hearing = desk.recorder.hearing if desk.recorder else None

    def end() -> None:
        if hearing:
            desk.do(office.end(hearing.id, hearing.case_number))

    return [
        kit.fit(
            _("End the hearing? It is sealed; nothing can be added after that."),
            "body", wid="rec.end.text", weight="semibold",
        ),
        kit.button("rec.end.cancel", _("Go on recording"), lambda: office.ask_end(False),
                   style="primary"),
        kit.button("rec.end.confirm", _("End and seal"), end, icon="stop", style="danger",
                   once=True),
    ]  # fmt: skip


def _actions(kit: Kit, desk: Desk, view: RecordingView) -> list[Widget]:
    _, office = kit.say.gettext, desk.office
    conduct = office.conduct
    crowded = kit.theme.text_size > 2 or kit.theme.compact  # then words go before signs

    def icon(name: str) -> str:
        return "" if crowded else name

    if view.closed:
        close = kit.button(
            "rec.open", _("Open again"), lambda: desk.do(conduct.reopen()),
            icon=icon("lock-open-variant-outline"), once=True, wide=True, height=-1, pad=10,
            size_hint_x=1.2,
        )  # fmt: skip
    else:
        close = kit.button(
            "rec.close", _("Close the hearing"), lambda: desk.do(conduct.close()),
            icon=icon("lock"), once=True, wide=True, height=-1, pad=10, size_hint_x=1.2,
        )  # fmt: skip
    if view.playing:
        listen = kit.button(
            "rec.listen.stop", _("Stop playing"), lambda: desk.do(conduct.stop_listening()),
            icon=icon("headphones"), style="tint", once=True, wide=True, height=-1, pad=10,
        )  # fmt: skip
    else:
        listen = kit.button(
            "rec.listen", _("Listen"), lambda: conduct.open(ListenPanel()), icon=icon("headphones"),
            wide=True, height=-1, pad=10,
        )  # fmt: skip
    return [
        kit.button("rec.recess", _("Recess"), lambda: desk.do(office.recess()), icon=icon("pause"),
                   once=True, wide=True, height=-1, pad=10, size_hint_x=0.9),
        kit.button("rec.retire", _("Retire to deliberate"), lambda: desk.do(office.retire()),
                   icon=icon("door"), once=True, wide=True, height=-1, pad=10, size_hint_x=1.3),
        close,
        listen,
        kit.button("staff.signout", "", desk.sign_out, icon="logout", style="ghost", pad=10),
        kit.button("rec.end", _("End hearing"), lambda: office.ask_end(True), icon=icon("stop"),
                   style="danger", wide=True, height=-1, pad=10, size_hint_x=1.1),
    ]  # fmt: skip
