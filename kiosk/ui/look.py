"""How the person at the screen wants to see it: language, text size, contrast. Plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kiosk.locale import LANGUAGES, Language, as_language

TEXT_SIZES = (1, 2, 3, 4)
#: Steps of the voice: its volume, None as the settings say; the first is silent.
VOICES: tuple[int | None, ...] = (0, None, 100, 40)


@dataclass(frozen=True)
class Look:
    """What a visitor may change; reset when the visitor is wiped."""

    language: Language = "kk"
    text_size: int = 1
    high_contrast: bool = False
    voice: int = 0

    def with_language(self, language: str) -> Look:
        """Return this look in ``language`` (an unknown one changes nothing)."""
        if language not in LANGUAGES:
            return self
        return replace(self, language=as_language(language))

    def with_next_text_size(self) -> Look:
        """Return this look one text size larger; after the largest comes the smallest."""
        return replace(self, text_size=self.text_size % len(TEXT_SIZES) + 1)

    def with_next_voice(self) -> Look:
        """Return this look with the voice one step on: silent, usual, loud, quiet, silent."""
        return replace(self, voice=(self.voice + 1) % len(VOICES))

    def with_other_contrast(self) -> Look:
        """Return this look with contrast switched."""
        return replace(self, high_contrast=not self.high_contrast)
