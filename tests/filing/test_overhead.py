"""From pages under a camera to documents of a filing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kiosk.config import OverheadCameraSettings, PathSettings, ScannerSettings, Settings
from kiosk.filing.service import FilingService, PageChecked
from kiosk.hardware.scanner.events import PageReady, PaperExpected
from kiosk.rules import Rules
from tests.filing.conftest import FakeSync
from tests.support.desk_photographs import draw_page, photograph


@pytest.mark.slow
def test_two_pages_from_the_desk_become_pages_of_the_filing(
    tmp_path: Path, rules: Rules, sync: FakeSync
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number, page in enumerate((None, 1, None, 2)):
        picture = photograph(draw_page(page) if page else None)
        picture.save(pictures / f"{number}.jpg", quality=92)
    overhead = OverheadCameraSettings(back_end="virtual", pictures=pictures, still_seconds=0.3)
    settings = Settings(
        paths=PathSettings(data=tmp_path / "data", run=tmp_path / "run"),
        scanner=ScannerSettings(kind="overhead", overhead=overhead),
    )

    async def visit() -> None:
        async with asyncio.timeout(90), FilingService(settings, rules, sync) as service:
            filing = service.create("claim", "kk")
            session = filing.scan_session()
            ready, checked = [], []
            async for event in filing.scan(session):
                if isinstance(event, PageReady):
                    ready.append(event.number)
                elif isinstance(event, PageChecked):
                    checked.append(event)
                elif isinstance(event, PaperExpected) and event.pages == (3,):
                    session.finish()
            assert ready == [1, 2]
            assert sorted(event.number for event in checked) == [1, 2]
            assert [page.number for page in filing.record.pages] == [1, 2]
            assert not list((tmp_path / "data").rglob("*.jpg"))
            service.wipe(filing)

    asyncio.run(visit())
