"""One page alone, as large as the screen allows."""

from __future__ import annotations

from kiosk.ui.registry import PageReviewPlace
from kiosk.ui.samples.visit_states import PAGE_ADVICE, visit
from kiosk.ui.visitor.pages import page_review

view = page_review.view
SAMPLES = {"page_enlarged": visit(PageReviewPlace(2, layout="large"), 3, PAGE_ADVICE)}
