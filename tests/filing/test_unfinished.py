"""Unfinished filings: encrypted, parked with a ticket, recovered by a secretary, wiped."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import stat
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.config import Settings
from kiosk.filing import draft_encryption
from kiosk.filing.drafts import parked_filings
from kiosk.filing.errors import FilingDamagedError, FilingLockedError, TicketUnknownError
from kiosk.filing.folder import read_header
from kiosk.filing.model import Page
from kiosk.filing.printing import ticket
from kiosk.filing.service import FilingService, OpenFiling
from kiosk.rules import Rules
from kiosk.storage.ages import Ages
from kiosk.storage.key_escrow import (
    OLD_KEY_LIFETIME_S,
    ROTATION_S,
    KeyEscrow,
    KeyExpiredError,
    NoEscrowKeyError,
    wrap_key,
)
from kiosk.storage.paths import Paths
from tests.filing.conftest import FakeSync

NAME, IIN, CASE = "Ғалия Әбдіқызы", "850101300123", "7514-26-00-4/1187"


class FakeRecorder:
    """Opens wrapped keys like the recorder, but without a sign-in."""

    def __init__(self, escrow: KeyEscrow) -> None:
        self._escrow = escrow

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """Open a key."""
        del timeout
        assert path == "/v1/filing-keys/open"
        key = self._escrow.unwrap(base64.b64decode(body["wrapped"]))
        return {"key": base64.b64encode(key).decode()}


@pytest.fixture
def service(settings: Settings, rules: Rules, sync: FakeSync) -> FilingService:
    """Return a filing service without filings."""
    return FilingService(settings, rules, sync)


def draft(service: FilingService, pages: int = 2) -> OpenFiling:
    """Return a draft with encrypted pages that say who filed."""
    filing = service.create("claim", "kk")
    key = filing.folder.key
    assert key is not None
    for number in range(1, pages + 1):
        filing.folder.page_file(number).write_bytes(key.encrypt(f"{NAME} {number}".encode()))
        filing.folder.save(filing.record.with_page(Page(number=number)))
    filing.update_details(applicant={"name": NAME, "iin": IIN}, case_number=CASE)
    return filing


def all_bytes(root: Path) -> bytes:
    """Return everything under ``root``."""
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 1, 700_000])
def test_what_is_sealed_comes_back_whole_or_not_at_all(size: int) -> None:
    key, data = draft_encryption.DraftKey(), bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    closed = key.encrypt(data)
    assert key.decrypt(closed) == data
    for wrong in (closed[:-1], closed[: -(1 << 10)], closed + b"x", b"KFS2" + closed[4:], b""):
        with pytest.raises(FilingDamagedError):
            key.decrypt(wrong)
    with pytest.raises(FilingDamagedError):
        draft_encryption.DraftKey().decrypt(closed)


def test_nothing_readable_of_a_draft_is_on_the_disk(
    service: FilingService, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def steps() -> None:
        filing = draft(service)
        given = await service.park(filing)
        resumed = await service.resume(given.code)
        service.wipe(resumed)
        with pytest.raises(TicketUnknownError):
            await service.resume(given.code)

    KeyEscrow(service.paths.escrow_keys, service.paths.public_keys)
    filing = draft(service)
    on_disk = all_bytes(settings.paths.data)
    for secret in (NAME, IIN, CASE):
        assert secret.encode() not in on_disk
    assert filing.folder.key is not None
    assert filing.folder.key.secret not in on_disk
    asyncio.run(steps())
    assert not any(secret in caplog.text for secret in (NAME, IIN, CASE))


def test_power_cut_between_a_page_and_its_place_in_the_filing_loses_nothing(
    settings: Settings, rules: Rules, sync: FakeSync
) -> None:
    """The page is encrypted on the disk, the filing does not know it yet; another page is torn."""

    async def steps() -> None:
        before = FilingService(settings, rules, sync)
        escrow = KeyEscrow(before.paths.escrow_keys, before.paths.public_keys)
        filing = draft(before)
        filing.escrow_key()
        assert filing.folder.key is not None
        filing.folder.page_file(3).write_bytes(filing.folder.key.encrypt(b"third"))
        filing.folder.page_file(4).with_suffix(".tmp").write_bytes(b"torn")
        after = FilingService(settings, rules, sync)
        (unfinished,) = after.list_unfinished()
        found = await after.recover(unfinished.filing_id, FakeRecorder(escrow))
        assert [page.number for page in found.record.pages] == [1, 2, 3]
        assert found.record.page(3).slot == found.record.slot
        assert found.record.next_page == 4
        assert found.folder.key is not None
        assert found.folder.key.decrypt_file(found.folder.page_file(3)) == b"third"
        found.delete_page(3)  # what is done from now on writes it down
        assert found.record.page(3).deleted

    asyncio.run(steps())


def test_a_parked_filing_opens_with_its_ticket_alone(service: FilingService) -> None:
    escrow = KeyEscrow(service.paths.escrow_keys, service.paths.public_keys)

    async def steps() -> None:
        filing = draft(service)
        folder, key = filing.folder.path, filing.folder.key
        assert (folder / "key.keeper").exists()
        given = await service.park(filing)
        assert filing.is_closed
        assert key is not None
        with pytest.raises(FilingLockedError):
            _ = key.secret
        assert not (folder / "key.keeper").exists(), "not even for a secretary"
        (unfinished,) = service.list_unfinished()
        assert (unfinished.page_count, unfinished.is_recoverable) == (2, False)
        with pytest.raises(FilingLockedError):
            await service.recover(unfinished.filing_id, FakeRecorder(escrow))
        with pytest.raises(FilingLockedError):
            service.open(unfinished.filing_id)
        for wrong in (
            "",
            "ABCD",
            ticket.format_code(ticket.new_code()),
            "urn:uuid:" + unfinished.filing_id,
        ):
            with pytest.raises(TicketUnknownError):
                await service.resume(wrong)
        assert service.wipe_unfinished(0) == 0, "a ticket keeps it"
        typed = given.code.lower().replace("0", "o").replace("1", "l")
        resumed = await service.resume(typed)
        assert resumed.record.applicant.name == NAME
        assert len(resumed.record.kept_pages) == 2
        assert (folder / "key.keeper").exists()
        with pytest.raises(TicketUnknownError):
            await service.resume(f"KIOSK-TICKET:{given.code.replace('-', '')}")

    asyncio.run(steps())


@pytest.mark.parametrize("weeks", [-6, 6])
def test_a_parked_filing_is_wiped_after_its_hours_and_by_no_wall_clock(
    settings: Settings, rules: Rules, sync: FakeSync, weeks: int
) -> None:
    now, wrong = [1000.0], [timedelta(weeks=weeks)]

    def start() -> FilingService:
        ages = Ages(
            Paths.from_settings(settings.paths).filing_ages,
            lambda: now[0],
            wall=lambda: datetime.now(UTC) + wrong[0],
            is_synchronised=lambda: not wrong[0],
        )
        return FilingService(settings, rules, sync, ages=ages)

    async def steps() -> None:
        service = start()
        folder = draft(service).folder
        given = await service.park(service.open(folder.filing.id))
        assert service.wipe_unfinished(1800) == 0
        for moved in (timedelta(weeks=weeks), -timedelta(weeks=weeks), timedelta(0)):
            wrong[0] = moved  # unsynchronised, and then a time server sets it right
            assert service.wipe_unfinished(1800) == 0
            assert start().wipe_unfinished(1800) == 0
        hours = settings.filing.parked_hours * 3600
        now[0] += hours - 1
        service = start()
        assert service.wipe_unfinished(1800) == 0
        assert (await service.resume(given.code)).record.applicant.name == NAME
        again = await service.park(service.open(folder.filing.id))
        assert service.wipe_unfinished(1800) == 0
        now[0] += hours
        assert service.wipe_unfinished(1800) == 1
        with pytest.raises(TicketUnknownError):
            await service.resume(again.code)
        assert [path.name for path in service.paths.filings.iterdir()] == ["ages.json"]

    asyncio.run(steps())


def test_a_ticket_whose_end_cannot_be_read_still_opens_and_is_not_wiped(
    service: FilingService,
) -> None:
    async def steps() -> None:
        filing = draft(service)
        given = await service.park(filing)
        header = read_header(filing.folder.path)
        assert header is not None
        filing.folder.save_header(header.model_copy(update={"parked_until": "tomorrow"}))
        assert service.wipe_unfinished(0) == 0
        assert len(service.list_unfinished()) == 1
        assert (await service.resume(given.code)).record.applicant.name == NAME

    asyncio.run(steps())


def test_after_a_crash_a_secretary_opens_it_for_half_an_hour(
    service: FilingService, settings: Settings, rules: Rules, sync: FakeSync
) -> None:
    escrow = KeyEscrow(service.paths.escrow_keys, service.paths.public_keys)
    left = draft(service).record.id
    after = FilingService(settings, rules, sync)
    (unfinished,) = after.list_unfinished()
    assert (unfinished.filing_id, unfinished.page_count, unfinished.is_recoverable) == (
        left,
        2,
        True,
    )
    assert after.wipe_unfinished(1800) == 0
    recovered = asyncio.run(after.recover(left, FakeRecorder(escrow)))
    assert recovered.record.applicant.name == NAME
    assert after.list_unfinished() == []
    assert after.wipe_unfinished(0) == 0, "somebody has it open"
    third = FilingService(settings, rules, sync)
    assert third.wipe_unfinished(0) == 1


def test_left_behind_counts_from_the_restart_and_not_by_the_wall(
    settings: Settings, rules: Rules, sync: FakeSync
) -> None:
    service = FilingService(settings, rules, sync)
    draft(service)
    now = [0.0]
    parked = parked_filings.ParkedFilings(service, Ages(service.paths.filing_ages, lambda: now[0]))
    assert parked.list_abandoned(set(), 1800) == []
    now[0] = 1799
    assert parked.list_abandoned(set(), 1800) == []
    now[0] = 1800
    assert len(parked.list_abandoned(set(), 1800)) == 1


def test_keepers_are_renewed_and_the_old_ones_destroyed(tmp_path: Path) -> None:
    now = [0.0]
    private, public = tmp_path / "keepers", tmp_path / "public"
    with pytest.raises(NoEscrowKeyError):
        wrap_key(tmp_path / "none", b"k" * 32)
    escrow = KeyEscrow(private, public, lambda: now[0])
    wrapped = wrap_key(public, b"k" * 32)
    now[0] = ROTATION_S
    escrow.rotate()
    assert escrow.unwrap(wrapped) == b"k" * 32
    again = KeyEscrow(private, public, lambda: now[0])
    assert again.unwrap(wrapped) == b"k" * 32, "a restart keeps them"
    now[0] += OLD_KEY_LIFETIME_S
    again.rotate()
    with pytest.raises(KeyExpiredError):
        again.unwrap(wrapped)
    fresh = wrap_key(public, b"f" * 32)
    assert again.unwrap(fresh) == b"f" * 32


def test_public_keys_are_readable_by_all_and_published_again_when_lost(tmp_path: Path) -> None:
    private, public = tmp_path / "keepers", tmp_path / "public"
    private.mkdir()
    (private / "00000001.pub").write_text("where an older version had it")
    umask = os.umask(0o077)
    try:
        escrow = KeyEscrow(private, public)
    finally:
        os.umask(umask)
    (key,) = public.iterdir()
    assert (key.stat().st_mode & 0o777, public.stat().st_mode & 0o777) == (0o644, 0o755)
    assert [path.suffix for path in private.iterdir()] == [".key"]
    assert escrow.is_published()
    for fault in ("lost", "key forbidden", "folder forbidden"):
        if fault == "lost":
            key.unlink()
        else:
            (key if fault == "key forbidden" else public).chmod(0o700)
        assert not escrow.is_published()
        escrow.rotate()
        assert escrow.is_published()
    assert escrow.unwrap(wrap_key(public, b"k" * 32)) == b"k" * 32


@pytest.mark.root
def test_a_folder_that_is_open_already_is_left_as_it_is() -> None:
    """The recorder's unit may set no set-group-ID bit; here its folder is another user's."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        base.chmod(0o755)
        private, public = base / "private", base / "public"
        for folder in (private, public):
            folder.mkdir()
            folder.chmod(0o2777)
        if not (child := os.fork()):
            try:
                os.setuid(65534)
                os._exit(0 if KeyEscrow(private, public).is_published() else 1)
            except BaseException:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert stat.S_IMODE(public.stat().st_mode) == 0o2777


