"""A tone on the loudspeaker is heard by a microphone of the room, by real ALSA and PulseAudio."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.config import HeadsetSettings, VoiceSettings
from kiosk.ipc import LocalClient
from kiosk.selftest import SelfTestContext
from kiosk.selftest.model import AskPerson, CheckResult, unattended
from kiosk.selftest.run import run_check
from kiosk.settings_files import load_settings
from tests.selftest.conftest import answering
from tests.support.virtual_courtroom import BADGE, VirtualCourtroom

pytestmark = pytest.mark.slow


def alsa_with_speaker(room: VirtualCourtroom, folder: Path) -> Path:
    """Return an ALSA configuration with a loudspeaker beside the judge, and a silent one."""
    client = room.microphones
    socket = client.pulse_environment["PULSE_SERVER"]
    text = Path(client.environment["ALSA_CONFIG_PATH"]).read_text(encoding="utf-8")
    text += f'pcm.speaker {{ type pulse server "{socket}" device "judge" }}\n'
    text += "pcm.nothing { type null }\n"
    path = folder / "alsa-speaker.conf"
    path.write_text(text, encoding="utf-8")
    return path


def test_loudspeaker_and_headset(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="so-") as folder,
        VirtualCourtroom(Path(folder) / "k") as room,
    ):
        room.start_recorder()
        room.wait_ready()
        configuration = alsa_with_speaker(room, Path(folder))
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(configuration))

        def checked(
            check: str, voice: VoiceSettings, ask: AskPerson = unattended, headset: str = ""
        ) -> CheckResult:
            async def story() -> CheckResult:
                recorder = LocalClient(room.paths.recorder_socket)
                sync = LocalClient(room.paths.sync_socket)
                signed = await recorder.post("/v1/sign-in", {"badge": BADGE})
                recorder.token = str(signed["token"])
                settings = load_settings(room.config).model_copy(
                    update={"voice": voice, "headset": HeadsetSettings(device=headset)}
                )
                context = SelfTestContext(settings, room.paths, recorder, sync, ask=ask)
                try:
                    return await run_check(replace(context, answer_seconds=1), check)
                finally:
                    await recorder.close()
                    await sync.close()

            return asyncio.run(story())

        heard = checked("speaker", VoiceSettings(loudspeaker="speaker"))
        assert (heard.state, heard.code) == ("passed", None), heard
        loudspeaker = heard.measured["loudspeaker"]
        assert (loudspeaker["microphone"], "heard" in loudspeaker) == ("judge", False)

        silent = VoiceSettings(loudspeaker="nothing", headphones="nothing")
        unheard = checked("speaker", silent)
        assert (unheard.state, unheard.code) == ("skipped", "not_confirmed"), unheard
        said = answering(loudspeaker_heard=True, headphones_heard=False)
        denied = checked("speaker", silent, said)
        assert (denied.state, denied.code) == ("failed", "denied_by_person")
        assert denied.measured["loudspeaker"]["heard"] is True

        absent = checked("speaker", VoiceSettings(loudspeaker="nosuch"))
        assert (absent.state, absent.code) == ("failed", "speaker_absent"), absent

        no_headset = checked("headset", VoiceSettings(), headset="pulse-headset")
        assert (no_headset.state, no_headset.code) == ("skipped", "not_fitted")
