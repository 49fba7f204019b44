"""A driverless scanner on the loopback interface: an eSCL (Mopria, AirScan) server with paper.

The kiosk uses it like a real network scanner, through sane-airscan and python-sane, and does not
know that it is virtual. Sheets are image files; faults can be set while it runs.

``python -m kiosk.hardware.virtual.scanner --pages DIR`` runs it by hand and takes commands on
standard input: ``load DIR``, ``jam N``, ``cover``, ``two N``, ``hang N``, ``half N``, ``gone``,
``mend``, ``back``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from PIL import Image

from kiosk.hardware.virtual.escl import (
    MAX_HEIGHT,
    MAX_WIDTH,
    AdfState,
    EsclServer,
    ScanSettings,
    capabilities_xml,
    render_page,
    status_xml,
)

FaultKind = Literal["none", "jam", "cover", "double", "hang", "half", "busy", "gone"]
Sheet = tuple[Path, ...]

#: ADF states of the faults that stop the feeder.
_FAULT_STATES: dict[FaultKind, AdfState] = {
    "jam": "ScannerAdfJam",
    "cover": "ScannerAdfDoorOpen",
    "double": "ScannerAdfMultipickDetected",
}
#: Scanners drop a job after this time without a request.
_IDLE_JOB_SECONDS = 1.5


@dataclass
class _Job:
    """A scan job of a client."""

    settings: ScanSettings
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    backs: list[Path] = field(default_factory=list)
    delivered: int = 0
    asked: float = field(default_factory=time.monotonic)
    in_flight: bool = False


class VirtualScanner:
    """The scanner: a context manager that serves eSCL on a free port of 127.0.0.1.

    Attributes:
        device: SANE device name for ``[scanner] device``.
        config_dir: for ``[scanner] sane_config_dir``.

    Args:
        sheets: sheets in the feeder: image files, or (front, back) pairs of them.
        feeder: whether there is a feeder (else only a glass).
        duplex: whether the feeder can scan both sides.
        seconds_per_page: how long a page takes.
    """

    NAME = "Virtual"

    def __init__(
        self,
        sheets: Iterable[Path | Sheet] = (),
        *,
        feeder: bool = True,
        duplex: bool = True,
        seconds_per_page: float = 0.0,
    ) -> None:
        self.has_feeder = feeder
        self.has_duplex = duplex
        self.device = f"airscan:e0:{self.NAME}"
        self._seconds_per_page = seconds_per_page
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._feeder: list[Sheet] = []
        self._fault: FaultKind = "none"
        self._pages_until_fault = 0
        self._sheets_to_remove = 0
        self._removed_sheets: list[Sheet] = []
        self._job: _Job | None = None
        self._job_count = 0
        self._status_count = 0
        self._server: EsclServer | None = None
        self._port = 0
        self._folder = tempfile.TemporaryDirectory(prefix="kiosk-scanner-")
        self.config_dir = Path(self._folder.name)
        self._glass = self.config_dir / "bare-glass.png"
        Image.new("L", (MAX_WIDTH, MAX_HEIGHT), 250).save(self._glass, dpi=(300, 300))
        self.load(sheets)

    def __enter__(self) -> Self:
        self._listen()
        self._write_config()
        return self

    def __exit__(self, *_error: object) -> None:
        self.clear_fault()
        self._close()
        self._folder.cleanup()

    # -- actions of a person -----------------------------------------------------------------

    def load(self, sheets: Iterable[Path | Sheet]) -> None:
        """Put ``sheets`` into the feeder, below those in it."""
        with self._changed:
            self._feeder += [(s,) if isinstance(s, Path) else tuple(s) for s in sheets]
            self._changed.notify_all()

    def reload(self, sheets: Sequence[Path | Sheet]) -> None:
        """Put ``sheets`` into the feeder, on top of those in it."""
        with self._changed:
            rest, self._feeder = self._feeder, []
        self.load(sheets)
        self.load(rest)

    def unload(self) -> None:
        """Remove all sheets from the feeder."""
        with self._changed:
            self._feeder = []

    def lay_on_glass(self, page: Path) -> None:
        """Put ``page`` on the glass."""
        with self._changed:
            self._glass = page

    @property
    def sheets_left(self) -> int:
        """Number of sheets in the feeder."""
        with self._lock:
            return len(self._feeder)

    @property
    def job_count(self) -> int:
        """Number of scan jobs so far."""
        with self._lock:
            return self._job_count

    @property
    def status_count(self) -> int:
        """Number of status requests so far."""
        with self._lock:
            return self._status_count

    def jam(self, after: int = 0, sheets: int = 0) -> None:
        """Jam after ``after`` more pages; ``sheets`` sheets leave the feeder then."""
        self._set_fault("jam", after)
        self._sheets_to_remove = sheets

    def double_feed(self, after: int = 0) -> None:
        """Feed two sheets together after ``after`` more pages, and report it."""
        self._set_fault("double", after)
        self._sheets_to_remove = 2

    def put_sheets_back(self) -> None:
        """Put the sheets removed by a jam or double feed back on top in the feeder."""
        with self._changed:
            self._feeder = self._removed_sheets + self._feeder
            self._removed_sheets = []

    def open_cover(self, after: int = 0, sheets: int = 0) -> None:
        """Open the cover after ``after`` more pages; ``sheets`` as for :meth:`jam`."""
        self._set_fault("cover", after)
        self._sheets_to_remove = sheets

    def hang(self, after: int = 0) -> None:
        """Hang in the middle of a page after ``after`` more pages."""
        self._set_fault("hang", after)

    def send_half_page(self, after: int = 0) -> None:
        """Send half of a page as a complete reply after ``after`` more pages."""
        self._set_fault("half", after)

    def set_busy(self) -> None:
        """Refuse jobs, as while another client scans."""
        self._set_fault("busy", 0)

    def disconnect(self) -> None:
        """Stop answering, like an unplugged scanner."""
        self._set_fault("gone", 0)
        self._close()

    def clear_fault(self) -> None:
        """Clear the fault: jam removed, cover closed, cable plugged in again."""
        with self._changed:
            was, self._fault = self._fault, "none"
            self._job = None
            self._changed.notify_all()
        if was == "gone":
            self._listen()

    def _set_fault(self, kind: FaultKind, after: int) -> None:
        with self._changed:
            self._fault, self._pages_until_fault, self._sheets_to_remove = kind, after, 0

    # -- the server --------------------------------------------------------------------------

    def _listen(self) -> None:
        self._server = EsclServer(self._port, self)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def _write_config(self) -> None:
        """Write a SANE configuration with this scanner and without discovery."""
        (self.config_dir / "dll.conf").write_text("airscan\n", encoding="utf-8")
        (self.config_dir / "airscan.conf").write_text(
            f'[devices]\n"{self.NAME}" = http://127.0.0.1:{self._port}/eSCL, eSCL\n'
            "[options]\ndiscovery = disable\nws-discovery = off\n",
            encoding="utf-8",
        )

    # -- eSCL --------------------------------------------------------------------------------

    def capabilities(self) -> str:
        """Return the ScannerCapabilities document."""
        return capabilities_xml(has_feeder=self.has_feeder, has_duplex=self.has_duplex)

    def status(self) -> str:
        """Return the ScannerStatus document."""
        with self._lock:
            self._status_count += 1
            self._drop_idle_job()
            for fault, adf_state in _FAULT_STATES.items():
                if self._is_fault_active(fault):
                    return status_xml("Stopped", adf_state)
            is_busy = self._fault == "busy" or self._job is not None
            return status_xml(
                "Processing" if is_busy else "Idle",
                "ScannerAdfLoaded" if self._feeder else "ScannerAdfEmpty",
            )

    def start_job(self, settings: ScanSettings) -> str | None:
        """Start a job; return its name, or None to refuse it."""
        with self._lock:
            self._drop_idle_job()
            if self._job is not None or self._fault == "busy":
                return None
            if settings.feeder and (self._apply_feeder_fault() or not self._feeder):
                return None
            self._job = _Job(settings)
            self._job_count += 1
            return self._job.name

    def next_document(self, name: str) -> bytes | None:
        """Return the next page of job ``name`` as JPEG, or None (the status says why)."""
        with self._changed:
            job = self._job
            if job is None or job.name != name:
                return None
            job.in_flight = True
            try:
                side = self._next_side(job)
            finally:
                job.in_flight, job.asked = False, time.monotonic()
            if side is None:
                self._job = None
                return None
            page, is_half = side
        time.sleep(self._seconds_per_page)
        data = render_page(page, job.settings)
        return data[: len(data) // 2] if is_half else data

    def _next_side(self, job: _Job) -> tuple[Path, bool] | None:
        """Return the next page's file and whether to send only half of it. Lock is held."""
        if job.settings.feeder and self._apply_feeder_fault():
            return None
        while self._is_fault_active("hang"):
            self._changed.wait()
            if self._job is not job:
                return None
        page = self._advance_sheet(job)
        if page is None:
            return None
        is_half = self._is_fault_active("half")
        if is_half:
            self._fault = "none"
        elif self._fault != "none":
            self._pages_until_fault -= 1
        return page, is_half

    def _advance_sheet(self, job: _Job) -> Path | None:
        """Move the next side past the sensor. Lock is held."""
        job.delivered += 1
        if not job.settings.feeder:
            return self._glass if job.delivered == 1 else None
        if job.backs:
            return job.backs.pop(0)
        if not self._feeder:
            return None
        front, *backs = self._feeder.pop(0)
        job.backs = backs if job.settings.duplex else []
        return front

    def end_job(self, name: str) -> None:
        """End job ``name``: the client cancelled it or has all pages."""
        with self._changed:
            if self._job is not None and self._job.name == name:
                self._job = None
                self._changed.notify_all()

    def _is_fault_active(self, kind: FaultKind) -> bool:
        """Return whether fault ``kind`` is active now. Lock is held."""
        return self._fault == kind and self._pages_until_fault <= 0

    def _apply_feeder_fault(self) -> bool:
        """Return whether a fault stops the feeder; if so, remove the affected sheets."""
        if not any(self._is_fault_active(kind) for kind in _FAULT_STATES):
            return False
        count = self._sheets_to_remove
        self._removed_sheets += self._feeder[:count]
        self._feeder = self._feeder[count:]
        self._sheets_to_remove = 0
        return True

    def _drop_idle_job(self) -> None:
        job = self._job
        if job is None or job.in_flight:
            return
        if time.monotonic() - job.asked > _IDLE_JOB_SECONDS + self._seconds_per_page:
            self._job = None


