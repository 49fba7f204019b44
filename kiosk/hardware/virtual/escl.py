"""The eSCL (Mopria, AirScan) side of the virtual scanner: documents, pages and HTTP server."""

from __future__ import annotations

import contextlib
import io
import re
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal, Protocol

from PIL import Image

#: Largest sheet of the feeder, 216 x 356 mm, in three-hundredths of an inch.
MAX_WIDTH, MAX_HEIGHT = 2550, 4200
_RESOLUTIONS = (75, 100, 150, 200, 300, 400, 600)
_NAMESPACES = (
    'xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03" '
    'xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm"'
)

AdfState = Literal[
    "ScannerAdfLoaded",
    "ScannerAdfEmpty",
    "ScannerAdfJam",
    "ScannerAdfDoorOpen",
    "ScannerAdfMultipickDetected",
]


@dataclass(frozen=True)
class ScanSettings:
    """Content of a ScanSettings document; width and height in three-hundredths of an inch."""

    feeder: bool
    duplex: bool
    grey: bool
    resolution: int
    width: int
    height: int


def parse_scan_settings(request: str) -> ScanSettings:
    """Return the settings of the ScanSettings document ``request``."""
    return ScanSettings(
        feeder="Feeder" in _element_text(request, "InputSource", "Platen"),
        duplex=_element_text(request, "Duplex", "false") == "true",
        grey=_element_text(request, "ColorMode", "RGB24") != "RGB24",
        resolution=int(_element_text(request, "XResolution", "300")),
        width=int(_element_text(request, "Width", str(MAX_WIDTH))),
        height=int(_element_text(request, "Height", str(MAX_HEIGHT))),
    )


def _element_text(request: str, tag: str, default: str) -> str:
    """Return the text of the first element ``tag``, of any namespace."""
    found = re.search(rf"<(?:\w+:)?{tag}>([^<]*)<", request)
    return found.group(1).strip() if found else default


def capabilities_xml(*, has_feeder: bool, has_duplex: bool) -> str:
    """Return the ScannerCapabilities document."""
    resolutions = "".join(
        f"<scan:DiscreteResolution><scan:XResolution>{dpi}</scan:XResolution>"
        f"<scan:YResolution>{dpi}</scan:YResolution></scan:DiscreteResolution>"
        for dpi in _RESOLUTIONS
    )
    caps = (
        "<scan:MinWidth>16</scan:MinWidth>"
        f"<scan:MaxWidth>{MAX_WIDTH}</scan:MaxWidth><scan:MinHeight>16</scan:MinHeight>"
        f"<scan:MaxHeight>{MAX_HEIGHT}</scan:MaxHeight>"
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
    if has_duplex:
        adf += f"<scan:AdfDuplexInputCaps>{caps}</scan:AdfDuplexInputCaps>"
    feeder = f"<scan:Adf>{adf}</scan:Adf>" if has_feeder else ""
    return (
        f"<scan:ScannerCapabilities {_NAMESPACES}><pwg:Version>2.6</pwg:Version>"
        f"<pwg:MakeAndModel>Virtual sheet-fed scanner</pwg:MakeAndModel>"
        f"{platen}{feeder}</scan:ScannerCapabilities>"
    )


def status_xml(state: Literal["Idle", "Processing", "Stopped"], adf: AdfState) -> str:
    """Return the ScannerStatus document."""
    return (
        f"<scan:ScannerStatus {_NAMESPACES}><pwg:Version>2.6</pwg:Version>"
        f"<pwg:State>{state}</pwg:State><scan:AdfState>{adf}</scan:AdfState>"
        "</scan:ScannerStatus>"
    )


def render_page(page: Path, settings: ScanSettings) -> bytes:
    """Return a sheet's side as JPEG with the resolution, colour and window of ``settings``."""
    with Image.open(page, formats=("JPEG", "PNG")) as opened:
        image = opened.convert("L" if settings.grey else "RGB")
        own = round(float(opened.info.get("dpi", (300, 300))[0])) or 300
    resolution = settings.resolution
    if own != resolution:
        scale = resolution / own
        image = image.resize((round(image.width * scale), round(image.height * scale)))
    width, height = (round(side * resolution / 300) for side in (settings.width, settings.height))
    image = image.crop((0, 0, min(width, image.width), min(height, image.height)))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=85, dpi=(resolution, resolution))
    return data.getvalue()


class EsclDevice(Protocol):
    """A scanner behind :class:`EsclServer`."""

    def capabilities(self) -> str:
        """Return the ScannerCapabilities document."""

    def status(self) -> str:
        """Return the ScannerStatus document."""

    def start_job(self, settings: ScanSettings) -> str | None:
        """Start a job; return its name, or None to refuse it."""

    def next_document(self, name: str) -> bytes | None:
        """Return the next page of job ``name`` as JPEG, or None."""

    def end_job(self, name: str) -> None:
        """End job ``name``."""


class EsclServer(ThreadingHTTPServer):
    """HTTP server of a scanner."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, scanner: EsclDevice) -> None:
        self.scanner = scanner
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """Handles the eSCL requests."""

    protocol_version = "HTTP/1.1"
    server: EsclServer

    def do_GET(self) -> None:
        """Answer ScannerCapabilities, ScannerStatus and NextDocument."""
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
        """Start a job (ScanJobs)."""
        length = int(self.headers.get("Content-Length", 0))
        request = self.rfile.read(length).decode("utf-8", "replace")
        name = self.server.scanner.start_job(parse_scan_settings(request))
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
        with contextlib.suppress(OSError):  # the client may be killed on purpose
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: standard error belongs to the surrounding program."""
