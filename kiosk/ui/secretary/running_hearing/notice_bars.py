"""Alarm and banner across the screen of the running hearing."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.actions.side_panel_actions import RemedyPanel, SidePanelActions
from kiosk.ui.secretary.running_hearing.notices import AlarmView
from kiosk.ui.theme import Kind, Tone
from kiosk.ui.widgets.graphics import Surface
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import WidgetKit


def alarm_bar(
    kit: WidgetKit,
    alarm: AlarmView,
    side_panel: SidePanelActions,
    act: tuple[str, Tap] | None = None,
) -> Widget:
    """Return an alarm over the whole width: consequence, then what to do.

    Args:
        act: words and action of a button in place of that for the microphone's remedies.
    """
    tone, wid = alarm.tone, f"alarm.{alarm.code}"
    sentence = alarm.sentence + (f"  +{alarm.more}" if alarm.more else "")
    words = kit.column(kit.fitted_text(sentence, "body", wid=wid, colour=tone, weight="semibold"))
    if not (alarm.repairable and kit.theme.compact):  # there the remedies are behind the button
        words.add_widget(kit.fitted_text(alarm.remedy, "body"))
    height = max(kit.px(112), kit.min_font * 6)
    row = kit.row(kit.icon("alert-circle", 38, tone), words, gap=16, padding=(20, 6), height=height)
    if act is not None:
        row.add_widget(_act_button(kit, act))
    elif alarm.repairable:
        button = kit.button(
            "alarm.mend",
            kit.translate.gettext("What to do"),
            lambda: side_panel.show(RemedyPanel(alarm.repairable)),
            icon="wrench-outline",
            style="primary",
            max_width=260,
        )
        row.add_widget(button)
    Surface(row, kit.colour(f"{tone}_tint"), kit.colour(tone), kit.px(14), 1)
    return row


def _act_button(kit: WidgetKit, act: tuple[str, Tap]) -> Widget:
    label, tap = act
    return kit.button("notice.act", label, tap, style="primary", max_width=360, once=True)


def banner_bar(
    kit: WidgetKit,
    text: str,
    icon_name: str = "clock-alert-outline",
    tone: Tone = "caution",
    close: Tap | None = None,
    act: tuple[str, Tap] | None = None,
) -> Widget:
    """Return a calm sentence over the whole width; ``close`` removes it.

    Args:
        act: words and action of a button.
    """
    colour = "tint_text" if tone == "accent" else tone
    kind: Kind = "small" if act else "body"
    words = kit.text(text, kind, wid="banner", colour=colour, weight="medium")
    words.pos_hint = {"center_y": 0.5}
    icon = kit.icon(icon_name, 34, colour)
    parts = [icon, words]
    if act is not None:
        parts.append(_act_button(kit, act))
    if close is not None:
        parts.append(kit.button("notice.close", "", close, icon="close", style="ghost"))
    row = kit.row(*parts, gap=16, padding=(20, 8), size_hint_y=None)
    row.bind(minimum_height=row.setter("height"))
    fill, line = ("tint", "tint_line") if tone == "accent" else ("caution_tint", "caution_line")
    Surface(row, kit.colour(fill), kit.colour(line), kit.px(14), 1)
    return row
