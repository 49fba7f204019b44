"""Reduces a picture to one value for each of its square tiles."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def reduce_tiles(
    ufunc: np.ufunc, pixels: NDArray[Any], tile: int, dtype: DTypeLike | None = None
) -> NDArray[Any]:
    """Return ``ufunc`` over each tile of ``pixels``; dots beyond the last whole tile do not count.

    First down, then across, one column of all tiles with the next: over both at once, or over rows
    of a few dots, numpy takes many times as long.

    Args:
        ufunc: ``np.maximum``, ``np.minimum``, ``np.add`` or ``np.logical_or``.
        pixels: one value for each dot.
        tile: side of a tile in dots.
        dtype: of the result; default: as ``ufunc`` gives it.
    """
    rows, columns = (side // tile for side in pixels.shape)
    whole = pixels[: rows * tile, : columns * tile]
    down = ufunc.reduce(whole.reshape(rows, tile, columns * tile), axis=1, dtype=dtype)
    across = down.reshape(rows, columns, tile)
    reduced: NDArray[Any] = reduce(ufunc, (across[:, :, column] for column in range(tile)))
    return reduced
