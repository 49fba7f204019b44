"""One filing's folder: what is written when, so that a crash never loses what was promised.

``filing.json`` is replaced as a whole, durably, after each change. A draft's says nothing about
anybody: all of that, and every page, is sealed under the filing's own key. ``submitted`` comes
last: sync delivers only what carries it.
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
from kiosk.filing.draft_encryption import FilingKey
from kiosk.filing.errors import FilingDamagedError, FilingLockedError
from kiosk.filing.model import Applicant, Filing, Page
from kiosk.locale import Language
from kiosk.storage.atomic_io import make_folder, sync_folder, write_bytes, write_json, write_text

DESCRIPTION = "filing.json"
DRAFT = "draft.sealed"
REGISTRATION = "registration.json"
RECEIPT = "receipt.png"
SUBMITTED = "submitted"
#: The key for a secretary after a crash, and for who holds the ticket of a parked filing.
KEEPER_KEY, TICKET_KEY = "key.keeper", "key.ticket"
WIPED = "wiped-"
SEALED = ".sealed"


class Shell(BaseModel):
    """What is readable of a draft: nothing about anybody.

    Attributes:
        parked_until: when a parked filing is wiped (wall time); None: not parked.
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
        filing: what is known of it.
        work: its folder in memory (tmpfs): what lies there plain never reaches the disk.
        key: of a draft.
    """

    def __init__(self, path: Path, filing: Filing, work: Path, key: FilingKey | None) -> None:
        self.path = path
        self.work = work
        self.key = key
        self._filing = filing
        self._shell: Shell | None = None

    @classmethod
    def create(
        cls, root: Path, filing: Filing, work_root: Path, key: FilingKey | None = None
    ) -> FilingFolder:
        """Make the folder of a new filing under ``root``, durably.

        Raises:
            StorageError: disk full, read-only or gone.
        """
        folder = cls(root / filing.id, filing, work_root / filing.id, key or FilingKey())
        make_folder(folder.path)
        make_folder(folder.pages)
        folder.make_work()
        folder.keep(filing)
        return folder

    @classmethod
    def open(cls, path: Path, work_root: Path, key: FilingKey | None = None) -> FilingFolder:
        """Return the filing in ``path``.

        Raises:
            FilingDamagedError: its ``filing.json`` is absent or malformed.
            FilingLockedError: it is a draft, and no key is given.
        """
        text = read_description(path)
        try:
            if json.loads(text).get("state") != "draft":
                return cls(path, Filing.model_validate_json(text), work_root / path.name, None)
            shell = Shell.model_validate_json(text)
            if not shell.sealed:
                raise FilingDamagedError(f"{path.name}: an unsealed draft of an older version")
            if key is None:
                raise FilingLockedError(f"{path.name}: no key")
            value = key.open_file(path / DRAFT)
            folder = cls(path, Filing.model_validate_json(value), work_root / path.name, key)
        except (ValidationError, ValueError, AttributeError) as error:
            raise FilingDamagedError(f"{path.name}/{DESCRIPTION}: {_places(error)}") from error
        folder._shell = shell
        folder._take_strays_in()
        folder.make_work()
        return folder

    @classmethod
    def doomed(cls, path: Path, work_root: Path) -> FilingFolder:
        """Return a draft without its key, to be erased."""
        return cls(path, Filing(document_type="other"), work_root / path.name, None)

    @property
    def filing(self) -> Filing:
        """What is kept on the disk."""
        return self._filing

    @property
    def pages(self) -> Path:
        """Folder of the sealed scans."""
        return self.path / "pages"

    @property
    def receipt(self) -> Path:
        """The receipt as printed."""
        return self.path / RECEIPT

    @property
    def is_submitted(self) -> bool:
        """Whether sync may deliver it."""
        return (self.path / SUBMITTED).exists()

    def make_work(self) -> None:
        """Make the folder in memory."""
        try:
            self.work.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self.work}: cannot be made: {error.strerror}") from error

    def page_file(self, number: int) -> Path:
        """Return the sealed scan of page ``number``."""
        return self.pages / f"{number:04d}.jpg{SEALED}"

    def _take_strays_in(self) -> None:
        """Put pages at the end that were sealed just before the power went, and not written down.

        They come into the slot that was being scanned; their numbers do not come again.
        """
        known = {page.number for page in self._filing.pages}
        sealed = (path.name.partition(".")[0] for path in self.pages.glob(f"*.jpg{SEALED}"))
        for number in sorted({int(name) for name in sealed if name.isdecimal()} - known):
            page = Page(number=number, slot=self._filing.slot, sheet=number)
            self._filing = self._filing.with_page(page)

    def prepared_file(self, number: int) -> Path | None:
        """Return the coded page, or None while it is not made (or memory was short)."""
        path = self.work / f"{number:04d}.pdf"
        return path if path.exists() else None

    def keep(self, filing: Filing) -> Filing:
        """Write ``filing`` durably; return it."""
        if filing.state == "draft":
            data = filing.model_dump_json(exclude_none=True).encode()
            write_bytes(self.path / DRAFT, self._own_key().seal(data), 0o600)
            shell = self._shell or Shell(
                id=filing.id, sealed=True, language=filing.language, created_at=filing.created_at
            )
            self.keep_shell(shell)
        else:
            write_json(self.path / DESCRIPTION, filing.model_dump(mode="json", exclude_none=True))
        self._filing = filing
        return filing

    def keep_shell(self, shell: Shell) -> None:
        """Write what is readable of a draft, where it changed."""
        if shell != self._shell:
            write_json(self.path / DESCRIPTION, shell.model_dump(mode="json", exclude_none=True))
            self._shell = shell

    def park(self, until: str) -> None:
        """Write down until when it is kept; only the ticket opens it from now on."""
        assert self._shell is not None
        self.keep_shell(self._shell.model_copy(update={"parked_until": until}))
        (self.path / KEEPER_KEY).unlink(missing_ok=True)
        sync_folder(self.path)
        self.drop_key()
        self.clear_work()

    def unpark(self) -> None:
        """Take it up again: the ticket opens nothing any more."""
        assert self._shell is not None
        (self.path / TICKET_KEY).unlink(missing_ok=True)
        self.keep_shell(self._shell.model_copy(update={"parked_until": None}))

    def drop_key(self) -> None:
        """Forget the key."""
        if self.key is not None:
            self.key.drop()

    def clear_work(self) -> None:
        """Remove what lies in memory."""
        shutil.rmtree(self.work, ignore_errors=True)

    def _own_key(self) -> FilingKey:
        if self.key is None:
            raise FilingLockedError(f"{self.path.name}: no key")
        return self.key

    def registration(self) -> dict[str, Any] | None:
        """Return ``registration.json``, or None where the filing has no number yet."""
        return read_registration(self.path)

    def keep_registration(self, registration: dict[str, Any]) -> None:
        """Write what was registered, durably."""
        write_json(self.path / REGISTRATION, registration)

    def mark_submitted(self) -> None:
        """Let sync deliver: the last step, and durable when it returns."""
        write_text(self.path / SUBMITTED, "")

    def erase(self) -> Path:
        """Destroy the key and everything readable: at once; return what is left to remove.

        What remains is sealed under a key that is nowhere any more. ``filing.json`` goes first
        and the folder gets another name, so that a wipe that was cut off is recognised and
        finished, and a process that still works on a page cannot put anything back.

        Raises:
            StorageError: it cannot be removed.
        """
        doomed = self.path.with_name(f"{WIPED}{self.path.name.removeprefix(WIPED)}")
        self.drop_key()
        try:
            for name in (KEEPER_KEY, TICKET_KEY, DESCRIPTION):
                (self.path / name).unlink(missing_ok=True)
            self.path.rename(doomed)
            sync_folder(self.path.parent)
        except OSError as error:
            raise StorageError(f"{self.path.name}: cannot be removed: {error}") from error
        finally:
            self.clear_work()
        return doomed

    def forget_scans(self) -> None:
        """Destroy scans and key of a filing that was handed in; its documents stay."""
        self.drop_key()
        for name in (KEEPER_KEY, TICKET_KEY, DRAFT):
            (self.path / name).unlink(missing_ok=True)
        if self.pages.exists():
            remove_tree(self.pages)
        self.clear_work()
        sync_folder(self.path)

    def forget_documents(self) -> None:
        """Remove documents and personal data of a delivered filing; number and hashes stay."""
        for document in self.filing.documents:
            (self.path / document.path).unlink(missing_ok=True)
        bare = {"applicant": Applicant(), "case_number": None, "fee": None, "not_scanned": ()}
        self.keep(self.filing.model_copy(update=bare))
        sync_folder(self.path)


def read_description(path: Path) -> str:
    """Return the text of a folder's ``filing.json``.

    Raises:
        FilingDamagedError: absent or unreadable.
    """
    try:
        return (path / DESCRIPTION).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FilingDamagedError(f"{path.name}/{DESCRIPTION}: {type(error).__name__}") from error


def read_registration(path: Path) -> dict[str, Any] | None:
    """Return a folder's ``registration.json``, or None where the filing has no number yet.

    Raises:
        FilingDamagedError: it cannot be read.
    """
    try:
        value = json.loads((path / REGISTRATION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise FilingDamagedError(f"{path.name}/{REGISTRATION}: {type(error).__name__}") from error
    return value if isinstance(value, dict) else None


def read_shell(path: Path) -> Shell | None:
    """Return what is readable of a draft; None where it is none (any more), or damaged."""
    try:
        return Shell.model_validate_json(read_description(path))
    except (FilingDamagedError, ValidationError):
        return None


def _places(error: Exception) -> str:
    """Return what is wrong where; never a value: it may be somebody's name."""
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(key) for key in first['loc'])}: {first['type']}"
    return type(error).__name__


def folders_in(root: Path) -> Iterator[Path]:
    """Yield the filing folders under ``root``, in no order that means anything."""
    if root.exists():
        with os.scandir(root) as entries:
            yield from [Path(entry.path) for entry in entries if entry.is_dir()]


def finish_wipes(root: Path) -> int:
    """Remove what is left of wipes that were cut off; return how many there were."""
    left = [path for path in folders_in(root) if path.name.startswith(WIPED)]
    for path in left:
        remove_tree(path)
    return len(left)


def remove_tree(folder: Path) -> None:
    """Remove a folder tree into which somebody may be writing one last file."""
    for _ in range(3):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
    shutil.rmtree(folder, ignore_errors=True)
