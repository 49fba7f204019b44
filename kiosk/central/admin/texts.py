"""Sentences and words of the page for court IT, in the chosen language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from kiosk.alarms import as_written
from kiosk.central.admin.findings import Finding, KioskStatus, parse_time
from kiosk.central.identity.staff import Member
from kiosk.central.live_rooms import RoomNow
from kiosk.commissioning.labels import STEP_NAMES
from kiosk.locale import N_, Translator

SENTENCES = {
    "not_recording": N_("Case {case} was to begin, and no recording is known of."),
    "source_missing": N_("A source is missing in the running recording: {sources}."),
    "kiosk_silent": N_("The kiosk does not report any more."),
    "backlog_late": N_("What waits for delivery will not be through by tomorrow morning."),
    "disk_fills": N_("The disk will be full by {day}."),
    "disk_is_full": N_("The disk is all but full."),
    "selftest_failed": N_("The last self-test failed in {failed} points."),
    "certificate_expires": N_("The device certificate expires within 30 days."),
    "delivery_stuck": N_("Announced, but not delivered completely: {label}."),
    "hash_mismatch": N_("A file arrived with another hash than announced: {detail}."),
    "journal_rewritten": N_("A recording was held back: its journal was rewritten: {detail}."),
    "closed_after_receipt": N_("A hearing was closed after its delivery; {detail} were deleted."),
    "closure_unproven": N_(
        "A kiosk wants {detail} files of a delivered hearing closed, which its journal does not "
        "prove. Nothing was changed: {subject}."
    ),
    "hearing_other_room": N_(
        "The kiosk wants to deliver a hearing that belongs to another courtroom or kiosk "
        "({detail}). It was refused: {subject}."
    ),
    "hearing_foreign": N_(
        "The kiosk wants to deliver a hearing that the kiosk {detail} has. It was refused: "
        "{subject}."
    ),
    "hearing_set_aside": N_(
        "What the kiosk had delivered of a hearing was set aside, because the schedule gives it to "
        "the courtroom of {detail}: {subject}."
    ),
    "hearing_freed": N_(
        "What the revoked kiosk had delivered of a hearing was set aside, because {detail} of its "
        "courtroom delivers it: {subject}."
    ),
    "hearing_reassigned": N_("Court IT gave the kiosk a hearing, before: {detail}; {subject}."),
    "kiosk_revoked": N_(
        "The kiosk was revoked. Hearings without a receipt that others may deliver now: {detail}."
    ),
    "read_back": N_(
        "The kiosk has read back a delivered hearing: {subject}. If nobody there asked for a copy, "
        "revoke the kiosk: kiosk central revoke."
    ),
    "read_back_refused": N_(
        "The kiosk wanted to read back too many hearings, or an old one; it was refused: "
        "{subject}. If nobody there asked for a copy, revoke the kiosk: kiosk central revoke."
    ),
    "in_quarantine": N_(
        "{count} plain files of a closed hearing are withheld: erase or release them: {hearing}."
    ),
    "quarantine_released": N_("Withheld files were released: {detail}."),
    "recording_accepted": N_("A recording that was held back was accepted: {detail}."),
    "quarantine_damaged": N_(
        "Withheld files were not released, because they are not what had arrived: {detail}."
    ),
    "files_left_out": N_(
        "A recording was held back: its final list leaves out files that had arrived: {detail}."
    ),
    "files_changed": N_(
        "A recording was held back: files that had arrived have another content in its final list: "
        "{detail}."
    ),
    "closing_unproven": N_(
        "A recording was held back: its journal does not prove that closed files were replaced: "
        "{detail}."
    ),
    "nothing_listed": N_(
        "A kiosk says that a recording is complete, but its list is empty: {subject}."
    ),
    "head_conflicts": N_("A journal contradicts its own earlier heads: {detail}."),
    "hearings_unreadable": N_(
        "{count} of {total} hearings on the list cannot be read completely by the kiosk."
    ),
    "staff_unreadable": N_(
        "{count} of {total} rows of the list of staff cannot be read completely by the kiosk."
    ),
    "filings_unreadable": N_(
        "{count} of {total} answers about filings cannot be read completely by the kiosk."
    ),
    "staff_list_refused": N_(
        "The kiosk refuses its list of staff and keeps the last good one: {reason}."
    ),
    "rules_pack_refused": N_("The kiosk refuses the rules pack and keeps the last one: {reason}."),
    "rules_pack_damaged": N_(
        "The rules pack that the kiosk held is damaged: fees follow the MRP of its release."
    ),
    "morning_camera_dark": N_("Morning check: the picture was almost black."),
    "morning_camera_unsharp": N_(
        "Morning check: the picture was less sharp than at its installation."
    ),
    "morning_microphone_louder": N_(
        "Morning check: microphone {source} hears more noise: "
        "{before} dB at its installation, {now} dB this morning."
    ),
    "morning_microphone_weaker": N_(
        "Morning check: microphone {source} hears less: "
        "{before} dB at its installation, {now} dB this morning."
    ),
    "morning_sweep_weaker": N_(
        "Morning check: microphone {source} hears the loudspeaker weaker: "
        "{before} dB at its installation, {now} dB this morning."
    ),
    "morning_sweep_louder": N_(
        "Morning check: microphone {source} hears the loudspeaker louder: "
        "{before} dB at its installation, {now} dB this morning."
    ),
    "morning_sweep_muffled": N_(
        "Morning check: microphone {source} sounds muffled. High tones beside low ones: "
        "{before} dB at its installation, {now} dB this morning."
    ),
    "morning_loudspeaker_changed": N_(
        "Morning check: the room's loudspeaker is not heard as at its installation."
    ),
    "morning_transmission_fell": N_(
        "Morning check: words at microphone {source} arrive less clearly. Speech transmission: "
        "{before} at its installation, {now} this morning."
    ),
    "morning_transmission_fell_everywhere": N_(
        "Morning check: words arrive less clearly at all microphones. Speech transmission: "
        "{before} at their installation, {now} this morning."
    ),
    "morning_room_noisy": N_(
        "Morning check: the room was not quiet, so the microphones could not be compared."
    ),
    "pins_exposed": N_(
        "The kiosk was revoked: {count} people need a new PIN, which kiosk central pin sets."
    ),
    "pins_former": N_(
        "Of {count} people only a PIN of an earlier release is known: they need a new one."
    ),
    "cases_unreadable": N_("An answer about a case number cannot be read by the kiosk."),
}
EXPECTED = {
    "text": N_("text is expected"),
    "shorter text": N_("a shorter text is expected"),
    "number": N_("a number is expected"),
    "whole number": N_("a whole number is expected"),
    "number in range": N_("a number within its limits is expected"),
    "yes or no": N_("true or false is expected"),
    "time with offset": N_("a time with its offset from UTC is expected"),
    "list": N_("a list is expected"),
    "shorter list": N_("a shorter list is expected"),
    "object": N_("an object is expected"),
    "id": N_("an id is expected"),
    "unique id": N_("another row has the same id"),
    "known value": N_("a value of the contract is expected"),
    "value": N_("a value is expected"),
}
"""What a kiosk expected in place of something that it could not read."""
REFUSALS = {
    "forged": N_("it is not signed by this court"),
    "foreign": N_("it is the list of another kiosk"),
    "ended": N_("it has ended"),
    "older": N_("it is older than the one that the kiosk has"),
    "unreadable": N_("it cannot be read"),
    "too_large": N_("it is too large"),
    "contradicts": N_("it changes the MRP of a day that is over"),
}
"""Why a kiosk refuses its list of staff, or the rules pack."""
PIN_REASONS = {
    "none": N_("never had a PIN"),
    "exposed": N_("{kiosk} was revoked"),
    "former": N_("known only from an earlier release"),
}
"""Why somebody has no valid PIN."""
LABELS = {
    "decisions": N_("Decisions"),
    "decide": N_("Decide"),
    "decide_reason": N_("Who decided, and why"),
    "decide_code": N_("Code (file admin-code)"),
    "decide_kiosk": N_("Kiosk that delivers it"),
    "title": N_("Central court system"),
    "attention": N_("Needs attention"),
    "all_clear": N_("Nothing needs attention."),
    "live": N_("Sound and proof"),
    "proven": N_("read back"),
    "not_proven": N_("not read back"),
    "no_proof": N_("nothing read back yet"),
    "kiosks": N_("Kiosks"),
    "kiosk": N_("Kiosk"),
    "room": N_("Courtroom"),
    "seen": N_("Last seen"),
    "version": N_("Version"),
    "rules_pack": N_("rules pack {n}, until {day}"),
    "disk": N_("Free disk"),
    "queue": N_("Waiting for delivery"),
    "selftest": N_("Last self-test"),
    "selftest_page": N_("Self-test"),
    "commissioned": N_("Room set up"),
    "still_open": N_("Still open: {steps}"),
    "now": N_("Now"),
    "hearings": N_("Hearings"),
    "filings": N_("Filings"),
    "number": N_("Number"),
    "state": N_("State"),
    "begun": N_("Announced"),
    "delivered": N_("Delivered"),
    "case": N_("Case"),
    "contents": N_("Documents (pages)"),
    "missing": N_("missing"),
    "originals": N_("original to be handed in"),
    "length": N_("Length"),
    "search": N_("Kiosk, courtroom, or code of help by phone"),
    "support": N_("Help by phone"),
    "show": N_("Show"),
    "next": N_("Next"),
    "previous": N_("Previous"),
    "none": N_("None yet."),
    "never": N_("never"),
    "since": N_("since {time}"),
    "times": N_("Times: {n}."),
    "others": N_("More of this kind: {n}."),
    "row": N_("row {row}"),
    "searchable": N_("Searchable version"),
    "staff": N_("Staff without a valid PIN"),
    "person": N_("Name"),
    "person_id": N_("Person"),
    "reason": N_("Why"),
    "badge": N_("Badge"),
    "whole_court": N_("the whole court"),
    "yes": N_("yes"),
    "no": N_("no"),
}
STATES = {
    "registered": N_("registered"),
    "accepted": N_("accepted"),
    "returned": N_("returned"),
    "passed_to_judge": N_("passed to the judge"),
    "receiving": N_("arriving"),
    "complete": N_("complete"),
    "recording": N_("recording"),
    "recess": N_("recess"),
    "retired": N_("retired to deliberate"),
    "sealing": N_("sealing"),
}


class AdminTexts:
    """Texts of the page, in the chosen language."""

    def __init__(self, translate: Translator, zone: ZoneInfo, now: datetime) -> None:
        self._translate = translate
        self._zone = zone
        self._now = now

    def clock(self, value: datetime | None) -> str:
        """Return a time of day, with the date unless it is today."""
        if value is None:
            return self._translate(LABELS["never"])
        local, today = value.astimezone(self._zone), self._now.astimezone(self._zone).date()
        return f"{local:%H:%M}" if local.date() == today else f"{local:%d.%m.%Y %H:%M}"

    def size(self, count: int | None) -> str:
        """Return a number of bytes with its unit."""
        if count is None:
            return "–"
        value, unit = float(count), "B"
        for unit in ("B", "kB", "MB", "GB", "TB"):
            if value < 1000 or unit == "TB":
                break
            value /= 1000
        return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"

    def finding(self, finding: Finding, cases: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return a finding for the template.

        Args:
            finding: what was found.
            cases: case numbers of hearings, which people know better than ids.
        """
        sentence = self.sentence(finding.code, finding.values, cases or {})
        hearing = finding.values.get("subject") or finding.values.get("hearing", "")
        case = (cases or {}).get(hearing, "")
        return {
            "hearing": hearing,
            "case": case if case not in sentence else "",
            "severity": finding.severity,
            "sentence": " ".join([sentence, *self._counts(finding)]),
            "kiosk": finding.kiosk,
            "room": finding.room,
            "since": self._translate(LABELS["since"], time=self.clock(finding.since))
            if finding.since is not None
            else "",
            "reasons": "; ".join(map(self._reason, finding.reasons)),
        }

    def _counts(self, finding: Finding) -> Iterator[str]:
        """Yield how often it was recorded, and how many more of its kind are not listed."""
        if finding.times > 1:
            yield self._translate(LABELS["times"], n=str(finding.times))
        if finding.others:
            yield self._translate(LABELS["others"], n=str(finding.others))

    def sentence(self, code: str, given: Mapping[str, str], cases: Mapping[str, str]) -> str:
        """Return the sentence of a code; ids of hearings are given by their case number."""
        values = {key: cases.get(value, value) for key, value in given.items()}
        if code in ("staff_list_refused", "rules_pack_refused"):
            known = REFUSALS.get(values["reason"], REFUSALS["unreadable"])
            values["reason"] = self._translate(known)
        if code.startswith("morning_"):
            language = self._translate.language
            values |= {key: as_written(values[key], language) for key in ("before", "now")}
        return self._translate(SENTENCES[code], **values)

    def _reason(self, problem: Mapping[str, Any]) -> str:
        """Return why a row of a list cannot be read completely."""
        row = self._translate(LABELS["row"], row=str(problem["row"]))
        place = f"{row}, {problem['field']}" if problem["field"] else row
        expected = EXPECTED.get(problem["expected"], EXPECTED["value"])
        return f"{place}: {self._translate(expected)}"

    def kiosk(self, row: KioskStatus, severity: str | None) -> dict[str, Any]:
        """Return a row of the list of kiosks."""
        state = row.state
        storage, queue = state.get("storage") or {}, state.get("queue") or {}
        test, running = state.get("selftest") or {}, state.get("recording") or {}
        waiting = queue.get("items", 0)
        return {
            "id": row.id,
            "room": row.room,
            "severity": severity,
            "seen": self.clock(row.last_seen),
            "version": self._version_text(state),
            "disk": self.size(storage.get("free_bytes")),
            "queue": f"{waiting} ({self.size(queue.get('bytes', 0))})" if waiting else "–",
            "selftest": self._selftest_text(test),
            "selftest_id": str(test.get("id", "")),
            "commissioned": self._commissioned_text(state.get("commissioned") or {}),
            "commissioned_id": str((state.get("commissioned") or {}).get("id", "")),
            "now": self.state(running.get("phase", "recording")) if running else "–",
            "recording": bool(running) and running.get("phase", "recording") == "recording",
        }

    def _version_text(self, state: Mapping[str, Any]) -> str:
        """Return the release, and the rules pack if there is one."""
        version, pack = str(state.get("version", "–")), state.get("rules_pack") or {}
        if not pack:
            return version
        text = self._translate(
            LABELS["rules_pack"], n=str(pack["version"]), day=str(pack.get("valid_until", ""))
        )
        return f"{version}; {text}"

    def live(self, row: RoomNow) -> dict[str, Any]:
        """Return a room that records now."""
        proof = {"good": "proven", "bad": "not_proven"}.get(row.room.proof, "no_proof")
        return {
            "levels": row.room.levels,
            "proof": row.room.proof,
            "proof_text": self._translate(LABELS[proof]),
            "age": round(row.age, 1),
        }

    def member(self, row: Member) -> dict[str, str]:
        """Return a row of the list of staff without a valid PIN."""
        whole = self._translate(LABELS["whole_court"])
        return {
            "id": row.person,
            "name": row.name,
            "rooms": whole if row.rooms is None else ", ".join(row.rooms) or "–",
            "reason": self._translate(PIN_REASONS[row.pin], kiosk=row.exposed_by or ""),
            "badge": self._translate(LABELS["yes" if row.has_badge else "no"]),
        }

    def _selftest_text(self, test: dict[str, Any]) -> str:
        if not test:
            return self._translate(LABELS["never"])
        passed, failed = test.get("passed", 0), test.get("failed", 0)
        return f"{passed}/{passed + failed}, {self.clock(parse_time(test.get('at')))}"

    def _commissioned_text(self, made: Mapping[str, Any]) -> str:
        if not made:
            return self._translate(LABELS["never"])
        open_steps = [str(name) for name in made.get("open") or ()]
        names = ", ".join(self._translate(STEP_NAMES.get(name, name)) for name in open_steps)
        when = self.clock(parse_time(made.get("at")))
        return f"{when}; {self._translate(LABELS['still_open'], steps=names)}" if names else when

    def state(self, code: str) -> str:
        """Return the word for a state."""
        return self._translate(STATES[code]) if code in STATES else code

    def hearing(self, row: Row[Any]) -> dict[str, str]:
        """Return a row of the list of hearings."""
        length = "–" if row.seconds is None else str(timedelta(seconds=int(row.seconds)))
        return {
            "case": row.case_number or row.id,
            "kiosk": row.kiosk,
            "begun": self.clock(parse_time(row.created_at)),
            "length": length,
            "state": self.state("complete" if row.completed_at else "receiving"),
            "good": "yes" if row.completed_at else "",
        }

    def _contents(self, manifest: dict[str, Any]) -> str:
        """Return the documents of a filing by type, with their numbers of pages."""
        return _join_unique([f"{file['type']} ({file['pages']})" for file in manifest["documents"]])

    def _missing_text(self, manifest: dict[str, Any]) -> str:
        """Return the missing documents of a filing, and the originals still to be handed in."""
        slots = manifest.get("slots") or ()
        missing = _join_unique([slot["type"] for slot in slots if slot["state"] == "missing"])
        originals = _join_unique(manifest.get("not_scanned") or ())
        parts = [
            f"{self._translate(LABELS[key])}: {value}"
            for key, value in (("missing", missing), ("originals", originals))
            if value
        ]
        return "; ".join(parts)

    def filing(self, row: Row[Any]) -> dict[str, Any]:
        """Return a row of the list of filings."""
        delivered = parse_time(row.completed_at)
        return {
            "number": row.number,
            "kiosk": row.kiosk,
            "begun": self.clock(parse_time(row.registered_at)),
            "state": self.state(row.state),
            "reason": row.reason or "",
            "contents": self._contents(row.manifest),
            "missing": self._missing_text(row.manifest),
            "delivered": self.clock(delivered) if delivered is not None else "–",
        }


def _join_unique(values: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(values))
