"""Copies for the parties: whole, checkable with stock tools, and nothing that may not leave.

Requirements: R53.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from kiosk.config import MicrophoneSettings, PathSettings, Settings
from kiosk.errors import KioskError
from kiosk.export.drive_writer import UNFINISHED
from kiosk.export.errors import CancelledError
from kiosk.export.hearing_export import ExportProgress, ExportRequest, ExportResult, HearingExport
from kiosk.export.texts import format_length
from kiosk.export.time_account import build_time_account
from kiosk.recording.verify.hearing import verify
from kiosk.rules import load_rules
from tests.support.hearing_builder import (
    MICROPHONES,
    BuiltHearing,
    add_part,
    close_part,
    new_hearing,
)
from tests.support.identity import Court

pytestmark = pytest.mark.slow

FAT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
RULES = load_rules()
SECOND = 1_000_000_000


class ExportRig:
    """A kiosk's court, a hearing that is being built, and a stick."""

    def __init__(self, folder: Path) -> None:
        self.court = Court.make(folder / "court")
        self.signer = self.court.device()
        self.stick = folder / "stick"
        self.stick.mkdir()
        paths = PathSettings(data=folder / "data", run=folder / "run")
        microphones = tuple(
            MicrophoneSettings(name=name, role=role, device=f"mic_{name}")
            for name, role in zip(MICROPHONES, ("presiding", "witness"), strict=True)
        )
        self.settings = Settings(paths=paths, microphones=microphones)
        self.built: BuiltHearing = new_hearing(folder / "data" / "hearings", self.signer)
        self.steps: list[ExportProgress] = []

    def part(self, tap_ns: int, *, close: bool = False, note: str = "", **fields: Any) -> None:
        """Add a part of 2.4 s that begins at ``tap_ns``."""
        journal = add_part(self.built, fragments=6, tap_ns=tap_ns)
        number = len(self.built.parts)
        mark = {"id": 10 + number, "type": "testimony", "seconds": 1.0, "part_seconds": 1.0}
        journal.append("mark", {**mark, "note": note, "person": "p1"})
        if close:
            path = journal.folder / "part.json"
            path.write_text(json.dumps(json.loads(path.read_text()) | {"closed": True}))
        close_part(self.built, number, stop_ns=tap_ns + 2_400_000_000, **fields)

    def seal(self) -> Path:
        """End the hearing."""
        self.built.journal.end({"person": "p1"})
        return self.built.folder

    def export(
        self, progress: Callable[[ExportProgress], None] | None = None, **more: Any
    ) -> ExportResult:
        """Make the copy."""
        return HearingExport(
            self.built.folder,
            self.stick,
            settings=self.settings,
            rules=RULES,
            signer=self.signer,
            request=ExportRequest(**more),
            progress=progress or self.steps.append,
        ).run()

    def refused(self, progress: Callable[[ExportProgress], None] | None = None, **more: Any) -> str:
        """Try to make the copy; return the code of the refusal."""
        with pytest.raises(KioskError) as refusal:
            self.export(progress, **more)
        return refusal.value.code

    def check_by_text(self, copy: ExportResult, language: str) -> list[int]:
        """Run the commands of the text as a stranger would; return their exit statuses."""
        shutil.copy(self.court.ca, copy.folder / "ca.pem")
        text = (copy.folder / f"check-{language}.txt").read_text("utf-8")
        commands = [line.strip() for line in text.splitlines() if line.startswith("    ")]
        assert len(commands) >= 4
        return [
            subprocess.run(
                ["bash", "-c", command], cwd=copy.folder, capture_output=True, check=False
            ).returncode
            for command in commands
        ]


@pytest.fixture
def rig(tmp_path: Path) -> ExportRig:
    return ExportRig(tmp_path)


@pytest.fixture
def two_parts(rig: ExportRig) -> ExportRig:
    """A sealed hearing of two parts with a recess of 12.345 s between them."""
    rig.part(5 * SECOND)
    rig.part(5 * SECOND + 2_400_000_000 + 12_345_000_000)
    rig.seal()
    return rig


def payloads(path: Path) -> dict[str, str]:
    """Return a hash of all coded packets of each track, by its codec and place."""
    found: dict[str, Any] = {}
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size:
                key = f"{packet.stream.type}-{packet.stream.index}"
                found.setdefault(key, hashlib.sha256()).update(bytes(packet))
    return {key: digest.hexdigest() for key, digest in found.items()}


def joined(run: Path, target: Path) -> Path:
    files = [run / "init.mp4", *sorted(run.glob("*.m4s"))]
    target.write_bytes(b"".join(path.read_bytes() for path in files))
    return target


