"""Reads the page that a SANE device has begun, a strip of rows at a time.

python-sane's ``snap`` holds a page three times over before anybody sees its first row: 462 MB for a
sheet of A4 at 600 dpi in colour. So the rows come from libsane itself (``sane_read``), with the
handle that python-sane has opened. https://sane-project.gitlab.io/standard/api.html#sane-read
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from PIL import Image

from kiosk.hardware.scanner.errors import error_from_text
from kiosk.hardware.scanner.page_strips import STRIP_ROWS, strips_of

_GOOD, _EOF = 0, 5
_BANDS = {"gray": "L", "color": "RGB"}


def read_strips(device: Any, *, keep_feeding: bool) -> Iterator[Image.Image]:
    """Yield the page as strips of at most :data:`STRIP_ROWS` rows, in grey or RGB of eight bits.

    Args:
        device: ``sane.SaneDev`` whose page has been started.
        keep_feeding: whether the next sheet of the feeder follows; else the job ends.

    Raises:
        ScannerError: the exact one, by SANE's text.
    """
    kind, is_last, (width, _rows), depth, row_bytes = device.get_parameters()
    mode = _BANDS.get(kind)
    if mode is None or not is_last or depth not in (1, 8, 16) or (depth == 1 and mode != "L"):
        yield from strips_of(device.snap(keep_feeding))  # old scanners: a pass for each colour
        return
    library = ctypes.CDLL("libsane.so.1")
    library.sane_strstatus.restype = ctypes.c_char_p
    handle = ctypes.c_void_p.from_address(id(device.dev) + object.__basicsize__)
    buffer = (ctypes.c_ubyte * (row_bytes * STRIP_ROWS))()
    status = _GOOD
    while status == _GOOD:
        filled, got = 0, ctypes.c_int(0)
        while filled < len(buffer):
            place = ctypes.byref(buffer, filled)
            status = library.sane_read(handle, place, len(buffer) - filled, ctypes.byref(got))
            if status != _GOOD:
                break
            filled += got.value
        if filled >= row_bytes:
            size = (width, filled // row_bytes)
            yield _to_image(mode, size, memoryview(buffer).cast("B"), depth, row_bytes)
    if not keep_feeding:
        library.sane_cancel(handle)
    if status != _EOF:
        raise error_from_text(library.sane_strstatus(status).decode("ascii", "replace"))


def _to_image(
    mode: str, size: tuple[int, int], rows: memoryview, depth: int, row_bytes: int
) -> Image.Image:
    data = rows[: row_bytes * size[1]]
    if depth == 1:  # a bit that is set is black (SANE standard, 3.2.1)
        return Image.frombytes("1", size, bytes(data), "raw", "1;I", row_bytes).convert("L")
    if depth == 16:  # the upper byte of each sample, in the machine's little-endian order
        return Image.frombytes(mode, size, bytes(data[1::2]), "raw", mode, row_bytes // 2)
    return Image.frombytes(mode, size, bytes(data), "raw", mode, row_bytes)
