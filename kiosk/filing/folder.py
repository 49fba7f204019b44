"""Reads and writes a filing's folder, in an order in which a crash loses nothing we confirmed.

Each change replaces ``filing.json`` as a whole, durably. A draft's ``filing.json`` holds no
personal data: those and every page are encrypted under the filing's own key. The ``submitted``
marker is written last: sync delivers only filings that have it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from kiosk.errors import StorageError
from kiosk.filing.draft_encryption import DraftKey
from kiosk.filing.errors import FilingDamagedError, FilingLockedError
from kiosk.filing.model import Applicant, Filing, Page
from kiosk.locale import Language
from kiosk.storage.atomic_io import make_folder, sync_folder, write_bytes, write_json, write_text

FILING_FILE = "filing.json"
DRAFT_FILE = "draft.sealed"
REGISTRATION_FILE = "registration.json"
RECEIPT_FILE = "receipt.png"
SUBMITTED_MARKER = "submitted"
#: The key, wrapped for a secretary after a crash and for the holder of a ticket.
ESCROW_KEY_FILE, TICKET_KEY_FILE = "key.keeper", "key.ticket"
WIPED_PREFIX = "wiped-"
ENCRYPTED_SUFFIX = ".sealed"


class DraftHeader(BaseModel):
    """Unencrypted header of a draft; it holds no personal data.

    Attributes:
        parked_until: wall time when a parked filing is wiped; None if it is not parked.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1, 2] = 2
    id: str
    state: Literal["draft"] = "draft"
    sealed: bool = False
    language: Language = "kk"
    created_at: str = ""
    parked_until: str | None = None


class FilingFolder:
    """The folder ``filings/<uuid>/`` of one filing.

    Args:
        path: the folder.
        filing: its content.
        work: its folder in memory (tmpfs), for plain files that never reach the disk.
        key: the key of a draft.
    """

    def __init__(self, path: Path, filing: Filing, work: Path, key: DraftKey | None) -> None:
        self.path = path
        self.work_folder = work
        self.key = key
        self._filing = filing
        self._header: DraftHeader | None = None

    @classmethod
    def create(
        cls, root: Path, filing: Filing, work_root: Path, key: DraftKey | None = None
    ) -> FilingFolder:
        """Make the folder of a new filing under ``root``, durably.

        Raises:
            StorageError: disk full, read-only or gone.
        """
        folder = cls(root / filing.id, filing, work_root / filing.id, key or DraftKey())
        make_folder(folder.path)
        make_folder(folder.pages_folder)
        folder.make_work_folder()
        folder.save(filing)
        return folder

    @classmethod
    def open(cls, path: Path, work_root: Path, key: DraftKey | None = None) -> FilingFolder:
        """Return the filing in ``path``.

        Raises:
            FilingDamagedError: its ``filing.json`` is absent or malformed.
            FilingLockedError: it is a draft and no key is given.
        """
        text = read_filing_text(path)
        try:
            if json.loads(text).get("state") != "draft":
                return cls(path, Filing.model_validate_json(text), work_root / path.name, None)
            header = DraftHeader.model_validate_json(text)
            if not header.sealed:
                raise FilingDamagedError(f"{path.name}: an unsealed draft of an older version")
            if key is None:
                raise FilingLockedError(f"{path.name}: no key")
            value = key.decrypt_file(path / DRAFT_FILE)
            folder = cls(path, Filing.model_validate_json(value), work_root / path.name, key)
        except (ValidationError, ValueError, AttributeError) as error:
            raise FilingDamagedError(
                f"{path.name}/{FILING_FILE}: {_error_summary(error)}"
            ) from error
        folder._header = header
        folder._adopt_orphan_pages()
        folder.make_work_folder()
        return folder

    @classmethod
    def for_erasure(cls, path: Path, work_root: Path) -> FilingFolder:
        """Return a draft without its key, to erase it."""
        return cls(path, Filing(document_type="other"), work_root / path.name, None)

    @property
    def filing(self) -> Filing:
        """The filing as saved on the disk."""
        return self._filing

    @property
    def pages_folder(self) -> Path:
        """Folder of the encrypted scans."""
        return self.path / "pages"

    @property
    def receipt_file(self) -> Path:
        """The receipt as printed."""
        return self.path / RECEIPT_FILE

    @property
    def is_submitted(self) -> bool:
        """Whether sync may deliver it."""
        return (self.path / SUBMITTED_MARKER).exists()

    def make_work_folder(self) -> None:
        """Make the folder in memory."""
        try:
            self.work_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.work_folder}: cannot be made: {error.strerror}") from error

    def page_file(self, number: int) -> Path:
        """Return the path of the encrypted scan of page ``number``."""
        return self.pages_folder / f"{number:04d}.jpg{ENCRYPTED_SUFFIX}"

    def _adopt_orphan_pages(self) -> None:
        """Append pages that were encrypted just before a power cut but are not in ``filing.json``.

        They go to the current slot; their numbers are not used again.
        """
        known = {page.number for page in self._filing.pages}
        sealed = (
            path.name.partition(".")[0]
            for path in self.pages_folder.glob(f"*.jpg{ENCRYPTED_SUFFIX}")
        )
        for number in sorted({int(name) for name in sealed if name.isdecimal()} - known):
            page = Page(number=number, slot=self._filing.slot, sheet=number)
            self._filing = self._filing.with_page(page)

    def prepared_file(self, number: int) -> Path | None:
        """Return the encoded page, or None if there is none yet (or memory was short)."""
        path = self.work_folder / f"{number:04d}.pdf"
        return path if path.exists() else None

    def save(self, filing: Filing) -> Filing:
        """Write ``filing`` durably; return it."""
        if filing.state == "draft":
            data = filing.model_dump_json(exclude_none=True).encode()
            write_bytes(self.path / DRAFT_FILE, self._require_key().encrypt(data), 0o600)
            header = self._header or DraftHeader(
                id=filing.id, sealed=True, language=filing.language, created_at=filing.created_at
            )
            self.save_header(header)
        else:
            write_json(self.path / FILING_FILE, filing.model_dump(mode="json", exclude_none=True))
        self._filing = filing
        return filing

    def save_header(self, header: DraftHeader) -> None:
        """Write the header of a draft if it changed."""
        if header != self._header:
            write_json(self.path / FILING_FILE, header.model_dump(mode="json", exclude_none=True))
            self._header = header

    def park(self, until: str) -> None:
        """Mark the filing as parked until ``until``; from now on only its ticket opens it."""
        assert self._header is not None
        self.save_header(self._header.model_copy(update={"parked_until": until}))
        (self.path / ESCROW_KEY_FILE).unlink(missing_ok=True)
        sync_folder(self.path)
        self.destroy_key()
        self.clear_work_folder()

    def unpark(self) -> None:
        """Mark the filing as open again and invalidate its ticket."""
        assert self._header is not None
        (self.path / TICKET_KEY_FILE).unlink(missing_ok=True)
        self.save_header(self._header.model_copy(update={"parked_until": None}))

    def destroy_key(self) -> None:
        """Destroy the key in memory."""
        if self.key is not None:
            self.key.destroy()

    def clear_work_folder(self) -> None:
        """Remove the folder in memory."""
        shutil.rmtree(self.work_folder, ignore_errors=True)

    def _require_key(self) -> DraftKey:
        if self.key is None:
            raise FilingLockedError(f"{self.path.name}: no key")
        return self.key

    def registration(self) -> dict[str, Any] | None:
        """Return ``registration.json``, or None if the filing has no number yet."""
        return read_registration(self.path)

    def save_registration(self, registration: dict[str, Any]) -> None:
        """Write ``registration.json`` durably."""
        write_json(self.path / REGISTRATION_FILE, registration)

    def mark_submitted(self) -> None:
        """Write the marker that lets sync deliver: the last step, durable on return."""
        write_text(self.path / SUBMITTED_MARKER, "")

    def erase(self) -> Path:
        """Destroy the key and every readable file at once; return the folder left to remove.

        The rest is encrypted under a key that no longer exists. ``filing.json`` is deleted first
        and the folder is renamed, so that an interrupted wipe is recognised and finished, and a
        process that still works on a page cannot put a file back.

        Raises:
            StorageError: it cannot be removed.
        """
        wiped_folder = self.path.with_name(
            f"{WIPED_PREFIX}{self.path.name.removeprefix(WIPED_PREFIX)}"
        )
        self.destroy_key()
        try:
            for name in (ESCROW_KEY_FILE, TICKET_KEY_FILE, FILING_FILE):
                (self.path / name).unlink(missing_ok=True)
            self.path.rename(wiped_folder)
            sync_folder(self.path.parent)
        except OSError as error:
            raise StorageError(f"{self.path.name}: cannot be removed: {error}") from error
        finally:
            self.clear_work_folder()
        return wiped_folder

    def delete_scans(self) -> None:
        """Delete scans and key of a submitted filing; keep its documents."""
        self.destroy_key()
        for name in (ESCROW_KEY_FILE, TICKET_KEY_FILE, DRAFT_FILE):
            (self.path / name).unlink(missing_ok=True)
        if self.pages_folder.exists():
            remove_tree(self.pages_folder)
        self.clear_work_folder()
        sync_folder(self.path)

    def delete_documents(self) -> None:
        """Delete documents and personal data of a delivered filing; keep number and hashes."""
        for document in self.filing.documents:
            (self.path / document.path).unlink(missing_ok=True)
        bare = {"applicant": Applicant(), "case_number": None, "fee": None, "not_scanned": ()}
        self.save(self.filing.model_copy(update=bare))
        sync_folder(self.path)


