"""Paths of the folders and files of one kiosk, under ``paths.data`` and ``paths.run``.

Folders are the truth and each has one owner: the recorder owns ``hearings/``, ``minutes/``,
``reports/``, ``exports/``, ``room/`` and ``sign-in/``, the touch screen owns ``filings/``, sync
owns ``sync/``, ``published/`` and ``receipts/``. docs/units.md says which user may read and write
what.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kiosk.config import PathSettings


@dataclass(frozen=True)
class Paths:
    """Folders and files of one kiosk."""

    data: Path
    run: Path

    @classmethod
    def from_settings(cls, settings: PathSettings) -> Paths:
        """Return the paths that ``[paths]`` of the settings gives."""
        return cls(settings.data, settings.run)

    # -- truth -------------------------------------------------------------------------------
    @property
    def hearings(self) -> Path:
        """Hearing folders, ``<hearing uuid>/``; owner: recorder."""
        return self.data / "hearings"

    @property
    def filings(self) -> Path:
        """Filing folders, ``<filing uuid>/``; owner: filing (in the UI process)."""
        return self.data / "filings"

    @property
    def reports(self) -> Path:
        """Self-test reports and delivery probes, ``<report uuid>/``; owner: recorder."""
        return self.data / "reports"

    @property
    def minutes(self) -> Path:
        """Short minutes, sealed: ``<uuid>/`` for each version and each returned signature."""
        return self.data / "minutes"

    @property
    def minutes_drafts(self) -> Path:
        """Journals of the minutes as they are made, ``<hearing uuid>/``; owner: recorder."""
        return self.minutes / "drafts"

    @property
    def minutes_ages(self) -> Path:
        """How long delivered minutes are kept, by no wall clock (JSON); owner: recorder."""
        return self.minutes / "ages.json"

    @property
    def exports(self) -> Path:
        """Records of copies for the parties: who asked for what, and the result (JSON)."""
        return self.data / "exports"

    @property
    def room(self) -> Path:
        """The room as a technician set it up: profile and commissioning; owner: recorder."""
        return self.data / "room"

    @property
    def commissioning(self) -> Path:
        """How far a technician has come with setting up the room (JSON); owner: recorder."""
        return self.room / "commissioning.json"

    # -- sync --------------------------------------------------------------------------------
    @property
    def database(self) -> Path:
        """``kiosk.db``, sync's own index; rebuilt from the folders by ``kiosk reindex``."""
        return self.data / "sync" / "kiosk.db"

    @property
    def delivery_ages(self) -> Path:
        """How long ago each hearing was delivered, by no wall clock (JSON); owner: sync."""
        return self.data / "sync" / "ages.json"

    @property
    def link_check_ages(self) -> Path:
        """How long ago the line was measured before each hearing (JSON); owner: sync."""
        return self.data / "sync" / "link-check-ages.json"

    @property
    def filing_ages(self) -> Path:
        """How long ago each filing was parked, left or delivered (JSON); owner: filing."""
        return self.data / "filings" / "ages.json"

    @property
    def sign_in_ages(self) -> Path:
        """How long the staff list and the first technician's code are in force; recorder."""
        return self.data / "sign-in" / "ages.json"

    @property
    def receipts(self) -> Path:
        """Receipts of the central system, ``<uuid>.json``, beside the sealed folders."""
        return self.data / "receipts"

    @property
    def schedule(self) -> Path:
        """The last pulled list of hearings (JSON), for readers while sync does not run."""
        return self.data / "published" / "schedule.json"

    @property
    def staff(self) -> Path:
        """The last pulled list of staff (JSON, signed; PINs and badges only as hashes)."""
        return self.data / "published" / "staff.json"

    @property
    def rules_pack(self) -> Path:
        """The last pulled rules pack (JSON, signed): monthly indices after the release."""
        return self.data / "published" / "rules-pack.json"

    @property
    def link_checks(self) -> Path:
        """Results of link checks, ``<hearing uuid>.json`` and ``last.json``; owner: sync."""
        return self.data / "published" / "link-checks"

    @property
    def line(self) -> Path:
        """How the line is while a hearing is open (JSON); owner: sync."""
        return self.data / "published" / "line.json"

    @property
    def recording_rate(self) -> Path:
        """Measured rate of this courtroom's recordings (JSON); owner: recorder."""
        return self.data / "recording-rate.json"

    @property
    def closed_hearings(self) -> Path:
        """Ids of the hearings closed here, whose titles stay hidden (JSON); owner: recorder."""
        return self.data / "closed-hearings.json"

    @property
    def ended_hearings(self) -> Path:
        """Ids of the hearings that ended here today (JSON); owner: recorder."""
        return self.data / "ended-hearings.json"

    @property
    def alarm_log(self) -> Path:
        """The recorder's last alarms (JSON); owner: recorder."""
        return self.data / "alarm-log.json"

    @property
    def sync_alarm_log(self) -> Path:
        """Sync's last alarms (JSON); owner: sync."""
        return self.data / "sync" / "alarm-log.json"

    @property
    def morning_check(self) -> Path:
        """What the last morning check found (JSON); owner: recorder."""
        return self.data / "morning-check.json"

    @property
    def speech_levels(self) -> Path:
        """How loud speech was at each microphone in the last hearings (JSON); owner: recorder."""
        return self.data / "speech-levels.json"

    @property
    def sweep_baseline(self) -> Path:
        """What each microphone heard of the loudspeaker after commissioning; owner: recorder."""
        return self.data / "sweep-baseline.json"

    @property
    def known_inputs(self) -> Path:
        """Device of each source at commissioning or first use (JSON); owner: recorder."""
        return self.data / "known-inputs.json"

    # -- sign-in -----------------------------------------------------------------------------
    @property
    def kept_staff(self) -> Path:
        """The recorder's own copy of the last good staff list (mode 0600)."""
        return self.data / "sign-in" / "staff.json"

    @property
    def sign_in_tries(self) -> Path:
        """Counts of wrong tries by person and place (JSON, mode 0600); owner: recorder."""
        return self.data / "sign-in" / "tries.json"

    @property
    def sign_in_journal(self) -> Path:
        """Who signed in or failed to, where and when (mode 0600); owner: recorder."""
        return self.data / "sign-in" / "journal.jsonl"

    @property
    def first_technician(self) -> Path:
        """Hash of the first technician's code (JSON, mode 0600); owner: recorder."""
        return self.data / "sign-in" / "first-technician.json"

    # -- identity ----------------------------------------------------------------------------
    @property
    def device_key(self) -> Path:
        """Private key of the device certificate (PEM); recorder and sync read it."""
        return self.data / "identity" / "device.key"

    @property
    def device_certificate(self) -> Path:
        """Device certificate, with intermediates (PEM)."""
        return self.data / "identity" / "device.crt"

    @property
    def self_signed_key(self) -> Path:
        """Key that the recorder created for itself before enrolment (PEM, mode 0600)."""
        return self.data / "identity" / "unenrolled.key"

    @property
    def self_signed_certificate(self) -> Path:
        """Self-signed certificate of that key, so that recording never waits for enrolment."""
        return self.data / "identity" / "unenrolled.crt"

    @property
    def court_ca(self) -> Path:
        """Root of the court's certificate authority, pinned at enrolment (PEM)."""
        return self.data / "identity" / "ca.crt"

    @property
    def court_recipient(self) -> Path:
        """Public age key of the court, pinned at enrolment; closed parts are encrypted to it."""
        return self.data / "identity" / "court.age"

    @property
    def escrow_recipient(self) -> Path:
        """Public age key of the court's escrow, pinned at enrolment; as the court's."""
        return self.data / "identity" / "escrow.age"

    @property
    def court_key_proofs(self) -> Path:
        """Times at which court and escrow proved that they can decrypt (JSON)."""
        return self.data / "identity" / "court-keys-proven.json"

    @property
    def court_key_challenges(self) -> Path:
        """Hashes of the answers to the open challenges to court and escrow (JSON)."""
        return self.data / "identity" / "court-keys-challenge.json"

    @property
    def escrow_keys(self) -> Path:
        """Keys that open unfinished filings for a secretary after a crash; owner: recorder."""
        return self.data / "identity" / "keepers"

    @property
    def public_keys(self) -> Path:
        """Public halves of the escrow keys (``*.pub``), for the touch screen; owner: recorder."""
        return self.data / "public"

    # -- run time: one folder for each service, made by its unit -----------------------------
    @property
    def recorder_run(self) -> Path:
        """What ``kiosk recorder`` needs while it runs; memory, like all of ``run``."""
        return self.run / "recorder"

    @property
    def ui_run(self) -> Path:
        """What ``kiosk ui`` needs while it runs; nobody else may read it."""
        return self.run / "ui"

    @property
    def recorder_socket(self) -> Path:
        """Unix socket of ``kiosk recorder``."""
        return self.recorder_run / "recorder.sock"

    @property
    def hall_socket(self) -> Path:
        """Unix socket of the recorder's view for the display in the hall."""
        return self.recorder_run / "hall.sock"

    @property
    def hall_run(self) -> Path:
        """What ``kiosk ui --role hall`` needs while it runs."""
        return self.run / "hall"

    @property
    def hall_screen_socket(self) -> Path:
        """Unix socket of ``kiosk ui --role hall`` (only with ``[ui] automation = true``)."""
        return self.hall_run / "ui.sock"

    @property
    def sync_socket(self) -> Path:
        """Unix socket of ``kiosk sync``."""
        return self.run / "sync" / "sync.sock"

    @property
    def ui_socket(self) -> Path:
        """Unix socket of ``kiosk ui`` (only with ``[ui] automation = true``)."""
        return self.ui_run / "ui.sock"

    @property
    def filing_work(self) -> Path:
        """Working folders of unfinished filings in memory (tmpfs), ``<filing uuid>/``."""
        return self.ui_run / "filings"

    @property
    def receipt_work(self) -> Path:
        """Folder in memory (tmpfs) for the page of a receipt that is being scanned."""
        return self.ui_run / "receipt"

    @property
    def preview(self) -> Path:
        """Live picture for the UI: a seqlocked frame in shared memory."""
        return self.recorder_run / "preview.shm"

    @property
    def token_secret(self) -> Path:
        """Secret that signs sign-in tokens of this run (mode 0600, made by the recorder)."""
        return self.recorder_run / "token.secret"
