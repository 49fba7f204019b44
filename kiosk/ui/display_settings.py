"""Display settings of the person at the screen: language, text size, contrast, voice (R101)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.locale import LANGUAGES, Language, parse_language

TEXT_SIZES = (1, 2, 3, 4)
#: Volume of each step of the voice; the first is silent, None uses the configured volume.
VOICE_VOLUMES: tuple[int | None, ...] = (0, None, 100, 40)


@dataclass(frozen=True)
class DisplaySettings:
    """What a visitor may change; reset when the visit ends."""

    language: Language = "kk"
    text_size: int = 1
    high_contrast: bool = False
    voice: int = 0

    def with_language(self, language: str) -> DisplaySettings:
        """Return these settings in ``language`` (an unknown language changes nothing)."""
        if language not in LANGUAGES:
            return self
        return replace(self, language=parse_language(language))

    def with_next_text_size(self) -> DisplaySettings:
        """Return these settings one text size larger; the smallest follows the largest."""
        return replace(self, text_size=self.text_size % len(TEXT_SIZES) + 1)

    def with_next_voice(self) -> DisplaySettings:
        """Return these settings with the next step of the voice: silent, usual, loud, quiet."""
        return replace(self, voice=(self.voice + 1) % len(VOICE_VOLUMES))

    def with_toggled_contrast(self) -> DisplaySettings:
        """Return these settings with contrast toggled."""
        return replace(self, high_contrast=not self.high_contrast)
