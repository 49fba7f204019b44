"""Bottom bar of the running hearing: recess, closing, listen back; the end stays apart."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import DecisionPanel, ListenPanel
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.end_question import end_question
from kiosk.ui.secretary.running_hearing.recording import RecordingView
from kiosk.ui.widgets.graphics import Band
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import Style, WidgetKit


def bottom_bar(kit: WidgetKit, app: AppState, view: RecordingView) -> Widget:
    """Return the bar of actions, or the question whether to end."""
    if app.secretary.is_end_asked:
        children = end_question(kit, app, kit.translate.gettext("Go on recording"))
    else:
        children = _actions(kit, app, view)
    bar = kit.row(*children, gap="touch", padding=(22, 11))
    Band(bar, kit.colours.surface, kit.colours.line, top=True)
    return bar


def _actions(kit: WidgetKit, app: AppState, view: RecordingView) -> list[Widget]:
    _, secretary, side_panel = kit.translate.gettext, app.secretary, app.secretary.side_panel
    compact = kit.theme.compact

    def action(
        wid: str, text: str, tap: Tap, width: float, style: Style = "plain", *, once: bool = True
    ) -> Widget:
        return kit.button(
            wid,
            text,
            tap,
            style=style,
            once=once,
            fill=True,
            pad=2 if compact else 6,
            size_hint_x=width,
        )

    if view.closed:
        publicity = action(
            "rec.open", _("Open again"),
            lambda: app.spawn(side_panel.reopen_hearing()), 1.2,
        )  # fmt: skip
    else:
        publicity = action(
            "rec.close", _("Close the hearing"),
            lambda: app.spawn(side_panel.close_hearing()), 1.2,
        )  # fmt: skip
    if view.playing:
        listen = action(
            "rec.listen.stop", _("Stop playing"),
            lambda: app.spawn(side_panel.stop_listening()), 1.2, "tint",
        )  # fmt: skip
    else:
        listen = action(
            "rec.listen", _("Listen"), lambda: side_panel.show(ListenPanel()), 1.2,
            once=False,
        )  # fmt: skip
    return [
        action("rec.recess", _("Recess"),
               lambda: app.spawn(secretary.start_recess()), 0.95 if compact else 0.85),
        action("rec.retire", _("Retire to deliberate"),
               lambda: app.spawn(secretary.start_retirement()), 1.7 if compact else 1.3),
        publicity,
        action("rec.decisions", _("Decisions"),
               lambda: side_panel.show(DecisionPanel()), 1.05, once=False),
        listen,
        kit.button("staff.signout", "", app.sign_out, icon="logout", style="ghost", pad=10),
        action("rec.end", _("End hearing"), lambda: secretary.ask_end(True), 1.1, "danger",
               once=False),
    ]  # fmt: skip
