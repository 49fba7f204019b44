"""Every alarm of the kiosk: its severity, what it means, and what to do.

Services speak in codes; here each code gets its sentence (consequence first) and its remedies,
one for staff and one for the public (empty where the public never meets it). The sentences are
gettext message ids. No code is ever shown to the public.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from kiosk.locale import N_, Translator


class Severity(StrEnum):
    """Severity of an alarm, most severe first."""

    FAULT = "fault"
    """Something is being lost or cannot be done; red."""
    WARNING = "warning"
    """Work goes on, but somebody should act; amber."""
    NOTICE = "notice"
    """Good to know; never red."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm.

    Attributes:
        code: stable identifier, as services send it.
        severity: see :class:`Severity`.
        sentence: consequence, English message id; may hold ``{source}``.
        staff: remedy for the secretary or technician, English message id.
        public: remedy for a visitor, English message id; empty where the public never meets it.
    """

    code: str
    severity: Severity
    sentence: str
    staff: str
    public: str = ""

    def say(self, translate: Translator, source: str = "") -> str:
        """Return the consequence in the translator's language; ``source`` names the device."""
        return translate(self.sentence).replace("{source}", source)

    def remedy(self, translate: Translator, *, staff: bool) -> str:
        """Return what to do, for staff or for the public."""
        return translate(self.staff if staff else self.public)


_CALL_SECRETARY = N_("Please call the secretary.")
_CALL_TECHNICIAN = N_("Call the technician.")
_PAGES_ARE_KEPT = N_("Pages already scanned are kept. Please call the secretary.")
_CHECK_MICROPHONE = N_(
    "Check the cable and the switch of this microphone, or give the speaker a spare one. The "
    "recording goes on and takes it back by itself."
)
_CHECK_CAMERA = N_(
    "Check the camera's cable. It comes back by itself; tell the presiding judge that there is no "
    "picture."
)
_CLEAR_THE_JAM = N_(
    "Open the scanner, pull the sheet towards you, close it, put the sheet in again."
)
_SEPARATE_SHEETS = N_("Open the scanner, take both sheets out, separate them, close it.")
_PUT_SHEETS_IN = N_("Put the sheets in; scanning begins by itself.")
_CLOSE_COVER = N_("Close the cover.")
_AGAIN_THIS_SHEET = N_("Put this sheet in again.")
_SCAN_ONE_PAGE = N_("Scan at least one page.")
_TWO_DOCUMENTS = N_("Hand it in as two documents.")
_OTHER_LANGUAGE = N_("Choose another language.")
_PHOTOGRAPH_CODE = N_("Your document is handed in. Photograph the code on the screen.")
_START_AGAIN = N_("Start it again when you want to.")
_LOOK_AGAIN = N_("Look again in a minute.")
_WITHOUT_FEE = N_("Hand the document in without it; the court decides on the fee.")

