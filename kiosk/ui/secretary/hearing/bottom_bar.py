"""Bottom bar of the running hearing: recess, closing, listen back; the end stays apart."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import ListenPanel
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.hearing.recording import RecordingView
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.widget_kit import WidgetKit


def bottom_bar(kit: WidgetKit, app: AppState, view: RecordingView) -> Widget:
    """Return the bar of actions, or the question whether to end."""
    children = _end_question(kit, app) if app.secretary.is_end_asked else _actions(kit, app, view)
    bar = kit.row(*children, gap=16, padding=(22, 11))
    bar.spacing = kit.theme.gap
    Band(bar, kit.colours.surface, kit.colours.line, top=True)
    return bar


def _end_question(kit: WidgetKit, app: AppState) -> list[Widget]:
    _, secretary = kit.translate.gettext, app.secretary
    hearing = app.recorder_state.hearing if app.recorder_state else None

    def end() -> None:
        if hearing:
            app.spawn(secretary.end_hearing(hearing.id, hearing.case_number or ""))

    return [
        kit.fitted_text(
            _("End the hearing? It is sealed; nothing can be added after that."),
            "body", wid="rec.end.text", weight="semibold",
        ),
        kit.button("rec.end.cancel", _("Go on recording"), lambda: secretary.ask_end(False),
                   style="primary"),
        kit.button("rec.end.confirm", _("End and seal"), end, icon="stop", style="danger",
                   once=True),
    ]  # fmt: skip


def _actions(kit: WidgetKit, app: AppState, view: RecordingView) -> list[Widget]:
    _, secretary = kit.translate.gettext, app.secretary
    side_panel = secretary.side_panel
    is_crowded = kit.theme.text_size > 2 or kit.theme.compact  # then words go before signs

    def icon(name: str) -> str:
        return "" if is_crowded else name

    if view.closed:
        close = kit.button(
            "rec.open", _("Open again"), lambda: app.spawn(side_panel.reopen_hearing()),
            icon=icon("lock-open-variant-outline"), once=True, wide=True, height=-1, pad=10,
            size_hint_x=1.2,
        )  # fmt: skip
    else:
        close = kit.button(
            "rec.close", _("Close the hearing"), lambda: app.spawn(side_panel.close_hearing()),
            icon=icon("lock"), once=True, wide=True, height=-1, pad=10, size_hint_x=1.2,
        )  # fmt: skip
    if view.playing:
        listen = kit.button(
            "rec.listen.stop", _("Stop playing"), lambda: app.spawn(side_panel.stop_listening()),
            icon=icon("headphones"), style="tint", once=True, wide=True, height=-1, pad=10,
        )  # fmt: skip
    else:
        listen = kit.button(
            "rec.listen",
            _("Listen"),
            lambda: side_panel.show(ListenPanel()),
            icon=icon("headphones"),
            wide=True,
            height=-1,
            pad=10,
        )
    return [
        kit.button(
            "rec.recess",
            _("Recess"),
            lambda: app.spawn(secretary.start_recess()),
            icon=icon("pause"),
            once=True,
            wide=True,
            height=-1,
            pad=10,
            size_hint_x=0.9,
        ),
        kit.button(
            "rec.retire",
            _("Retire to deliberate"),
            lambda: app.spawn(secretary.start_retirement()),
            icon=icon("door"),
            once=True,
            wide=True,
            height=-1,
            pad=10,
            size_hint_x=1.3,
        ),
        close,
        listen,
        kit.button("staff.signout", "", app.sign_out, icon="logout", style="ghost", pad=10),
        kit.button(
            "rec.end",
            _("End hearing"),
            lambda: secretary.ask_end(True),
            icon=icon("stop"),
            style="danger",
            wide=True,
            height=-1,
            pad=10,
            size_hint_x=1.1,
        ),
    ]
