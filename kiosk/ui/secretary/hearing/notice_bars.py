"""Alarm and banner across the screen of the running hearing."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.secretary.hearing.recording import AlarmView
from kiosk.ui.theme import Tone
from kiosk.ui.widgets.graphics import Surface
from kiosk.ui.widgets.touchable import Tap
from kiosk.ui.widgets.widget_kit import WidgetKit


def alarm_bar(kit: WidgetKit, alarm: AlarmView, on_remedy: Tap | None = None) -> Widget:
    """Return an alarm over the whole width: consequence, then what to do.

    Args:
        on_remedy: opens the remedies for the microphone.
    """
    tone = alarm.tone
    more = f"  +{alarm.more}" if alarm.more else ""
    sentence = kit.fitted_text(
        alarm.sentence + more, "body", wid=f"alarm.{alarm.code}", colour=tone, weight="semibold"
    )
    words = kit.column(sentence)
    if not (on_remedy and kit.theme.compact):  # there the remedies are behind the button
        words.add_widget(kit.fitted_text(alarm.remedy, "body"))
    icon = kit.icon("alert-circle", 38, tone)
    row = kit.row(icon, words, gap=16, padding=(20, 6), size_hint_y=None)
    if on_remedy:
        what = kit.translate.gettext("What to do")
        row.add_widget(
            kit.button(
                "alarm.mend", what, on_remedy, icon="wrench-outline", style="primary", max_width=260
            )
        )
    row.height = max(kit.px(112), kit.min_font * 6)
    fill = kit.colour(f"{tone}_tint")
    Surface(row, fill, kit.colour(tone), kit.px(14), 1)
    return row


def banner_bar(
    kit: WidgetKit, text: str, icon_name: str = "clock-alert-outline", tone: Tone = "caution"
) -> Widget:
    """Return a calm sentence over the whole width."""
    colour = "tint_text" if tone == "accent" else tone
    words = kit.text(text, "body", wid="banner", colour=colour, weight="medium")
    words.pos_hint = {"center_y": 0.5}
    icon = kit.icon(icon_name, 34, colour)
    row = kit.row(icon, words, gap=16, padding=(20, 8), size_hint_y=None)
    row.bind(minimum_height=row.setter("height"))
    fill, line = ("tint", "tint_line") if tone == "accent" else ("caution_tint", "caution_line")
    Surface(row, kit.colour(fill), kit.colour(line), kit.px(14), 1)
    return row
