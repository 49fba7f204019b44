"""The baseline of the microphones comes from the newest commissioning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kiosk.hearing.room.noise_baseline import load_noise_floors
from kiosk.storage.paths import Paths


def write(paths: Paths, name: str, **values: Any) -> None:
    folder = paths.reports / name
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(values))


def results(noise_db: float, state: str = "passed") -> list[dict[str, Any]]:
    measured = {"judge": {"state": "ok", "noise_db": noise_db, "level_db": -20.0}}
    return [{"check": "microphones", "state": state, "measured": measured}]


def test_the_newest_commissioning_counts(tmp_path: Path) -> None:
    paths = Paths(tmp_path, tmp_path)
    assert load_noise_floors(paths) == {}
    write(paths, "c", commissioning=True, sequence=2, results=results(-55.0))
    write(paths, "a", commissioning=True, sequence=1, results=results(-40.0))
    write(paths, "d", commissioning=False, sequence=3, results=results(-10.0))
    write(paths, "e", commissioning=True, sequence=4, results=results(-10.0, "failed"))
    write(paths, "f", commissioning=True, sequence="x")
    assert load_noise_floors(paths) == {"judge": -55.0}
