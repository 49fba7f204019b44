"""Tones through the loudspeaker: how they are judged, and what real microphones hear of them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import PathSettings, Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.selftest.sweep import (
    BANDS,
    LOUDER,
    MUFFLED,
    SPEAKER,
    WEAKER,
    check_sweep,
    judge_responses,
    load_baseline,
)
from kiosk.storage.paths import Paths
from tests.support.waiting import wait_for

FLAT = dict.fromkeys(BANDS, -30.0)
ROOM = {"judge": FLAT, "witness": FLAT, "clerk": FLAT}


def louder(change: float, **more: float) -> dict[int, float]:
    """Return what a microphone hears that hears ``change`` dB more; ``hz4000=-20``: of a tone."""
    response = {band: level + change for band, level in FLAT.items()}
    for name, extra in more.items():
        response[int(name.removeprefix("hz"))] += extra
    return response


@pytest.mark.parametrize(
    ("responses", "expected"),
    [
        (ROOM, []),
        ({**ROOM, "clerk": louder(-5)}, []),
        ({**ROOM, "clerk": louder(-12)}, [(WEAKER, "clerk")]),
        ({**ROOM, "clerk": {}}, [(WEAKER, "clerk")]),
        ({**ROOM, "clerk": louder(10)}, [(LOUDER, "clerk")]),
        ({**ROOM, "clerk": louder(0, hz2000=-10, hz4000=-12)}, [(MUFFLED, "clerk")]),
        (dict.fromkeys(ROOM, louder(-12)), [(SPEAKER, "loudspeaker")]),
        ({name: {} for name in ROOM}, [(SPEAKER, "loudspeaker")]),
        (
            {"judge": louder(-12), "witness": louder(-12), "clerk": louder(-25)},
            [(SPEAKER, "loudspeaker"), (WEAKER, "clerk")],
        ),
        ({"new": FLAT}, []),
        ({}, []),
    ],
    ids=["as ever", "a little", "covered", "deaf", "turned up", "muffled", "speaker turned down",
         "speaker off", "both", "new", "none"],
)  # fmt: skip
def test_what_all_microphones_hear_is_the_loudspeaker(
    responses: Mapping[str, Mapping[int, float]], expected: list[tuple[str, str]]
) -> None:
    assert judge_responses(responses, ROOM) == expected


@pytest.mark.parametrize(
    "kept", ["", "[]", '{"noise": {}}', '{"noise": {}, "responses": {"a": {"x": 1}}}', "\x00"]
)
def test_a_damaged_baseline_is_none(tmp_path: Path, kept: str) -> None:
    paths = Paths.from_settings(PathSettings(data=tmp_path, run=tmp_path))
    paths.sweep_baseline.write_text(kept)
    assert load_baseline(paths, {}) == {}


def settings_in(folder: Path, volume: int, speaker: str = "speaker") -> Settings:
    values: dict[str, Any] = {
        "camera": {"back_end": "none"},
        "microphones": [
            {"name": name, "role": name, "device": f"mic_{name}"} for name in ("judge", "witness")
        ],
        "voice": {"loudspeaker": speaker, "volume": volume},
    }
    paths = PathSettings(data=folder / "d", run=folder / "r")
    return Settings.model_validate(values).model_copy(update={"paths": paths})


@pytest.mark.slow
def test_real_microphones_hear_a_loudspeaker_that_was_turned_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first sweep after a commissioning is the baseline; the next one is compared with it."""
    with (
        tempfile.TemporaryDirectory(prefix="sw-") as name,
        VirtualMicrophones(Path(name) / "m", ("judge", "witness")) as sound,
    ):
        folder = Path(name)
        (folder / "d").mkdir()
        (folder / "r").mkdir()
        server = sound.pulse_environment["PULSE_SERVER"]
        text = Path(sound.environment["ALSA_CONFIG_PATH"]).read_text(encoding="utf-8")
        text += f'pcm.speaker {{ type pulse server "{server}" device "judge" }}\n'
        (folder / "alsa.conf").write_text(text, encoding="utf-8")
        for key, value in {
            **sound.environment,
            "ALSA_CONFIG_PATH": str(folder / "alsa.conf"),
        }.items():
            monkeypatch.setenv(key, value)
        settings = settings_in(folder, 80)
        paths = Paths.from_settings(settings.paths)
        with Sources(settings, folder / "preview") as sources:

            def is_room_heard() -> bool:
                levels = sources.levels().values()
                return len(levels) == 2 and all(level.rms_db > -65 for level in levels)

            wait_for(is_room_heard, "the noise of the room", 30)

            def swept(volume: int, noise: Mapping[str, float], speaker: str = "speaker") -> Any:
                changed = settings_in(folder, volume, speaker)
                return asyncio.run(check_sweep(changed, sources, paths, noise))

            assert swept(80, {"judge": -60.0}) == []
            baseline = json.loads(paths.sweep_baseline.read_text())["responses"]
            assert set(map(int, baseline["judge"])) == set(BANDS)
            assert "witness" not in baseline, "it stands in another room and hears no tone"
            assert swept(80, {"judge": -60.0}) == []
            assert swept(8, {"judge": -60.0}) == [(WEAKER, "judge")]
            assert swept(8, {"judge": -50.0}) == [], "set up anew: another baseline"
            assert swept(80, {"judge": -50.0}, "nosuch") == [(SPEAKER, "loudspeaker")]
            assert swept(80, {}, "") == [], "no loudspeaker is fitted"
