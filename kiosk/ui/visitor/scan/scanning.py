"""Pages are arriving; drawn as the wait for paper is."""

from __future__ import annotations

from kiosk.ui.registry import ScanningPlace
from kiosk.ui.samples.visit_states import visit
from kiosk.ui.visitor.scan import insert_paper

view = insert_paper.view
SAMPLES = {"scanning": visit(ScanningPlace(5), 5)}
