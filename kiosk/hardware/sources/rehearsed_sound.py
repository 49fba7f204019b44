"""Some seconds of sound of the microphones outside a hearing, in memory alone (R29, R35).

It is taken beside the recording's listeners: camera and devices do not notice, and nothing counts
as recorded. :meth:`RehearsedSound.wipe` overwrites it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray

from kiosk.api.rehearsal import RehearsedMicrophone
from kiosk.clocks import NS_PER_S, recording_ns
from kiosk.hardware.audio.block import AudioBlock, Samples, sound_power
from kiosk.hardware.audio.level_meter import WINDOW_S, to_decibels
from kiosk.hardware.headset import RATE
from kiosk.hardware.sources.microphone_source import MicrophoneSource

FULL_SCALE = 32768


class RehearsedSound:
    """The sound of ``microphones`` from now on, at most ``seconds`` of it (a context manager).

    Leaving it ends the listening and overwrites the sound.
    """

    def __init__(self, microphones: Sequence[MicrophoneSource], seconds: float) -> None:
        self._microphones = tuple(microphones)
        self._seconds = seconds
        self._lock = threading.Lock()
        self._begin_ns = self._end_ns = recording_ns()
        self._samples: dict[str, Samples] = {
            microphone.name: np.zeros(round(seconds * microphone.rate), np.int16)
            for microphone in self._microphones
        }
        self._counts = dict.fromkeys(self._samples, 0)
        self._reached = dict.fromkeys(self._samples, 0)
        self._is_taking = False
        self._takes = {
            microphone.name: partial(self._take, microphone) for microphone in self._microphones
        }

    def __enter__(self) -> Self:
        self._begin_ns = recording_ns()
        self._end_ns = self._begin_ns + round(self._seconds * NS_PER_S)
        self._is_taking = True
        for microphone in self._microphones:
            microphone.rehearse_to = self._takes[microphone.name]
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.wipe()

    def _take(self, microphone: MicrophoneSource, block: AudioBlock) -> None:
        """Copy a block to its place in time: in the device's thread."""
        with self._lock:
            if not self._is_taking:  # the device's thread was on its way
                return
            kept = self._samples[microphone.name]
            place = round((block.start_ns - self._begin_ns) * microphone.rate / NS_PER_S)
            begin, end = max(0, place), min(len(kept), place + len(block.samples))
            if begin < end:
                kept[begin:end] = block.samples[begin - place : end - place]
                self._counts[microphone.name] += end - begin
                self._reached[microphone.name] = end

    @property
    def seconds(self) -> float:
        """Seconds of sound that the microphone with the most has given."""
        with self._lock:
            return max(
                (self._counts[one.name] / one.rate for one in self._microphones), default=0.0
            )

    def is_complete(self) -> bool:
        """Return whether all microphones that deliver have given everything up to the end."""
        with self._lock:
            return all(
                self._reached[one.name] == len(self._samples[one.name])
                for one in self._microphones
                if one.state.is_delivering
            )

    def stop(self) -> None:
        """Take no more; what the next rehearsal takes goes on."""
        for microphone in self._microphones:
            if microphone.rehearse_to is self._takes[microphone.name]:
                microphone.rehearse_to = None
        with self._lock:
            self._is_taking = False
        self._end_ns = min(self._end_ns, recording_ns())

    def wipe(self) -> None:
        """Overwrite the sound."""
        with self._lock:
            for name, kept in self._samples.items():
                kept[:] = 0
                self._counts[name] = 0

    def is_judged(self) -> bool:
        """Return whether it is known of each microphone if somebody has spoken to the end."""
        return all(
            not one.knows_speech or one.is_silence_known(self._end_ns) for one in self._microphones
        )

    def describe(self) -> tuple[RehearsedMicrophone, ...]:
        """Return what came from each microphone."""
        return tuple(self._describe(microphone) for microphone in self._microphones)

    def _describe(self, microphone: MicrophoneSource) -> RehearsedMicrophone:
        with self._lock:
            given, kept = self._counts[microphone.name], self._samples[microphone.name]
            level_db = _loudest_db(kept, microphone.rate) if given else None
        heard: bool | None = None
        if microphone.knows_speech:
            speech_ns = microphone.last_speech_ns
            if speech_ns is not None and speech_ns > self._begin_ns:
                heard = True
            elif microphone.is_silence_known(self._begin_ns):
                heard = False
        return RehearsedMicrophone(
            name=microphone.name,
            state=microphone.state,
            level_db=level_db,
            heard=heard,
            unclear=microphone.unclear if heard else None,
        )

    def mix(self, source: str | None) -> Samples:
        """Return the sound of ``source``, or the sum of all (None), at the headset's rate."""
        total = np.zeros(round(self._seconds * RATE), np.int32)
        with self._lock:
            for microphone in self._microphones:
                if source in (None, microphone.name) and self._counts[microphone.name]:
                    samples = _resample(self._samples[microphone.name], microphone.rate)
                    count = min(len(total), len(samples))
                    total[:count] += samples[:count]
        return np.clip(total, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _loudest_db(samples: Samples, rate: int) -> float:
    """Return the level of the loudest tenth of a second, dB of full scale."""
    window = round(WINDOW_S * rate)
    powers = [sound_power(samples[at : at + window]) for at in range(0, len(samples), window)]
    return round(to_decibels(max(powers) ** 0.5 / FULL_SCALE), 1)


def _resample(samples: Samples, rate: int) -> NDArray[np.int16]:
    if rate == RATE:
        return samples
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = rate
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([np.asarray(piece.to_ndarray()[0], np.int16) for piece in pieces])
