"""A tile's value is that of all its dots."""

from __future__ import annotations

import numpy as np
import pytest

from kiosk.filing.imaging.tiles import reduce_tiles


@pytest.mark.parametrize("ufunc", [np.maximum, np.minimum, np.add])
@pytest.mark.parametrize(("rows", "columns", "tile"), [(48, 72, 24), (53, 31, 8), (7, 9, 2)])
def test_each_tile_has_the_value_of_its_dots(
    ufunc: np.ufunc, rows: int, columns: int, tile: int
) -> None:
    pixels = np.random.default_rng(rows).integers(0, 256, (rows, columns), np.uint8)
    found = reduce_tiles(ufunc, pixels, tile, np.int64)
    assert found.shape == (rows // tile, columns // tile)
    for down, across in np.ndindex(found.shape):
        top, left = down * tile, across * tile
        dots = pixels[top : top + tile, left : left + tile].astype(np.int64)
        assert found[down, across] == ufunc.reduce(dots, axis=None)
