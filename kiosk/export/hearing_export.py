"""A copy of a sealed hearing for the parties, on their medium.

What leaves, and what does not (S19, УПК 347-1(3)): a hearing that was closed is refused; of one
with closed parts only the open parts leave. Then neither the hearing's own journal nor
``hearing.json`` nor the seal over the whole leave, because statements and marks in them may speak
of what was closed; each open part has a seal of its own, and everything on the medium is in a
list that the device signs.

::

    hearing-<case>_<date>_<id>/
      index.html  statement-kk.pdf  statement-ru.pdf  check-kk.txt  check-ru.txt
      video/part-01.mp4 …           every source as a track; part-01-2.mp4 where 4 GiB are full
      seal/                         journals, sums, signatures, certificates
      original/<hearing id>/        the sealed fragments, where they fit
      manifest.json  SHA256SUMS  SHA256SUMS.p7s
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from kiosk.clocks import wall_text
from kiosk.config import Settings
from kiosk.evidence.seal import (
    SIGNATURE,
    SUMS,
    format_sums,
    is_sealed,
    parse_sums,
    sha256_of,
)
from kiosk.evidence.signer import Signer
from kiosk.export.drive_writer import (
    Medium,
    MediumFile,
    free_bytes,
    require_space,
    safe_name,
    taken_on_medium,
)
from kiosk.export.errors import (
    NotSealedError,
    SourceChangedError,
)
from kiosk.export.html_page import make_page, part_of_page, told_of_page
from kiosk.export.minutes import read_record
from kiosk.export.part_video import LARGEST_FILE, PartVideos, VideoFile
from kiosk.export.permission import closed_parts, require_copyable
from kiosk.export.text_pdf import print_text
from kiosk.export.texts import Words
from kiosk.export.time_account import make_statement, people
from kiosk.hearing.session.hearing_state import Mark
from kiosk.locale import Translator
from kiosk.rules import Rules
from kiosk.storage.hearing_folder import TRACKS, part_name
from kiosk.storage.paths import Layout

log = logging.getLogger(__name__)
Originals = Literal["auto", "yes", "no"]
LANGUAGES = ("kk", "ru")
_SMALL_BYTES = 16 * 1024**2
"""Page, statements, journals' copies and lists take less than this."""
STAMP_SUFFIX = ".tsr"


@dataclass(frozen=True)
class Progress:
    """How far a copy is.

    Attributes:
        stage: ``checking`` (is the recording what was sealed?), ``original``, ``video``,
            ``reading_back``, ``finishing``.
        done, total: bytes of all stages together.
    """

    stage: str
    done: int
    total: int


@dataclass(frozen=True)
class Copy:
    """A finished copy.

    Attributes:
        folder: on the medium; ``files`` and ``bytes`` are what was written and read back.
        left_out: numbers of closed parts.
        originals: whether the sealed fragments are there, too.
    """

    folder: Path
    files: int
    bytes: int
    left_out: tuple[int, ...]
    originals: bool