def read_filing_text(path: Path) -> str:
    """Return the text of a folder's ``filing.json``.

    Raises:
        FilingDamagedError: absent or unreadable.
    """
    try:
        return (path / FILING_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FilingDamagedError(f"{path.name}/{FILING_FILE}: {type(error).__name__}") from error


def read_registration(path: Path) -> dict[str, Any] | None:
    """Return a folder's ``registration.json``, or None if the filing has no number yet.

    Raises:
        FilingDamagedError: it cannot be read.
    """
    try:
        value = json.loads((path / REGISTRATION_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise FilingDamagedError(
            f"{path.name}/{REGISTRATION_FILE}: {type(error).__name__}"
        ) from error
    return value if isinstance(value, dict) else None


def read_header(path: Path) -> DraftHeader | None:
    """Return the header of a draft; None if the folder holds no draft or is damaged."""
    try:
        return DraftHeader.model_validate_json(read_filing_text(path))
    except (FilingDamagedError, ValidationError):
        return None


def _error_summary(error: Exception) -> str:
    """Return field and kind of an error, never its value: that may be a name."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(key) for key in first['loc'])}: {first['type']}"
    return type(error).__name__


def filing_folders(root: Path) -> Iterator[Path]:
    """Yield the filing folders under ``root``, in no particular order."""
    if root.exists():
        with os.scandir(root) as entries:
            yield from [Path(entry.path) for entry in entries if entry.is_dir()]


def finish_wipes(root: Path) -> int:
    """Finish wipes that were interrupted; return how many."""
    left = [path for path in filing_folders(root) if path.name.startswith(WIPED_PREFIX)]
    for path in left:
        remove_tree(path)
    return len(left)


def remove_tree(folder: Path) -> None:
    """Remove a folder tree into which another process may still write a last file."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    shutil.rmtree(folder, ignore_errors=True)
