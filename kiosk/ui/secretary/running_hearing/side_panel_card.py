"""Card of a side panel of the running hearing: title, sentence, choices, back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kivy.uix.widget import Widget

from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.running_hearing.panel_view import Choice, PanelView
from kiosk.ui.widgets.widget_kit import WidgetKit

CHOICES_PER_PAGE = 6
COMPACT_CHOICES_PER_PAGE = 3


@dataclass(frozen=True)
class PanelTaps:
    """What the taps of a panel do.

    Attributes:
        choose: called with a choice.
        show_page: called with the number of the page to show.
        close: leaves the panel.
    """

    choose: Callable[[Choice], None]
    show_page: Callable[[int], None]
    close: Callable[[], None]


def side_panel_card(kit: WidgetKit, view: PanelView, app: AppState) -> Widget:
    """Return the open side panel."""
    panel = app.secretary.side_panel
    taps = PanelTaps(
        lambda choice: app.spawn(panel.choose(choice.id)),
        panel.show_page,
        lambda: panel.show(None),
    )
    return panel_card(kit, view, taps)


def panel_card(kit: WidgetKit, view: PanelView, taps: PanelTaps) -> Widget:
    """Return a panel; its choices have pages where there are many."""
    compact = kit.theme.compact
    per_page = COMPACT_CHOICES_PER_PAGE if compact else CHOICES_PER_PAGE
    pages = max(1, -(-len(view.choices) // per_page))
    page = min(view.page, pages - 1)
    shown = view.choices[page * per_page : (page + 1) * per_page]
    choices = [_choice_button(kit, choice, taps) for choice in shown]
    columns = COMPACT_CHOICES_PER_PAGE if compact else 1 if view.is_confirmation else 2
    if columns == 2 and len(choices) % 2:
        choices.append(kit.spacer())
    words: list[Widget] = [
        kit.fitted_text(
            view.title, "body", wid="panel.title", weight="semibold", size_hint_y=0.45, lines=2
        )
    ]
    if view.text:
        share = 0.7 if choices and not view.is_confirmation else 0.9 if compact else 1.6
        words.append(kit.fitted_text(view.text, "body", wid="panel.text", size_hint_y=share))
    if not choices:
        words.append(kit.spacer())
    last = [
        kit.button("panel.close", kit.translate.gettext("Back"), taps.close,
                   icon="close", style="chosen", fill=True, pad=8)
    ]  # fmt: skip
    if pages > 2:
        before = (page - 1) % pages
        last.append(
            kit.button("panel.less", "", lambda: taps.show_page(before), icon="chevron-left",
                       fill=True, pad=8)
        )  # fmt: skip
    if pages > 1:
        following = (page + 1) % pages
        last.append(
            kit.button("panel.more", kit.translate.gettext("More"),
                       lambda: taps.show_page(following), icon_after="chevron-right",
                       fill=True, pad=8)
        )  # fmt: skip
    rows = [*words, *kit.grid(choices, columns), kit.row(*last, gap=12)]
    return kit.card(*rows, tone="accent", gap="touch", padding=12)


def _choice_button(kit: WidgetKit, choice: Choice, taps: PanelTaps) -> Widget:
    compact = kit.theme.compact
    return kit.button(
        f"panel.{choice.id}",
        choice.label,
        lambda: taps.choose(choice),
        icon="" if compact else choice.icon,
        style=choice.style,
        kind="small" if compact else "body",
        fill=True,
        pad=4 if compact else 12,
        once=True,
    )
