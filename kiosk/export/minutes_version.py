"""A version of the minutes as a sealed folder: the second seal, which covers the first one.

``minutes/<uuid>/``::

    minutes.json              the fields, who confirmed them and when, the former version
    minutes.pdf               the same for people, PDF/A-2b
    journal.jsonl             every change, and who made it
    recording/SHA256SUMS      the list of the recording's seal, byte for byte
    receipts/NNN.pdf          receipts scanned after the hearing's end; .pdf.age of a closed part
    recording/SHA256SUMS.p7s  its signature
    SHA256SUMS, SHA256SUMS.p7s    the seal of this folder

So the second list holds the SHA-256 of the first: ``sha256sum -c`` alone shows that the two belong
together. Who signs the second list signs the minutes and, through it, every file of the recording.

Requirements: S17, S21 (УПК 347-1(2), АПК 283(5)).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kiosk.api.minutes import ShortMinutes
from kiosk.api.quality import QualityWord
from kiosk.clocks import parse_set_wall
from kiosk.evidence.seal import seal_folder
from kiosk.evidence.signer import Signer
from kiosk.export.minutes_record import MinutesRecord
from kiosk.export.text_pdf import text_to_pdf
from kiosk.locale import Translator
from kiosk.recording.verify.minutes import MINUTES_FILE, RECORDING_FOLDER
from kiosk.rules.rules import Rules
from kiosk.storage.atomic_io import make_folder, sync_folder, write_bytes, write_json
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import COURIER_ONLY_MARKER, JOURNAL_FILE, SIGNATURE, SUMS
from kiosk.storage.paths import Paths

MINUTES_PDF = "minutes.pdf"
KIND, CONTRACT = "minutes", 1
UNFINISHED = ".unfinished"


def recording_seal(folder: Path) -> dict[str, str]:
    """Return what cites the seal of the recording in ``folder``: the SHA-256 of both its files."""
    return {"sums": sha256_of(folder / SUMS), "signature": sha256_of(folder / SIGNATURE)}


def seal_version(
    paths: Paths, record: MinutesRecord, signer: Signer, rules: Rules, zone: ZoneInfo
) -> None:
    """Write and seal the folder of a confirmed version; do nothing if it is there.

    Raises:
        StorageError: it cannot be written; a later call tries again.
        PageFailedError: the PDF cannot be made.
    """
    seal = record.seals[-1]
    target = paths.minutes / seal.id
    if target.exists():
        return
    hearing = str(record.begun["hearing"])
    draft, unfinished = paths.minutes_drafts / hearing, paths.minutes / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)  # of a crash
    folder = make_folder(make_folder(unfinished) / seal.id)
    minutes = record.as_minutes(rules, zone, seal.id)
    write_json(folder / MINUTES_FILE, version_json(record, minutes))
    text = minutes_text(record, minutes, rules, zone)
    write_bytes(folder / MINUTES_PDF, text_to_pdf(text, minutes.title, minutes.language))
    write_bytes(folder / JOURNAL_FILE, (draft / JOURNAL_FILE).read_bytes())
    recording = make_folder(folder / RECORDING_FOLDER)
    for name in (SUMS, SIGNATURE):
        write_bytes(recording / name, (draft / RECORDING_FOLDER / name).read_bytes())
    copy_late_scans(draft, record.receipts.files.values(), folder)
    if (draft / COURIER_ONLY_MARKER).exists():
        write_bytes(folder / COURIER_ONLY_MARKER, b"")
    seal_folder(folder, signer)
    folder.rename(target)
    sync_folder(paths.minutes)


def copy_late_scans(draft: Path, names: Iterable[str], folder: Path) -> None:
    """Copy the scans ``names`` of a draft into ``folder``, which is sealed then."""
    for name in names:
        make_folder((folder / name).parent)
        write_bytes(folder / name, (draft / name).read_bytes())


def version_json(record: MinutesRecord, minutes: ShortMinutes) -> dict[str, Any]:
    """Return the content of ``minutes.json``."""
    return {
        "contract": CONTRACT,
        "kind": KIND,
        "hearing": minutes.hearing_id,
        "case_number": minutes.case_number,
        "version": minutes.version,
        "former": record.former,
        "form": minutes.form,
        "recording": record.recording,
        "language": minutes.language,
        "title": minutes.title,
        "fields": [row.to_json() for row in minutes.fields],
        "quality": None if minutes.quality is None else minutes.quality.to_json(),
        "confirmed": [row.to_json() for row in minutes.confirmations],
    }


def minutes_text(record: MinutesRecord, minutes: ShortMinutes, rules: Rules, zone: ZoneInfo) -> str:
    """Return the minutes as plain text: typed lines are marked, and who confirmed is said."""
    translate = Translator(minutes.language)
    _ = translate.gettext
    parts = [minutes.title.upper(), ""]
    for row in minutes.fields:
        parts.append(f"{row.number}. {row.label[:1].upper()}{row.label[1:]}:")
        lines = [f"{'* ' if line.typed else ''}{line.text}" for line in row.lines]
        parts += [f"   {line}" for line in lines or [_("not filled in")]]
        parts.append("")
    if any(line.typed for row in minutes.fields for line in row.lines):
        parts += [_("* typed by a person; everything else comes from the recording"), ""]
    if removed := ", ".join(str(row.number) for row in minutes.fields if row.removed):
        text = _(
            "Fields of which a person changed or removed lines of the recording: {numbers}",
            numbers=removed,
        )
        parts += [text, ""]
    if minutes.quality is not None:
        parts.append(_quality_line(minutes.quality, translate, zone))
    parts += [
        _("Confirmed: {who}, {when}", who=who, when=when)
        for who, when in _confirmed(minutes, translate, rules, zone)
    ]
    parts.append(_("Seal of the recording (SHA-256): {hash}", hash=record.recording["sums"]))
    if record.former is not None:
        cited = {"n": minutes.version - 1, "hash": record.former["former_sums"]}
        parts.append(_("In place of version {n}, seal (SHA-256): {hash}", **cited))
    return "\n".join(parts) + "\n"


def _quality_line(word: QualityWord, translate: Translator, zone: ZoneInfo) -> str:
    """Return what the presiding judge said of the recording (S18)."""
    _, when = translate.gettext, _moment_text(word.at, zone)
    if word.is_good:
        said = _("Recording checked by the presiding judge, complete and of good quality")
    else:
        said = _("Recording checked by the presiding judge, not usable")
    return f"{said}: {word.name or word.person}, {when}"


def _confirmed(
    minutes: ShortMinutes, translate: Translator, rules: Rules, zone: ZoneInfo
) -> list[tuple[str, str]]:
    rows = []
    for row in minutes.confirmations:
        role = translate.pick(rules.roles[row.role].label.as_map())
        rows.append((f"{role}: {row.name or row.person}", _moment_text(row.at, zone)))
    return rows


def _moment_text(text: str, zone: ZoneInfo) -> str:
    """Return day and time; lines to write on where nobody had set the clock."""
    at = parse_set_wall(text)
    return at.astimezone(zone).strftime("%d.%m.%Y %H:%M") if at else "__.__.____ __:__"


def cite_former(paths: Paths, seal_id: str) -> Mapping[str, str]:
    """Return what a new version says of the former one's sealed folder."""
    return {"former": seal_id, "former_sums": sha256_of(paths.minutes / seal_id / SUMS)}
