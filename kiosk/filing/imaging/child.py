"""The page imaging process: ``python -m kiosk.filing.imaging.child PARENT``.

Each line of standard input is a request, each line of standard output its answer (JSON, in the
same order). Only this process decodes images from outside: a picture that crashes a decoder or uses
up all memory ends this process, not the touch screen.

Requests: ``{"action": "prepare", "page", "turn", "may_turn", "folder"}``,
``{"action": "assemble", "pages", "folder", "title", "language", "max_bytes"}`` and
``{"action": "read_codes", "page"}``.
The answer to a failed request has ``error`` and ``code``.
"""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import sys
import threading
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from PIL import Image

from kiosk.errors import KioskError
from kiosk.filing.errors import PageFailedError
from kiosk.filing.imaging.encoding import prepare_page
from kiosk.hardware.child_process.malloc import keep_free_memory, return_free_memory
from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.hardware.child_process.priority import lower_priority

#: Address space of this process: a Pi has 4 GB; A3 at 600 dpi in colour needs about 1 GB.
_MEMORY_BYTES = 3 << 30
#: Seconds without a request after which it returns the memory of the last pages.
_IDLE_S = 5
#: Dots of the largest page: A3 at 600 dpi.
_MAX_PIXELS = 9_933 * 14_043


def prepare(request: dict[str, Any]) -> dict[str, Any]:
    """Prepare a page; return the fields of :class:`kiosk.filing.imaging.encoding.EncodedPage`."""
    prepared = prepare_page(
        Path(request["page"]),
        int(request["turn"]),
        Path(request["folder"]),
        may_turn=bool(request["may_turn"]),
    )
    return {
        "file": str(prepared.file),
        "kind": prepared.kind,
        "size": prepared.size,
        "preview": str(prepared.preview),
        "thumbnail": str(prepared.thumbnail),
        "quality": asdict(prepared.quality),
        "turn": prepared.turn,
    }


def assemble(request: dict[str, Any]) -> dict[str, Any]:
    """Write the documents; return path, pages, size and SHA-256 of each."""
    from kiosk.filing.imaging.pdf import write_documents

    written = write_documents(
        [Path(page) for page in request["pages"]],
        Path(request["folder"]),
        title=str(request["title"]),
        language=str(request["language"]),
        max_bytes=int(request["max_bytes"]),
    )
    return {
        "documents": [
            {
                "path": file.path.name,
                "pages": file.pages,
                "size": file.size,
                "sha256": hashlib.sha256(file.path.read_bytes()).hexdigest(),
            }
            for file in written
        ]
    }


def read_codes(request: dict[str, Any]) -> dict[str, Any]:
    """Return the texts of the QR codes on a page."""
    import zxingcpp

    with Image.open(request["page"], formats=("JPEG", "PNG")) as page:
        found = zxingcpp.read_barcodes(page.convert("L"))
    is_qr = zxingcpp.BarcodeFormat.QRCode
    return {"codes": [code.text for code in found if code.format == is_qr and code.text]}


_ACTIONS = {"prepare": prepare, "assemble": assemble, "read_codes": read_codes}


def handle_request(line: str) -> dict[str, Any]:
    """Return the answer to a request; an error becomes an answer too."""
    try:
        request = json.loads(line)
        return _ACTIONS[request["action"]](request)
    except KioskError as error:
        return {"error": str(error), "code": error.code}
    except (OSError, ValueError, KeyError, MemoryError, Image.DecompressionBombError) as error:
        return {"error": f"{type(error).__name__}: {error}", "code": PageFailedError.code}


def main() -> int:
    """Answer until standard input ends."""
    die_with_parent(int(sys.argv[1]))
    lower_priority(5)
    keep_free_memory()
    signal.signal(signal.SIGALRM, lambda *_: return_free_memory())
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
    # Load the PDF libraries in the background: that takes longer than preparing a page.
    threading.Thread(target=import_module, args=("kiosk.filing.imaging.pdf",), daemon=True).start()
    for line in sys.stdin:
        signal.alarm(0)
        print(json.dumps(handle_request(line)), flush=True)
        signal.alarm(_IDLE_S)
    return 0


if __name__ == "__main__":
    sys.exit(main())
