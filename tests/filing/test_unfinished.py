"""Unfinished filings: sealed, parked with a ticket, recovered by a secretary, wiped."""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiosk.clocks import wall_text
from kiosk.config import Settings
from kiosk.filing import draft_encryption as sealed
from kiosk.filing.drafts import parking
from kiosk.filing.errors import FilingDamagedError, FilingLockedError, TicketUnknownError
from kiosk.filing.folder import read_shell
from kiosk.filing.model import Page
from kiosk.filing.printing import ticket
from kiosk.filing.service import FilingDesk, OpenFiling
from kiosk.rules import Rules
from kiosk.storage.key_escrow import KEEP_OLD_S, RENEW_S, KeyGoneError, KeyKeeper, wrap
from tests.filing.conftest import FakeSync

NAME, IIN, CASE = "Ғалия Әбдіқызы", "850101300123", "7514-26-00-4/1187"


class FakeRecorder:
    """Opens wrapped keys as the recorder does, for whoever asks."""

    def __init__(self, keeper: KeyKeeper) -> None:
        self._keeper = keeper

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """Open a key."""
        del timeout
        assert path == "/v1/filing-keys/open"
        key = self._keeper.open(base64.b64decode(body["wrapped"]))
        return {"key": base64.b64encode(key).decode()}


@pytest.fixture
def desk(settings: Settings, rules: Rules, sync: FakeSync) -> FilingDesk:
    """Return a desk that nothing was done at."""
    return FilingDesk(settings, rules, sync)


def draft(desk: FilingDesk, pages: int = 2) -> OpenFiling:
    """Return a draft with sealed pages that say who filed."""
    filing = desk.begin("claim", "kk")
    key = filing.folder.key
    assert key is not None
    for number in range(1, pages + 1):
        filing.folder.page_file(number).write_bytes(key.seal(f"{NAME} {number}".encode()))
        filing.folder.keep(filing.filing.with_page(Page(number=number)))
    filing.describe(applicant={"name": NAME, "iin": IIN}, case_number=CASE)
    return filing


