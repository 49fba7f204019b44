"""Whether a part of a hearing can be read on the kiosk, or only by the court."""

from __future__ import annotations

from pathlib import Path

from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hearing_folder import AGE_SUFFIX, CLOSED_SUFFIX, PART_FILE


def is_closed_part(folder: Path) -> bool:
    """Return whether the part in ``folder`` counts as closed: no copy is made, nothing is played.

    Its ``part.json`` says that it is closed or encrypted or cannot be read, or it holds encrypted
    media: only the court can open them (S19).
    """
    part = read_json_or_none(folder / PART_FILE)
    if part is None or part.get("closed") or part.get("encrypted"):
        return True
    return any(any(folder.rglob(f"*{suffix}")) for suffix in (CLOSED_SUFFIX, AGE_SUFFIX))