@pytest.mark.parametrize("state", ["absent", "empty", "unreadable", "damaged"])
def test_a_filing_without_an_escrow_key_is_never_taken_silently(
    service: FilingService, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    keys = service.paths.public_keys
    keys.parent.mkdir(exist_ok=True)
    if state == "unreadable":
        keys.write_text("a file where the folder should be")
    elif state != "absent":
        keys.mkdir()
    if state == "damaged":
        (keys / "00000001.pub").write_text("no key")
    filing = draft(service)
    assert not service.is_protecting
    assert "unfinished filings are not protected" in caplog.text
    caplog.clear()
    filing.escrow_key()
    assert caplog.text == ""  # said once
    assert not (filing.folder.path / "key.keeper").exists()

    if keys.is_file():
        keys.unlink()
    escrow = KeyEscrow(service.paths.escrow_keys, keys)
    filing.escrow_key()
    assert service.is_protecting
    wrapped = (filing.folder.path / "key.keeper").read_bytes()
    assert filing.folder.key is not None
    assert escrow.unwrap(wrapped) == filing.folder.key.secret


def test_a_draft_of_the_first_format_is_sealed(service: FilingService) -> None:
    escrow = KeyEscrow(service.paths.escrow_keys, service.paths.public_keys)
    folder = service.paths.filings / "9f6d0a52-6f0c-4a53-8a6c-3a3b0a5f6f10"
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "0001.png").write_bytes(b"a page")
    (folder / "filing.json").write_text(
        '{"format": 1, "id": "9f6d0a52-6f0c-4a53-8a6c-3a3b0a5f6f10", "state": "draft",'
        f' "document_type": "claim", "applicant": {{"name": "{NAME}"}},'
        ' "created_at": "2026-11-01T00:00:00.000Z", "pages": [{"number": 1}]}'
    )

    async def steps() -> None:
        assert await service.resume_submissions() == []
        assert NAME.encode() not in all_bytes(folder)
        assert [path.name for path in (folder / "pages").iterdir()] == ["0001.jpg.sealed"]
        filing = await service.recover(folder.name, FakeRecorder(escrow))
        assert filing.record.applicant.name == NAME
        assert filing.record.pages[0].slot == "claim"
        key = filing.folder.key
        assert key is not None
        assert key.decrypt_file(filing.folder.page_file(1)) == b"a page"

    asyncio.run(steps())


def test_a_wipe_is_complete_in_memory_too(service: FilingService) -> None:
    async def steps() -> Callable[[], bytes]:
        filing = draft(service)
        (filing.folder.work_folder / "0001-preview.jpg").write_bytes(b"readable")
        key = filing.folder.key
        assert key is not None
        service.wipe(filing)
        assert not filing.folder.work_folder.exists()
        await asyncio.gather(*service._background_tasks)  # noqa: SLF001 (the removal runs beside)
        return lambda: key.secret

    secret = asyncio.run(steps())
    with pytest.raises(FilingLockedError):
        secret()
    assert list(service.paths.filings.iterdir()) == []
