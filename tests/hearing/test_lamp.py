"""The lamp's verdict: steady only for what is recorded, heard, durable and read back now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.api.states import LampState, Phase
from kiosk.clocks import NS_PER_S
from kiosk.hearing.monitoring.invariants import DURABLE_NS, SILENT_NS, Observation, SourcePulse
from kiosk.hearing.monitoring.lamp import PROVEN_S, STATE_NS, lamp_for, unheard

T = 1000 * NS_PER_S
NOW = Observation(
    at_ns=T,
    shown_phase=Phase.RECORDING,
    shown_closed=False,
    phase=Phase.RECORDING,
    closed_ns=None,
    capturing_ns=T - 60 * NS_PER_S,
    lamp=True,
    is_listening=True,
    plain_ns=T,
    media_ns=T,
    sources=(SourcePulse("judge", T, T - NS_PER_S),),
)
PROOF = {"state": "good", "age_seconds": 3.0}


def shown(*microphones: dict[str, Any], **changes: Any) -> RecorderState:
    rows = [{"name": "judge", "state": "ok", "roles": ["presiding"]}, *microphones]
    base = {"phase": "recording", "camera": {"state": "ok"}, "proof": PROOF, "microphones": rows}
    return RecorderState.model_validate(base | changes)


def verdict(state: RecorderState | None, now: Observation = NOW, age_ns: int = 0) -> LampState:
    return lamp_for(now, state, now.at_ns - age_ns)


def test_steady_while_all_is_recorded_and_proven() -> None:
    assert verdict(shown()) is LampState.STEADY
    assert verdict(shown(camera={"state": "off"})) is LampState.STEADY, "a room without a camera"
    assert verdict(shown({"name": "extra", "state": "absent"})) is LampState.STEADY, "a spare"
    gone = {"name": "witness", "state": "absent", "roles": ["witness"], "without": True}
    assert verdict(shown(gone)) is LampState.STEADY, "the court goes on without it"


@pytest.mark.parametrize(
    "state", ["starting", "absent", "refused", "dead", "muted", "stuck", "quiet"]
)
def test_slow_while_somebody_is_not_heard(state: str) -> None:
    witness = {"name": "witness", "state": state, "roles": ["witness"]}
    assert unheard(shown(witness)) == ("witness",)
    assert verdict(shown(witness)) is LampState.SLOW


def test_slow_while_words_are_hard_to_make_out() -> None:
    witness = {"name": "witness", "state": "ok", "roles": ["witness"], "unclear": "far"}
    assert unheard(shown(witness)) == ("witness",)
    assert verdict(shown(witness)) is LampState.SLOW
    assert verdict(shown(witness | {"roles": []})) is LampState.STEADY, "a spare"


@pytest.mark.parametrize("state", ["clipping", "humming"])
def test_bad_sound_is_heard(state: str) -> None:
    witness = {"name": "witness", "state": state, "roles": ["witness"]}
    assert verdict(shown(witness)) is LampState.STEADY


@pytest.mark.parametrize(
    "changes",
    [
        {"camera": {"state": "frozen"}},
        {"camera": {"state": "starting"}},
        {"proof": {"state": "none"}},
        {"proof": {"state": "bad", "age_seconds": 1.0}},
        {"proof": {"state": "good", "age_seconds": PROVEN_S + 0.1}},
        {"proof": {"state": "good", "age_seconds": None}},
        {"phase": "recess"},
    ],
)
def test_slow_while_anything_is_not_proven(changes: dict[str, Any]) -> None:
    assert verdict(shown(**changes)) is LampState.SLOW


@pytest.mark.parametrize(
    "pulse",
    [SourcePulse("judge", T - SILENT_NS - 1, T), SourcePulse("judge", T, T - DURABLE_NS - 1)],
)
def test_slow_while_packets_do_not_come_or_do_not_become_durable(pulse: SourcePulse) -> None:
    """Whatever the storage says of itself: nothing that is only in memory is kept."""
    for is_storage_well in (True, False):
        now = replace(NOW, sources=(pulse,), is_storage_well=is_storage_well)
        assert verdict(shown(), now) is LampState.SLOW


def test_slow_while_nobody_has_looked_lately() -> None:
    assert verdict(None) is LampState.SLOW
    assert verdict(shown(), age_ns=STATE_NS) is LampState.STEADY
    assert verdict(shown(), age_ns=STATE_NS + 1) is LampState.SLOW


def test_off_while_nothing_is_captured_whatever_is_shown() -> None:
    assert verdict(shown(), replace(NOW, capturing_ns=None)) is LampState.OFF
