"""Registration numbers of filings: the central system's, and the kiosk's provisional ones.

Each answer is committed to the database and kept as ``sync/registrations/<filing id>.json``
before anybody hears it, so that neither a crash nor a lost database can give the same provisional
number to two filings or two numbers to one.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kiosk.api.published import FilingAnswer
from kiosk.api.rows import read_row
from kiosk.api.sync import RegistrationAnswer
from kiosk.clocks import format_wall, wall_time
from kiosk.storage.atomic_io import make_folder, read_json, write_json
from kiosk.storage.database import Database

log = logging.getLogger(__name__)

PROVISIONAL = "provisional"
FILING_SERVICE_NUMBERS = range(501, 1000)
REGISTERED = "registered"
FINAL_STATES = ("passed_to_judge", "returned")


@dataclass(frozen=True)
class Registration:
    """What is known about a filing's number.

    Attributes:
        filing_id: the filing.
        state: ``provisional``, or the central system's word: ``registered``, ``accepted``, ...
        number: the central system's number, or None.
        provisional: the kiosk's number, or None where none was needed.
        at: when the number was given (wall time).
        as_of: when the central system last said so (wall time), or None.
        reason: why it was returned, in the registry's words.
    """

    filing_id: str
    state: str
    number: str | None
    provisional: str | None
    at: str
    as_of: str | None = None
    reason: str | None = None

    def answer(self) -> RegistrationAnswer:
        """Return the answer of ``POST /v1/filings/{id}/register``."""
        return RegistrationAnswer(
            state="provisional" if self.number is None else "registered",
            number=self.number or self.provisional,
            provisional=self.provisional,
            at=self.at,
        )


class RegistrationStore:
    """Stores every filing's registration; thread-safe.

    Args:
        database: the index.
        folder: where the answers are kept durably.
        kiosk_id: first part of a provisional number.
        timezone: the court's, for the date in a provisional number.
    """

    def __init__(self, database: Database, folder: Path, kiosk_id: str, timezone: str) -> None:
        self._database = database
        self._folder = make_folder(folder)
        self._kiosk_id = kiosk_id
        self._zone = ZoneInfo(timezone)
        self._lock = threading.Lock()
        self._confirmed_at = ""

    def get(self, filing_id: str) -> Registration | None:
        """Return what is known about a filing, or None."""
        row = self._database.row("SELECT * FROM registrations WHERE filing_id = ?", (filing_id,))
        return None if row is None else Registration(**dict(row))

    def ensure_provisional(self, filing_id: str) -> Registration:
        """Return the filing's registration; give it a provisional number if it has none."""
        with self._lock:
            known = self.get(filing_id)
            if known is not None:
                return known
            number = self._next_number(wall_time())
            registration = Registration(filing_id, PROVISIONAL, None, number, format_wall())
            self._save(registration)
            return registration

    def adopt_provisional(self, filing_id: str, provisional: str) -> Registration:
        """Adopt the number that the filing service gave while sync was down.

        It is printed on the visitor's receipt: it replaces a number made here that nobody has seen.
        """
        with self._lock:
            known = self.get(filing_id)
            if known is None:
                known = Registration(filing_id, PROVISIONAL, None, None, format_wall())
            if known.provisional != provisional:
                known = replace(known, provisional=provisional)
                self._save(known)
            return known

    def save_number(
        self, filing_id: str, number: str, state: str, at: str, reason: str | None = None
    ) -> Registration:
        """Save the central system's number; a provisional number given before stays beside it."""
        with self._lock:
            known = self.get(filing_id)
            if known is not None and known.number not in (None, number):
                log.error("filing %s has two numbers; the first one stays", filing_id)
                return known
            provisional = None if known is None else known.provisional
            registration = Registration(
                filing_id, state, number, provisional, at, format_wall(), reason
            )
            if known is None or replace(known, as_of=registration.as_of) != registration:
                self._save(registration)
            else:
                self._update_index(registration)
            return registration

    def save_answer(self, filing_id: str, answer: object) -> Registration | None:
        """Save the central system's answer about a filing; return None while it has no number.

        What cannot be read stays as it was.
        """
        read, _ = read_row(FilingAnswer, answer)
        known = self.get(filing_id)
        if read is None or read.number is None:
            if known is not None:  # asked: others go first the next time
                self._update_index(replace(known, as_of=format_wall()))
            return None
        has_number = known is not None and known.number is not None
        state = read.state or (known.state if known is not None and has_number else REGISTERED)
        at = read.registered_at or (known.at if known is not None and has_number else None)
        return self.save_number(filing_id, read.number, state, at or format_wall(), read.reason)

    def confirm(self, at: str) -> None:
        """Note that the central system has listed all changes: what is known holds at ``at``."""
        self._confirmed_at = at

    def last_word(self, known: Registration) -> str | None:
        """Return when the central system last said what is known of a filing (wall time)."""
        if known.number is None or known.as_of is None:
            return known.as_of
        return max(known.as_of, self._confirmed_at)

    def unsettled_filings(self) -> set[str]:
        """Return the filings without a number, and those whose state may still change."""
        rows = self._database.rows(
            "SELECT filing_id FROM registrations WHERE number IS NULL OR state NOT IN (?, ?)",
            FINAL_STATES,
        )
        return {str(row["filing_id"]) for row in rows}

    def filings_without_number(self) -> list[str]:
        """Return the filings that wait for the central system's number, oldest first."""
        rows = self._database.rows(
            "SELECT filing_id FROM registrations WHERE number IS NULL ORDER BY at"
        )
        return [str(row["filing_id"]) for row in rows]

    def open_filings(self, limit: int) -> list[str]:
        """Return registered filings whose state may still change, longest unasked first."""
        rows = self._database.rows(
            "SELECT filing_id FROM registrations WHERE number IS NOT NULL "
            "AND state NOT IN (?, ?) ORDER BY as_of LIMIT ?",
            (*FINAL_STATES, limit),
        )
        return [str(row["filing_id"]) for row in rows]

    def reconcile(self) -> int:
        """Make index and kept answers agree again after a crash; return how many are kept."""
        count = 0
        for row in self._database.rows("SELECT filing_id FROM registrations"):
            known = self.get(row["filing_id"])
            if known is not None and not self._path(known.filing_id).exists():
                write_json(self._path(known.filing_id), asdict(known))
        for path in sorted(self._folder.glob("*.json")):
            try:
                saved = Registration(**read_json(path))
            except (OSError, ValueError, TypeError) as error:
                log.error("kept registration %s cannot be read: %s", path.name, error)
                continue
            count += 1
            if self.get(saved.filing_id) is None:
                self._update_index(saved)
        return count

    def _path(self, filing_id: str) -> Path:
        return self._folder / f"{filing_id}.json"

    def _save(self, registration: Registration) -> None:
        self._update_index(registration)
        write_json(self._path(registration.filing_id), asdict(registration))

    def _update_index(self, registration: Registration) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO registrations "
            "(filing_id, state, number, provisional, at, as_of, reason) "
            "VALUES (:filing_id, :state, :number, :provisional, :at, :as_of, :reason)",
            asdict(registration),
        )

    def _next_number(self, now: datetime) -> str:
        """Return the next ``<kiosk id>-<yymmdd>-<nnn>`` of the court's day.

        ``nnn`` of :data:`FILING_SERVICE_NUMBERS` belongs to the filing service, which counts by
        itself while sync is down.
        """
        prefix = f"{self._kiosk_id}-{now.astimezone(self._zone):%y%m%d}-"
        rows = self._database.rows(
            "SELECT provisional FROM registrations WHERE substr(provisional, 1, ?) = ?",
            (len(prefix), prefix),
        )
        numbers = (int(row["provisional"][len(prefix) :]) for row in rows)
        number = 1 + max((n for n in numbers if n not in FILING_SERVICE_NUMBERS), default=0)
        if number in FILING_SERVICE_NUMBERS:
            number = FILING_SERVICE_NUMBERS.stop
        return f"{prefix}{number:03d}"
