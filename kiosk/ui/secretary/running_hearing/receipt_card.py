"""Card of a receipt: what its taps do, and the picture that is printed."""

from __future__ import annotations

from functools import partial

from kivy.uix.widget import Widget
from PIL import Image

from kiosk.export.signed_receipt import render_signed_receipt
from kiosk.locale import Translator
from kiosk.ui.app_state import AppState
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.secretary.running_hearing.receipt import ReceiptCard, receipt_paper
from kiosk.ui.secretary.running_hearing.side_panel_card import PanelTaps, panel_card
from kiosk.ui.widgets.widget_kit import WidgetKit


def receipt_card(kit: WidgetKit, app: AppState, view: ReceiptCard) -> Widget:
    """Return the card; nothing of the recording is covered."""
    receipts = app.receipts
    taps = PanelTaps(
        lambda choice: app.spawn(
            receipts.choose(choice.id, view.mark, partial(draw_receipt, app, view.mark))
        ),
        lambda _page: None,
        lambda: receipts.close(view.mark),
    )
    return panel_card(kit, view.panel, taps)


def draw_receipt(app: AppState, mark: int) -> Image.Image:
    """Return the receipt of ``mark``, in the language of the proceedings."""
    hearing = app.shown_recorder_state.hearing
    if hearing is None:
        raise LookupError("no hearing is open")
    translate = Translator(hearing.language or app.translate.language)
    labels = RuleLabels(translate, app.labels.rules)
    paper = receipt_paper(labels, translate, hearing, mark, app.zone)
    court = translate.pick({str(k): v for k, v in app.settings.kiosk.court.items()})
    width = app.settings.printer.width_dots
    return render_signed_receipt(paper, translate, court=court, width=width)
