"""What the recording lamp shows: the verdict on what is so now, never a note that it should be so.

Steady means that everything that serves somebody is recorded and proven: packets come, they became
durable in the last seconds, microphones are heard and their words can be made out, the camera gives
pictures, and the newest media were read back from the disk. Anything less is slow. The screen shows
the same (State's ``lamp``).
"""

from __future__ import annotations

from kiosk.api.recorder import Microphone, RecorderState
from kiosk.api.states import CameraState, LampState, MicrophoneState, Phase, ProofState
from kiosk.clocks import NS_PER_S
from kiosk.hearing.monitoring.invariants import DURABLE_NS, Observation

PROVEN_S = 15.0
"""Media are read back every 4 s; three times without a result, nothing is proven."""
STATE_NS = 3 * NS_PER_S
"""A State that is older tells nothing of now: it is made every second."""
HEARD = (MicrophoneState.OK, MicrophoneState.CLIPPING, MicrophoneState.HUMMING)


def lamp_for(now: Observation, shown: RecorderState | None, shown_ns: int) -> LampState:
    """Return what the lamp must show.

    Args:
        shown: the last State; None: there was none yet.
        shown_ns: recording clock at which it was begun.
    """
    if now.capturing_ns is None:
        return LampState.OFF
    if shown is None or now.at_ns - shown_ns > STATE_NS or shown.phase is not Phase.RECORDING:
        return LampState.SLOW
    is_proven = _is_proven(shown) and _is_durable(now)
    return LampState.STEADY if is_proven and not unheard(shown) else LampState.SLOW


def unheard(state: RecorderState) -> tuple[str, ...]:
    """Return the sources that serve somebody and are not heard, understood or seen."""
    required = [row for row in state.microphones if _is_required(row)]
    found = [row.name for row in required if row.state not in HEARD or row.unclear is not None]
    if state.camera.state not in (CameraState.OK, CameraState.OFF):
        found.append("camera")
    return tuple(found)


def _is_required(microphone: Microphone) -> bool:
    return not microphone.is_spare and not microphone.without


def _is_proven(state: RecorderState) -> bool:
    proof = state.proof
    is_new = proof.age_seconds is not None and proof.age_seconds <= PROVEN_S
    return proof.state is ProofState.GOOD and is_new


def _is_durable(now: Observation) -> bool:
    """Return whether packets of every working source came and became durable just now."""
    begun_ns = now.capturing_ns or 0
    for source in now.sources:
        since_ns = max(begun_ns, source.since_ns)
        if source.is_silent(now.at_ns, since_ns):
            return False
        if now.at_ns - max(source.durable_ns, since_ns) > DURABLE_NS:
            return False
    return True