def all_bytes(root: Path) -> bytes:
    """Return everything under ``root``."""
    return b"".join(path.read_bytes() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("size", [0, 1, 1 << 18, (1 << 18) + 1, 700_000])
def test_what_is_sealed_comes_back_whole_or_not_at_all(size: int) -> None:
    key, data = sealed.FilingKey(), bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    closed = key.seal(data)
    assert key.open(closed) == data
    for wrong in (closed[:-1], closed[: -(1 << 10)], closed + b"x", b"KFS2" + closed[4:], b""):
        with pytest.raises(FilingDamagedError):
            key.open(wrong)
    with pytest.raises(FilingDamagedError):
        sealed.FilingKey().open(closed)


def test_nothing_readable_of_a_draft_is_on_the_disk(
    desk: FilingDesk, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    async def steps() -> None:
        filing = draft(desk)
        ticket_ = await desk.park(filing)
        resumed = await desk.resume(ticket_.code)
        desk.wipe(resumed)
        with pytest.raises(TicketUnknownError):
            await desk.resume(ticket_.code)

    KeyKeeper(desk.layout.keepers)
    filing = draft(desk)
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
    """The page is sealed on the disk, the filing does not know it yet; another one is torn."""

    async def steps() -> None:
        before = FilingDesk(settings, rules, sync)
        keeper = KeyKeeper(before.layout.keepers)
        filing = draft(before)
        filing.protect()
        assert filing.folder.key is not None
        filing.folder.page_file(3).write_bytes(filing.folder.key.seal(b"third"))
        filing.folder.page_file(4).with_suffix(".tmp").write_bytes(b"torn")
        after = FilingDesk(settings, rules, sync)
        (unfinished,) = after.unfinished()
        found = await after.recover(unfinished.filing_id, FakeRecorder(keeper))
        assert [page.number for page in found.filing.pages] == [1, 2, 3]
        assert found.filing.page(3).slot == found.filing.slot
        assert found.filing.next_page == 4
        assert found.folder.key is not None
        assert found.folder.key.open_file(found.folder.page_file(3)) == b"third"
        found.delete(3)  # what is done from now on writes it down
        assert found.filing.page(3).deleted

    asyncio.run(steps())


def test_a_parked_filing_opens_with_its_ticket_alone(desk: FilingDesk) -> None:
    keeper = KeyKeeper(desk.layout.keepers)

    async def steps() -> None:
        filing = draft(desk)
        folder, key = filing.folder.path, filing.folder.key
        assert (folder / "key.keeper").exists()
        given = await desk.park(filing)
        assert filing.gone
        assert key is not None
        with pytest.raises(FilingLockedError):
            _ = key.secret
        assert not (folder / "key.keeper").exists(), "not even for a secretary"
        (one,) = desk.unfinished()
        assert (one.pages, one.recoverable) == (2, False)
        with pytest.raises(FilingLockedError):
            await desk.recover(one.filing_id, FakeRecorder(keeper))
        with pytest.raises(FilingLockedError):
            desk.open(one.filing_id)
        for wrong in (
            "",
            "ABCD",
            ticket.shown_code(ticket.new_code()),
            "urn:uuid:" + one.filing_id,
        ):
            with pytest.raises(TicketUnknownError):
                await desk.resume(wrong)
        assert desk.wipe_unfinished(0) == 0, "a ticket keeps it"
        typed = given.code.lower().replace("0", "o").replace("1", "l")
        resumed = await desk.resume(typed)
        assert resumed.filing.applicant.name == NAME
        assert len(resumed.filing.kept_pages) == 2
        assert (folder / "key.keeper").exists()
        with pytest.raises(TicketUnknownError):
            await desk.resume(f"KIOSK-TICKET:{given.code.replace('-', '')}")

    asyncio.run(steps())


def test_an_expired_ticket_is_wiped(desk: FilingDesk) -> None:
    async def steps() -> None:
        filing = draft(desk)
        given = await desk.park(filing)
        shell = read_shell(filing.folder.path)
        assert shell is not None
        past = wall_text(datetime.now(UTC) - timedelta(seconds=1))
        filing.folder.keep_shell(shell.model_copy(update={"parked_until": past}))
        with pytest.raises(TicketUnknownError):
            await desk.resume(given.code)
        assert desk.wipe_unfinished(1800) == 1
        assert list(desk.layout.filings.iterdir()) == []

    asyncio.run(steps())


def test_after_a_crash_a_secretary_opens_it_for_half_an_hour(
    desk: FilingDesk, settings: Settings, rules: Rules, sync: FakeSync
) -> None:
    keeper = KeyKeeper(desk.layout.keepers)
    left = draft(desk).filing.id
    after = FilingDesk(settings, rules, sync)
    (one,) = after.unfinished()
    assert (one.filing_id, one.pages, one.recoverable) == (left, 2, True)
    assert after.wipe_unfinished(1800) == 0
    recovered = asyncio.run(after.recover(left, FakeRecorder(keeper)))
    assert recovered.filing.applicant.name == NAME
    assert after.unfinished() == []
    assert after.wipe_unfinished(0) == 0, "somebody has it open"
    third = FilingDesk(settings, rules, sync)
    assert third.wipe_unfinished(0) == 1


def test_left_behind_counts_from_the_restart_and_not_by_the_wall(
    settings: Settings, rules: Rules, sync: FakeSync
) -> None:
    desk = FilingDesk(settings, rules, sync)
    draft(desk)
    now = [0.0]
    lot = parking.Parking(desk, lambda: now[0])
    assert lot.left_behind(set(), 1800) == []
    now[0] = 1799
    assert lot.left_behind(set(), 1800) == []
    now[0] = 1800
    assert len(lot.left_behind(set(), 1800)) == 1


def test_keepers_are_renewed_and_the_old_ones_destroyed(tmp_path: Path) -> None:
    now = [0.0]
    assert wrap(tmp_path / "none", b"k" * 32) is None
    keeper = KeyKeeper(tmp_path / "keepers", lambda: now[0])
    wrapped = wrap(tmp_path / "keepers", b"k" * 32)
    assert wrapped is not None
    now[0] = RENEW_S
    keeper.turn()
    assert keeper.open(wrapped) == b"k" * 32
    again = KeyKeeper(tmp_path / "keepers", lambda: now[0])
    assert again.open(wrapped) == b"k" * 32, "a restart keeps them"
    now[0] += KEEP_OLD_S
    again.turn()
    with pytest.raises(KeyGoneError):
        again.open(wrapped)
    fresh = wrap(tmp_path / "keepers", b"f" * 32)
    assert fresh is not None
    assert again.open(fresh) == b"f" * 32


def test_a_draft_of_the_first_format_is_sealed(desk: FilingDesk) -> None:
    keeper = KeyKeeper(desk.layout.keepers)
    folder = desk.layout.filings / "9f6d0a52-6f0c-4a53-8a6c-3a3b0a5f6f10"
    (folder / "pages").mkdir(parents=True)
    (folder / "pages" / "0001.png").write_bytes(b"a page")
    (folder / "filing.json").write_text(
        '{"format": 1, "id": "9f6d0a52-6f0c-4a53-8a6c-3a3b0a5f6f10", "state": "draft",'
        f' "document_type": "claim", "applicant": {{"name": "{NAME}"}},'
        ' "created_at": "2026-11-01T00:00:00.000Z", "pages": [{"number": 1}]}'
    )

    async def steps() -> None:
        assert await desk.resume_submitting() == []
        assert NAME.encode() not in all_bytes(folder)
        assert [path.name for path in (folder / "pages").iterdir()] == ["0001.jpg.sealed"]
        filing = await desk.recover(folder.name, FakeRecorder(keeper))
        assert filing.filing.applicant.name == NAME
        assert filing.filing.pages[0].slot == "claim"
        key = filing.folder.key
        assert key is not None
        assert key.open_file(filing.folder.page_file(1)) == b"a page"

    asyncio.run(steps())


def test_a_wipe_is_complete_in_memory_too(desk: FilingDesk) -> None:
    async def steps() -> Callable[[], bytes]:
        filing = draft(desk)
        (filing.folder.work / "0001-preview.jpg").write_bytes(b"readable")
        key = filing.folder.key
        assert key is not None
        desk.wipe(filing)
        assert not filing.folder.work.exists()
        await asyncio.gather(*desk._chores)
        return lambda: key.secret

    secret = asyncio.run(steps())
    with pytest.raises(FilingLockedError):
        secret()
    assert list(desk.layout.filings.iterdir()) == []
