"""A sweep through the loudspeaker: how it is judged, and what real microphones hear of it."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kiosk.api.recorder import AlarmKey
from kiosk.config import PathSettings, Settings
from kiosk.hardware.sources.sources import Sources
from kiosk.hardware.virtual.microphones import VirtualMicrophones
from kiosk.selftest.speech_transmission import OCTAVES
from kiosk.selftest.sweep import Heard
from kiosk.selftest.sweep_check import check_speech_transmission
from kiosk.selftest.sweep_verdict import (
    ALL_LESS_CLEAR,
    BANDS,
    LESS_CLEAR,
    LOUDER,
    MUFFLED,
    NOISY,
    SPEAKER,
    WEAKER,
    check_sweep,
    judge_levels,
    judge_sweep,
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
        ({**ROOM, "clerk": louder(-12)}, [(WEAKER, "clerk/-30/-42")]),
        ({**ROOM, "clerk": {}}, [(WEAKER, "clerk/-30/–")]),
        ({**ROOM, "clerk": {250: -34.0, 500: -34.0}}, [(WEAKER, "clerk/-30/–")]),
        ({**ROOM, "clerk": louder(10)}, [(LOUDER, "clerk/-30/-20")]),
        ({**ROOM, "clerk": louder(0, hz2000=-10, hz4000=-12)}, [(MUFFLED, "clerk/0/-11")]),
        (dict.fromkeys(ROOM, louder(-12)), [(SPEAKER, "loudspeaker")]),
        ({name: {} for name in ROOM}, [(SPEAKER, "loudspeaker")]),
        (
            {"judge": louder(-12), "witness": louder(-12), "clerk": louder(-25)},
            [(SPEAKER, "loudspeaker"), (WEAKER, "clerk/-30/-55")],
        ),
        ({"new": FLAT}, []),
        ({}, []),
    ],
    ids=["as ever", "a little", "covered", "deaf", "high tones lost", "turned up", "muffled",
         "speaker turned down", "speaker off", "both", "new", "none"],
)  # fmt: skip
def test_what_all_microphones_hear_is_the_loudspeaker(
    responses: Mapping[str, Mapping[int, float]], expected: list[tuple[str, str]]
) -> None:
    assert judge_levels(responses, ROOM) == expected


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "[]",
        '{"noise": {}}',
        '{"noise": {}, "responses": {"judge": {"250": -30.0, "500": -31.0}}}',
        '{"noise": {}, "heard": 3}',
        '{"noise": {}, "heard": {"a": {"levels": {"x": 1}, "transfer": {}}}}',
        '{"noise": {}, "heard": {"a": {"levels": {"250": -3}, "transfer": {"250": 1e999}}}}',
        '{"noise": {}, "heard": {"a": {"levels": {"250": 1e308, "500": 1e308}, "transfer": {}}}}',
        '{"noise": {}, "heard": {"a": {"levels": {"250": NaN}, "transfer": {}}}}',
        "\x00",
    ],
    ids=[
        "empty",
        "list",
        "none",
        "tones of before",
        "number",
        "name",
        "infinite",
        "huge",
        "no level",
        "damaged",
    ],
)
def test_a_damaged_baseline_is_none(tmp_path: Path, kept: str) -> None:
    paths = Paths.from_settings(PathSettings(data=tmp_path, run=tmp_path))
    paths.sweep_baseline.write_text(kept)
    assert load_baseline(paths, {}) == {}


def heard(index: float, levels: Mapping[int, float] = FLAT, **more: bool) -> Heard:
    return Heard(dict(levels), dict.fromkeys(OCTAVES, index), **more)


CLEAR = {name: heard(0.6) for name in ("judge", "witness", "clerk")}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (CLEAR, []),
        ({**CLEAR, "clerk": heard(0.51)}, []),
        ({**CLEAR, "clerk": heard(0.41)}, [(LESS_CLEAR, "clerk/0.60/0.41")]),
        ({**CLEAR, "clerk": heard(0.8)}, []),
        ({**CLEAR, "clerk": heard(0.2, {})}, [(WEAKER, "clerk/-30/–")]),
        ({**CLEAR, "clerk": heard(0.2, is_clipped=True)}, []),
        (
            dict.fromkeys(CLEAR, heard(0.45)),
            [(ALL_LESS_CLEAR, "loudspeaker/0.60/0.45")],
        ),
        (
            {**dict.fromkeys(CLEAR, heard(0.45)), "clerk": heard(0.3)},
            [(ALL_LESS_CLEAR, "loudspeaker/0.60/0.45"), (LESS_CLEAR, "clerk/0.60/0.30")],
        ),
        (
            dict.fromkeys(CLEAR, heard(0.3, louder(-12))),
            [(SPEAKER, "loudspeaker")],
        ),
        ({"new": heard(0.1)}, []),
        ({}, []),
    ],
    ids=["as ever", "a little", "less clear", "clearer", "deaf", "overdriven", "curtains gone",
         "curtains gone, and one more", "speaker turned down", "new", "none"],
)  # fmt: skip
def test_what_falls_for_all_seats_is_the_room(
    now: Mapping[str, Heard], expected: list[tuple[str, str]]
) -> None:
    assert judge_sweep(now, CLEAR) == expected


def test_of_two_microphones_one_that_is_deaf_or_muffled_is_no_room() -> None:
    """Nor are two of four."""
    two = {name: CLEAR[name] for name in ("judge", "witness")}
    found = judge_sweep({**two, "witness": heard(0.6, louder(-20))}, two)
    assert found == [(WEAKER, "witness/-30/-50")]
    assert judge_sweep({**two, "witness": heard(0.3)}, two) == [(LESS_CLEAR, "witness/0.60/0.30")]
    four = {**CLEAR, "clerk2": heard(0.6)}
    found = judge_sweep({**four, "clerk": heard(0.3), "clerk2": heard(0.3)}, four)
    assert [code for code, _ in found] == [LESS_CLEAR, LESS_CLEAR]
    fell = dict.fromkeys(two, heard(0.45))
    assert [code for code, _ in judge_sweep(fell, two)] == [ALL_LESS_CLEAR]


def test_an_octave_that_was_never_heard_is_not_compared() -> None:
    """A small loudspeaker has no bass: there, only the noise of the morning would differ."""
    before = Heard(FLAT, {**dict.fromkeys(OCTAVES, 0.6), 125: 0.5, 8000: 0.5})
    now = Heard(FLAT, {**dict.fromkeys(OCTAVES, 0.6), 125: 0.0, 8000: 0.0})
    assert judge_sweep({"judge": now}, {"judge": before}) == []


def test_the_sweep_of_commissioning_comes_before_that_of_a_morning(tmp_path: Path) -> None:
    paths = Paths.from_settings(PathSettings(data=tmp_path, run=tmp_path))
    rows = {name: heard(0.5).to_json() for name in ("judge", "late")}
    paths.sweep_baseline.write_text(json.dumps({"noise": {}, "heard": rows}))
    result = {
        "check": "speech_transmission",
        "state": "passed",
        "code": None,
        "measured": {"judge": heard(0.7).to_json(), "deaf": heard(0.1, {}).to_json(), "odd": 3},
        "seconds": 1.0,
        "at": "2026-11-28T08:00:00Z",
        "deviations": {},
    }
    report = {"kind": "selftest", "sequence": 1, "commissioning": True, "ran": [],
              "results": [result]}  # fmt: skip
    (paths.reports / "a").mkdir(parents=True)
    (paths.reports / "a" / "report.json").write_text(json.dumps(report))
    indices = {name: one.index for name, one in load_baseline(paths, {}).items()}
    assert indices == {"judge": pytest.approx(0.7), "late": pytest.approx(0.5)}
    result["state"] = "skipped"
    (paths.reports / "a" / "report.json").write_text(json.dumps(report))
    assert set(load_baseline(paths, {})) == {"judge", "late"}


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


def test_a_loudspeaker_on_which_the_kiosk_speaks_to_a_visitor_is_not_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card plays for one program: no virtual one does, so the words of ``aplay`` are tried."""
    player = tmp_path / "aplay"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr("kiosk.selftest.sweep.NOISE_S", 0.0)
    settings = settings_in(tmp_path, 80)
    paths = Paths.from_settings(settings.paths)

    def told(reason: str) -> tuple[list[AlarmKey], str | None]:
        player.write_text(
            f'#!/bin/sh\necho "aplay: main:850: audio open error: {reason}" >&2\nexit 1'
        )
        player.chmod(0o700)
        sources = Sources(settings, tmp_path / "preview")
        found = asyncio.run(check_sweep(settings, sources, paths, {}))
        return found, asyncio.run(check_speech_transmission(settings, sources, paths)).code

    busy, gone = "Device or resource busy", "No such device"
    assert told(busy) == ([(NOISY, "microphones")], "sweep_disturbed")
    assert told(gone) == ([(SPEAKER, "loudspeaker")], "speaker_absent")


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
            baseline = json.loads(paths.sweep_baseline.read_text())["heard"]
            assert set(map(int, baseline["judge"]["levels"])) == set(OCTAVES)
            index = Heard.from_json(baseline["judge"]).index
            assert index is not None
            assert index > 0.9, "a wire has no echo"
            assert "witness" not in baseline, "it stands in another room and hears no sweep"
            assert swept(80, {"judge": -60.0}) == []
            ((code, source),) = swept(8, {"judge": -60.0})
            device, before, now = source.split("/")
            assert (code, device) == (WEAKER, "judge")
            assert float(now) - float(before) == pytest.approx(-20, abs=2), "a tenth of the volume"
            assert swept(8, {"judge": -50.0}) == [], "set up anew: another baseline"
            assert swept(80, {"judge": -50.0}, "nosuch") == [(SPEAKER, "loudspeaker")]
            assert swept(80, {}, "") == [], "no loudspeaker is fitted"
            assert all(one.measure_to is None for one in sources.microphones)
            sound.speak("witness", "I was there, and I have seen it. " * 6)
            assert swept(80, {"judge": -50.0}) == [(NOISY, "microphones")]
