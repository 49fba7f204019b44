"""Builds the registration request of an item from its folder; deterministic, so retries are equal.

A request that is repeated after a crash must be the same request; so everything here comes from
files that no longer change once an item is finished.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kiosk.clocks import NS_PER_S, format_wall
from kiosk.storage.atomic_io import read_json
from kiosk.storage.hearing_folder import (
    HEARING_FILE,
    JOURNAL_FILE,
    PART_FILE,
    SIGNATURE,
    name_order,
    part_folders,
)
from kiosk.sync.outbox.filing_body import revision_2_fields
from kiosk.sync.outbox.manifest import SUBMITTED, Manifest, ManifestError, ManifestFile

IIN = re.compile(r"^[0-9]{12}$")
TYPE_ID = re.compile(r"^[a-z0-9_]{1,64}$")
_CLOSED_KIND = b'"kind":"closed"'
Json = dict[str, Any]


def request_body(manifest: Manifest, folder: Path, provisional: str | None = None) -> Json:
    """Return the registration of an item in the form of the contract.

    Args:
        manifest: its files.
        folder: its folder.
        provisional: the number that the kiosk has given a filing, if it has.

    Raises:
        ManifestError: a file of the folder cannot be read or lacks what is needed.
    """
    # in one order: a repeated request is the same
    in_order = sorted(manifest.files, key=lambda file: name_order(file.path))
    manifest = replace(manifest, files=tuple(in_order))
    if manifest.kind == "filing":
        return filing_body(manifest, folder, provisional)
    if manifest.kind == "hearing":
        return hearing_body(manifest, folder)
    return report_body(manifest, folder)


def filing_body(manifest: Manifest, folder: Path, provisional: str | None) -> Json:
    """Return ``FilingRegistration``: types, page counts and hashes of the documents."""
    filing = read_json_object(folder / "filing.json")
    documents_by_path = _documents_by_path(filing.get("documents"))
    documents = []
    for file in manifest.files:
        document = documents_by_path.get(file.path, {})
        kind = str(document.get("type") or filing.get("document_type") or filing.get("type") or "")
        pages = _count(document.get("pages")) or _count(filing.get("pages"))
        if not TYPE_ID.match(kind) or pages < 1:
            raise ManifestError(f"{folder.name}/filing.json: type or pages of a document missing")
        documents.append({**_file_body(file), "type": kind, "pages": pages})
    body: Json = {
        "kiosk_time": filing.get("submitted_at") or _modified_at(folder / SUBMITTED),
        "provisional": provisional,
        "documents": documents,
    }
    for key in ("language", "case_kind", "case_number"):
        if filing.get(key):
            body[key] = filing[key]
    applicant = _applicant_body(filing.get("applicant"))
    if applicant:
        body["applicant"] = applicant
    if filing.get("not_scanned"):
        body["not_scanned"] = [str(line)[:300] for line in filing["not_scanned"]]
    return body | revision_2_fields(filing)


def hearing_body(manifest: Manifest, folder: Path) -> Json:
    """Return ``HearingManifest``."""
    header = read_json_object(folder / HEARING_FILE)
    hearing = header.get("hearing", header)
    fields = {key: value for key, value in hearing.items() if value is not None}
    fields["id"] = manifest.id
    parts = [_part_body(part, path) for part, path in part_folders(folder)]
    seconds = [part["seconds"] for part in parts if part.get("seconds") is not None]
    return {
        "kiosk_time": _modified_at(folder / SIGNATURE),
        "final": True,
        "hearing": fields,
        "started_at": header.get("started") or header.get("started_at"),
        "ended_at": _last_entry_time(folder / JOURNAL_FILE),
        "duration_seconds": sum(seconds) if seconds else None,
        "parts": parts,
        "files": [_file_body(file) for file in manifest.files],
    }


def _part_body(part: int, folder: Path) -> Json:
    part_json = read_json_object(folder / PART_FILE) if (folder / PART_FILE).exists() else {}
    body: Json = {"part": part}
    started = part_json.get("wall")
    if isinstance(started, str):
        body["started_at"] = started
    if isinstance(part_json.get("publicity"), str):
        body["publicity"] = part_json["publicity"]
    body["seconds"] = part_seconds(folder / JOURNAL_FILE)
    body["sources"] = _source_names(part_json)
    return body


def _source_names(part: Json) -> list[str]:
    """Return the names of the sources recorded in a part: camera and microphones."""
    microphones = part.get("microphones") or ()
    names = [
        str(microphone["name"])
        for microphone in microphones
        if isinstance(microphone, dict) and "name" in microphone
    ]
    return (["camera"] if part.get("camera") else []) + names


def part_seconds(journal: Path) -> float | None:
    """Return the length of a closed part, from the first and the ``closed`` line of its journal."""
    try:
        with journal.open("rb") as file:  # line by line: the journal of a long part is large
            first = json.loads(file.readline())
            (closed,) = deque((line for line in file if _CLOSED_KIND in line), maxlen=1)
        return max(0.0, (int(json.loads(closed)["stop_ns"]) - int(first["tap_ns"])) / NS_PER_S)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def _applicant_body(value: object) -> Json:
    """Return the applicant's fields that the contract knows."""
    if not isinstance(value, dict):
        return {}
    body = {key: str(value[key]) for key in ("name", "phone") if value.get(key)}
    if IIN.match(str(value.get("iin") or "")):
        body["iin"] = str(value["iin"])
    return body


def report_body(manifest: Manifest, folder: Path) -> Json:
    """Return ``ReportManifest``."""
    path = folder / "report.json"
    report = read_json_object(path) if path.exists() else {}
    states = [
        result.get("state") for result in report.get("results") or () if isinstance(result, dict)
    ]
    body: Json = {
        "kiosk_time": _modified_at(folder / SIGNATURE),
        "files": [_file_body(file) for file in manifest.files],
    }
    for state in ("passed", "failed", "skipped"):
        body[state] = _count(report.get(state)) or states.count(state)
    made_at = report.get("at") or report.get("made_at")
    if isinstance(made_at, str):
        body["made_at"] = made_at
    return body


def read_json_object(path: Path) -> Json:
    """Return the JSON object in ``path``.

    Raises:
        ManifestError: it is missing, or not a JSON object.
    """
    try:
        return read_json(path)
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path.parent.name}/{path.name}: {error}") from error


def _documents_by_path(documents: object) -> dict[str, Json]:
    items: Iterable[object] = documents if isinstance(documents, list) else ()
    return {str(item.get("path")): item for item in items if isinstance(item, dict)}


def _count(value: object) -> int:
    """Return a number, or the length of a list; 0 for anything else."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else 0


def _file_body(file: ManifestFile) -> Json:
    return {"path": file.path, "size": file.size, "sha256": file.sha256}


def _last_entry_time(journal: Path) -> str | None:
    """Return the wall time of a journal's last line: a sealed one ends with the hearing."""
    try:
        with journal.open("rb") as file:
            (last,) = deque(file, maxlen=1)
        moment = json.loads(last)["at"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return moment if isinstance(moment, str) else None


def _modified_at(path: Path) -> str:
    """Return when ``path`` was written (now, where it is not there yet)."""
    try:
        return format_wall(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except OSError:
        return format_wall()
