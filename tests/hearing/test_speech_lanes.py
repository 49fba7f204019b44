"""Who spoke when, as a copy shows it (S18)."""

from __future__ import annotations

from pathlib import Path

from kiosk.export.protected_spans import ProtectedSpan
from kiosk.export.speech_lanes import SpokenTurn, spoken_turns
from tests.support.hearing_builder import add_part, close_part, new_hearing
from tests.support.identity import Court


def test_turns_come_by_part_in_order_and_none_that_touches_a_protected_person(
    tmp_path: Path,
) -> None:
    """A turn that begins before the stretch or ends after it would tell of it (S9)."""
    built = new_hearing(tmp_path / "hearings", Court.make(tmp_path / "court").device())
    add_part(built, fragments=10)
    rows = ((1, 9.0, 0.0), (1, 1.0, 0.9), (1, 4.0, 0.0), (1, 6.5, 0.0), (2, 3.0, 0.0))
    for part, begin, unclear in rows:
        turn = {"part": part, "part_seconds": begin, "lasts": 1.5, "unclear_seconds": unclear}
        built.journal.append("speech", {"source": "witness", "intelligibility": None, **turn})
    close_part(built, 1)
    built.journal.end({"person": "p1"})
    spans = [ProtectedSpan(1, 5.0, 7.0, is_to_end=False)]
    assert spoken_turns(built.folder, (1,), spans) == {
        1: [SpokenTurn("witness", 1.0, 2.5, True), SpokenTurn("witness", 9.0, 10.5, False)]
    }
    assert [turn.begin for turn in spoken_turns(built.folder, (1,), ())[1]] == [1.0, 4.0, 6.5, 9.0]
