"""Our side of the page imaging process: one request at a time, killed when it takes too long."""

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

_PAGE_SECONDS = 60.0
_DOCUMENT_SECONDS = 120.0
_ERRORS: dict[str, type[KioskError]] = {
    kind.code: kind for kind in (DocumentTooLargeError, NoPagesError, StorageError)
}


@dataclass(frozen=True)
class PreparedPage:
    """A page that is ready for the document; see :class:`kiosk.filing.imaging.encoding.Prepared`."""

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
    """A PDF/A file that is on the disk; ``path`` is its name in the filing's folder."""

    path: str
    pages: int
    size: int
    sha256: str


class ImagingWorker:
    """Works on pages in a child process; an asynchronous context manager.

    The child is started with the first request, and again after it died or was killed.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the child, if one runs."""
        return self._process.pid if self._process else None

    async def warm(self) -> None:
        """Start the child, so that the first page need not wait for it."""
        async with self._turn:
            await self._running()

    async def prepare(
        self, page: Path, turn: int, folder: Path, *, may_turn: bool = True
    ) -> PreparedPage:
        """Look at a page and code it; see :func:`kiosk.filing.imaging.encoding.prepare_page`.

        Raises:
            PageFailedError: it cannot be read, or working on it crashed or hung.
            StorageError: the result cannot be kept.
        """
        request = {"do": "prepare", "page": str(page), "turn": turn, "folder": str(folder)}
        request["may_turn"] = may_turn
        told = await self._ask(request, _PAGE_SECONDS)
        return PreparedPage(
            file=Path(told["file"]),
            kind=told["kind"],
            size=int(told["size"]),
            preview=Path(told["preview"]),
            thumbnail=Path(told["thumbnail"]),
            advice=tuple(told["looks"]["advice"]),
            skew=float(told["looks"]["skew"]),
            turn=int(told["turn"]),
        )

    async def assemble(
        self, pages: Sequence[Path], folder: Path, *, title: str, language: str, largest: int
    ) -> list[WrittenDocument]:
        """Write the prepared ``pages`` as PDF/A; see :func:`kiosk.filing.imaging.pdf.write_documents`.

        Raises:
            DocumentTooLargeError, PageFailedError, StorageError: as it does.
        """
        request = {
            "do": "assemble",
            "pages": [str(page) for page in pages],
            "folder": str(folder),
            "title": title,
            "language": language,
            "largest": largest,
        }
        told = await self._ask(request, _DOCUMENT_SECONDS)
        return [WrittenDocument(**document) for document in told["documents"]]

    async def close(self) -> None:
        """End the child; the next request starts another."""
        await self._kill()

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, request: dict[str, Any], patience: float) -> dict[str, Any]:
        async with self._turn:
            try:
                process = await self._running()
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write((json.dumps(request) + "\n").encode())
                await process.stdin.drain()
                line = await asyncio.wait_for(process.stdout.readline(), patience)
            except (TimeoutError, OSError) as error:
                await self._kill()
                raise PageFailedError(f"page imaging: {error!r}") from error
            except asyncio.CancelledError:
                await self._kill()  # its answer must not be taken for that of the next request
                raise
            if not line:
                await self._kill()
                raise PageFailedError("page imaging crashed")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            log.warning("page imaging: %s", told["error"])
            raise _ERRORS.get(told["code"], PageFailedError)(told["error"])
        return told

    async def _running(self) -> asyncio.subprocess.Process:
        """Return the child, started when there is none."""
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
