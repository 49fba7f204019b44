"""Which document is handed in: types by case kind, the most common first."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import DocumentTypePlace
from kiosk.ui.samples.visit_states import visit


@dataclass(frozen=True)
class DocumentTypeView:
    """The choice of the document type; groups and types as id and label."""

    title: str
    groups: tuple[tuple[str, str], ...]
    group: str
    types: tuple[tuple[str, str], ...]
    page: int


def view(app: AppState) -> DocumentTypeView:
    """Return groups and the types of the chosen group."""
    place, labels = app.visit.place_as(DocumentTypePlace), app.labels
    return DocumentTypeView(
        title=app.translate.gettext("Choose document type"),
        groups=tuple((group, labels.group(group)) for group in labels.groups()),
        group=place.group,
        types=tuple((kind, labels.document_type(kind)) for kind in labels.types_of(place.group)),
        page=place.page,
    )


SAMPLES = {
    "document_type": visit(DocumentTypePlace()),
    "document_type-civil": visit(DocumentTypePlace("civil")),
    "document_type-criminal-3": visit(DocumentTypePlace("criminal", 2)),
}
