"""The chain receipt for the parties: where the hearing's chain stands, at a recess and at the end.

Whoever keeps it can show later that nothing recorded until then was changed: ``kiosk verify
--slip``. It is drawn dot by dot, because receipt printers lack the Kazakh letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import segno
from PIL import Image, ImageDraw, ImageFont

from kiosk import fonts
from kiosk.errors import RecordingError
from kiosk.evidence.chain import read_chain
from kiosk.evidence.seal import is_sealed
from kiosk.locale import Translator
from kiosk.recording.journal.hearing_journal import load_hearing
from kiosk.recording.verify.slip import latest_head, slip_code
from kiosk.storage.hearing_folder import JOURNAL_FILE

_QR_SHARE = 0.6
_MARGIN = 16


@dataclass(frozen=True)
class ChainReceipt:
    """The content of a chain receipt.

    Attributes:
        count, hash: of the newest signed head of the hearing's own chain.
        signed_at: wall time of the signature, RFC 3339.
        code: what the QR code holds, for ``kiosk verify --slip``.
        sealed: the hearing is ended and sealed.
    """

    hearing_id: str
    case_number: str
    count: int
    hash: str
    signed_at: str
    code: str
    sealed: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as data, the hash in groups of four, too."""
        groups = [self.hash[at : at + 4] for at in range(0, len(self.hash), 4)]
        return {**self.__dict__, "groups": groups}


def read_chain_receipt(folder: Path) -> ChainReceipt:
    """Return the chain receipt of the hearing in ``folder``, which may still be open.

    Raises:
        RecordingError: nothing is signed yet (``slip_none``), or the journal is broken.
    """
    chain = read_chain(folder / JOURNAL_FILE)
    if chain.problem:
        raise RecordingError(f"{folder}: the journal {chain.problem}", code="journal_broken")
    newest = latest_head(chain.entries)
    if newest is None:
        raise RecordingError("nothing of this hearing is signed yet", code="slip_none")
    head, signed_at = newest
    hearing = load_hearing(folder)
    hearing_id, case = str(hearing["id"]), str(hearing.get("case_number") or "")
    code = slip_code(hearing_id, head)
    return ChainReceipt(hearing_id, case, head.count, head.hash, signed_at, code, is_sealed(folder))


def render_chain_receipt(
    receipt: ChainReceipt, translate: Translator, *, court: str, zone: ZoneInfo, width: int = 576
) -> Image.Image:
    """Return the receipt as black dots on white (mode ``1``); ``width`` dots across the paper."""
    _ = translate
    moment = datetime.fromisoformat(receipt.signed_at).astimezone(zone)
    case = [_("Case {number}", number=receipt.case_number)] if receipt.case_number else []
    groups = receipt.as_json()["groups"]
    image = _ReceiptImage(width)
    image.add_text(court, 30, fonts.SEMI_BOLD)
    for line in (_("Record of the hearing"), *case):
        image.add_text(line, 28, fonts.MEDIUM)
    image.add_text(_("Signed at {moment}", moment=moment.strftime("%d.%m.%Y %H:%M:%S")), 24)
    image.add_text(_("Lines of the journal: {n}", n=receipt.count), 24)
    for row in range(0, len(groups), 4):
        image.add_text(" ".join(groups[row : row + 4]), 32, fonts.TABULAR_MEDIUM)
    image.add_qr_code(receipt.code)
    image.add_text(
        _(
            "Keep this slip. With it anybody can check later that nothing recorded until this "
            "moment was changed."
        ),
        22,
    )
    return image.joined()


class _ReceiptImage:
    """An image that grows downwards, row by row."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._rows: list[Image.Image] = []

    def add_text(self, text: str, size: int, face: Path = fonts.REGULAR) -> None:
        """Add centred ``text``, wrapped to the width."""
        font = ImageFont.truetype(str(face), round(size * self._width / 576))
        line = ""
        for word in [*text.split(), ""]:
            longer = f"{line} {word}".strip()
            if word and font.getlength(longer) <= self._width - 2 * _MARGIN:
                line = longer
                continue
            row = Image.new("1", (self._width, round(size * 1.4 * self._width / 576)), 1)
            ImageDraw.Draw(row).text((self._width // 2, 0), line, font=font, fill=0, anchor="ma")
            self._rows.append(row)
            line = word

    def add_qr_code(self, text: str) -> None:
        """Add a QR code."""
        code = segno.make(text, micro=False, error="m")
        dots = max(2, int(self._width * _QR_SHARE) // code.symbol_size(border=4)[0])
        cells = [bytes(row) for row in code.matrix_iter(scale=dots, border=4)]
        row = Image.new("1", (self._width, len(cells)), 1)
        left = (self._width - len(cells[0])) // 2
        for y, line in enumerate(cells):
            for x, dark in enumerate(line):
                if dark:
                    row.putpixel((left + x, y), 0)
        self._rows.append(row)

    def joined(self) -> Image.Image:
        """Return all rows as one image."""
        image = Image.new("1", (self._width, sum(row.height for row in self._rows)), 1)
        y = 0
        for row in self._rows:
            image.paste(row, (0, y))
            y += row.height
        return image
