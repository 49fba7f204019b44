"""What the recorder does first when it starts: devices, then the interrupted hearing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WHEN_OPENED = """
import sys
from kiosk.hardware.sources.sources import Sources
Sources.open = lambda _sources: sys.exit("kiosk.hearing.courtroom" in sys.modules)
from kiosk.cli import main
sys.exit(main(["--config", sys.argv[1], "recorder"]))
"""
WHEN_RECOVERING = """
import sys
from kiosk.services.recorder_core import RecorderCore
RecorderCore.recover = lambda _core: sys.exit(bool({"aiohttp", "asyncio"} & set(sys.modules)))
from kiosk.cli import main
sys.exit(main(["--config", sys.argv[1], "recorder"]))
"""


def run(code: str, folder: Path) -> int:
    """Run the command ``recorder`` with a stop in it; return its exit status."""
    settings = folder / "kiosk.toml"
    settings.write_text(
        f'[kiosk]\nid = "kiosk-0001"\n[paths]\ndata = "{folder}/data"\nrun = "{folder}/run"\n'
        '[camera]\nback_end = "none"\n[panel]\nenabled = false\n'
    )
    command = [sys.executable, "-c", code, str(settings)]
    return subprocess.run(command, check=False, timeout=120).returncode


def test_devices_come_up_while_the_courtroom_is_imported(tmp_path: Path) -> None:
    assert run(WHEN_OPENED, tmp_path) == 0


def test_a_hearing_is_resumed_before_an_http_server_is_imported(tmp_path: Path) -> None:
    assert run(WHEN_RECOVERING, tmp_path) == 0