# -- what is on the stick ------------------------------------------------------------------------
def test_every_source_is_a_track_and_nothing_is_coded_anew(
    two_parts: ExportRig, tmp_path: Path
) -> None:
    copy = two_parts.export()
    video = copy.folder / "video" / "part-01.mp4"
    part = two_parts.built.folder / "part-01"
    main = payloads(joined(part / "main" / "run-01", tmp_path / "main.mp4"))
    channels = payloads(joined(part / "channels" / "run-01", tmp_path / "channels.mp4"))
    assert list(payloads(video).values()) == [*main.values(), *channels.values()]
    with av.open(str(video)) as container:
        titles = [stream.metadata["handler_name"] for stream in container.streams]
        defaults = [
            bool(stream.disposition & stream.disposition.default) for stream in container.streams
        ]
    assert [title.split(" (")[-1] for title in titles] == ["Камера", "judge)", "witness)"]
    assert defaults == [True, True, False]  # there is no mix here: the first source stands in


def test_the_text_on_the_stick_says_how_to_check_it(two_parts: ExportRig) -> None:
    copy = two_parts.export()
    for language in ("kk", "ru"):
        assert set(two_parts.check_by_text(copy, language)) == {0}
    original = copy.folder / "original" / two_parts.built.folder.name
    assert verify(original, two_parts.court.ca).ok
    assert (copy.folder / "statement-kk.pdf").read_bytes().startswith(b"%PDF")


def test_a_changed_byte_is_found_by_the_commands(two_parts: ExportRig) -> None:
    copy = two_parts.export()
    path = copy.folder / "video" / "part-02.mp4"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert two_parts.check_by_text(copy, "ru")[0] != 0


def test_a_list_signed_by_another_authority_is_found(two_parts: ExportRig, tmp_path: Path) -> None:
    copy = two_parts.export()
    forger = Court.make(tmp_path / "forger").device()
    (copy.folder / "SHA256SUMS.p7s").write_bytes(
        forger.seal((copy.folder / "SHA256SUMS").read_bytes())
    )
    assert two_parts.check_by_text(copy, "kk")[:2] != [0, 0]


def test_names_and_files_fit_fat32(two_parts: ExportRig) -> None:
    copy = two_parts.export()
    for path in [copy.folder, *copy.folder.rglob("*")]:
        assert FAT_NAME.fullmatch(path.name), path
        assert not path.is_symlink()
    lowered = [str(path).lower() for path in copy.folder.rglob("*")]
    assert len(lowered) == len(set(lowered))


def test_a_part_that_is_too_large_goes_on_in_a_further_file(
    two_parts: ExportRig, tmp_path: Path
) -> None:
    largest = 30_000
    copy = two_parts.export(max_file_bytes=largest)
    manifest = json.loads((copy.folder / "manifest.json").read_text())
    files = manifest["videos"]["part-01"]
    assert len(files) > 1
    assert [file["name"] for file in files[:2]] == ["video/part-01.mp4", "video/part-01-2.mp4"]
    pieces = [copy.folder / file["name"] for file in files]
    assert all(piece.stat().st_size <= largest for piece in pieces)
    whole = _frames(
        joined(two_parts.built.folder / "part-01" / "main" / "run-01", tmp_path / "m.mp4")
    )
    found = [
        (at + file["offset"], shade)
        for piece, file in zip(pieces, files, strict=True)
        for at, shade in _frames(piece)
    ]
    assert [shade for _, shade in found] == [shade for _, shade in whole]
    assert [at for at, _ in found] == pytest.approx([at for at, _ in whole], abs=0.001)


def _frames(path: Path) -> list[tuple[float, float]]:
    with av.open(str(path)) as container:
        return [
            (float(frame.time or 0), float(frame.to_ndarray().mean()))
            for frame in container.decode(video=0)
        ]


