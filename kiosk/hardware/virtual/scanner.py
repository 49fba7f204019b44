"""A driverless scanner on loopback: an eSCL (Mopria, AirScan) server with paper in it.

It is reached like a real network scanner, through sane-airscan and python-sane: nothing of the
product knows that it is virtual. Sheets are image files; faults are switched while it runs.

``python -m kiosk.hardware.virtual.scanner --pages DIR`` runs it by hand and takes commands on
standard input: ``load DIR``, ``jam N``, ``cover``, ``two N``, ``hang N``, ``half N``, ``gone``,
``mend``, ``back``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal, Self

from PIL import Image

FaultKind = Literal["none", "jam", "cover", "double", "hang", "half", "busy", "gone"]
Sheet = tuple[Path, ...]

#: The feeder takes sheets up to 216 x 356 mm, in three-hundredths of an inch.
_MAX_WIDTH, _MAX_HEIGHT = 2550, 4200
_RESOLUTIONS = (75, 100, 150, 200, 300, 400, 600)
_NAMESPACES = (
    'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" '
    'xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
)
#: A job that nobody asks for any more is forgotten, as scanners do.
_IDLE_JOB_SECONDS = 1.5


@dataclass
class _Job:
    """One scan job of one client."""

    feeder: bool
    duplex: bool
    grey: bool
    resolution: int
    width: int
    height: int
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
        sheets: what lies in the feeder: image files, or (front, back) pairs of them.
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
        self._server: _Server | None = None
        self._port = 0
        self._folder = tempfile.TemporaryDirectory(prefix="kiosk-scanner-")
        self.config_dir = Path(self._folder.name)
        self._glass = self.config_dir / "bare-glass.png"
        Image.new("L", (_MAX_WIDTH, _MAX_HEIGHT), 250).save(self._glass, dpi=(300, 300))
        self.load(sheets)

    def __enter__(self) -> Self:
        self._listen()
        self._write_config()
        return self

    def __exit__(self, *_error: object) -> None:
        self.clear_fault()
        self._close()
        self._folder.cleanup()

    # -- what a person does to it ------------------------------------------------------------

    def load(self, sheets: Iterable[Path | Sheet]) -> None:
        """Put ``sheets`` into the feeder, under what lies there already."""
        with self._changed:
            self._feeder += [(s,) if isinstance(s, Path) else tuple(s) for s in sheets]
            self._changed.notify_all()

    def reload(self, sheets: Sequence[Path | Sheet]) -> None:
        """Put ``sheets`` on top of what lies in the feeder."""
        with self._changed:
            rest, self._feeder = self._feeder, []
        self.load(sheets)
        self.load(rest)

    def unload(self) -> None:
        """Take everything out of the feeder."""
        with self._changed:
            self._feeder = []

    def lay_on_glass(self, page: Path) -> None:
        """Lay ``page`` on the glass."""
        with self._changed:
            self._glass = page

    @property
    def sheets_left(self) -> int:
        """Sheets that lie in the feeder."""
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
        """Draw in two sheets at once after ``after`` more pages, and report it."""
        self._set_fault("double", after)
        self._sheets_to_remove = 2

    def put_sheets_back(self) -> None:
        """Put the sheets that a jam or double feed took on top of what lies in the feeder."""
        with self._changed:
            self._feeder = self._removed_sheets + self._feeder
            self._removed_sheets = []

    def open_cover(self, after: int = 0, sheets: int = 0) -> None:
        """Open the cover when ``after`` more pages have passed; as :meth:`jam`."""
        self._set_fault("cover", after)
        self._sheets_to_remove = sheets

    def hang(self, after: int = 0) -> None:
        """Stop answering in the middle of a page, when ``after`` more pages have passed."""
        self._set_fault("hang", after)

    def send_half_page(self, after: int = 0) -> None:
        """Send half of one page as a complete reply, when ``after`` more pages have passed."""
        self._set_fault("half", after)

    def set_busy(self) -> None:
        """Refuse jobs as if somebody else were scanning."""
        self._set_fault("busy", 0)

    def disconnect(self) -> None:
        """Stop answering, as an unplugged scanner."""
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
        self._server = _Server(("127.0.0.1", self._port), _Handler)
        self._server.scanner = self
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def _write_config(self) -> None:
        """Write a SANE configuration that knows this scanner and discovers nothing."""
        (self.config_dir / "dll.conf").write_text("airscan\n", encoding="utf-8")
        (self.config_dir / "airscan.conf").write_text(
            f'[devices]\n"{self.NAME}" = http://127.0.0.1:{self._port}/eSCL, eSCL\n'
            "[options]\ndiscovery = disable\nws-discovery = off\n",
            encoding="utf-8",
        )

    # -- eSCL --------------------------------------------------------------------------------

    def capabilities(self) -> str:
        """Return the ScannerCapabilities document."""
        resolutions = "".join(
            f"<scan:DiscreteResolution><scan:XResolution>{dpi}</scan:XResolution>"
            f"<scan:YResolution>{dpi}</scan:YResolution></scan:DiscreteResolution>"
            for dpi in _RESOLUTIONS
        )
        caps = (
            "<scan:MinWidth>16</scan:MinWidth>"
            f"<scan:MaxWidth>{_MAX_WIDTH}</scan:MaxWidth><scan:MinHeight>16</scan:MinHeight>"
            f"<scan:MaxHeight>{_MAX_HEIGHT}</scan:MaxHeight>"
            "<scan:SettingProfiles><scan:SettingProfile><scan:ColorModes>"
            "<scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode>"
            "</scan:ColorModes><scan:DocumentFormats>"
            "<pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat></scan:DocumentFormats>"
            f"<scan:SupportedResolutions><scan:DiscreteResolutions>{resolutions}"
            "</scan:DiscreteResolutions></scan:SupportedResolutions>"
            "</scan:SettingProfile></scan:SettingProfiles>"
        )
        platen = f"<scan:Platen><scan:PlatenInputCaps>{caps}</scan:PlatenInputCaps></scan:Platen>"
        adf = f"<scan:AdfSimplexInputCaps>{caps}</scan:AdfSimplexInputCaps>"
        if self.has_duplex:
            adf += f"<scan:AdfDuplexInputCaps>{caps}</scan:AdfDuplexInputCaps>"
        feeder = f"<scan:Adf>{adf}</scan:Adf>" if self.has_feeder else ""
        return (
            f"<scan:ScannerCapabilities {_NAMESPACES}><pwg:Version>2.6</pwg:Version>"
            f"<pwg:MakeAndModel>Virtual sheet-fed scanner</pwg:MakeAndModel>"
            f"{platen}{feeder}</scan:ScannerCapabilities>"
        )

    def status(self) -> str:
        """Return the ScannerStatus document."""
        with self._lock:
            self._status_count += 1
            self._drop_idle_job()
            busy = self._fault == "busy" or self._job is not None
            state = "Processing" if busy else "Idle"
            if self._is_fault_active("jam"):
                state, adf = "Stopped", "ScannerAdfJam"
            elif self._is_fault_active("cover"):
                state, adf = "Stopped", "ScannerAdfDoorOpen"
            elif self._is_fault_active("double"):
                state, adf = "Stopped", "ScannerAdfMultipickDetected"
            elif self._feeder:
                adf = "ScannerAdfLoaded"
            else:
                adf = "ScannerAdfEmpty"
        return (
            f"<scan:ScannerStatus {_NAMESPACES}><pwg:Version>2.6</pwg:Version>"
            f"<pwg:State>{state}</pwg:State><scan:AdfState>{adf}</scan:AdfState>"
            "</scan:ScannerStatus>"
        )

    def start_job(self, request: str) -> str | None:
        """Begin the job of a ScanSettings document; return its name, or None to refuse."""
        with self._lock:
            self._drop_idle_job()
            feeder = "Feeder" in _element_text(request, "InputSource", "Platen")
            if self._job is not None or self._fault == "busy":
                return None
            if feeder and (self._apply_feeder_fault() or not self._feeder):
                return None
            self._job = _Job(
                feeder=feeder,
                duplex=_element_text(request, "Duplex", "false") == "true",
                grey=_element_text(request, "ColorMode", "RGB24") != "RGB24",
                resolution=int(_element_text(request, "XResolution", "300")),
                width=int(_element_text(request, "Width", str(_MAX_WIDTH))),
                height=int(_element_text(request, "Height", str(_MAX_HEIGHT))),
            )
            self._job_count += 1
            return self._job.name

    def next_document(self, name: str) -> bytes | None:
        """Return the next page of a job as JPEG; None when there is none (see the status)."""
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
        data = _render(page, job)
        return data[: len(data) // 2] if is_half else data

    def _next_side(self, job: _Job) -> tuple[Path, bool] | None:
        """Return the next page's file, and whether only half of it arrives. Lock is held."""
        if job.feeder and self._apply_feeder_fault():
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
        if not job.feeder:
            return self._glass if job.delivered == 1 else None
        if job.backs:
            return job.backs.pop(0)
        if not self._feeder:
            return None
        front, *backs = self._feeder.pop(0)
        job.backs = backs if job.duplex else []
        return front

    def end_job(self, name: str) -> None:
        """End the job ``name`` (the client cancelled, or is through)."""
        with self._changed:
            if self._job is not None and self._job.name == name:
                self._job = None
                self._changed.notify_all()

    def _is_fault_active(self, kind: str) -> bool:
        """Return whether this fault is in force now. Lock is held."""
        return self._fault == kind and self._pages_until_fault <= 0

    def _apply_feeder_fault(self) -> bool:
        """Return whether the feeder is jammed or open; if so, remove the sheets in question."""
        if not any(self._is_fault_active(kind) for kind in ("jam", "cover", "double")):
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


