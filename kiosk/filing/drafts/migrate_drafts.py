"""Drafts of versions before 0.2, which lay readable on the disk: sealed when they are found."""

from __future__ import annotations

import logging
import shutil

from pydantic import ValidationError

from kiosk.errors import KioskError
from kiosk.filing.context import FilingRoom
from kiosk.filing.draft_encryption import FilingKey
from kiosk.filing.errors import FilingDamagedError
from kiosk.filing.folder import (
    DESCRIPTION,
    KEEPER_KEY,
    FilingFolder,
    folders_in,
    read_description,
    read_shell,
)
from kiosk.filing.model import Filing
from kiosk.storage.atomic_io import write_bytes
from kiosk.storage.key_escrow import wrap

log = logging.getLogger(__name__)


def seal_all(room: FilingRoom) -> int:
    """Seal every readable draft under a key of its own, kept for a secretary; return how many.

    What is deleted here was on the disk in the clear: who has the disk may find it again.
    """
    count = 0
    for path in folders_in(room.layout.filings):
        shell = read_shell(path)
        if shell is not None and not shell.sealed:
            try:
                filing = Filing.model_validate_json(read_description(path))
                key = FilingKey()
                folder = FilingFolder(path, filing, room.layout.filing_work / path.name, key)
                _seal(room, folder, key)
                count += 1
            except (KioskError, ValidationError, OSError) as error:
                log.error("%s: an old draft cannot be sealed: %s", path.name, type(error).__name__)
    return count


def _seal(room: FilingRoom, folder: FilingFolder, key: FilingKey) -> None:
    wrapped = wrap(room.layout.keepers, key.secret)
    if wrapped is None:
        raise FilingDamagedError(f"{folder.path.name}/{DESCRIPTION}: nobody keeps its key yet")
    write_bytes(folder.path / KEEPER_KEY, wrapped, 0o600)
    plain_pages = [p for p in folder.pages.iterdir() if p.suffix in (".png", ".jpg")]
    for plain in plain_pages:
        key.seal_file(plain, folder.page_file(int(plain.stem)))
    folder.keep(folder.filing)
    for plain in plain_pages:
        plain.unlink()
    shutil.rmtree(folder.path / "work", ignore_errors=True)
    folder.drop_key()
