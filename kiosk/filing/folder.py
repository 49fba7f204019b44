"""One filing's folder: what is written when, so that a crash never loses what was promised.

``filing.json`` is replaced as a whole, durably, after each change. ``submitted`` comes last: sync
delivers only what carries it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk.errors import StorageError
from kiosk.filing.errors import FilingDamagedError
from kiosk.filing.model import Filing
from kiosk.storage.durable import make_folder, sync_folder, write_json, write_text

DESCRIPTION = "filing.json"
REGISTRATION = "registration.json"
RECEIPT = "receipt.png"
SUBMITTED = "submitted"
WIPED = "wiped-"


class FilingFolder:
    """The folder ``filings/<uuid>/`` of one filing.

    Args:
        path: the folder.
        filing: what its ``filing.json`` says.
    """

    def __init__(self, path: Path, filing: Filing) -> None:
        self.path = path
        self._filing = filing

    @classmethod
    def create(cls, root: Path, filing: Filing) -> FilingFolder:
        """Make the folder of a new filing under ``root``, durably.

        Raises:
            StorageError: disk full, read-only or gone.
        """
        folder = cls(root / filing.id, filing)
        make_folder(folder.path)
        make_folder(folder.pages)
        make_folder(folder.work)
        folder.keep(filing)
        return folder

    @classmethod
    def open(cls, path: Path) -> FilingFolder:
        """Return the filing in ``path``.

        Raises:
            FilingDamagedError: its ``filing.json`` is absent or malformed.
        """
        try:
            text = (path / DESCRIPTION).read_text(encoding="utf-8")
            return cls(path, Filing.model_validate_json(text))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise FilingDamagedError(f"{path.name}/{DESCRIPTION}: {error}") from error

    @property
    def filing(self) -> Filing:
        """What is written in ``filing.json``."""
        return self._filing

    @property
    def pages(self) -> Path:
        """Folder of the scans."""
        return self.path / "pages"

    @property
    def work(self) -> Path:
        """Folder of what is made from the scans and can be made again."""
        return self.path / "work"

    @property
    def receipt(self) -> Path:
        """The receipt as printed."""
        return self.path / RECEIPT

    @property
    def is_submitted(self) -> bool:
        """Whether sync may deliver it."""
        return (self.path / SUBMITTED).exists()

    def page_file(self, number: int) -> Path:
        """Return the scan of page ``number``."""
        return self.pages / f"{number:04d}.jpg"

    def prepared_file(self, number: int) -> Path | None:
        """Return the coded page, or None while it is not made."""
        path = self.work / f"{number:04d}.pdf"
        return path if path.exists() else None

    def keep(self, filing: Filing) -> Filing:
        """Write ``filing`` durably; return it."""
        write_json(self.path / DESCRIPTION, filing.model_dump(mode="json", exclude_none=True))
        self._filing = filing
        return filing

    def registration(self) -> dict[str, Any] | None:
        """Return ``registration.json``, or None where the filing has no number yet."""
        try:
            value = json.loads((self.path / REGISTRATION).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise FilingDamagedError(f"{self.path.name}/{REGISTRATION}: {error}") from error
        return value if isinstance(value, dict) else None

    def keep_registration(self, registration: dict[str, Any]) -> None:
        """Write what was registered, durably."""
        write_json(self.path / REGISTRATION, registration)

    def mark_submitted(self) -> None:
        """Let sync deliver: the last step, and durable when it returns."""
        write_text(self.path / SUBMITTED, "")

    def wipe(self) -> None:
        """Remove the folder and all in it: the visitor left without handing in.

        ``filing.json`` goes first and the folder gets another name, so that a wipe that was cut
        off is recognised and finished, and a process that still works on a page cannot put
        anything back.

        Raises:
            StorageError: it cannot be removed.
        """
        doomed = self.path.with_name(f"{WIPED}{self.path.name.removeprefix(WIPED)}")
        try:
            (self.path / DESCRIPTION).unlink(missing_ok=True)
            self.path.rename(doomed)
            sync_folder(self.path.parent)
            _remove(doomed)
            sync_folder(self.path.parent)
        except OSError as error:
            raise StorageError(f"{self.path.name}: cannot be removed: {error}") from error

    def forget_scans(self) -> None:
        """Remove scans and working files of a delivered filing; documents and receipt stay."""
        for folder in (self.pages, self.work):
            if folder.exists():
                _remove(folder)
        sync_folder(self.path)

    def forget_documents(self) -> None:
        """Remove the documents of a delivered filing; number, hashes and receipt stay."""
        for document in self.filing.documents:
            (self.path / document.path).unlink(missing_ok=True)
        sync_folder(self.path)


def folders_in(root: Path) -> Iterator[Path]:
    """Yield the filing folders under ``root``, in no order that means anything."""
    if root.exists():
        with os.scandir(root) as entries:
            yield from [Path(entry.path) for entry in entries if entry.is_dir()]


def finish_wipes(root: Path) -> int:
    """Remove what is left of wipes that were cut off; return how many there were."""
    left = [path for path in folders_in(root) if path.name.startswith(WIPED)]
    for path in left:
        _remove(path)
    return len(left)


def _remove(folder: Path) -> None:
    """Remove a folder tree into which somebody may be writing one last file."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    shutil.rmtree(folder)
