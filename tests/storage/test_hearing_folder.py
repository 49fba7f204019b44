"""Names of parts, runs and files in the order of their numbers."""

from __future__ import annotations

from pathlib import Path

from kiosk.recording.formats.run_reader import list_runs
from kiosk.storage.hearing_folder import name_order, part_folder_name, part_folders


def test_parts_and_runs_come_by_number(tmp_path: Path) -> None:
    for number in (100, 11, 2):
        (tmp_path / part_folder_name(number)).mkdir()
        run = tmp_path / f"run-{number:02d}"
        run.mkdir()
        (run / "init.mp4").touch()
    (tmp_path / "run-03").mkdir()  # empty: nothing of a run
    (tmp_path / "part-99.old").mkdir()
    (tmp_path / "part-12").write_text("a file is no part")
    assert [number for number, _ in part_folders(tmp_path)] == [2, 11, 100]
    assert [path.name for path in list_runs(tmp_path)] == ["run-02", "run-11", "run-100"]
    assert part_folders(tmp_path / "absent") == []


def test_numbers_in_names_count_by_value() -> None:
    names = ["part-100/a", "part-11/b", "document-10.pdf", "document-9.pdf", "part-11/a", "7", ""]
    in_order = [
        "",
        "7",
        "document-9.pdf",
        "document-10.pdf",
        "part-11/a",
        "part-11/b",
        "part-100/a",
    ]
    assert sorted(names, key=name_order) == in_order
