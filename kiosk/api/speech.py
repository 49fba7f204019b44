"""Who spoke in a hearing, and how well it can be made out: by microphone (S18)."""

from __future__ import annotations

from kiosk.api.base import Model


class SpokenPlace(Model):
    """A place of the recording at which somebody speaks."""

    part: int
    part_seconds: float
    """From the begin of the part."""
    seconds: float
    """How long it lasts."""
    unclear_seconds: float = 0.0
    """Of these, in which the words were hard to make out."""
    cause: str = ""
    """What disturbed most: as ``unclear`` of a microphone; empty: nothing."""
    below_usual_db: float | None = None
    """How much quieter the speech was than usually at this microphone; null: not known."""
    clipped_share: float | None = None
    """Of the speech, cut off at full scale where that was too much, 0 to 1; null: nowhere."""


class SpeechTotal(Model):
    """All that was said at one microphone in the hearing."""

    source: str
    turns: int
    seconds: float
    unclear_seconds: float
    intelligibility: float | None = None
    """Estimated, 0 to 1, over what is long enough to tell; null: nothing was."""
    level_db: float | None = None
    """Of the speech without the noise, dB of full scale, mean over its seconds; null: not known."""
    latest: SpokenPlace
    """The newest turn: to be played again."""
    worst: tuple[SpokenPlace, ...] = ()
    """Turns with the most seconds hard to make out, the worst first."""
