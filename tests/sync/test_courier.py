"""The courier: packed here, taken in there, receipts brought home; media that fail anywhere."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest

from kiosk.cli import main
from kiosk.exchange import courier_format
from kiosk.exchange.courier_format import CourierError, PieceReader, PieceWriter
from kiosk.exchange.receipt_signature import signed_bytes
from kiosk.sync.courier import pack as courier_pack
from kiosk.sync.courier.pack import undelivered_items, write_pack
from kiosk.sync.courier.receipts import import_receipts
from tests.support.delivery_rig import KIOSK, Central, Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A folder where a medium is mounted."""
    folder = tmp_path / "medium"
    folder.mkdir()
    return folder


@pytest.fixture
def key(kiosk: Kiosk, tmp_path: Path) -> Path:
    """The court's secret key in a file; the kiosk has pinned its public part."""
    secret = pyrage.x25519.Identity.generate()
    kiosk.paths.court_recipient.write_text(f"# court\n{secret.to_public()}\n")
    file = tmp_path / "court.key"
    file.write_text(f"# created: today\n{secret}\n")
    return file


def run(kiosk: Kiosk, *arguments: str) -> int:
    """Run ``kiosk courier``."""
    return main(["--config", str(kiosk.config), "courier", *arguments])


def ingest(central: Central, medium: Path, key: Path) -> int:
    """Run ``kiosk central ingest`` beside the running server."""
    command = ["central", "ingest", "--data", str(central.data), str(medium), "--key", str(key)]
    return main(command)


def list_packs(medium: Path) -> list[Path]:
    return sorted(medium.glob("kiosk-courier/*/*"))


def count_deliveries(central: Central, item: str) -> tuple[int, int]:
    """Return how many deliveries and complete uploads of an item there are."""
    uploads = f"SELECT count(*) FROM uploads WHERE owner = '{item}' AND state = 'complete'"
    deliveries = f"SELECT count(*) FROM deliveries WHERE id = '{item}' AND completed_at IS NOT NULL"
    return central.query(deliveries)[0][0], central.query(uploads)[0][0]


def secret_hearing(kiosk: Kiosk) -> str:
    hearing = kiosk.make_hearing(files=1, video=3000)
    (kiosk.paths.hearings / hearing / "courier-only").touch()
    return hearing


