"""Client of the page imaging process; a request that takes too long kills it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kiosk.errors import KioskError, StorageError
from kiosk.filing.errors import DocumentTooLargeError, NoPagesError, PageFailedError

log = logging.getLogger(__name__)

_PAGE_TIMEOUT_S = 60.0
_DOCUMENT_TIMEOUT_S = 120.0
_ERRORS: dict[str, type[KioskError]] = {
    kind.code: kind for kind in (DocumentTooLargeError, NoPagesError, StorageError)
}


@dataclass(frozen=True)
class PreparedPage:
    """An encoded page; see :class:`kiosk.filing.imaging.encoding.EncodedPage`."""

    file: Path
    kind: str
    size: int
    preview: Path
    thumbnail: Path
    advice: tuple[str, ...]
    skew: float
    turn: int


@dataclass(frozen=True)
class WrittenDocument:
    """A PDF/A file on the disk; ``path`` is its name in the filing's folder."""

    path: str
    pages: int
    size: int
    sha256: str


class ImagingWorker:
    """Processes pages in a child process, one at a time; an asynchronous context manager.

    The first request starts the child, and so does a request after it died or was killed.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the running child, or None."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the child, so that the first page does not wait for it."""
        async with self._lock:
            await self._ensure_child()

    async def prepare(
        self, page: Path, turn: int, folder: Path, *, may_turn: bool = True
    ) -> PreparedPage:
        """Check a page and encode it; see :func:`kiosk.filing.imaging.encoding.prepare_page`.

        Raises:
            PageFailedError: it cannot be read, or the child crashed or hung.
            StorageError: the result cannot be saved.
        """
        request = {"action": "prepare", "page": str(page), "turn": turn, "folder": str(folder)}
        request["may_turn"] = may_turn
        reply = await self._request(request, _PAGE_TIMEOUT_S)
        return PreparedPage(
            file=Path(reply["file"]),
            kind=reply["kind"],
            size=int(reply["size"]),
            preview=Path(reply["preview"]),
            thumbnail=Path(reply["thumbnail"]),
            advice=tuple(reply["quality"]["advice"]),
            skew=float(reply["quality"]["skew"]),
            turn=int(reply["turn"]),
        )

    async def assemble(
        self, pages: Sequence[Path], folder: Path, *, title: str, language: str, max_bytes: int
    ) -> list[WrittenDocument]:
        """Write ``pages`` as PDF/A; see :func:`kiosk.filing.imaging.pdf.write_documents`.

        Raises:
            DocumentTooLargeError, PageFailedError, StorageError: see there.
        """
        request = {
            "action": "assemble",
            "pages": [str(page) for page in pages],
            "folder": str(folder),
            "title": title,
            "language": language,
            "max_bytes": max_bytes,
        }
        reply = await self._request(request, _DOCUMENT_TIMEOUT_S)
        return [WrittenDocument(**document) for document in reply["documents"]]

    async def read_codes(self, page: Path) -> tuple[str, ...]:
        """Return the texts of the QR codes on a page.

        Raises:
            PageFailedError: it cannot be read, or the child crashed or hung.
        """
        request = {"action": "read_codes", "page": str(page)}
        reply = await self._request(request, _PAGE_TIMEOUT_S)
        return tuple(str(code) for code in reply["codes"])

    async def close(self) -> None:
        """End the child; the next request would start another."""
        await self._kill()

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _request(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        async with self._lock:
            try:
                process = await self._ensure_child()
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write((json.dumps(request) + "\n").encode())
                await process.stdin.drain()
                line = await asyncio.wait_for(process.stdout.readline(), timeout)
            except (TimeoutError, OSError) as error:
                await self._kill()
                raise PageFailedError(f"page imaging: {error!r}") from error
            except asyncio.CancelledError:
                await self._kill()  # the next request must not get its answer
                raise
            if not line:
                await self._kill()
                raise PageFailedError("page imaging crashed")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            log.warning("page imaging: %s", reply["error"])
            raise _ERRORS.get(reply["code"], PageFailedError)(reply["error"])
        return reply

    async def _ensure_child(self) -> asyncio.subprocess.Process:
        """Return the running child; start it if needed."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "kiosk.filing.imaging.child",
                str(os.getpid()),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                limit=1 << 20,
            )
        return self._process