def test_originals_are_left_out_where_they_do_not_fit(
    two_parts: ExportRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 20 * 1024**2
    monkeypatch.setattr(
        os, "statvfs", lambda _: os.statvfs_result((1, 1, room, room, room, 0, 0, 0, 0, 255))
    )
    copy = two_parts.export()
    assert not copy.originals
    assert not (copy.folder / "original").exists()
    assert set(two_parts.check_by_text(copy, "ru")) == {0}


# -- the statement -------------------------------------------------------------------------------
def test_the_statement_adds_up_to_the_millisecond(two_parts: ExportRig) -> None:
    statement = build_time_account(two_parts.built.folder)
    recorded, gaps = statement.total_of("recorded"), statement.total_of("gap")
    assert (recorded, gaps) == (4800, 12345)
    assert statement.total_ms == recorded + gaps == 17145
    copy = two_parts.export()
    page = (copy.folder / "index.html").read_text("utf-8")
    for value in (recorded, gaps, statement.total_ms):
        assert format_length(value) in page


def test_odd_nanoseconds_add_up_too(rig: ExportRig) -> None:
    at = 777_777_777
    for step in (1_234_567_891, 499_999, 3_999_500_001, 0):
        rig.part(at)
        at += 2_400_000_000 + step
    rig.seal()
    statement = build_time_account(rig.built.folder)
    assert sum(interval.ms or 0 for interval in statement.intervals) == statement.total_ms
    last_stop = at - 0
    assert statement.total_ms == round((last_stop - 777_777_777) / 1e6)


def test_what_was_missing_is_listed_with_who_and_why(rig: ExportRig) -> None:
    journal = add_part(rig.built, fragments=6, tap_ns=SECOND)
    lost = {"number": 1, "source": "witness", "what": "absent", "start_ns": 2 * SECOND}
    journal.append("interruption", lost)
    journal.append("interruption_ended", {**lost, "end_ns": 3 * SECOND, "seconds": 1.0})
    journal.append("interruption", {**lost, "number": 2, "source": "camera", "what": "frozen"})
    journal.end({"reason": "recess", "stop_ns": 3_400_000_000})
    line = {"part": 1, "reason": "recess", "person": "p-7", "why": "Қабылдау"}
    rig.built.journal.append("part_closed", line)
    rig.built.journal.seal_part(journal)
    rig.part(10 * SECOND)
    rig.seal()
    statement = build_time_account(rig.built.folder)
    assert [(x.source, x.at_ms, x.ms) for x in statement.losses] == [
        ("witness", 1000, 1000),
        ("camera", 1000, 1400),  # nobody ended it: until the end of the part
    ]
    gap = statement.intervals[1]
    assert (gap.kind, gap.ms, gap.reason, gap.person, gap.why) == (
        "gap",
        6600,
        "recess",
        "p-7",
        "Қабылдау",
    )


def test_a_gap_of_unknown_length_is_said_and_not_counted(rig: ExportRig) -> None:
    rig.part(SECOND)
    journal = rig.built.journal
    opened = {"part": 2, "reason": "recovered", "tap_ns": 3 * SECOND, "boot_id": "another"}
    rig.built.parts[0].folder.with_name("part-02").mkdir()
    journal.append("part_opened", {**opened, "gap_seconds": None})
    shutil.copytree(rig.built.folder / "part-01", rig.built.folder / "part-02", dirs_exist_ok=True)
    statement = build_time_account(rig.built.folder)
    assert statement.unknown_gaps == 1
    assert statement.total_ms == statement.total_of("recorded")


# -- closed parts --------------------------------------------------------------------------------
def test_closed_parts_stay_here(rig: ExportRig) -> None:
    rig.part(SECOND, note="open words")
    rig.part(10 * SECOND, close=True, note="secret words")
    rig.part(20 * SECOND)
    rig.seal()
    copy = rig.export()
    assert copy.left_out == (2,)
    assert sorted(path.name for path in (copy.folder / "video").iterdir()) == [
        "part-01.mp4",
        "part-03.mp4",
    ]
    everything = b"".join(path.read_bytes() for path in copy.folder.rglob("*") if path.is_file())
    assert b"secret words" not in everything
    assert b"open words" in everything
    assert not list(copy.folder.rglob("hearing.json"))
    assert not list(copy.folder.rglob("part-02*"))
    assert set(rig.check_by_text(copy, "kk")) == {0}
    page = (copy.folder / "index.html").read_text("utf-8")
    assert "Закон не допускает" in page
    assert "Заң" in page


def test_encrypted_media_count_as_closed_whatever_is_declared(rig: ExportRig) -> None:
    rig.part(SECOND)
    journal = add_part(rig.built, fragments=2, tap_ns=9 * SECOND)
    (journal.folder / "main" / "run-01" / "000001.tar").write_bytes(b"age")
    close_part(rig.built, 2, stop_ns=10 * SECOND)
    rig.seal()
    assert rig.export().left_out == (2,)


def test_a_closed_hearing_is_refused(rig: ExportRig) -> None:
    rig.part(SECOND)
    rig.built.journal.append(
        "statement", {"subject": "publicity", "value": "closed", "person": "p"}
    )
    rig.seal()
    assert rig.refused() == "export_closed"
    assert list(rig.stick.iterdir()) == []


def test_a_hearing_whose_every_part_is_closed_is_refused(rig: ExportRig) -> None:
    rig.part(SECOND, close=True)
    rig.seal()
    assert rig.refused() == "export_closed"


# -- faults --------------------------------------------------------------------------------------
def test_only_what_is_sealed_leaves(rig: ExportRig) -> None:
    rig.part(SECOND)
    assert rig.refused() == "export_not_sealed"


def test_a_stick_without_room_is_refused_before_anything_is_written(
    two_parts: ExportRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 100, 10, 10, 0, 0, 0, 0, 255))
    )
    assert two_parts.refused() == "export_no_space"
    assert list(two_parts.stick.iterdir()) == []