def test_the_whole_way_and_back(
    central: Central, kiosk: Kiosk, medium: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, filing, report = secret_hearing(kiosk), kiosk.make_filing(), kiosk.make_report()
    assert run(kiosk, "pack", "--to", str(medium)) == 0
    assert "3 item(s) on the medium" in capsys.readouterr().out
    assert run(kiosk, "pack", "--to", str(medium)) == 0, "twice: nothing more"
    assert "already on this medium" in capsys.readouterr().out
    (folder,) = list_packs(medium)
    names = {path.name for path in folder.iterdir()}
    assert names == {"pack.json", "0001-001.age", "0002-001.age", "0003-001.age"}
    content = b"".join(path.read_bytes() for path in folder.glob("*.age"))
    assert b"%PDF" not in content
    assert b"hearing.json" not in content
    assert run(kiosk, "receipt", str(medium)) == 1, "no answer yet"
    receipts = []
    for _ in range(2):  # twice: the same receipts
        assert ingest(central, medium, key) == 0
        answer = json.loads((folder / "receipt.json").read_text())
        receipts.append([item["receipt"]["receipt"] for item in answer["items"]])
    assert receipts[0] == receipts[1]
    kiosk.start_in_thread()  # filing and report go by network as well, and are not doubled
    kiosk.wait_delivered("report", report)
    capsys.readouterr()
    assert run(kiosk, "receipt", str(medium)) == 0
    kiosk.request("POST", "/v1/deliver")
    kiosk.wait_delivered("hearing", secret)
    kiosk.wait_delivered("filing", filing)
    wait_for(lambda: kiosk.get(f"/v1/filings/{filing}")["number"], "the number")
    for item in (secret, filing, report):
        assert count_deliveries(central, item)[0] == 1
    assert run(kiosk, "receipt", str(medium)) == 0, "twice"
    assert "0 receipt(s) imported, 3 known before" in capsys.readouterr().out
    assert run(kiosk, "list") == 0
    assert "3 of 3 receipts are back" in capsys.readouterr().out
    assert kiosk.state()["queue"]["items"] == 0
    assert undelivered_items(kiosk.paths) == []


def test_sync_that_was_dead_takes_the_receipts_at_its_start(
    central: Central, kiosk: Kiosk, medium: Path, key: Path
) -> None:
    secret = secret_hearing(kiosk)
    assert run(kiosk, "pack", "--to", str(medium), secret) == 0
    assert ingest(central, medium, key) == 0
    assert run(kiosk, "receipt", str(medium)) == 0
    kiosk.start_in_thread()
    kiosk.wait_delivered("hearing", secret)


def test_in_pieces_and_stock_tools_open_it(
    kiosk: Kiosk, medium: Path, key: Path, central: Central
) -> None:
    hearing = kiosk.make_hearing(files=1, video=60_000)
    done = write_pack(kiosk.paths, medium, [("hearing", hearing)], print, piece_bytes=50_000)
    assert done.folder is not None
    pieces = sorted(done.folder.glob("0001-*.age"))
    assert len(pieces) > 2
    assert max(path.stat().st_size for path in pieces) == 50_000
    whole = medium / "whole.age"
    whole.write_bytes(b"".join(path.read_bytes() for path in pieces))
    plain = subprocess.run(
        ["age", "-d", "-i", str(key), str(whole)], capture_output=True, check=True
    )
    listed = subprocess.run(["tar", "-t"], input=plain.stdout, capture_output=True, check=True)
    assert listed.stdout.decode().splitlines()[0] == "item.json"
    assert b"files/SHA256SUMS.p7s" in listed.stdout
    assert ingest(central, medium, key) == 0
    assert count_deliveries(central, hearing)[0] == 1


def damage_piece(folder: Path) -> None:
    path = folder / "0001-001.age"
    path.write_bytes(path.read_bytes()[:-10] + b"0123456789")


def drop_pack(folder: Path) -> None:
    (folder / "pack.json").unlink()


def change_pack(folder: Path) -> None:
    path = folder / "pack.json"
    path.write_text(path.read_text().replace('"made_at": "2', '"made_at": "1'))


def drop_piece(folder: Path) -> None:
    (folder / "0001-001.age").unlink()


@pytest.mark.parametrize("how", [damage_piece, drop_pack, change_pack, drop_piece])
def test_what_is_damaged_or_not_finished_is_not_taken_and_packing_again_heals(
    central: Central, kiosk: Kiosk, medium: Path, key: Path, how: Any
) -> None:
    hearing = kiosk.make_hearing(files=1, video=3000)
    assert run(kiosk, "pack", "--to", str(medium)) == 0
    (folder,) = list_packs(medium)
    how(folder)
    assert ingest(central, medium, key) == 1
    assert count_deliveries(central, hearing)[0] == 0
    shutil.rmtree(folder)
    assert run(kiosk, "pack", "--to", str(medium)) == 0
    assert ingest(central, medium, key) == 0
    assert count_deliveries(central, hearing)[0] == 1


def test_another_key_opens_nothing(
    central: Central, kiosk: Kiosk, medium: Path, key: Path, tmp_path: Path
) -> None:
    hearing = kiosk.make_hearing(files=1, video=3000)
    assert run(kiosk, "pack", "--to", str(medium)) == 0
    other = tmp_path / "other.key"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    assert ingest(central, medium, other) == 1
    other.write_text("no key")
    assert ingest(central, medium, other) == 1
    assert count_deliveries(central, hearing) == (0, 0)
    assert ingest(central, medium, key) == 0


def test_an_item_that_cannot_be_stored_holds_up_no_other(
    own_central: Central,
    own_kiosk: Kiosk,
    medium: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = pyrage.x25519.Identity.generate()
    own_kiosk.paths.court_recipient.write_text(f"# court\n{secret.to_public()}\n")
    key = tmp_path / "court.key"
    key.write_text(f"{secret}\n")
    hearing, report = own_kiosk.make_hearing(files=1, video=3000), own_kiosk.make_report()
    assert run(own_kiosk, "pack", "--to", str(medium)) == 0
    store = own_central.data / "store"
    store.mkdir(exist_ok=True)
    (store / "hearings").write_text("a file in the way\n")
    assert ingest(own_central, medium, key) == 1
    assert f"not taken: {hearing}: internal" in capsys.readouterr().out
    (folder,) = list_packs(medium)
    answers = json.loads((folder / "receipt.json").read_text())["items"]
    assert [answer["id"] for answer in answers if answer["receipt"]] == [report]
    (store / "hearings").unlink()
    assert ingest(own_central, medium, key) == 0


def test_forged_and_foreign_receipts_are_refused(
    central: Central, kiosk: Kiosk, medium: Path, key: Path
) -> None:
    hearing = secret_hearing(kiosk)
    assert run(kiosk, "pack", "--to", str(medium)) == 0
    assert ingest(central, medium, key) == 0
    (folder,) = list_packs(medium)
    file = folder / "receipt.json"
    good = file.read_text()

    def code() -> str:
        with pytest.raises(CourierError) as caught:
            import_receipts(kiosk.paths, medium)
        assert not (kiosk.paths.receipts / f"{hearing}.json").exists()
        return caught.value.code

    file.write_text(good.replace('"pack"', '"puck"'))
    assert code() == "courier_damaged"
    file.write_text("{torn")
    assert code() == "courier_damaged"
    forged = json.loads(good)  # signed by a kiosk's certificate of the same CA
    forged["signature"] = base64.b64encode(kiosk.signer().sign(signed_bytes(forged))).decode()
    forged["certificate"] = kiosk.paths.device_certificate.read_text()
    file.write_text(json.dumps(forged))
    assert code() == "courier_damaged"
    file.write_text(good)
    other = folder.parent.with_name("kiosk-0002")
    folder.parent.rename(other)
    assert code() == "courier_foreign"
    other.rename(folder.parent)
    shutil.copytree(folder, folder.with_name("a copy"))
    assert code() == "courier_damaged", "the receipts of another pack"
    shutil.rmtree(folder.with_name("a copy"))
    assert import_receipts(kiosk.paths, medium).imported == [hearing]


def test_a_medium_that_is_none_or_the_kiosk_itself(
    kiosk: Kiosk, medium: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kiosk.make_report()
    assert run(kiosk, "pack", "--to", str(medium / "absent")) == 1
    assert "plugged in" in capsys.readouterr().err
    assert run(kiosk, "pack", "--to", str(kiosk.paths.hearings.parent)) == 1
    assert "is on the kiosk itself" in capsys.readouterr().err
    assert run(kiosk, "receipt", str(medium)) == 1
    assert "nothing of a courier" in capsys.readouterr().err
    assert run(kiosk, "pack", "--to", str(medium), "no-such-item") == 1
    for pinned in (kiosk.paths.court_recipient, kiosk.paths.escrow_recipient):
        pinned.unlink(missing_ok=True)
    assert key.exists()
    assert run(kiosk, "pack", "--to", str(medium)) == 1
    assert "no key of the court" in capsys.readouterr().err
    assert list(medium.iterdir()) == []


def test_a_file_that_is_not_what_its_seal_says_is_left_out_the_rest_goes(
    kiosk: Kiosk, medium: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hearing, report = kiosk.make_hearing(files=1, video=3000), kiosk.make_report()
    broken = kiosk.paths.hearings / hearing / "part-01/main/run-01/000000.m4s"
    broken.write_bytes(b"x" * 3000)
    assert key.exists()
    assert run(kiosk, "pack", "--to", str(medium)) == 1
    assert f"{hearing}: file_changed" in capsys.readouterr().out
    (folder,) = list_packs(medium)
    about = json.loads((folder / "pack.json").read_text())
    assert [item["id"] for item in about["items"]] == [report]
    assert about["kiosk"] == KIOSK


@pytest.fixture
def tiny() -> Iterator[Path]:
    """A medium of 6 MiB that can be full."""
    folder = Path(tempfile.mkdtemp(prefix="tiny-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        folder.rmdir()
        pytest.skip("a small file system cannot be mounted here: not root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.mark.root
def test_a_full_medium_keeps_what_fits(
    kiosk: Kiosk, tiny: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = kiosk.make_hearing(files=1, video=5_000_000), kiosk.make_report()
    assert key.exists()
    wanted = undelivered_items(kiosk.paths)
    done = write_pack(kiosk.paths, tiny, wanted, print)
    assert (done.packed_ids, done.skipped) == ([small], {large: "courier_full"})
    shutil.rmtree(tiny / "kiosk-courier")
    monkeypatch.setattr(courier_pack, "OVERHEAD", 0.0)  # the estimate was wrong: it fills up midway
    monkeypatch.setattr(courier_pack, "RESERVE_BYTES", 0)
    done = write_pack(kiosk.paths, tiny, wanted, print)
    assert (done.packed_ids, done.skipped) == ([small], {large: "courier_full"})
    assert done.folder is not None
    assert {path.name[:4] for path in done.folder.glob("*.age")} == {"0002"}


def test_a_medium_pulled_in_the_middle_loses_nothing(
    kiosk: Kiosk, medium: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.make_hearing(files=1, video=300_000)
    before = undelivered_items(kiosk.paths)
    assert key.exists()

    class Pulled(PieceWriter):
        """A medium that vanishes after the first blocks."""

        def write(self, block: bytes) -> int:
            if self._size > 100_000:
                self.error = OSError(5, "Input/output error")
                raise self.error
            return super().write(block)

    monkeypatch.setattr(courier_pack, "PieceWriter", Pulled)
    with pytest.raises(CourierError) as caught:
        write_pack(kiosk.paths, medium, before, print)
    assert caught.value.code == "courier_medium"
    assert not list(medium.rglob("pack.json"))
    monkeypatch.undo()
    assert undelivered_items(kiosk.paths) == before
    assert write_pack(kiosk.paths, medium, before, print).packed_ids


def test_pieces_join_again_and_a_changed_one_is_noticed(tmp_path: Path) -> None:
    data = os.urandom(1000)
    writer = PieceWriter(tmp_path, "0001", 300)
    for start in range(0, 1000, 70):
        writer.write(data[start : start + 70])
    writer.close()
    assert [piece["size"] for piece in writer.pieces] == [300, 300, 300, 100]
    assert PieceReader(tmp_path, writer.pieces).read() == data
    (tmp_path / "0001-002.age").write_bytes(b"x" * 300)
    with pytest.raises(CourierError) as caught:
        PieceReader(tmp_path, writer.pieces).read()
    assert caught.value.code == "courier_damaged"
    outside = [{**writer.pieces[0], "name": "../secret"}]
    with pytest.raises(CourierError):
        PieceReader(tmp_path, outside).read()
    assert courier_format.PIECE_BYTES < 4 << 30
