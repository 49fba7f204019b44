"""Page imaging keeps memory from page to page and returns it when no page comes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from kiosk.filing.imaging.worker import ImagingWorker
from kiosk.hardware.virtual.claim_pages import draw_claim_page
from tests.support.waiting import wait_for


def _page_faults(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[7])


def _resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_a_page_uses_the_memory_of_the_page_before_until_none_comes(tmp_path: Path) -> None:
    asyncio.run(_scan_and_rest(tmp_path))


async def _scan_and_rest(tmp_path: Path) -> None:
    scan = tmp_path / "0001.jpg"
    draw_claim_page(1).save(scan, dpi=(300, 300))
    async with ImagingWorker() as worker:
        for _ in range(3):
            await worker.prepare(scan, 0, tmp_path)
        assert worker.pid is not None
        pid = worker.pid
        before = _page_faults(pid)
        await worker.prepare(scan, 0, tmp_path)
        assert _page_faults(pid) - before < 4000  # 16,000 if each picture is mapped anew
        busy = _resident_bytes(pid)
        wait_for(lambda: _resident_bytes(pid) < busy - (30 << 20), "memory to be returned", 60)
        assert (await worker.prepare(scan, 0, tmp_path)).kind  # it still answers