@pytest.mark.parametrize("stage", ["original", "video", "reading_back"])
def test_a_pulled_stick_is_said_and_the_next_try_starts_anew(
    two_parts: ExportRig, stage: str
) -> None:
    def pull(now: ExportProgress) -> None:
        if now.stage == stage and two_parts.stick.exists():
            two_parts.stick.rename(two_parts.stick.with_name("pulled"))

    assert two_parts.refused(pull, originals="yes") == "export_medium_failed"
    two_parts.stick.with_name("pulled").rename(two_parts.stick)
    assert [path.name.endswith(UNFINISHED) for path in two_parts.stick.iterdir()] == [True]
    copy = two_parts.export()
    assert list(two_parts.stick.iterdir()) == [copy.folder]
    assert set(two_parts.check_by_text(copy, "ru")) == {0}


def test_what_the_stick_stored_wrongly_is_found(two_parts: ExportRig) -> None:
    def damage(now: ExportProgress) -> None:
        if now.stage == "reading_back":
            for path in two_parts.stick.rglob("part-02.mp4"):
                with path.open("r+b") as file:
                    file.seek(5000)
                    file.write(b"\0\1\2\3")

    assert two_parts.refused(damage) == "export_differs"
    assert list(two_parts.stick.iterdir()) == []


def test_a_recording_that_was_changed_is_not_copied(two_parts: ExportRig) -> None:
    path = two_parts.built.folder / "part-02" / "main" / "run-01" / "000001.m4s"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert two_parts.refused(originals="no") == "export_source_changed"
    assert two_parts.refused(originals="yes") == "export_source_changed"


def test_another_copy_lies_beside_the_first(two_parts: ExportRig) -> None:
    first, second = two_parts.export(originals="no"), two_parts.export(originals="no")
    assert second.folder.name == f"{first.folder.name}-2"


def test_progress_never_goes_back_and_reaches_its_end(two_parts: ExportRig) -> None:
    two_parts.export()
    done = [step.done for step in two_parts.steps]
    assert done == sorted(done)
    assert done[-1] == two_parts.steps[-1].total


def test_breaking_off_leaves_nothing(two_parts: ExportRig) -> None:
    def stop(now: ExportProgress) -> None:
        if now.stage == "reading_back":
            raise CancelledError("enough")

    assert two_parts.refused(stop) == "export_cancelled"
    assert list(two_parts.stick.iterdir()) == []


# -- the command ---------------------------------------------------------------------------------
@pytest.fixture
def command(two_parts: ExportRig, tmp_path: Path) -> list[str]:
    config = tmp_path / "kiosk.toml"
    paths = two_parts.settings.paths
    config.write_text(f'[paths]\ndata = "{paths.data}"\nrun = "{paths.run}"\n')
    hearing = two_parts.built.folder.name
    line = [sys.executable, "-m", "kiosk.cli", "--config", str(config), "export", hearing]
    return [*line, "--to", str(two_parts.stick), "--by", "p-1", "--application", "№ 5"]


def test_a_killed_copy_is_removed_at_the_next_try(two_parts: ExportRig, command: list[str]) -> None:
    with subprocess.Popen(
        [*command, "--progress-json"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["state"] == "running":
                process.send_signal(signal.SIGKILL)
                break
    (left,) = two_parts.stick.iterdir()
    assert left.name.endswith(UNFINISHED)
    done = subprocess.run([*command, "--progress-json"], capture_output=True, text=True, check=True)
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["state"] == "done"
    assert [str(path) for path in two_parts.stick.iterdir()] == [last["folder"]]
    logs = (two_parts.settings.paths.data / "exports").glob("*.json")
    entries = sorted((json.loads(path.read_text()) for path in logs), key=lambda x: x["asked_at"])
    assert [entry["state"] for entry in entries] == ["running", "done"]
    assert entries[1]["by"] == "p-1"
    assert entries[1]["application"] == "№ 5"


def test_the_command_says_in_a_line_why_not(two_parts: ExportRig, command: list[str]) -> None:
    (two_parts.built.folder / "SHA256SUMS.p7s").unlink()
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "not sealed yet" in answer.stderr
    assert "Traceback" not in answer.stderr
