"""Exports a sealed hearing for the parties to their removable drive (R53).

A closed hearing is refused; of a hearing with closed parts only the open parts leave (S19, УПК
347-1(3)). Then the hearing's own journal, ``hearing.json`` and the seal over the whole stay here,
because their statements and marks may tell what was said while it was closed; each open part has
a seal of its own, and the device signs a list of everything on the drive.

Where the court protects somebody (S9, УПК 213(4)), the stretches in which they are heard are cut
out, and whatever names or shows them stays here: journals, seals, the sealed fragments.

::

    hearing-<case>_<date>_<id>/
      index.html  statement-kk.pdf  statement-ru.pdf  check-kk.txt  check-ru.txt
      video/part-01.mp4 …           every source as a track; part-01-2.mp4 after 4 GiB
      seal/                         journals, sums, signatures, certificates
      original/<hearing id>/        the sealed fragments, if they fit
      manifest.json  SHA256SUMS  SHA256SUMS.p7s
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.serialization import pkcs7

from kiosk.api.notes import Note
from kiosk.clocks import format_wall
from kiosk.config import Settings
from kiosk.evidence.certificates import certificate_pem
from kiosk.evidence.seal import format_sums, is_sealed, parse_sums
from kiosk.evidence.signer import Signer
from kiosk.export.drive_writer import (
    DriveWriter,
    HashedFile,
    free_bytes,
    require_space,
    safe_name,
    size_on_drive,
)
from kiosk.export.errors import (
    NotSealedError,
    SourceChangedError,
)
from kiosk.export.html_page import page_part, page_texts, render_html_page
from kiosk.export.minutes import load_hearing_state, recorded_roles
from kiosk.export.part_video import MAX_FILE_BYTES, PartVideoExport, VideoFile
from kiosk.export.permission import closed_parts, require_exportable
from kiosk.export.protected_spans import protected_spans
from kiosk.export.recipient import Recipient
from kiosk.export.speech_lanes import page_lanes, spoken_turns
from kiosk.export.text_pdf import text_to_pdf
from kiosk.export.texts import ExportTexts
from kiosk.export.time_account import build_time_account, names_by_person
from kiosk.hearing.session.hearing_state import Mark
from kiosk.locale import Translator
from kiosk.rules import Rules
from kiosk.storage.atomic_io import read_json_or_none
from kiosk.storage.hashing import sha256_of
from kiosk.storage.hearing_folder import SIGNATURE, SUMS, TRACKS, part_folder_name
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
Originals = Literal["auto", "yes", "no"]
LANGUAGES = ("kk", "ru")
_SMALL_BYTES = 16 * 1024**2
"""The page, the statements, the copies of journals and the lists take less than this."""
STAMP_SUFFIX = ".tsr"


@dataclass(frozen=True)
class ExportProgress:
    """Progress of an export.

    Attributes:
        stage: ``checking`` (comparing the recording with its seal), ``original``, ``video``,
            ``reading_back``, ``finishing``.
        done, total: bytes of all stages together.
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class ExportResult:
    """Result of a finished export.

    Attributes:
        folder: folder on the drive.
        files, bytes: number and size of the files that were written and read back.
        left_out: numbers of closed parts.
        originals: whether the sealed fragments were copied too.
        withheld: number of stretches left out, because a protected person is heard.
    """

    folder: Path
    files: int
    bytes: int
    left_out: tuple[int, ...]
    originals: bool
    withheld: int = 0


@dataclass(frozen=True)
class ExportRequest:
    """Request for an export.

    Attributes:
        language: ``kk`` or ``ru``: the page opens in it.
        asked_by: id of the person who asks.
        application: note on the application for the copy.
        recipient: who takes the copy.
        originals: whether to copy the sealed fragments too; ``auto``: if they fit.
        max_file_bytes: size of the largest file that the drive can hold.
    """

    language: str = "kk"
    asked_by: str = ""
    application: str = ""
    originals: Originals = "auto"
    max_file_bytes: int = MAX_FILE_BYTES
    recipient: Recipient = field(default_factory=Recipient)


