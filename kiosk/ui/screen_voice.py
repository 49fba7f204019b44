"""Speaks what a visitor's screen shows, once, if the visitor has turned the voice on."""

from __future__ import annotations

from typing import Any

from kiosk.config import VoiceSettings
from kiosk.hardware.voice import Voice
from kiosk.ui.display_settings import VOICE_VOLUMES, DisplaySettings
from kiosk.ui.spoken_text import spoken_text


class ScreenVoice:
    """The voice of the visitor's screens.

    Args:
        settings: table ``[voice]``.
    """

    def __init__(self, settings: VoiceSettings) -> None:
        self.device = Voice(settings)
        self._usual_volume = settings.volume
        self._last_spoken: tuple[str, str, str, int] | None = None

    @property
    def is_enabled(self) -> bool:
        """Whether the kiosk has a voice."""
        return self.device.is_enabled

    def speak(self, screen: str, view: Any, display: DisplaySettings) -> None:
        """Speak ``view`` of ``screen``, unless that was spoken last or is no visitor's screen."""
        if not display.voice or not screen.startswith("visitor."):
            return
        text = spoken_text(view)
        key = (screen, text, display.language, display.voice)
        if text and key != self._last_spoken:
            self._last_spoken = key
            volume = VOICE_VOLUMES[display.voice]
            self.device.volume = self._usual_volume if volume is None else volume
            self.device.speak(text, display.language, prompt_id=screen)

    def stop(self) -> None:
        """Stop speaking; the screen is spoken again when the voice is turned on."""
        self.device.stop()
        self._last_spoken = None

    def reset(self) -> None:
        """Stop speaking, with the usual volume for the next visitor."""
        self._last_spoken = None
        self.device.reset()
