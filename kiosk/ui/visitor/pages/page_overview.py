"""Thumbnails of all pages."""

from __future__ import annotations

from kiosk.ui.registry import PageReviewPlace
from kiosk.ui.samples.visit_states import PAGE_ADVICE, visit
from kiosk.ui.visitor.pages import page_review

view = page_review.view
SAMPLES = {"page_overview": visit(PageReviewPlace(7, layout="all"), 60, PAGE_ADVICE)}
