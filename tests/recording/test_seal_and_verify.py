"""A sealed hearing verifies with our own and with stock tools; every change is found and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.cli import main
from kiosk.errors import RecordingError
from kiosk.evidence.cms import SealError, check_signature
from kiosk.evidence.seal import seal_folder
from kiosk.recording.verify.hearing import verify
from kiosk.recording.verify.report import SENTENCES, VerifyReport
from kiosk.storage.hearing_folder import SIGNATURE, SUMS
from tests.support.hearing_builder import BLOCK, sealed_hearing
from tests.support.identity import Court

OPENSSL = (
    "openssl cms -verify -binary -inform DER -in SHA256SUMS.p7s -content SHA256SUMS "
    "-CAfile {ca} -purpose any"
)
ONLY_THIS_CA = OPENSSL + " -no-CApath -no-CAstore -out /dev/null"


@pytest.fixture(scope="session")
def court(tmp_path_factory: pytest.TempPathFactory) -> Court:
    """A certificate authority."""
    return Court.make(tmp_path_factory.mktemp("court"))


@pytest.fixture(scope="session")
def original(court: Court, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed hearing of two parts; copied before it is changed."""
    return sealed_hearing(tmp_path_factory.mktemp("hearings"), court.device())


@pytest.fixture
def hearing(original: Path, tmp_path: Path) -> Path:
    """A copy of the sealed hearing, to be changed."""
    return Path(shutil.copytree(original, tmp_path / original.name))


def run_stock_tool(command: str, folder: Path) -> int:
    """Run a stock tool's command in ``folder``; return its exit status."""
    return subprocess.run(command.split(), cwd=folder, capture_output=True, check=False).returncode


def places_by_code(report: VerifyReport) -> dict[str, set[str]]:
    """Return the places by problem code."""
    places: dict[str, set[str]] = {}
    for problem in report.problems:
        places.setdefault(problem.code, set()).add(problem.where)
    return places


def first_media_file(hearing: Path, track: str = "main", part: int = 1) -> Path:
    """Return the first minute of a track."""
    return hearing / f"part-{part:02d}" / track / "run-01" / "000001.m4s"


def flip(path: Path, offset: int) -> None:
    """Flip one bit."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


# -- good ----------------------------------------------------------------------------------------
def test_whole_hearing_verifies(hearing: Path, court: Court) -> None:
    report = verify(hearing, court.ca)
    assert report.problems == []
    assert report.kind == "hearing"
    assert report.device == "kiosk-0001"
    assert report.hearing_id == hearing.name
    assert [part.part for part in report.parts] == [1, 2]
    for part in report.parts:
        assert part.video_frames == 24
        assert part.samples == {"judge": 6 * BLOCK, "witness": 6 * BLOCK}
        assert part.seconds == pytest.approx(2.4)
        assert part.heads == 9, "each of the nine writes bears a head"


def test_part_verifies_alone_and_elsewhere(hearing: Path, court: Court, tmp_path: Path) -> None:
    alone = Path(shutil.copytree(hearing / "part-02", tmp_path / "somewhere" / "copy"))
    report = verify(alone, court.ca)
    assert report.problems == []
    assert report.kind == "part"
    assert report.parts[0].part == 2


@pytest.mark.parametrize("sub", ["", "part-01", "part-02"])
def test_stock_tools_agree(hearing: Path, court: Court, sub: str) -> None:
    folder = hearing / sub
    assert run_stock_tool("sha256sum --check --strict --quiet SHA256SUMS", folder) == 0
    assert run_stock_tool(OPENSSL.format(ca=court.ca), folder) == 0
    assert run_stock_tool(ONLY_THIS_CA.format(ca=court.ca), folder) == 0


def test_command_says_so(hearing: Path, court: Court, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(hearing), "--ca", str(court.ca)]) == 0
    assert "VERIFIED" in capsys.readouterr().out
    assert main(["verify", str(hearing), "--ca", str(court.ca), "--json", "--quick"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["ok"] is True
    assert value["parts"][0]["decoded"] is False


# -- changed -------------------------------------------------------------------------------------
def test_flipped_byte_is_named_with_its_place(
    hearing: Path, court: Court, capsys: pytest.CaptureFixture[str]
) -> None:
    path = first_media_file(hearing)
    flip(path, path.stat().st_size // 2)
    places = places_by_code(verify(hearing, court.ca))
    name = "part-01/main/run-01/000001.m4s"
    assert places["file_changed"] == {name}
    assert places["media_changed"] == {name}
    assert run_stock_tool("sha256sum --check --quiet SHA256SUMS", hearing) != 0
    assert main(["verify", str(hearing), "--ca", str(court.ca)]) == 1
    said = capsys.readouterr().err
    assert f"{name}: The file is not the one that was sealed" in said
    assert "bytes " in said


def every_file(folder: Path) -> list[str]:
    """Return the names of all files below ``folder``."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.mark.slow
