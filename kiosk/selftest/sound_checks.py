"""Checks of what is heard: the kiosk's loudspeaker and headphones, the secretary's headset.

The loudspeaker's tone is heard by a microphone of the room where there is one; else, and for
headphones, only a person can say that it was heard.
"""

from __future__ import annotations

import asyncio
from typing import Any

from kiosk.api.reports import Limit
from kiosk.selftest.model import Question, SelfTestContext, unattended
from kiosk.selftest.tone_player import BEGIN_S, playing_tone
from kiosk.selftest.verdict import (
    NOT_FITTED,
    Verdict,
    as_verdict,
    ask_while,
    cancel_task,
    run_recorder_check,
)

SILENCE_S, TONE_S, ASKED_TONE_S, UNATTENDED_TONE_S = 1.5, 4.0, 8.0, 0.5
_SETTLE_S = 1.5
MIN_RISE_DB = 6.0
"""The quiet moments of a microphone are so much louder while the tone plays."""


async def check_speaker(context: SelfTestContext) -> Verdict:
    """Play a tone on the loudspeaker and on the headphones; a microphone or a person hears it."""
    voice = context.settings.voice
    outputs = {"loudspeaker": voice.loudspeaker, "headphones": voice.headphones}
    fitted = {name: device for name, device in outputs.items() if device and voice.enabled}
    if not fitted:
        return NOT_FITTED
    silence = await run_recorder_check(context, "microphones", SILENCE_S)
    if silence.code == "already_recording":  # the loudspeaker is silent in a hearing
        return silence
    measured: dict[str, Any] = {}
    answers: list[bool | None] = []
    for name, device in fitted.items():
        part: dict[str, Any] = {}
        measured[name] = part
        if name == "loudspeaker":
            rise, microphone = await _rise(context, device, silence)
            part |= {"rise_db": rise, "microphone": microphone}
            if rise is not None and rise >= MIN_RISE_DB:
                answers.append(True)  # nobody need say it
                continue
        part["heard"] = await _ask_about_tone(context, name, device)
        answers.append(part["heard"])
    verdict = as_verdict(tuple(answers), measured)
    limits = {"loudspeaker.rise_db": Limit(least=MIN_RISE_DB)} if "loudspeaker" in fitted else {}
    return Verdict(verdict.state, verdict.code, measured, limits)


async def _rise(
    context: SelfTestContext, device: str, silence: Verdict
) -> tuple[float | None, str | None]:
    """Return by how much the tone makes the loudest microphone's quiet moments louder."""
    async with playing_tone(device, TONE_S, context.settings.voice.volume):
        await asyncio.sleep(BEGIN_S)
        tone = await run_recorder_check(context, "microphones", TONE_S - 2 * BEGIN_S)
    rises = {
        name: round(float(row["noise_db"]) - float(silence.measured[name]["noise_db"]), 1)
        for name, row in tone.measured.items()
        if isinstance(row, dict) and "noise_db" in row and name in silence.measured
    }
    if not rises:
        return None, None
    name = max(rises, key=lambda key: rises[key])
    return rises[name], name


async def _ask_about_tone(context: SelfTestContext, name: str, device: str) -> bool | None:
    question: Question = "loudspeaker_heard" if name == "loudspeaker" else "headphones_heard"
    async with playing_tone(device, ASKED_TONE_S, context.settings.voice.volume):
        forever = asyncio.get_running_loop().create_future()
        return await ask_while(forever, context, question)


async def check_transmission(context: SelfTestContext) -> Verdict:
    """How clearly each microphone hears a sweep through the loudspeaker; the recorder plays it."""
    voice = context.settings.voice
    if not (voice.enabled and voice.loudspeaker and context.settings.microphones):
        return NOT_FITTED
    return await run_recorder_check(context, "speech_transmission")


async def check_headset(context: SelfTestContext) -> Verdict:
    """Play a tone in the secretary's headset (the recorder does); a person hears it."""
    if not context.settings.headset.device:
        return NOT_FITTED
    is_alone = context.ask is unattended
    seconds = UNATTENDED_TONE_S if is_alone else ASKED_TONE_S
    playing = asyncio.ensure_future(run_recorder_check(context, "headset", seconds))
    try:
        # a refusal comes soon: then nobody is asked
        await asyncio.wait({playing}, timeout=None if is_alone else _SETTLE_S)
        heard = await ask_while(
            playing, context, "headset_heard", ends=lambda verdict: verdict.state != "passed"
        )
        if playing.done() and playing.result().state != "passed":
            return playing.result()
        measured = dict(playing.result().measured) if playing.done() else {}
    finally:
        await cancel_task(playing)
    return as_verdict(
        (heard,), {"device": context.settings.headset.device} | measured | {"heard": heard}
    )
