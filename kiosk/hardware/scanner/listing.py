"""Lists the scanners that SANE finds, in a process of its own: a back end may hang or crash.

As a program it prints them as JSON: ``python -m kiosk.hardware.scanner.listing``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from kiosk.hardware.scanner.errors import ScannerStalledError

SEARCH_S = 40.0
"""Back ends ask the network, and each waits for its own time."""


class FoundScanner(NamedTuple):
    """A scanner that is there now.

    Attributes:
        device: what the settings name it.
        label: maker and model.
        is_ambiguous: another one has the same name: the settings cannot mean one of them.
    """

    device: str
    label: str
    is_ambiguous: bool = False


async def find_scanners(config_dir: Path | None, seconds: float = SEARCH_S) -> list[FoundScanner]:
    """Return the scanners that SANE finds, by name.

    Args:
        config_dir: ``SANE_CONFIG_DIR``; None for the system's.

    Raises:
        ScannerStalledError: a back end hangs or crashes.
    """
    environment = os.environ | ({"SANE_CONFIG_DIR": str(config_dir)} if config_dir else {})
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kiosk.hardware.scanner.listing"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
        rows = json.loads(output)
    except (TimeoutError, ValueError) as error:
        raise ScannerStalledError("the search for scanners did not end") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return name_scanners(rows)


def name_scanners(rows: list[list[str]]) -> list[FoundScanner]:
    """Return what SANE lists (name, maker, model, kind) once each; equal names are marked."""
    counts = Counter(row[0] for row in rows)
    labels = {row[0]: f"{row[1]} {row[2]}".strip() for row in rows}
    return [FoundScanner(name, labels[name], counts[name] > 1) for name in sorted(counts)]


def main() -> None:
    """Print the scanners of this machine."""
    import sane  # type: ignore[import-untyped]

    sane.init()
    print(json.dumps([list(map(str, row)) for row in sane.get_devices()]))


if __name__ == "__main__":
    main()