def test_any_flipped_byte_in_any_file_is_found(hearing: Path, court: Court) -> None:
    for name in every_file(hearing):
        path = hearing / name
        good = path.read_bytes()
        for offset in {0, len(good) // 2, len(good) - 1}:
            flip(path, offset)
            report = verify(hearing, court.ca, decode=False)
            places = {problem.where.split(":")[0] for problem in report.problems}
            wanted = {name, f"{name}.p7s"} if name.endswith(SUMS) else {name}
            assert places & wanted, (name, offset)
            path.write_bytes(good)
    assert verify(hearing, court.ca).ok


def test_any_flipped_byte_in_a_part_alone_is_found(hearing: Path, court: Court) -> None:
    part = hearing / "part-01"
    for name in every_file(part):
        path = part / name
        good = path.read_bytes()
        flip(path, len(good) // 3)
        assert not verify(part, court.ca, decode=False).ok, name
        path.write_bytes(good)


@pytest.mark.slow
def test_any_flipped_byte_of_the_seal_itself_is_found(hearing: Path, court: Court) -> None:
    part = hearing / "part-01"
    good = (part / SIGNATURE).read_bytes()
    for offset in range(len(good)):
        flip(part / SIGNATURE, offset)
        with pytest.raises(SealError):
            check_signature(part / SUMS, part / SIGNATURE, court.ca)
        (part / SIGNATURE).write_bytes(good)


@pytest.mark.parametrize("sub", ["", "part-01"])
def test_cut_tails_are_found(hearing: Path, court: Court, sub: str) -> None:
    folder = hearing / sub
    for name in every_file(folder):
        path = folder / name
        good = path.read_bytes()
        path.write_bytes(good[:-1])
        assert not verify(folder, court.ca, decode=False).ok, name
        path.write_bytes(good)


def test_cut_media_are_named(hearing: Path, court: Court) -> None:
    path = first_media_file(hearing, "channels")
    path.write_bytes(path.read_bytes()[:-100])
    places = places_by_code(verify(hearing, court.ca))
    assert places["media_cut"] == {"part-01/channels/run-01/000001.m4s"}


def test_missing_file_is_named(hearing: Path, court: Court) -> None:
    for name in every_file(hearing):
        path = hearing / name
        good = path.read_bytes()
        path.unlink()
        problems = verify(hearing, court.ca, decode=False).problems
        named = " ".join(f"{p.where} {p.detail}" for p in problems)
        assert name.rpartition("/")[2] in named, name
        path.write_bytes(good)


def test_swapped_files_are_named(hearing: Path, court: Court) -> None:
    first, second = first_media_file(hearing), first_media_file(hearing).with_name("000002.m4s")
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    first.write_bytes(second_bytes)
    second.write_bytes(first_bytes)
    report = verify(hearing, court.ca)
    swapped = {p.where: p.detail for p in report.problems if p.code == "file_swapped"}
    assert swapped == {
        "part-01/main/run-01/000001.m4s": "part-01/main/run-01/000002.m4s",
        "part-01/main/run-01/000002.m4s": "part-01/main/run-01/000001.m4s",
    }


@pytest.mark.parametrize("name", ["evil.txt", "part-01/main/run-01/000009.m4s", "part-01/.hidden"])
def test_added_file_is_named(hearing: Path, court: Court, name: str) -> None:
    (hearing / name).write_bytes(b"x")
    assert places_by_code(verify(hearing, court.ca))["file_added"] == {name}


def test_added_link_is_named(hearing: Path, court: Court) -> None:
    path = first_media_file(hearing)
    outside = hearing.parent / "outside.m4s"
    path.rename(outside)
    path.symlink_to(outside)
    assert (
        "part-01/main/run-01/000001.m4s"
        in places_by_code(verify(hearing, court.ca))["file_missing"]
    )


def test_removed_part_is_named(hearing: Path, court: Court) -> None:
    shutil.rmtree(hearing / "part-02")
    assert places_by_code(verify(hearing, court.ca))["part_missing"] == {"part-02"}


def test_removed_part_with_new_sums_is_found(hearing: Path, court: Court) -> None:
    """Rewriting SHA256SUMS, too, breaks the signature instead."""
    shutil.rmtree(hearing / "part-02")
    lines = (hearing / SUMS).read_text().splitlines(keepends=True)
    (hearing / SUMS).write_text("".join(line for line in lines if "  part-02/" not in line))
    places = places_by_code(verify(hearing, court.ca))
    assert places["seal_wrong"] == {SIGNATURE}
    assert places["part_missing"] == {"part-02"}


def test_swapped_parts_are_named(hearing: Path, court: Court) -> None:
    (hearing / "part-01").rename(hearing / "x")
    (hearing / "part-02").rename(hearing / "part-01")
    (hearing / "x").rename(hearing / "part-02")
    assert places_by_code(verify(hearing, court.ca))["part_other"] == {"part-01", "part-02"}


def test_part_of_another_hearing_is_named(hearing: Path, court: Court, tmp_path: Path) -> None:
    other = sealed_hearing(tmp_path / "other", court.device())
    shutil.rmtree(hearing / "part-01")
    shutil.copytree(other / "part-01", hearing / "part-01")
    places = places_by_code(verify(hearing, court.ca))
    assert places["part_other"] == {"part-01"}
    assert "part-01" in places["part_head_other"]


# -- sealed again ---------------------------------------------------------------------------------
def test_sealed_anew_under_another_authority(hearing: Path, court: Court, tmp_path: Path) -> None:
    flip(first_media_file(hearing), 500)
    stranger = Court.make(tmp_path / "stranger")
    for part in ("part-01", "part-02"):
        (hearing / part / SIGNATURE).unlink()
        seal_folder(hearing / part, stranger.device())
    seal_folder(hearing, stranger.device())
    (hearing / "ca.pem").write_bytes(
        stranger.ca.read_bytes()
    )  # a root in the folder does not count
    wrong = places_by_code(verify(hearing, court.ca))["seal_wrong"]
    assert wrong == {SIGNATURE, f"part-01/{SIGNATURE}", f"part-02/{SIGNATURE}"}
    assert run_stock_tool(ONLY_THIS_CA.format(ca=court.ca), hearing) != 0


def test_roots_of_the_machine_are_not_trusted(
    hearing: Path, court: Court, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL also trusts its own folder of roots unless an option forbids it."""
    stranger = Court.make(tmp_path / "stranger", "A root of the machine")
    digest = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", stranger.ca], capture_output=True, check=True
    ).stdout.decode()
    roots = tmp_path / "roots"
    roots.mkdir()
    (roots / f"{digest.strip()}.0").write_bytes(stranger.ca.read_bytes())
    monkeypatch.setenv("SSL_CERT_DIR", str(roots))
    seal_folder(hearing, stranger.device())
    assert run_stock_tool(OPENSSL.format(ca=court.ca), hearing) == 0, (
        "the trap that this test is about"
    )
    assert SIGNATURE in places_by_code(verify(hearing, court.ca))["seal_wrong"]


def test_sealed_anew_by_another_device_of_the_court(hearing: Path, court: Court) -> None:
    seal_folder(hearing, court.device("kiosk-0002"))
    problems = [p for p in verify(hearing, court.ca).problems if p.code == "seal_other_device"]
    assert [p.detail for p in problems] == ["kiosk-0002"]


def test_heads_of_another_key_are_named(court: Court, tmp_path: Path) -> None:
    """Nobody else can sign heads as this device."""
    stranger = Court.make(tmp_path / "stranger").device()
    folder = sealed_hearing(tmp_path / "made", stranger, parts=1)
    (folder / "part-01" / SIGNATURE).unlink()
    seal_folder(folder / "part-01", court.device())
    places = places_by_code(verify(folder, court.ca))
    assert any(place.startswith("part-01/journal.jsonl:") for place in places["head_unsigned"])


@pytest.mark.parametrize("sub", ["", "part-01"])
def test_not_sealed_is_said(hearing: Path, court: Court, sub: str) -> None:
    (hearing / sub / SIGNATURE).unlink()
    assert "not_sealed" in places_by_code(verify(hearing / sub, court.ca))


def test_media_that_do_not_decode_are_named(court: Court, tmp_path: Path) -> None:
    """An init file that was wrong when it was sealed is found by decoding."""
    folder = sealed_hearing(tmp_path, court.device(), parts=1)
    part = folder / "part-01"
    init = part / "main" / "run-01" / "init.mp4"
    init.write_bytes(init.read_bytes().replace(b"avc1", b"xxxx"))
    (part / SIGNATURE).unlink()
    seal_folder(part, court.device())
    seal_folder(folder, court.device())
    places = places_by_code(verify(part, court.ca))
    assert set(places) & {"not_decodable", "count_differs"}
    assert verify(part, court.ca, decode=False).ok


# -- cannot be verified --------------------------------------------------------------------------
def test_absent_folder_or_root(
    hearing: Path, court: Court, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "no"), "--ca", str(court.ca)]) == 1
    assert "no such folder" in capsys.readouterr().err
    assert main(["verify", str(hearing), "--ca", str(tmp_path / "no.pem")]) == 1
    assert "no.pem" in capsys.readouterr().err
    with pytest.raises(RecordingError):
        verify(hearing, tmp_path / "no.pem")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.write_bytes(b""),
        lambda p: p.write_bytes(b"\xff\xfe\n"),
        lambda p: p.write_bytes(os.urandom(4000)),
        lambda p: p.write_text("{}\n[]\n"),
        lambda p: p.write_text('{"kind":"media","n":1}\n'),
        lambda p: p.write_text(
            '{"hearing":"x","kind":"part","n":1,"part":1}\n{"fragments":[{}],"kind":"media","n":2}\n'
        ),
        lambda p: p.write_text('{"kind":"opened","n":1}\n{"kind":"part_opened","n":2}\n'),
    ],
)
@pytest.mark.parametrize(
    "name", ["journal.jsonl", "part-01/journal.jsonl", "SHA256SUMS", "hearing.json", SIGNATURE]
)
def test_rubbish_is_named_and_never_crashes(
    hearing: Path, court: Court, name: str, change: Callable[[Path], None]
) -> None:
    change(hearing / name)
    report = verify(hearing, court.ca)
    assert any(problem.where.startswith(name) for problem in report.problems)


def test_every_sentence_is_used_or_gone() -> None:
    package = Path(__file__).parents[2] / "kiosk" / "recording" / "verify"
    source = "".join(path.read_text() for path in package.glob("*.py") if path.name != "report.py")
    assert [code for code in SENTENCES if f'"{code}"' not in source] == []
