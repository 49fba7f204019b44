"""Where to move a page."""

from __future__ import annotations

from kiosk.ui.registry import PageReviewPlace
from kiosk.ui.samples.visit_states import PAGE_ADVICE, visit
from kiosk.ui.visitor.pages import page_review

view = page_review.view
SAMPLES = {"page_move": visit(PageReviewPlace(7, layout="move"), 14, PAGE_ADVICE)}