def _element_text(request: str, tag: str, default: str) -> str:
    """Return the text of the first element ``tag``, of any namespace."""
    found = re.search(rf"<(?:\w+:)?{tag}>([^<]*)<", request)
    return found.group(1).strip() if found else default


def _render(page: Path, job: _Job) -> bytes:
    """Return the sheet as the sensor sees it: resolution, colour and window of the job."""
    with Image.open(page) as opened:
        image = opened.convert("L" if job.grey else "RGB")
        own = round(float(opened.info.get("dpi", (300, 300))[0])) or 300
    if own != job.resolution:
        scale = job.resolution / own
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    width, height = (round(side * job.resolution / 300) for side in (job.width, job.height))
    image = image.crop((0, 0, min(width, image.width), min(height, image.height)))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=85, dpi=(job.resolution, job.resolution))
    return data.getvalue()


class _Server(ThreadingHTTPServer):
    """HTTP server that knows its scanner."""

    daemon_threads = True
    allow_reuse_address = True
    scanner: VirtualScanner


class _Handler(BaseHTTPRequestHandler):
    """The eSCL requests."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """ScannerCapabilities, ScannerStatus, NextDocument."""
        scanner = self.server.scanner
        if self.path.endswith("/ScannerCapabilities"):
            self._send(200, scanner.capabilities().encode(), "text/xml")
        elif self.path.endswith("/ScannerStatus"):
            self._send(200, scanner.status().encode(), "text/xml")
        elif self.path.endswith("/NextDocument"):
            page = scanner.next_document(self.path.split("/")[-2])
            self._send(200, page, "image/jpeg") if page else self._send(404)
        else:
            self._send(404)

    def do_POST(self) -> None:
        """ScanJobs."""
        length = int(self.headers.get("Content-Length", 0))
        name = self.server.scanner.start_job(self.rfile.read(length).decode("utf-8", "replace"))
        if name is None:
            self._send(409)
            return
        host, port = self.server.server_address[:2]
        address = f"http://{host!s}:{port}/eSCL/ScanJobs/{name}"
        self._send(201, headers={"Location": address})

    def do_DELETE(self) -> None:
        """End a job."""
        self.server.scanner.end_job(self.path.rstrip("/").split("/")[-1])
        self._send(200)

    def _send(
        self,
        status: int,
        body: bytes = b"",
        kind: str = "text/plain",
        headers: dict[str, str] | None = None,
    ) -> None:
        with contextlib.suppress(OSError):  # the client was killed: that is the point
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: standard error belongs to the program around us."""


def _run_command(scanner: VirtualScanner, line: str) -> None:
    """Do one command of standard input."""
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
