"""Encrypts drafts of versions before 0.2, which were stored in the clear."""

from __future__ import annotations

import logging
import shutil

from pydantic import ValidationError

from kiosk.errors import KioskError
from kiosk.filing.context import FilingContext
from kiosk.filing.draft_encryption import DraftKey
from kiosk.filing.folder import (
    ESCROW_KEY_FILE,
    FilingFolder,
    filing_folders,
    read_filing_text,
    read_header,
)
from kiosk.filing.model import Filing
from kiosk.storage.atomic_io import write_bytes
from kiosk.storage.key_escrow import wrap_key

log = logging.getLogger(__name__)


def migrate_drafts(context: FilingContext) -> int:
    """Encrypt every plain draft under its own key, escrowed for a secretary; return how many.

    The deleted files were unencrypted on the disk: whoever has the disk may recover them.
    """
    count = 0
    for path in filing_folders(context.paths.filings):
        header = read_header(path)
        if header is not None and not header.sealed:
            try:
                filing = Filing.model_validate_json(read_filing_text(path))
                key = DraftKey()
                folder = FilingFolder(path, filing, context.paths.filing_work / path.name, key)
                _migrate_draft(context, folder, key)
                count += 1
            except (KioskError, ValidationError, OSError) as error:
                log.error(
                    "%s: an old draft cannot be encrypted: %s", path.name, type(error).__name__
                )
    return count


def _migrate_draft(context: FilingContext, folder: FilingFolder, key: DraftKey) -> None:
    wrapped = wrap_key(context.paths.public_keys, key.secret)
    write_bytes(folder.path / ESCROW_KEY_FILE, wrapped, 0o600)
    plain_pages = [p for p in folder.pages_folder.iterdir() if p.suffix in (".png", ".jpg")]
    for plain in plain_pages:
        key.encrypt_file(plain, folder.page_file(int(plain.stem)))
    folder.save(folder.filing)
    for plain in plain_pages:
        plain.unlink()
    shutil.rmtree(folder.path / "work", ignore_errors=True)
    folder.destroy_key()
