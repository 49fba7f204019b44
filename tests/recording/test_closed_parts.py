"""Closed parts: tars of age files that only the court's key opens, also with stock tools."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from kiosk.cli import main
from kiosk.evidence.chain import read_chain
from kiosk.evidence.device_key import FileSigner
from kiosk.recording.encryption.age_fragment_codec import AgeFragmentCodec
from kiosk.recording.encryption.decrypt import DecryptError, WrongKeyError, decrypt_parts
from kiosk.recording.encryption.locked_memory import MAX_KEY_AGE_S, EphemeralKeys, zero_text
from kiosk.recording.formats.age_tar import END_OF_ARCHIVE, iter_members
from kiosk.recording.formats.run_reader import count_run
from kiosk.recording.journal.part_journal import JournalOptions
from kiosk.recording.readback.fragment_reader import ReadbackError, read_fragments
from kiosk.recording.repair.recovery import recover_hearings
from kiosk.recording.verify.hearing import verify
from tests.support.court_keys import CourtSecrets
from tests.support.hearing_builder import (
    MICROPHONES,
    BuiltHearing,
    add_part,
    new_hearing,
    sealed_hearing,
)
from tests.support.identity import Court

SECRETS = CourtSecrets()


@pytest.fixture
def court(tmp_path: Path) -> Court:
    return Court.make(tmp_path / "court")


@pytest.fixture
def signer(tmp_path: Path, court: Court) -> FileSigner:
    key, certificate = tmp_path / "device.key", tmp_path / "device.crt"
    court.issue("kiosk-0001", key, certificate)
    return FileSigner(key, certificate)


def age_codec(*, provable: bool = False) -> AgeFragmentCodec:
    return AgeFragmentCodec(SECRETS.keys, can_verify=provable)


@pytest.fixture
def hearing(tmp_path: Path, signer: FileSigner) -> Path:
    return sealed_hearing(tmp_path / "hearings", signer, parts=1, codec=age_codec())


# -- the tar -----------------------------------------------------------------------------------
def test_a_tar_cut_at_any_byte_is_good_up_to_its_last_whole_member(tmp_path: Path) -> None:
    closed = age_codec()
    pieces = [bytes([n]) * (100 + 700 * n) for n in range(3)]
    rows = [
        closed.encode(f"{n}.m4s", piece, n, n + 1, ("camera",)) for n, piece in enumerate(pieces)
    ]
    whole = b"".join(rows)
    ends = [sum(map(len, rows[:n])) for n in range(4)]
    path = tmp_path / "x.tar"
    for cut in [*range(0, len(whole), 97), *ends, len(whole)]:
        path.write_bytes(whole[:cut])
        found = list(iter_members(path, verify=True))
        assert len(found) == sum(end <= cut for end in ends[1:]), cut
    assert [member.metadata.plain_length for member in found] == [len(piece) for piece in pieces]
    assert found[1].metadata.sources == ("camera",)
    path.write_bytes(whole + END_OF_ARCHIVE)
    listed = subprocess.run(["tar", "-tf", str(path)], capture_output=True, check=True)
    assert (listed.stdout.split(), listed.stderr) == (
        [b"0.m4s.age", b"1.m4s.age", b"2.m4s.age"],
        b"",
    )


def test_members_with_zeros_in_them_are_not_whole(tmp_path: Path) -> None:
    data = bytearray(age_codec().encode("1.m4s", b"x" * 5000, 0, 1, ()))
    data[-2000:-1000] = bytes(1000)
    (tmp_path / "x.tar").write_bytes(data)
    assert len(list(iter_members(tmp_path / "x.tar"))) == 1
    assert list(iter_members(tmp_path / "x.tar", verify=True)) == []


# -- keys in memory ----------------------------------------------------------------------------
def test_keys_in_memory_are_wiped_when_proven_and_when_old() -> None:
    now = [0.0]
    keys = EphemeralKeys(lambda: now[0])
    age_files = {
        name: pyrage.encrypt(b"media", [keys.create_recipient(name)]) for name in ("a", "b")
    }
    assert keys.decrypt("a", age_files["a"]) == b"media"
    keys.discard("a")
    with pytest.raises(ValueError, match="wiped"):
        keys.decrypt("a", age_files["a"])
    now[0] = MAX_KEY_AGE_S + 1
    keys.create_recipient("init", is_lasting=True)
    with pytest.raises(ValueError, match="wiped"):
        keys.decrypt("b", age_files["b"])
    for number in range(500):
        keys.create_recipient(str(number))
    assert keys.count < 300
    keys.close()
    assert keys.count == 0
    assert not any(keys._buffer._map[:])


def test_locked_memory_is_locked_and_left_out_of_dumps() -> None:
    keys = EphemeralKeys()
    maps = Path("/proc/self/smaps").read_text().split("VmFlags:")
    place = f"{keys._buffer._address:x}-"
    flags = next(maps[n + 1].splitlines()[0] for n, text in enumerate(maps) if f"{place}" in text)
    assert {"lo", "dd", "dc"} <= set(flags.split())


def test_a_text_is_wiped_in_place() -> None:
    text = "".join(["secret ", str(id(object()))])
    zero_text(text)
    assert set(text) == {"\0"}


def test_the_proof_reads_closed_fragments_until_they_are_forgotten(
    tmp_path: Path, signer: FileSigner
) -> None:
    closed = age_codec(provable=True)
    built = new_hearing(tmp_path, signer)
    part = add_part(built, fragments=2, codec=closed)
    newest = part.latest_fragment("main")
    assert newest is not None
    plain = read_fragments(part.folder, [newest], closed)
    assert b"moof" in plain
    assert hashlib.sha256(plain[-newest.plain_length :]).hexdigest() == newest.plain_sha256
    closed.discard_keys([newest])
    with pytest.raises(ReadbackError, match="wiped"):
        read_fragments(part.folder, [newest], closed)
    part.close()


# -- decrypting --------------------------------------------------------------------------------
def test_the_court_opens_what_was_recorded(hearing: Path, tmp_path: Path, court: Court) -> None:
    out, key = tmp_path / "out", SECRETS.write(tmp_path)
    assert main(["decrypt", str(hearing), "--key", str(key), "--out", str(out)]) == 0
    run = out / "part-01" / "main" / "run-01"
    counts = count_run(run)
    assert (counts.frames, counts.errors) == (24, [])
    assert len(count_run(out / "part-01" / "channels" / "run-01").samples) == len(MICROPHONES)
    assert "run-01/000002.m4s" in (out / "part-01" / "main" / "index.m3u8").read_text()
    joined = out / "part-01" / "main-run-01.mp4"
    command = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v"]
    command += ["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(joined)]
    probed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (probed.stdout.strip(), probed.stderr) == ("24", "")
    report = verify(hearing, court.ca, identities=[SECRETS.court])
    assert report.problems == []
    assert report.parts[0].closed
    assert verify(hearing, court.ca, identities=[SECRETS.escrow]).ok


def test_with_the_key_closed_parts_are_decoded_as_plain_ones(
    hearing: Path,
    tmp_path: Path,
    signer: FileSigner,
    court: Court,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = sealed_hearing(tmp_path / "plain", signer, parts=1)
    (wanted,) = verify(plain, court.ca).parts
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    (found,) = verify(hearing, court.ca, identities=[SECRETS.court]).parts
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == files
    assert (found.closed, found.decoded) == (True, True)
    assert found.video_frames == wanted.video_frames == 24
    assert found.samples == wanted.samples
    assert set(found.samples) == set(MICROPHONES)
    key = SECRETS.write(tmp_path)
    assert main(["verify", str(hearing), "--ca", str(court.ca), "--key", str(key)]) == 0
    assert f"(24 pictures, {len(MICROPHONES)} sound tracks decoded)" in capsys.readouterr().out
    (quick,) = verify(hearing, court.ca, identities=[SECRETS.court], decode=False).parts
    assert (quick.decoded, quick.video_frames) == (False, 0)


def test_what_the_key_does_not_open_is_not_decoded_either(hearing: Path, court: Court) -> None:
    def codes(identity: pyrage.x25519.Identity) -> set[str]:
        return {
            problem.code for problem in verify(hearing, court.ca, identities=[identity]).problems
        }

    assert codes(CourtSecrets().court) >= {"media_not_opened", "not_decodable"}
    tar = hearing / "part-01" / "main" / "run-01" / "000001.tar"
    member = next(iter_members(tar))
    flip(tar, member.data_offset + member.data_length - 1)
    assert codes(SECRETS.court) >= {"media_changed", "media_not_opened", "not_decodable"}
    tar.unlink()
    assert codes(SECRETS.court) >= {"file_missing", "not_decodable"}


def test_stock_tools_open_the_same(hearing: Path, tmp_path: Path) -> None:
    key = SECRETS.write(tmp_path)
    decrypt_parts(hearing, [SECRETS.court], tmp_path / "out")
    script = """
        set -eu
        mkdir members
        for t in "$1"/part-01/main/run-01/*.tar; do tar -xf "$t" -C members; done
        cd members
        for f in *.age; do age -d -i "$2" -o "${f%.age}" "$f"; done
        cat init.mp4 0*.m4s > ../main.mp4
        cat 000001-*.m4s | sha256sum | cut -d' ' -f1
    """
    arguments = ["bash", "-c", script, "bash", str(hearing), str(key)]
    ran = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    ours = tmp_path / "out" / "part-01"
    assert (tmp_path / "main.mp4").read_bytes() == (ours / "main-run-01.mp4").read_bytes()
    minute = (ours / "main" / "run-01" / "000001.m4s").read_bytes()
    assert ran.stdout.strip() == hashlib.sha256(minute).hexdigest()


def test_what_cannot_be_opened_is_said(
    hearing: Path, tmp_path: Path, signer: FileSigner, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WrongKeyError):
        decrypt_parts(hearing, [CourtSecrets().court], tmp_path / "out")
    plain = sealed_hearing(tmp_path / "plain", signer, parts=1)
    with pytest.raises(DecryptError, match="nothing in it is closed"):
        decrypt_parts(plain, [SECRETS.court], tmp_path / "out")
    tar = hearing / "part-01" / "channels" / "run-01" / "000001.tar"
    data = bytearray(tar.read_bytes())
    data[3000] ^= 1
    tar.write_bytes(data)
    key = SECRETS.write(tmp_path)
    arguments = ["decrypt", str(hearing), "--key", str(key), "--out", str(tmp_path / "out")]
    assert main(arguments) == 1
    assert "part-01/channels/run-01/000001.tar, bytes 0–" in capsys.readouterr().err
    assert main(["decrypt", str(hearing), "--key", str(tar), "--out", str(tmp_path)]) == 1


# -- verification without any key --------------------------------------------------------------
def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def swap(first: Path, second: Path) -> None:
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    first.write_bytes(second_bytes)
    second.write_bytes(first_bytes)


MAIN = "part-01/main/run-01"
TAMPERINGS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of an age file": (lambda h: flip(h / MAIN / "000001.tar", 4000), "media_changed"),
    "a byte of a header": (lambda h: flip(h / MAIN / "000001.tar", 520), "media_changed"),
    "the tail": (
        lambda h: (h / MAIN / "000001.tar").write_bytes(
            (h / MAIN / "000001.tar").read_bytes()[:-9000]
        ),
        "media_cut",
    ),
    "a missing tar": (lambda h: (h / MAIN / "000002.tar").unlink(), "file_missing"),
    "swapped tars": (
        lambda h: swap(h / MAIN / "000001.tar", h / MAIN / "000002.tar"),
        "file_swapped",
    ),
    "an added tar": (
        lambda h: (h / MAIN / "000009.tar").write_bytes((h / MAIN / "000001.tar").read_bytes()),
        "media_unlisted",
    ),
    "an added member": (
        lambda h: (h / MAIN / "000002.tar").write_bytes(
            (h / MAIN / "000002.tar").read_bytes()[: -len(END_OF_ARCHIVE)]
            + age_codec().encode("x.m4s", b"x", 0, 1, ())
            + END_OF_ARCHIVE
        ),
        "media_unlisted",
    ),
    "the init": (lambda h: flip(h / MAIN / "init.tar", 1800), "file_changed"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_with_closed_media_is_named(name: str, hearing: Path, court: Court) -> None:
    assert verify(hearing, court.ca).problems == []
    change, code = TAMPERINGS[name]
    change(hearing)
    found = verify(hearing, court.ca)
    assert code in {problem.code for problem in found.problems}
    assert all(problem.where.startswith("part-01/main") for problem in found.problems)


# -- after a crash -----------------------------------------------------------------------------
def torn(built: BuiltHearing, extra: bytes) -> Path:
    """Leave a part as after a power cut: two fragments not journalled, ``extra`` after them."""
    writer = built.writers[0]
    for _ in range(2):
        writer.write("main")
    path = max((built.folder / MAIN).glob("0*.tar"))
    with path.open("ab") as file:
        file.write(extra)
    built.parts[0].close()
    built.journal.close()
    return path


@pytest.mark.parametrize("extra", [b"", b"torn" * 300, END_OF_ARCHIVE[:700], END_OF_ARCHIVE])
def test_after_a_crash_whole_members_are_kept_without_any_key(
    extra: bytes, tmp_path: Path, signer: FileSigner, court: Court
) -> None:
    built = new_hearing(tmp_path / "hearings", signer)
    add_part(built, fragments=6, codec=age_codec())
    path = torn(built, extra)
    (hearing,) = recover_hearings(tmp_path / "hearings", JournalOptions("kiosk-0001", signer))
    chain = read_chain(built.folder / "part-01" / "journal.jsonl")
    recovered = [e for e in chain.entries if e["kind"] == "media" and e.get("recovered")]
    (fragments,) = [entry["fragments"] for entry in recovered]
    assert len(fragments) == 2
    assert all(
        fragment["plain_sha256"] and fragment["sources"] == ["camera"] for fragment in fragments
    )
    subprocess.run(["tar", "-tf", str(path)], check=True, capture_output=True)
    hearing.was_ended = True
    hearing.seal()
    assert verify(built.folder, court.ca).problems == []
    opened = decrypt_parts(built.folder, [SECRETS.escrow], tmp_path / "out")
    assert opened[0].damaged == []
    assert count_run(tmp_path / "out" / "part-01" / "main" / "run-01").frames == 8 * 4


def test_the_journal_never_holds_a_key(hearing: Path) -> None:
    text = (hearing / "part-01" / "journal.jsonl").read_text()
    assert "AGE-SECRET" not in text
    assert json.loads((hearing / "part-01" / "part.json").read_text())["part"] == 1
