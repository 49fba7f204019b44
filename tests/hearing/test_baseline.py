"""The baseline of the microphones comes from the newest commissioning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kiosk.selftest.noise_baseline import noise_floors
from kiosk.storage.paths import Layout


def write(layout: Layout, name: str, **values: Any) -> None:
    folder = layout.reports / name
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(values))


def results(noise_db: float, state: str = "passed") -> list[dict[str, Any]]:
    measured = {"judge": {"state": "ok", "noise_db": noise_db, "level_db": -20.0}}
    return [{"check": "microphones", "state": state, "measured": measured}]


def test_the_newest_commissioning_counts(tmp_path: Path) -> None:
    layout = Layout(tmp_path, tmp_path)
    assert noise_floors(layout) == {}
    write(layout, "c", commissioning=True, sequence=2, results=results(-55.0))
    write(layout, "a", commissioning=True, sequence=1, results=results(-40.0))
    write(layout, "d", commissioning=False, sequence=3, results=results(-10.0))
    write(layout, "e", commissioning=True, sequence=4, results=results(-10.0, "failed"))
    write(layout, "f", commissioning=True, sequence="x")
    assert noise_floors(layout) == {"judge": -55.0}