_ALARM_LIST = (
    Alarm(
        "recorder_down",
        Severity.FAULT,
        N_("Nothing can be recorded now: the recording service does not answer."),
        N_(
            "Wait ten seconds: it starts again by itself. If it does not, switch the kiosk off "
            "and on, and keep the minutes by hand meanwhile."
        ),
        _CALL_SECRETARY,
    ),
    Alarm(
        "sync_down",
        Severity.WARNING,
        N_(
            "Nothing is being delivered: the delivery service does not answer. Recording and "
            "scanning go on."
        ),
        N_("Nothing is lost; it is delivered later. If this lasts an hour, call the technician."),
        N_("Your document is kept here and gets a provisional number."),
    ),
    Alarm(
        "service_down",
        Severity.WARNING,
        N_("A part of the kiosk does not answer."),
        N_("Wait ten seconds: it starts again by itself. If it does not, call the technician."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "settings_invalid",
        Severity.FAULT,
        N_("The kiosk cannot start: its settings file is wrong."),
        N_("Technician: “kiosk config” names the line, the value and what is allowed."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "rules_invalid",
        Severity.FAULT,
        N_("The kiosk cannot start: its rules data is wrong."),
        _CALL_TECHNICIAN,
        _CALL_SECRETARY,
    ),
    Alarm(
        "database_rebuilt",
        Severity.NOTICE,
        N_("The kiosk's index was damaged and has been rebuilt from the folders. Nothing is lost."),
        N_("Nothing to do. The damaged file was set aside for the technician."),
    ),
    Alarm(
        "central_unreachable",
        Severity.WARNING,
        N_(
            "The court's central system cannot be reached. Recording and scanning go on; "
            "everything is delivered later."
        ),
        N_("Check the network cable. There is nothing else to do: the kiosk keeps trying."),
        N_(
            "Your document is kept here and gets a provisional number. It is registered as soon "
            "as the connection is back."
        ),
    ),
    Alarm(
        "central_failed",
        Severity.WARNING,
        N_("The court's central system refused a delivery. It stays here and is tried again."),
        N_("Call the technician if it happens again."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "captive_portal",
        Severity.WARNING,
        N_(
            "The network asks for a sign-in and answers in the central system's place. Nothing is "
            "delivered."
        ),
        N_("Technician: sign this line in or use another one."),
    ),
    Alarm(
        "central_contract_unknown",
        Severity.WARNING,
        N_(
            "The central system speaks a newer language than this kiosk. Nothing is delivered "
            "until the kiosk is updated."
        ),
        N_("Technician: update the kiosk. Recordings and filings are kept."),
    ),
    Alarm(
        "not_enrolled",
        Severity.WARNING,
        N_("This kiosk is not enrolled: nothing can be delivered."),
        N_("Technician: “kiosk enroll” with a one-time code of the court."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "certificate_invalid",
        Severity.WARNING,
        N_("The kiosk's certificate is not valid any more or not yet: nothing can be delivered."),
        N_(
            "Check the date and time first. If they are right, the technician enrols the kiosk "
            "again."
        ),
        _CALL_SECRETARY,
    ),
    Alarm(
        "clock_unset",
        Severity.WARNING,
        N_("The kiosk does not know the date and the time."),
        N_(
            "Enter the date and the time by your watch. Recording works; its times are corrected "
            "later."
        ),
        _CALL_SECRETARY,
    ),
    Alarm(
        "clock_unsynchronised",
        Severity.WARNING,
        N_("The clock has not been compared with the network: it may be wrong."),
        N_("Compare it with your watch. It is corrected when the network is back."),
    ),
    Alarm(
        "clock_stepped",
        Severity.WARNING,
        N_("The clock of the kiosk was moved. The recording is not affected."),
        N_("Compare it with your watch. The jump is written down with its length."),
    ),
    Alarm(
        "schedule_stale",
        Severity.WARNING,
        N_("The list of hearings may be out of date."),
        N_(
            "Compare it with the paper list. A hearing that is missing can be started without the "
            "list."
        ),
    ),
    Alarm(
        "no_schedule",
        Severity.WARNING,
        N_("There is no list of hearings on this kiosk yet."),
        N_("Start the hearing without the list; the case number can be entered afterwards."),
    ),
    Alarm(
        "unknown_badge",
        Severity.NOTICE,
        N_("This badge is not known on this kiosk."),
        N_(
            "Hold it to the reader once more or sign in with your PIN. A new badge works after "
            "the next contact with the central system."
        ),
        N_("This card does not open anything here. Please take it back."),
    ),
    Alarm(
        "unknown_pin",
        Severity.NOTICE,
        N_("This PIN is not right."),
        N_("Try again or use your badge."),
    ),
    Alarm(
        "sign_in_refused",
        Severity.NOTICE,
        N_("This needs a sign-in with another role."),
        N_("Sign in with the badge of a person who may do it."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "token_expired",
        Severity.NOTICE,
        N_("You were signed out because nothing was done for a while."),
        N_("Sign in again. A running hearing goes on meanwhile."),
    ),
    Alarm(
        "already_recording",
        Severity.NOTICE,
        N_("A hearing is being recorded already; it goes on."),
        N_("Go back to it. End it before you start another one."),
    ),
    Alarm(
        "hearing_step_refused",
        Severity.NOTICE,
        N_("This step is not possible now; nothing was changed."),
        N_("Look at the state of the hearing at the top and choose the next step again."),
    ),
    Alarm(
        "resume_reminder",
        Severity.WARNING,
        N_("The hearing is interrupted and nothing is recorded. Nobody has resumed it yet."),
        N_("Resume it when the court comes back, or end it."),
    ),
    Alarm(
        "camera_absent",
        Severity.FAULT,
        N_("There is no picture: the camera is not found. Sound goes on being recorded."),
        _CHECK_CAMERA,
    ),
    Alarm(
        "camera_frozen",
        Severity.FAULT,
        N_("The picture stands still: the camera sends nothing new. Sound goes on being recorded."),
        _CHECK_CAMERA,
    ),
    Alarm(
        "camera_dark",
        Severity.WARNING,
        N_("The picture is almost black."),
        N_("Take the cap off the camera or switch the light on."),
    ),
    Alarm(
        "encoder_slow",
        Severity.WARNING,
        N_("Pictures are being left out: the kiosk is too slow. Sound is complete."),
        N_("Nothing to do now; the number of lost pictures is in the record. Tell the technician."),
    ),
    Alarm(
        "microphone_absent",
        Severity.FAULT,
        N_("Microphone “{source}” is not recorded: it is not connected."),
        _CHECK_MICROPHONE,
    ),
    Alarm(
        "microphone_dead",
        Severity.FAULT,
        N_(
            "Microphone “{source}” is not recorded: it sends no signal at all. It is muted or "
            "broken."
        ),
        _CHECK_MICROPHONE,
    ),
    Alarm(
        "microphone_muted",
        Severity.FAULT,
        N_("Microphone “{source}” is not recorded: it is muted or switched off."),
        _CHECK_MICROPHONE,
    ),
    Alarm(
        "microphone_quiet",
        Severity.WARNING,
        N_("Microphone “{source}” is very quiet: words may be lost."),
        N_("Move it closer to the speaker or ask them to speak louder."),
    ),
    Alarm(
        "microphone_clipping",
        Severity.WARNING,
        N_("Microphone “{source}” is too loud: the sound is distorted."),
        N_("Move it away from the speaker."),
    ),
    Alarm(
        "microphone_humming",
        Severity.WARNING,
        N_("Microphone “{source}” hums: words may be hard to understand."),
        N_(
            "Move its cable away from power cables and chargers, or use a spare microphone. The "
            "recording goes on."
        ),
    ),
    Alarm(
        "no_spare",
        Severity.NOTICE,
        N_("There is no other microphone that could take over."),
        N_("Continue without it, or give the speaker another microphone."),
    ),
    Alarm(
        "remote_link_lost",
        Severity.FAULT,
        N_("Nothing comes from the remote participants: their link is lost."),
        N_(
            "Check the conference set and its cable. The room goes on being recorded; the loss is "
            "written down."
        ),
    ),
    Alarm(
        "headset_absent",
        Severity.NOTICE,
        N_("There is no headset to listen with."),
        N_("Plug the headset in. If it is new, its name belongs into the settings."),
    ),
    Alarm(
        "nothing_to_listen",
        Severity.NOTICE,
        N_("There is nothing to listen to."),
        N_("Listening works while a hearing is recorded, some seconds after it began."),
    ),
    Alarm(
        "court_key_missing",
        Severity.FAULT,
        N_("Closed parts cannot be recorded: the court's keys are not on this kiosk."),
        N_(
            "Keep the minutes of closed parts by hand. Technician: enrol the kiosk again, or pin "
            "the court's two keys with “kiosk court-keys pin”."
        ),
    ),
    Alarm(
        "court_key_unproven",
        Severity.WARNING,
        N_("Nobody has shown yet that the court can open closed parts of this kiosk."),
        N_(
            "Closed parts are recorded. Technician: let the court and its escrow open a challenge: "
            "“kiosk court-keys challenge”."
        ),
    ),
    Alarm(
        "unknown_ground",
        Severity.NOTICE,
        N_("This ground for closing is not known to the kiosk."),
        N_("Choose one of the list; add the ruling as a note."),
    ),
    Alarm(
        "listening_refused",
        Severity.NOTICE,
        N_("This part is closed: it is not played on the kiosk."),
        N_("The court listens to it at its own workstation."),
    ),
    Alarm(
        "sound_server_down",
        Severity.FAULT,
        N_(
            "No microphone is recorded: the sound system of the kiosk has stopped. The picture "
            "goes on."
        ),
        N_(
            "Wait ten seconds: it is started again by itself. If it stays, ask the presiding "
            "judge to interrupt the hearing."
        ),
    ),
    Alarm(
        "disk_low",
        Severity.WARNING,
        N_("The disk is nearly full."),
        N_(
            "Recording goes on. Tell the technician today; delivered recordings free space by "
            "themselves."
        ),
    ),
    Alarm(
        "disk_full",
        Severity.FAULT,
        N_("The disk is full: nothing more can be recorded or scanned."),
        N_(
            "Call the technician. Do not delete anything by hand. Keep the minutes by hand "
            "meanwhile."
        ),
        _CALL_SECRETARY,
    ),
    Alarm(
        "disk_slow",
        Severity.WARNING,
        N_("The disk is too slow."),
        N_("Recording goes on. Tell the technician today: the disk may be failing."),
    ),
    Alarm(
        "disk_read_only",
        Severity.FAULT,
        N_("Saving failed: the disk can only be read."),
        N_("What was saved before is kept. Call the technician and keep the minutes by hand."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "disk_gone",
        Severity.FAULT,
        N_("Saving failed: the disk does not answer."),
        N_(
            "The recording waits in memory for a few minutes. Call the technician at once and keep "
            "the minutes by hand."
        ),
        _CALL_SECRETARY,
    ),
    Alarm(
        "recording_on_mirror",
        Severity.FAULT,
        N_("The disk of the kiosk does not save: the recording goes on, on the second storage."),
        N_("Leave the second storage plugged in. Call the technician; the hearing may go on."),
    ),
    Alarm(
        "space_short",
        Severity.WARNING,
        N_("The disk has no room for the whole planned hearing."),
        N_(
            "Recording goes on. Call the technician before the end: delivered recordings can be "
            "removed, or a larger disk put in."
        ),
    ),
    Alarm(
        "storage_failed",
        Severity.FAULT,
        N_("Saving failed: the disk refuses to write."),
        N_("What was saved before is kept. Call the technician and keep the minutes by hand."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "mirror_absent",
        Severity.WARNING,
        N_("The second copy is not being made: the storage for it is not there."),
        N_("Plug the storage in again: the copy catches up by itself."),
    ),
    Alarm(
        "mirror_refused",
        Severity.WARNING,
        N_("The folder cannot be used for the second copy."),
        N_("Mount the storage first, then run “kiosk mirror adopt” once more."),
    ),
    Alarm(
        "mirror_foreign",
        Severity.WARNING,
        N_("The second copy is not being made: the storage that is plugged in is another one."),
        N_("Plug in the storage of this kiosk, or have the technician adopt this one."),
    ),
    Alarm(
        "mirror_full",
        Severity.WARNING,
        N_("The second copy is not being made: its storage is full."),
        N_("Recording goes on. Tell the technician today: plug in a larger storage."),
    ),
    Alarm(
        "mirror_failed",
        Severity.WARNING,
        N_("The second copy is not being made: its storage refuses to write."),
        N_("Recording goes on. Have the technician replace the storage for the second copy."),
    ),
    Alarm(
        "mirror_slow",
        Severity.WARNING,
        N_("The storage for the second copy is too slow."),
        N_("Recording goes on and the copy follows later. If it stays, replace the storage."),
    ),
    Alarm(
        "mirror_behind",
        Severity.NOTICE,
        N_("The second copy is not complete yet."),
        N_("Leave its storage plugged in: the copy catches up by itself."),
    ),
    Alarm(
        "proof_failed",
        Severity.FAULT,
        N_("The recording could not be read back from the disk: it may not be complete."),
        N_("Tell the presiding judge. Look which source is marked; call the technician."),
    ),
    Alarm(
        "recording_failed",
        Severity.FAULT,
        N_("The recording cannot be made or read."),
        N_(
            "The hearing may go on. Report to the presiding judge; the reason goes into the "
            "minutes."
        ),
    ),
    Alarm(
        "recorder_recovered",
        Severity.WARNING,
        N_("The recording was interrupted and has resumed by itself."),
        N_("Give the reason for the minutes. The length of the gap is in the record."),
    ),
    Alarm(
        "seal_failed",
        Severity.FAULT,
        N_("The finished recording could not be sealed. It is kept and is tried again."),
        N_("Call the technician: without the seal it is not delivered."),
    ),
    Alarm(
        "scanner_absent",
        Severity.FAULT,
        N_("Nothing can be scanned: the scanner is not found."),
        N_(
            "Check that the scanner is switched on and its cable is plugged in. It comes back by "
            "itself."
        ),
        _PAGES_ARE_KEPT,
    ),
    Alarm(
        "scanner_lost",
        Severity.FAULT,
        N_("The last page was not kept: the connection to the scanner was lost."),
        N_("Check the scanner's cable and power. It comes back by itself."),
        _PAGES_ARE_KEPT,
    ),
    Alarm(
        "scanner_jam",
        Severity.FAULT,
        N_("The last page was not kept: the paper is stuck."),
        _CLEAR_THE_JAM,
        _CLEAR_THE_JAM,
    ),
    Alarm(
        "scanner_double_feed",
        Severity.FAULT,
        N_("The last page was not kept: two sheets were drawn in together."),
        _SEPARATE_SHEETS,
        _SEPARATE_SHEETS,
    ),
    Alarm(
        "scanner_no_paper",
        Severity.NOTICE,
        N_("There is no paper in the scanner."),
        _PUT_SHEETS_IN,
        _PUT_SHEETS_IN,
    ),
    Alarm(
        "scanner_cover_open",
        Severity.NOTICE,
        N_("The scanner's cover is open."),
        _CLOSE_COVER,
        _CLOSE_COVER,
    ),
    Alarm(
        "scanner_busy",
        Severity.NOTICE,
        N_("The scanner is still busy."),
        N_("Wait a moment. If it stays, switch the scanner off and on."),
        N_("Please wait a moment."),
    ),
    Alarm(
        "scanner_stalled",
        Severity.FAULT,
        N_("The last page was not kept: the scanner has stopped in the middle of it."),
        N_("Take the sheet out and put it in again. The scanner was restarted."),
        N_("Take the sheet out and put it in again."),
    ),
    Alarm(
        "scanner_failed",
        Severity.FAULT,
        N_("The last page was not kept: the scanner reports a fault."),
        N_("Switch the scanner off and on; call the technician if it stays."),
        _PAGES_ARE_KEPT,
    ),
    Alarm(
        "page_incomplete",
        Severity.FAULT,
        N_("The last page was not kept: only a part of it arrived."),
        _AGAIN_THIS_SHEET,
        _AGAIN_THIS_SHEET,
    ),
    Alarm(
        "page_failed",
        Severity.FAULT,
        N_("The last page was not kept: its picture could not be worked on."),
        _AGAIN_THIS_SHEET,
        _AGAIN_THIS_SHEET,
    ),
    Alarm(
        "no_pages",
        Severity.NOTICE,
        N_("Nothing was handed in: there is no page yet."),
        _SCAN_ONE_PAGE,
        _SCAN_ONE_PAGE,
    ),
    Alarm(
        "document_too_large",
        Severity.WARNING,
        N_("The document is larger than the court's system accepts."),
        _TWO_DOCUMENTS,
        _TWO_DOCUMENTS,
    ),
    Alarm(
        "filing_failed",
        Severity.FAULT,
        N_("The document could not be handed in. Its pages are kept."),
        N_("Try again; call the technician if it happens again."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "filing_locked",
        Severity.NOTICE,
        N_("This unfinished document cannot be opened here: its key is gone."),
        N_("Only the visitor's ticket opens a parked document. Otherwise scan it again."),
        N_("Hold your ticket before the reader, or scan the document again."),
    ),
    Alarm(
        "filing_open",
        Severity.NOTICE,
        N_("Another visitor's document is open on this kiosk."),
        N_("Let that visitor hand it in or leave first; nothing is lost meanwhile."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "ticket_unknown",
        Severity.NOTICE,
        N_("No kept document belongs to this ticket: it was opened, has expired, or is elsewhere."),
        N_("Scan the document again."),
        N_("Check the code, or scan the document again."),
    ),
    Alarm(
        "visitor_calls",
        Severity.NOTICE,
        N_("A visitor asks for help at this kiosk."),
        N_("The visitor's screen shows a large sign until “Go on” is touched."),
        N_("The visitor's screen shows a large sign until “Go on” is touched."),
    ),
    Alarm(
        "fee_unknown",
        Severity.NOTICE,
        N_("The state fee cannot be computed from what is known here."),
        _WITHOUT_FEE,
        _WITHOUT_FEE,
    ),
    Alarm(
        "printer_absent",
        Severity.WARNING,
        N_("The receipt was not printed: the printer is not found."),
        N_("Check the printer's cable and power. The receipt can be printed again."),
        _PHOTOGRAPH_CODE,
    ),
    Alarm(
        "printer_silent",
        Severity.WARNING,
        N_("It is not known whether the receipt was printed: the printer does not answer."),
        N_("Switch the printer off and on, then print the receipt again."),
        _PHOTOGRAPH_CODE,
    ),
    Alarm(
        "printer_no_paper",
        Severity.WARNING,
        N_("The receipt was not printed: the printer has no paper."),
        N_("Put a new roll in, then print the receipt again."),
        _PHOTOGRAPH_CODE,
    ),
    Alarm(
        "printer_cover_open",
        Severity.WARNING,
        N_("The receipt was not printed: the printer's cover is open."),
        N_("Close the cover, then print the receipt again."),
        _PHOTOGRAPH_CODE,
    ),
    Alarm(
        "badge_reader_absent",
        Severity.WARNING,
        N_("Badges cannot be read: the reader is not found."),
        N_("Sign in with your PIN. Check the reader's cable."),
    ),
    Alarm(
        "badge_not_read",
        Severity.NOTICE,
        N_("No badge was read."),
        N_("Hold the badge flat against the reader."),
    ),
    Alarm(
        "panel_absent",
        Severity.WARNING,
        N_("The recording lamp and the button do not work: they are not found."),
        N_("Recording works without them; use the screen. Call the technician."),
    ),
    Alarm(
        "device_absent",
        Severity.FAULT,
        N_("A device is not found."),
        N_("Check its cable and its power; it comes back by itself."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "device_failed",
        Severity.FAULT,
        N_("A device reports a fault."),
        N_("Switch it off and on; call the technician if it stays."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "hash_mismatch",
        Severity.FAULT,
        N_(
            "What the central system received is not what was sent. Nothing is deleted here; it "
            "is sent again."
        ),
        N_("If it happens again, call the technician: the line or a disk is failing."),
    ),
    Alarm(
        "queue_growing",
        Severity.WARNING,
        N_("More is waiting to be delivered than the line can carry."),
        N_("Nothing is lost. Leave the kiosk switched on overnight; tell the technician."),
    ),
    Alarm(
        "journal_rewritten",
        Severity.FAULT,
        N_("The central system holds a recording back: its journal was changed after it was made."),
        N_("Nothing is deleted here. Do not switch anything off; tell the court's IT at once."),
    ),
    Alarm(
        "courier_no_key",
        Severity.WARNING,
        N_("The medium cannot be encrypted or opened: the key of the court is missing or another."),
        N_("Kiosk: enrol it again. Court: take the key that the kiosk was enrolled with."),
    ),
    Alarm(
        "courier_medium",
        Severity.WARNING,
        N_("The medium cannot be used. Nothing is lost."),
        N_("Plug it in again, or take another one, and repeat the step."),
    ),
    Alarm(
        "courier_full",
        Severity.WARNING,
        N_("The medium is full. What was said to be on it is on it whole."),
        N_("Put the rest on another medium."),
    ),
    Alarm(
        "courier_nothing",
        Severity.NOTICE,
        N_("There is nothing of a courier on this medium."),
        N_("Take the medium that came back from the court."),
    ),
    Alarm(
        "courier_foreign",
        Severity.WARNING,
        N_("This medium belongs to another kiosk or another court; nothing of it was taken."),
        N_("Bring it to the kiosk whose number stands on it."),
    ),
    Alarm(
        "courier_damaged",
        Severity.WARNING,
        N_("Something on the medium is damaged, unfinished or not genuine; it was not taken."),
        N_("Pack it again, on another medium if it happens twice. Nothing is lost here."),
    ),
    Alarm(
        "disk_fills",
        Severity.WARNING,
        N_("With the hearings of the list the disk will be full within days."),
        N_("Have the recordings delivered: more hours for uploads, or a courier medium. Tell IT."),
    ),
    Alarm(
        "delivery_failed",
        Severity.WARNING,
        N_("Something could not be delivered. It stays here and is tried again."),
        N_("Nothing to do now. If it stays until tomorrow, call the technician."),
    ),
    Alarm(
        "link_below",
        Severity.WARNING,
        N_(
            "The line is slower than 1 Mbit/s: the picture of remote participants may freeze; "
            "sound will mostly hold."
        ),
        N_("The hearing may begin. Tell the presiding judge when somebody takes part remotely."),
    ),
    Alarm(
        "link_borderline",
        Severity.NOTICE,
        N_("The line is just about 1 Mbit/s: the picture may freeze now and then."),
        N_("The hearing may begin."),
    ),
    Alarm(
        "link_unreachable",
        Severity.WARNING,
        N_("The line could not be measured: the central system does not answer."),
        N_("Check the network cable. Recording works without the line."),
    ),
    Alarm(
        "not_confirmed",
        Severity.WARNING,
        N_("Nobody confirmed it in time."),
        N_("Repeat the test and answer the question on the screen."),
    ),
    Alarm(
        "denied_by_person",
        Severity.FAULT,
        N_("The person at the kiosk says that it does not work."),
        N_("Check the cable of the device; call the technician."),
    ),
    Alarm(
        "button_not_heard",
        Severity.FAULT,
        N_("The button was pressed, but the kiosk did not notice it."),
        N_("Check the cable of the button; call the technician. The screen works without it."),
    ),
    Alarm(
        "camera_failed",
        Severity.FAULT,
        N_("There is no picture: the camera reports a fault. Sound goes on being recorded."),
        _CHECK_CAMERA,
    ),
    Alarm(
        "already_running",
        Severity.NOTICE,
        N_("This service is running already; a second one was not started."),
        N_("Nothing to do."),
    ),
    Alarm(
        "link_check_running",
        Severity.NOTICE,
        N_("The line is being measured already."),
        N_("Wait for its result."),
    ),
    Alarm(
        "cancelled",
        Severity.NOTICE,
        N_("It was broken off; nothing was changed."),
        _START_AGAIN,
        _START_AGAIN,
    ),
    Alarm(
        "not_found",
        Severity.NOTICE,
        N_("This is not known here (yet)."),
        _LOOK_AGAIN,
        _LOOK_AGAIN,
    ),
    Alarm(
        "seal_wrong",
        Severity.FAULT,
        N_("The seal of the recording is not good: it may have been changed."),
        N_("Do not use this copy. Fetch the one in the central system and call the technician."),
    ),
    Alarm(
        "not_fitted",
        Severity.NOTICE,
        N_("This kiosk has no such device."),
        N_("Nothing to do. If it should have one, it belongs into the settings."),
    ),
    Alarm(
        "never_tested",
        Severity.NOTICE,
        N_("This has never been tested."),
        N_("Run the self-test."),
    ),
    Alarm(
        "test_timed_out",
        Severity.FAULT,
        N_("The test did not end in time."),
        N_("Check the cable of the device and test again."),
    ),
    Alarm(
        "language_unknown",
        Severity.NOTICE,
        N_("This language is not available."),
        _OTHER_LANGUAGE,
        _OTHER_LANGUAGE,
    ),
    Alarm(
        "error",
        Severity.FAULT,
        N_("Something went wrong."),
        N_("Try again. If it happens again, call the technician."),
        _CALL_SECRETARY,
    ),
    Alarm(
        "export_failed",
        Severity.WARNING,
        N_("The copy was not made. The recording is unharmed."),
        N_("Try again; with another medium if it fails twice."),
    ),
    Alarm(
        "export_not_sealed",
        Severity.NOTICE,
        N_("No copy can be made yet: the hearing is not ended and sealed."),
        N_("End the hearing; sealing takes a few minutes. Then try again."),
    ),
    Alarm(
        "export_closed",
        Severity.NOTICE,
        N_("No copy is made of a closed hearing. It can be seen in the court only."),
        N_("Tell the applicant. The law forbids the copy, not the kiosk."),
    ),
    Alarm(
        "export_encrypted",
        Severity.NOTICE,
        N_("No copy can be made here: this kiosk cannot open its own recordings."),
        N_("The copy is made at the court's workstation, with the court's key."),
    ),
    Alarm(
        "export_no_space",
        Severity.WARNING,
        N_("The copy does not fit on this medium."),
        N_("Take an empty or a larger one."),
    ),
    Alarm(
        "export_medium_failed",
        Severity.WARNING,
        N_("The medium was pulled out or cannot be written. The copy is not complete."),
        N_("Put it in again and start the copy anew; what is left of this one is then removed."),
    ),
    Alarm(
        "export_running",
        Severity.NOTICE,
        N_("Another copy is being made."),
        N_("Wait until it is done, or cancel it."),
    ),
    Alarm(
        "export_source_changed",
        Severity.FAULT,
        N_("No copy is made: the recording on this kiosk is not what was sealed."),
        N_("Call the technician. The court has its own copy of what was delivered."),
    ),
    Alarm(
        "export_differs",
        Severity.WARNING,
        N_("The medium did not keep what was written to it. The copy was removed."),
        N_("This medium is faulty: take another one."),
    ),
    Alarm(
        "export_cancelled",
        Severity.NOTICE,
        N_("The copy was cancelled. Nothing is left on the medium."),
        _START_AGAIN,
    ),
)

ALARMS: Mapping[str, Alarm] = MappingProxyType({alarm.code: alarm for alarm in _ALARM_LIST})
"""All alarms by code."""

_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "bad_request": "hearing_step_refused",
        "ca_missing": "certificate_invalid",
        "central_fault": "central_failed",
        "closed_since": "delivery_failed",
        "central_full": "central_failed",
        "central_refused": "central_failed",
        "central_timeout": "central_unreachable",
        "challenge_wrong": "court_key_unproven",
        "contract_unknown": "central_contract_unknown",
        "database_damaged": "database_rebuilt",
        "database_locked": "sync_down",
        "database_too_new": "sync_down",
        "dns_failed": "central_unreachable",
        "file_changed": "delivery_failed",
        "file_unreadable": "storage_failed",
        "folder_damaged": "delivery_failed",
        "identity_damaged": "certificate_invalid",
        "identity_invalid": "certificate_invalid",
        "identity_refused": "certificate_invalid",
        "hearing_unknown": "export_failed",
        "journal_broken": "proof_failed",
        "key_unreadable": "error",
        "microphone_silent": "microphone_muted",
        "media_unreadable": "export_source_changed",
        "no_feeder": "scanner_no_paper",
        "no_glass": "scanner_failed",
        "no_receipt": "delivery_failed",
        "not_closed": "error",
        "not_decrypted": "error",
        "openssl_missing": "error",
        "preempted": "delivery_failed",
        "receipt_invalid": "hash_mismatch",
        "remedy_impossible": "hearing_step_refused",
        "slip_malformed": "error",
        "slip_none": "hearing_step_refused",
        "stamp_failed": "central_failed",
        "sums_malformed": "proof_failed",
        "usage": "error",
        "storage_gone": "disk_gone",
        "upload_gone": "delivery_failed",
        "unknown_event": "hearing_step_refused",
        "enrolment_failed": "not_enrolled",
        "upload_length": "delivery_failed",
        "wrong_key": "error",
    }
)
"""Exact codes of the log that are one and the same thing for a person."""


def alarm_of(code: str) -> Alarm:
    """Return the alarm with ``code``; an unknown code is the general ``error``, never a crash."""
    return ALARMS.get(_ALIASES.get(code, code)) or ALARMS["error"]


def is_known(code: str) -> bool:
    """Return whether ``code`` has an alarm of its own or is the same as one that has."""
    return code in ALARMS or code in _ALIASES


def most_severe(codes: list[str]) -> str | None:
    """Return the most severe of ``codes`` (the first of equals), or None for an empty list."""
    order = list(Severity)
    return min(codes, key=lambda code: order.index(alarm_of(code).severity), default=None)