class HearingExport:
    """Exports one hearing.

    Args:
        folder: the sealed hearing.
        target: folder on the drive.
        signer: signs the list of files.
        progress: called often; may raise
            :class:`~kiosk.export.errors.CancelledError`.
    """

    def __init__(
        self,
        folder: Path,
        target: Path,
        *,
        settings: Settings,
        rules: Rules,
        signer: Signer,
        request: ExportRequest | None = None,
        progress: Callable[[ExportProgress], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._target = target
        self._settings = settings
        self._rules = rules
        self._signer = signer
        self._request = request or ExportRequest()
        self._language = self._request.language if self._request.language in LANGUAGES else "kk"
        self._on_progress = progress
        self._paths = Paths.from_settings(settings.paths)
        self._done = self._total = 0
        self._stage = "checking"

    def run(self) -> ExportResult:
        """Make the copy.

        Raises:
            ExportError: it is refused or cancelled, or the drive fails; the code says which.
            RecordingError, StorageError: the recording cannot be read.
        """
        if not is_sealed(self._folder):
            raise NotSealedError(f"{self._folder.name}: not sealed yet")
        require_exportable(self._folder)
        self._closed_parts = closed_parts(self._folder)
        self._state = load_hearing_state(self._folder)
        given_to = self._request.recipient
        self._recipient = replace(given_to, name=self._state.without_names(given_to.name))
        self._open_parts = [
            part for part in sorted(self._state.parts) if part not in self._closed_parts
        ]
        self._withholds = bool(self._state.persons.withheld)
        spans = protected_spans(self._state, self._rules)
        self._spans = [span for span in spans if span.part in self._open_parts]
        self._is_whole = not self._closed_parts
        self._sums = dict(self._sealed_sums())
        originals = self._plan_space()
        drive = DriveWriter(self._target, self._folder_name())
        try:
            return self._write(drive, originals)
        except BaseException:
            drive.discard()
            raise

    def _sealed_sums(self) -> Iterator[tuple[str, str]]:
        """Yield name and SHA-256 of every sealed file that may leave."""
        roots = (
            [""] if self._is_whole else [f"{part_folder_name(part)}/" for part in self._open_parts]
        )
        for root in roots:
            path = self._folder / root / SUMS
            try:
                sums = parse_sums(path.read_text(encoding="utf-8"))
            except OSError as error:
                raise SourceChangedError(f"{path}: {error.strerror}") from error
            yield from ((root + name, digest) for name, digest in sums.items())
            for file in (SUMS, SIGNATURE):
                yield root + file, sha256_of(self._folder / root / file)

    def _plan_space(self) -> bool:
        """Check the free space; return whether the originals are copied too."""
        sizes = {name: self._size(name) for name in self._sums}
        media = sum(size for name, size in sizes.items() if _is_media(name))
        total = sum(sizes.values())
        small = total - media
        needed = size_on_drive([media]) + 2 * small + _SMALL_BYTES
        bytes_with_originals = needed + size_on_drive(list(sizes.values()))
        wanted = self._request.originals
        has_room = wanted == "auto" and free_bytes(self._target) >= bytes_with_originals
        copy_originals = (wanted == "yes" or has_room) and not self._withholds
        require_space(self._target, bytes_with_originals if copy_originals else needed)
        # the source is read once (checked or copied), media are written once and read back
        self._total = total + 2 * media + (total if copy_originals else 0)
        return copy_originals

    def _size(self, name: str) -> int:
        try:
            return (self._folder / name).stat().st_size
        except OSError as error:
            raise SourceChangedError(f"{name}: {error.strerror}") from error

    def _folder_name(self) -> str:
        """Return the name of the copy's folder: case, day and the start of the hearing's id."""
        case = safe_name(str(self._state.details.get("case_number") or "hearing"))
        return f"hearing-{case}_{self._state.started[:10]}_{self._state.id[:8]}"

    def _report_progress(self, done: int) -> None:
        self._done += done
        self._on_progress(ExportProgress(self._stage, min(self._done, self._total), self._total))

    def _start_stage(self, stage: str) -> None:
        self._stage = stage
        self._report_progress(0)

    # -- writing -----------------------------------------------------------------------------------
    def _write(self, drive: DriveWriter, originals: bool) -> ExportResult:
        self._verify_source(drive, originals)
        self._start_stage("video")
        videos = {part: self._write_videos(drive, part) for part in self._open_parts}
        self._write_seal(drive)
        self._write_texts(drive, videos, originals)
        self._start_stage("reading_back")
        sums = drive.read_back(self._report_progress)
        self._start_stage("finishing")
        manifest = self._manifest(drive, sums, videos, originals)
        data = json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"
        drive.write("manifest.json", data)
        sums |= drive.read_back(lambda _: None, ["manifest.json"])
        listed = format_sums(sums)
        drive.write(SUMS, listed)
        drive.write(SIGNATURE, self._signer.seal(listed))
        drive.read_back(lambda _: None, [SUMS, SIGNATURE])
        sizes = drive.sizes
        folder = drive.finish()
        self._done = self._total
        self._report_progress(0)
        left_out = tuple(sorted(self._closed_parts))
        size, withheld = sum(sizes.values()), len(self._spans)
        return ExportResult(folder, len(sizes), size, left_out, originals, withheld)

    def _verify_source(self, drive: DriveWriter, originals: bool) -> None:
        """Compare every file that may leave with its seal; copy it if originals are copied."""
        self._start_stage("original" if originals else "checking")
        for name, digest in sorted(self._sums.items()):
            source = self._folder / name
            if originals:
                drive.copy(
                    source, f"original/{self._state.id}/{name}", digest, self._report_progress
                )
            elif sha256_of(source) != digest:
                raise SourceChangedError(f"{source}: not what was sealed")
            else:
                self._report_progress(self._size(name))

    def _write_videos(self, drive: DriveWriter, part: int) -> list[VideoFile]:
        moved = 0

        def on_moved(total: int) -> None:
            nonlocal moved
            if total - moved > 1 << 20:
                self._report_progress(total - moved)
                moved = total

        def open_target(number: int) -> tuple[str, HashedFile]:
            suffix = "" if number == 1 else f"-{number}"
            name = f"video/{part_folder_name(part)}{suffix}.mp4"
            return name, drive.open(name)

        with drive.drive_errors():
            folder = self._folder / part_folder_name(part)
            return PartVideoExport(
                folder,
                self._track_titles(),
                open_target,
                on_moved,
                self._request.max_file_bytes,
                [(span.begin, span.cut_end) for span in self._spans if span.part == part],
            ).write()

    def _track_titles(self) -> dict[str, str]:
        """Return the titles of the tracks, in both languages: players show them in a menu."""
        titles = {"camera": "Камера", "mix": "Барлық дыбыс / Весь звук"}
        for microphone, name in recorded_roles(self._folder, self._settings).items():
            role = self._rules.roles.get(name)
            labels = role.label.as_map() if role else {}
            names = [str(labels[language]) for language in LANGUAGES if labels.get(language)]
            title = " / ".join(dict.fromkeys(names)) or name
            titles[microphone] = f"{title} ({microphone})"
        return titles

    def _write_seal(self, drive: DriveWriter) -> None:
        """Write the journals, seals and certificates that verify the recording itself."""
        for name, digest in sorted(self._sums.items()):
            if not _is_media(name) and not self._withholds:
                drive.copy(self._folder / name, f"seal/{name}", digest, lambda _: None)
        if self._is_whole and not self._withholds:
            stamp = self._paths.receipts / f"{self._state.id}{STAMP_SUFFIX}"
            if stamp.is_file():
                drive.copy(stamp, f"seal/{SIGNATURE}{STAMP_SUFFIX}", None, lambda _: None)
        folder = (
            self._folder if self._is_whole else self._folder / part_folder_name(self._open_parts[0])
        )
        chain = pkcs7.load_der_pkcs7_certificates((folder / SIGNATURE).read_bytes())
        pem = b"".join(map(certificate_pem, chain))
        drive.write("seal/device-certificates.pem", pem)

    def _write_texts(
        self, drive: DriveWriter, videos: dict[int, list[VideoFile]], originals: bool
    ) -> None:
        """Write the page, time accounts and verification guides, in both languages."""
        time_account = build_time_account(self._folder)
        hide = self._state.without_names  # reasons are typed
        intervals = tuple(replace(row, why=hide(row.why)) for row in time_account.intervals)
        spans = tuple(self._spans)
        time_account = replace(time_account, intervals=intervals, withheld=spans)
        texts = {language: self._texts_in(language) for language in LANGUAGES}
        page = {}
        stamped = f"seal/{SIGNATURE}{STAMP_SUFFIX}" in drive.sizes
        for language, own_texts in texts.items():
            guide = own_texts.verification_guide(
                self._state.id if originals else "",
                whole=self._is_whole,
                parts=self._open_parts,
                stamped=stamped,
                withheld=self._withholds,
            )
            title, subtitle = self._title(), self._subtitle(own_texts)
            given = self._recipient.as_text(own_texts.translate)
            page[language] = page_texts(title, subtitle, time_account, guide, own_texts)
            page[language]["given"] = given
            head = "\n".join(filter(None, (title, subtitle, given)))
            text = own_texts.time_account_text(head, time_account)
            heading = own_texts.translate("What was recorded")
            pdf = text_to_pdf(text, f"{heading}: {title}", language)
            drive.write(f"statement-{language}.pdf", pdf)
            drive.write(f"check-{language}.txt", guide.encode("utf-8"))
        turns = spoken_turns(self._folder, self._open_parts, self._spans)
        parts = [
            page_part(
                number,
                closed=number in self._closed_parts,
                files=videos.get(number, []),
                marks=self._marks(number),
                notes=self._notes(number),
                lanes=page_lanes(turns.get(number, ()), texts),
                texts=texts[self._language],
            )
            for number in sorted(self._state.parts)
        ]
        drive.write("index.html", render_html_page(self._language, parts, page, texts))

    def _marks(self, part: int) -> list[Mark]:
        """Return the marks of an open part; marks made while it was closed stay here."""
        marks = [] if part in self._closed_parts else self._state.marks_without_names
        open_marks = (mark for mark in marks if mark.part == part and not mark.withdrawn)
        return [mark for mark in open_marks if not self._is_withheld(part, mark.part_seconds)]

    def _is_withheld(self, part: int, seconds: float) -> bool:
        """Return whether a protected person is heard at that moment of the part (S9)."""
        return any(
            span.part == part and span.begin <= seconds < span.cut_end for span in self._spans
        )

    def _notes(self, part: int) -> list[Note]:
        """Return the notes of an open part, a mark's with the mark; all others stay here."""
        marks = {mark.number: mark for mark in self._marks(part)}
        found = []
        for note in self._state.notes_without_names:
            mark = marks.get(note.mark or 0)
            if note.withdrawn or part in self._closed_parts:
                continue
            if mark is not None:
                found.append(note.model_copy(update={"part_seconds": mark.part_seconds}))
            elif (
                note.mark is None
                and note.part == part
                and not self._is_withheld(part, note.part_seconds)
            ):
                found.append(note)
        return found

    def _texts_in(self, language: str) -> ExportTexts:
        roles = recorded_roles(self._folder, self._settings)
        zone = ZoneInfo(self._settings.kiosk.timezone)
        names = names_by_person(read_json_or_none(self._paths.staff))
        return ExportTexts(Translator(language), self._rules, zone, names, roles)

    def _title(self) -> str:
        titles = (self._state.details.get("case_number"), self._state.title)
        return " · ".join(str(text) for text in titles if text) or self._state.id

    def _subtitle(self, texts: ExportTexts) -> str:
        court = texts.translate.pick(self._settings.kiosk.court)
        started = texts.wall_clock_text(self._state.started)
        return " · ".join(filter(None, (court, started)))

    def _manifest(
        self,
        drive: DriveWriter,
        sums: dict[str, str],
        videos: dict[int, list[VideoFile]],
        originals: bool,
    ) -> dict[str, Any]:
        sizes, application = drive.sizes, self._request.application
        return {
            "format": 1,
            "hearing": self._state.id,
            "kiosk": self._settings.kiosk.id,
            "made_at": format_wall(),
            "asked": {
                "by": self._request.asked_by,
                "application": self._state.without_names(application),
            },
            **self._recipient.as_fields(),
            "language": self._language,
            "originals": originals,
            "closed_parts_left_out": sorted(self._closed_parts),
            "protected_left_out": [
                {"part": span.part, "begin": span.begin, "end": span.end} for span in self._spans
            ],
            "videos": {
                part_folder_name(part): [asdict(file) for file in files]
                for part, files in videos.items()
            },
            "files": {
                name: {"size": sizes[name], "sha256": digest} for name, digest in sums.items()
            },
        }


def _is_media(name: str) -> bool:
    """Return whether a sealed file is media (in ``main/`` or ``channels/``)."""
    pieces = name.split("/")
    return (len(pieces) > 2 and pieces[-3] in TRACKS) or (len(pieces) > 1 and pieces[-2] in TRACKS)
