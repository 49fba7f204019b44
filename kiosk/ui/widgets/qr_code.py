"""QR codes as pixels, one per module, with their quiet zone."""

from __future__ import annotations

import segno

QUIET_ZONE = 4


def qr_modules(text: str) -> tuple[int, bytes]:
    """Return side and grey pixels (0 dark, 255 light) of the QR code of ``text``."""
    rows = [bytes(0 if module else 255 for module in row) for row in _matrix(text)]
    return len(rows), b"".join(rows)


def _matrix(text: str) -> list[bytearray]:
    code = segno.make_qr(text, error="m")
    return [bytearray(row) for row in code.matrix_iter(border=QUIET_ZONE)]