class Export:
    """Makes one copy.

    Args:
        folder: the sealed hearing.
        target: folder on the medium.
        language: ``kk`` or ``ru``: the page begins in it.
        asked_by: id of the person who asked; ``application``: note of the application.
        originals: copy the sealed fragments, too: ``auto`` where they fit.
        progress: called often; may raise
            :class:`~kiosk.export.errors.CancelledError`.
        largest: bytes of the largest file on the medium.
    """

    def __init__(
        self,
        folder: Path,
        target: Path,
        *,
        settings: Settings,
        rules: Rules,
        signer: Signer,
        language: str = "kk",
        asked_by: str = "",
        application: str = "",
        originals: Originals = "auto",
        progress: Callable[[Progress], None] = lambda _: None,
        largest: int = LARGEST_FILE,
    ) -> None:
        self._folder = folder
        self._target = target
        self._settings = settings
        self._rules = rules
        self._signer = signer
        self._language = language if language in LANGUAGES else "kk"
        self._asked = {"by": asked_by, "application": application}
        self._wanted = originals
        self._tell_progress = progress
        self._largest = largest
        self._layout = Layout.of(settings.paths)
        self._done = self._total = 0
        self._stage = "checking"

    # -- what may leave --------------------------------------------------------------------------
    def run(self) -> Copy:
        """Make the copy.

        Raises:
            ExportError: it is refused, broken off, or the medium fails; the code says which.
            RecordingError, StorageError: the recording cannot be read.
        """
        if not is_sealed(self._folder):
            raise NotSealedError(f"{self._folder.name}: not sealed yet")
        require_copyable(self._folder)
        self._closed = closed_parts(self._folder)
        self._record = read_record(self._folder)
        self._open = [part for part in sorted(self._record.parts) if part not in self._closed]
        self._whole = not self._closed
        self._sums = dict(self._sealed_sums())
        originals = self._plan()
        medium = Medium(self._target, self._name())
        try:
            return self._write(medium, originals)
        except BaseException:
            medium.abandon()
            raise

    def _sealed_sums(self) -> Iterator[tuple[str, str]]:
        """Yield name and SHA-256 of every sealed file that may leave."""
        roots = [""] if self._whole else [f"{part_name(part)}/" for part in self._open]
        for root in roots:
            path = self._folder / root / SUMS
            try:
                sums = parse_sums(path.read_text(encoding="utf-8"))
            except OSError as error:
                raise SourceChangedError(f"{path}: {error.strerror}") from error
            yield from ((root + name, digest) for name, digest in sums.items())
            for own in (SUMS, SIGNATURE):
                yield root + own, sha256_of(self._folder / root / own)

    def _plan(self) -> bool:
        """Check the space; return whether the originals are copied, too."""
        sizes = {name: self._size(name) for name in self._sums}
        media = sum(size for name, size in sizes.items() if _is_media(name))
        everything = sum(sizes.values())
        small = everything - media
        needed = taken_on_medium([media]) + 2 * small + _SMALL_BYTES
        with_originals = needed + taken_on_medium(list(sizes.values()))
        both = self._wanted == "yes" or (
            self._wanted == "auto" and free_bytes(self._target) >= with_originals
        )
        require_space(self._target, with_originals if both else needed)
        # source read once (checked or copied), media moved once, all of it read back
        self._total = everything + 2 * media + (everything if both else 0)
        return both

    def _size(self, name: str) -> int:
        try:
            return (self._folder / name).stat().st_size
        except OSError as error:
            raise SourceChangedError(f"{name}: {error.strerror}") from error

    def _name(self) -> str:
        """Return the folder's name: case, day, and the beginning of the hearing's id."""
        case = safe_name(str(self._record.hearing.get("case_number") or "hearing"))
        return f"hearing-{case}_{self._record.started[:10]}_{self._record.id[:8]}"

    def _tell(self, done: int) -> None:
        self._done += done
        self._tell_progress(Progress(self._stage, min(self._done, self._total), self._total))

    def _begin(self, stage: str) -> None:
        self._stage = stage
        self._tell(0)

    # -- writing -----------------------------------------------------------------------------------
    def _write(self, medium: Medium, originals: bool) -> Copy:
        self._take_source(medium, originals)
        self._begin("video")
        videos = {part: self._videos(medium, part) for part in self._open}
        self._write_seal(medium)
        self._write_words(medium, videos, originals)
        self._begin("reading_back")
        sums = medium.check(self._tell)
        self._begin("finishing")
        manifest = self._manifest(medium, sums, videos, originals)
        data = json.dumps(manifest, ensure_ascii=False, indent=1).encode("utf-8") + b"\n"
        medium.write("manifest.json", data)
        sums |= medium.check(lambda _: None, ["manifest.json"])
        listed = format_sums(sums)
        medium.write(SUMS, listed)
        medium.write(SIGNATURE, self._signer.seal(listed))
        medium.check(lambda _: None, [SUMS, SIGNATURE])
        sizes = medium.sizes
        folder = medium.finish()
        self._done = self._total
        self._tell(0)
        left_out = tuple(sorted(self._closed))
        return Copy(folder, len(sizes), sum(sizes.values()), left_out, originals)

    def _take_source(self, medium: Medium, originals: bool) -> None:
        """Compare every file that may leave with its seal; copy it where originals are wanted."""
        self._begin("original" if originals else "checking")
        for name, digest in sorted(self._sums.items()):
            source = self._folder / name
            if originals:
                medium.copy(source, f"original/{self._record.id}/{name}", digest, self._tell)
            elif sha256_of(source) != digest:
                raise SourceChangedError(f"{source}: not what was sealed")
            else:
                self._tell(self._size(name))

    def _videos(self, medium: Medium, part: int) -> list[VideoFile]:
        moved = 0

        def progress(now: int) -> None:
            nonlocal moved
            if now - moved > 1 << 20:
                self._tell(now - moved)
                moved = now

        def open_target(number: int) -> tuple[str, MediumFile]:
            more = "" if number == 1 else f"-{number}"
            name = f"video/{part_name(part)}{more}.mp4"
            return name, medium.open(name)

        with medium.refusals():
            folder = self._folder / part_name(part)
            return PartVideos(folder, self._titles(), open_target, progress, self._largest).write()

    def _titles(self) -> dict[str, str]:
        """Return what each track is called: in both languages, for every player's menu."""
        titles = {"camera": "Камера", "mix": "Барлық дыбыс / Весь звук"}
        for one in self._settings.microphones:
            row = self._rules.roles.get(one.role)
            labels = row.label.as_map() if row else {}
            said = [str(labels[name]) for name in LANGUAGES if labels.get(name)]
            titles[one.name] = f"{' / '.join(dict.fromkeys(said)) or one.role} ({one.name})"
        return titles

    def _write_seal(self, medium: Medium) -> None:
        """Write journals, seals and certificates: what the recording's own seal needs."""
        for name, digest in sorted(self._sums.items()):
            if not _is_media(name):
                medium.copy(self._folder / name, f"seal/{name}", digest, lambda _: None)
        if self._whole:
            stamp = self._layout.receipts / f"{self._record.id}{STAMP_SUFFIX}"
            if stamp.is_file():
                medium.copy(stamp, f"seal/{SIGNATURE}{STAMP_SUFFIX}", None, lambda _: None)
        folder = self._folder if self._whole else self._folder / part_name(self._open[0])
        chain = pkcs7.load_der_pkcs7_certificates((folder / SIGNATURE).read_bytes())
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
        medium.write("seal/device-certificates.pem", pem)

    def _write_words(
        self, medium: Medium, videos: dict[int, list[VideoFile]], originals: bool
    ) -> None:
        """Write page, statements and how to check, in both languages."""
        statement = make_statement(self._folder)
        words = {name: self._words(name) for name in LANGUAGES}
        told = {}
        stamped = f"seal/{SIGNATURE}{STAMP_SUFFIX}" in medium.sizes
        for name, one in words.items():
            check = one.check_text(
                self._record.id if originals else "",
                whole=self._whole,
                parts=self._open,
                stamped=stamped,
            )
            title, about = self._title(), self._about(one)
            told[name] = told_of_page(title, about, statement, check, one)
            text = one.statement(f"{title}\n{about}", statement)
            pdf = print_text(text, f"{one.translate('What was recorded')}: {title}", name)
            medium.write(f"statement-{name}.pdf", pdf)
            medium.write(f"check-{name}.txt", check.encode("utf-8"))
        parts = [
            part_of_page(
                number,
                closed=number in self._closed,
                files=videos.get(number, []),
                marks=self._marks(number),
                words=words[self._language],
            )
            for number in sorted(self._record.parts)
        ]
        medium.write("index.html", make_page(self._language, parts, told, words))

    def _marks(self, part: int) -> list[Mark]:
        """Return the marks of an open part; what was marked while closed stays here."""
        marks = [] if part in self._closed else self._record.marks
        return [mark for mark in marks if mark.part == part and not mark.withdrawn]

    def _words(self, language: str) -> Words:
        roles = {one.name: one.role for one in self._settings.microphones}
        zone = ZoneInfo(self._settings.kiosk.timezone)
        names = people(_json_or_empty(self._layout.staff))
        return Words(Translator(language), self._rules, zone, names, roles)

    def _title(self) -> str:
        hearing = self._record.hearing
        known = (str(hearing[key]) for key in ("case_number", "title") if hearing.get(key))
        return " · ".join(known) or self._record.id

    def _about(self, words: Words) -> str:
        court = words.translate.pick(self._settings.kiosk.court)
        return f"{court} · {words.clock(self._record.started)}"

    def _manifest(
        self,
        medium: Medium,
        sums: dict[str, str],
        videos: dict[int, list[VideoFile]],
        originals: bool,
    ) -> dict[str, Any]:
        sizes = medium.sizes
        return {
            "format": 1,
            "hearing": self._record.id,
            "kiosk": self._settings.kiosk.id,
            "made_at": wall_text(),
            "asked": self._asked,
            "language": self._language,
            "originals": originals,
            "closed_parts_left_out": sorted(self._closed),
            "videos": {part_name(part): [asdict(x) for x in one] for part, one in videos.items()},
            "files": {
                name: {"size": sizes[name], "sha256": digest} for name, digest in sums.items()
            },
        }


def _is_media(name: str) -> bool:
    """Say whether a sealed file is media (in ``main/`` or ``channels/``)."""
    pieces = name.split("/")
    return (len(pieces) > 2 and pieces[-3] in TRACKS) or (len(pieces) > 1 and pieces[-2] in TRACKS)


def _json_or_empty(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