def _run_command(scanner: VirtualScanner, line: str) -> None:
    """Run a command from standard input."""
    word, _, value = line.strip().partition(" ")
    count = int(value) if value.isdigit() else 0
    actions = {
        "load": lambda: scanner.load(sorted(Path(value).glob("*.png"))),
        "jam": lambda: scanner.jam(count),
        "cover": lambda: scanner.open_cover(count),
        "two": lambda: scanner.double_feed(count),
        "back": scanner.put_sheets_back,
        "hang": lambda: scanner.hang(count),
        "half": lambda: scanner.send_half_page(count),
        "busy": scanner.set_busy,
        "gone": scanner.disconnect,
        "mend": scanner.clear_fault,
    }
    if word not in actions:
        print(f"unknown: {word}; commands: {', '.join(actions)}", flush=True)
        return
    actions[word]()
    print(f"{word}: done; {scanner.sheets_left} sheets in the feeder", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Run the scanner until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=Path, metavar="DIR", help="PNG files for the feeder")
    arguments = parser.parse_args(argv)
    sheets = sorted(arguments.pages.glob("*.png")) if arguments.pages else []
    with VirtualScanner(sheets) as scanner:
        print(f'device = "{scanner.device}"\nsane_config_dir = "{scanner.config_dir}"', flush=True)
        for line in sys.stdin:
            _run_command(scanner, line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
