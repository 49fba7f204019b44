"""Scanners that SANE finds: through sane-airscan, and what a back end that hangs does."""

from __future__ import annotations

import asyncio

import pytest

from kiosk.hardware.scanner.errors import ScannerStalledError
from kiosk.hardware.scanner.listing import find_scanners, name_scanners
from kiosk.hardware.virtual.scanner import VirtualScanner

pytestmark = pytest.mark.slow


def test_a_scanner_in_the_network_is_found_by_the_name_that_the_settings_need() -> None:
    with VirtualScanner() as scanner:
        found = asyncio.run(find_scanners(scanner.config_dir))
        assert scanner.device in [row.device for row in found]
        (row,) = [row for row in found if row.device == scanner.device]
        assert (bool(row.label), row.is_ambiguous) == (True, False)


def test_a_search_that_hangs_ends_with_an_error_and_leaves_no_process() -> None:
    with VirtualScanner() as scanner, pytest.raises(ScannerStalledError):
        asyncio.run(find_scanners(scanner.config_dir, seconds=0.01))


def test_two_scanners_of_one_name_are_shown_once_and_marked() -> None:
    rows = [["b:1", "M", "B", "scanner"], ["a:1", "M", "A", "s"], ["a:1", "M", "A", "s"]]
    assert [(row.device, row.label, row.is_ambiguous) for row in name_scanners(rows)] == [
        ("a:1", "M A", True),
        ("b:1", "M B", False),
    ]
