"""Whether a case exists already or the filing starts one."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.ui.app_state import AppState
from kiosk.ui.registry import CasePlace
from kiosk.ui.samples.visit_states import filing


@dataclass(frozen=True)
class CaseView:
    """The question, and the kinds that a new case may have, as id and label."""

    title: str
    kinds: tuple[tuple[str, str], ...]


def view(app: AppState) -> CaseView:
    """Return the kinds that a new case may have."""
    row = app.labels.rules.document_types.get(app.visit.record.document_type)
    kinds = row.kinds if row else ()
    return CaseView(
        title=app.translate.gettext("Is there a case already?"),
        kinds=tuple((kind, app.labels.kind_title(kind)) for kind in kinds),
    )


SAMPLES = {"case": filing(CasePlace())}
