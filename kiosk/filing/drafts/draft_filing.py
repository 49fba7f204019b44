"""A visitor's filing while it is being made: pages come, are looked at, put in order.

A scan arrives in memory (tmpfs), is sealed onto the disk before anybody hears of it, is looked at,
and leaves memory. Nothing readable of it is ever written to the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from kiosk.errors import KioskError, StorageError
from kiosk.filing.context import FilingRoom
from kiosk.filing.errors import FilingLockedError, PageFailedError, StepRefusedError
from kiosk.filing.folder import KEEPER_KEY, FilingFolder
from kiosk.filing.form import required_documents as slot_rules
from kiosk.filing.imaging.page_advice import in_order
from kiosk.filing.model import Filing, Page, Slot
from kiosk.hardware.scanner.child import Source
from kiosk.hardware.scanner.session import Event, Opened, PageReady, ScanSession
from kiosk.storage.atomic_io import write_bytes
from kiosk.storage.key_escrow import wrap

log = logging.getLogger(__name__)

#: Pages that may wait in memory to be looked at; more are read back from the disk.
_WAITING = 3
#: Free bytes in memory below which coded pages make room; they can be made again.
_LEAST_FREE = 96_000_000
_TURNED = "page_upside_down"


@dataclass(frozen=True)
class PageChecked:
    """A page was looked at; pictures for the screen are there.

    ``advice`` holds codes of :mod:`kiosk.filing.imaging.page_advice`. A page that could not be worked on has
    the advice ``page_failed`` and no pictures: it has to be scanned again.
    """

    number: int
    preview: Path | None
    thumbnail: Path | None
    advice: tuple[str, ...]


DeskEvent = Event | PageChecked


@dataclass
class _Arrival:
    """Where the pages of the running scan go."""

    slot: str
    place: int | None
    first: int
    duplex: bool

    def sheet(self, number: int) -> int:
        """Return the sheet of page ``number``: its front's number."""
        if not self.duplex or number < self.first:
            return number
        return number - (number - self.first) % 2


class OpenFiling:
    """A filing in the visitor's hands. Get one from :class:`kiosk.filing.service.FilingDesk`."""

    def __init__(self, room: FilingRoom, folder: FilingFolder) -> None:
        self._room = room
        self._folder = folder
        self._checked: dict[int, PageChecked] = {}
        self._tasks: set[asyncio.Task[PageChecked]] = set()
        self._sessions: set[ScanSession] = set()
        self._arrival: _Arrival | None = None
        self._gone = False
        self._protected = b""

    @property
    def filing(self) -> Filing:
        """What is kept on the disk."""
        return self._folder.filing

    @property
    def folder(self) -> FilingFolder:
        """Where it lies."""
        return self._folder

    @property
    def gone(self) -> bool:
        """Whether it was wiped or parked: nothing can be done with it any more."""
        return self._gone

    def looks_of(self, number: int) -> PageChecked | None:
        """Return what was seen on page ``number``, or None while it is being looked at."""
        return self._checked.get(number)

    def protect(self) -> None:
        """Let a secretary open it after a crash: wrap its key for the recorder's newest keeper."""
        key = self._folder.key
        if key is None or self._gone:
            return
        keepers = self._room.layout.keepers
        names = b",".join(sorted(path.name.encode() for path in keepers.glob("*.pub")))
        if names and names != self._protected:
            wrapped = wrap(keepers, key.secret)
            if wrapped is not None:
                write_bytes(self._folder.path / KEEPER_KEY, wrapped, 0o600)
                self._protected = names

    # -- scanning ------------------------------------------------------------------------------

    def session(
        self,
        *,
        source: Source | None = None,
        duplex: bool = False,
        retake: tuple[int, ...] = (),
        slot: str | None = None,
        at: int | None = None,
    ) -> ScanSession:
        """Return a scan into this filing.

        Args:
            source: feeder, glass, or None to take what has paper.
            duplex: both sides, where the feeder can.
            retake: scans those pages again.
            slot: the slot the pages go to (and that is current from now on); None: the current.
            at: place (from 1) in the slot at which they are put in; None: at its end.
        """
        if slot is not None:
            self.choose_slot(slot)
        first = self.filing.next_page
        self._arrival = _Arrival(self.filing.slot, at, first, duplex)
        return ScanSession(
            self._room.settings.scanner,
            self._folder.work,
            first_page=first,
            source=source,
            duplex=duplex,
            missing=retake,
        )

    async def scan(self, session: ScanSession) -> AsyncIterator[DeskEvent]:
        """Run ``session`` and yield its events; :class:`PageChecked` follows each page soon.

        The page is sealed and the filing is on the disk before its :class:`PageReady` is yielded.
        """
        events: asyncio.Queue[DeskEvent | None] = asyncio.Queue()
        arrival = self._arrival or _Arrival(self.filing.slot, None, self.filing.next_page, False)

        async def feed() -> None:
            try:
                async with session:
                    async for event in session.events():
                        if isinstance(event, Opened) and arrival.duplex:
                            arrival.duplex = _both_sides(event)
                        if isinstance(event, PageReady):
                            event = await self._take(event, arrival, events)
                        events.put_nowait(event)
                await asyncio.gather(*self._tasks, return_exceptions=True)
            except KioskError:
                if not self._gone:
                    raise
            finally:
                events.put_nowait(None)

        self._sessions.add(session)
        warming = asyncio.ensure_future(self._room.worker.warm())
        feeding = asyncio.ensure_future(feed())
        try:
            while (event := await events.get()) is not None:
                yield event
            await feeding
        finally:
            session.finish()
            feeding.cancel()
            await asyncio.gather(feeding, warming, return_exceptions=True)
            self._sessions.discard(session)

    async def _take(
        self, ready: PageReady, arrival: _Arrival, events: asyncio.Queue[DeskEvent | None]
    ) -> PageReady:
        """Seal a page that arrived, put it into the filing, and have it looked at."""
        number = ready.number
        plain = self._folder.work / f"arrived-{uuid4()}.jpg"
        ready.path.rename(plain)  # the same page may be scanned again meanwhile
        key, target = self._folder.key, self._folder.page_file(number)
        if key is None or self._gone:
            plain.unlink(missing_ok=True)
            raise FilingLockedError("wiped while a page arrived")
        await asyncio.to_thread(key.seal_file, plain, target)
        self._checked.pop(number, None)
        known = any(page.number == number for page in self.filing.pages)
        page = (
            Page(number=number)
            if known
            else Page(number=number, slot=arrival.slot, sheet=arrival.sheet(number))
        )
        filing = self.filing.with_page(page)
        late = any(other.number > number for other in self.filing.pages)
        if arrival.place is not None and not known and not late:
            filing = filing.moved(number, arrival.place)
            arrival.place += 1
        self._folder.keep(filing)
        self.protect()
        if len(self._tasks) >= _WAITING:
            plain.unlink(missing_ok=True)
        self._look_soon(number, plain, events)
        return replace(ready, path=target)

    def _look_soon(self, number: int, plain: Path, events: asyncio.Queue[DeskEvent | None]) -> None:
        task = asyncio.ensure_future(self._look_at(number, plain))
        self._tasks.add(task)

        def told(done: asyncio.Task[PageChecked]) -> None:
            self._tasks.discard(done)
            if not done.cancelled() and done.exception() is None:
                events.put_nowait(done.result())

        task.add_done_callback(told)

    def abandon(self) -> None:
        """Stop at once: it is going to be wiped or parked. A scan that runs is killed."""
        self._gone = True
        for session in self._sessions:
            session.finish()
            if session.child_pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(session.child_pid, signal.SIGKILL)
        for task in list(self._tasks):
            task.cancel()
        self._checked.clear()

    # -- looking -------------------------------------------------------------------------------

    async def _look_at(
        self, number: int, plain: Path | None = None, *, by_hand: bool = False
    ) -> PageChecked:
        """Prepare page ``number`` for document and screen, and keep what was seen."""
        page = self.filing.page(number)
        try:
            async with self._plain(number, plain) as path:
                # Turned by itself once, right after its scan: then a person has the last word.
                may_turn = not page.checked and not page.turn and not by_hand
                prepared = await self._room.worker.prepare(
                    path, page.turn, path.parent, may_turn=may_turn
                )
                pictures = self._take_over(prepared, number)
        except KioskError as error:
            log.warning("filing %s: page %d: %s", self.filing.id, number, error.code)
            checked = PageChecked(number, None, None, (PageFailedError.code,))
        else:
            advice = prepared.advice
            if page.checked and _TURNED in page.advice:  # looked at again after it was resumed
                advice = in_order((*advice, _TURNED))
            checked = PageChecked(number, *pictures, advice)
            seen = {"advice": advice, "skew": prepared.skew, "checked": True}
            seen["turn"] = prepared.turn
            newest = self.filing.page(number)
            if not self._gone and self.filing.state == "draft" and newest.turn == page.turn:
                self._folder.keep(self.filing.with_page(newest.model_copy(update=seen)))
        self._checked[number] = checked
        return checked

    def _take_over(self, prepared: Any, number: int) -> tuple[Path, Path]:
        """Give what was prepared the page's name; return preview and thumbnail."""
        work, name = self._folder.work, f"{number:04d}"
        if shutil.disk_usage(work).free < _LEAST_FREE:
            prepared.file.unlink(missing_ok=True)  # made again when it is handed in
        else:
            prepared.file.rename(work / f"{name}.pdf")
        preview = prepared.preview.rename(work / f"{name}-preview.jpg")
        return preview, prepared.thumbnail.rename(work / f"{name}-small.jpg")

    @contextlib.asynccontextmanager
    async def _plain(self, number: int, arrived: Path | None = None) -> AsyncIterator[Path]:
        """Yield a file in memory that holds a page readable, in a folder of its own."""
        own = self._folder.work / f"page-{uuid4()}"
        path = own / f"{number:04d}.jpg"
        try:
            own.mkdir(mode=0o700)
            if arrived is not None and arrived.exists():
                arrived.rename(path)
            elif self._folder.key is None:
                raise FilingLockedError("no key")
            else:
                data = await asyncio.to_thread(
                    self._folder.key.open_file, self._folder.page_file(number)
                )
                path.write_bytes(data)
            yield path
        except OSError as error:
            raise StorageError(f"page {number}: {error.strerror}") from error
        finally:
            shutil.rmtree(own, ignore_errors=True)

    async def coded(self, page: Page) -> Path:
        """Return the coded page, made now where that was not done yet.

        Raises:
            PageFailedError: it cannot be read, or working on it crashed or hung.
        """
        file = self._folder.prepared_file(page.number) if page.checked else None
        if file is None:
            async with self._plain(page.number) as path:
                prepared = await self._room.worker.prepare(
                    path, page.turn, path.parent, may_turn=not page.checked and not page.turn
                )
                file = self._folder.work / f"{page.number:04d}.pdf"
                prepared.file.rename(file)
        return file

    async def settle(self) -> None:
        """Wait until every page was looked at."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def look_again(self) -> None:
        """Make the pictures for the screen again, after it was resumed."""
        for page in self.filing.kept_pages:
            if self._gone:
                return
            if page.number not in self._checked:
                await self._look_at(page.number)

    # -- what the person does to the pages -----------------------------------------------------

    async def turn(self, number: int) -> PageChecked:
        """Turn a page by 90 degrees clockwise, and look at it again."""
        page = self.filing.page(number)
        turned = page.model_copy(update={"turn": (page.turn + 90) % 360, "checked": False})
        self._folder.keep(self.filing.with_page(turned))
        return await self._look_at(number, by_hand=True)

    def delete(self, number: int) -> None:
        """Take a page out; :meth:`restore` takes that back."""
        self._set_deleted(number, True)

    def restore(self, number: int) -> None:
        """Take a page back in, in its old place."""
        self._set_deleted(number, False)

    def move(self, number: int, place: int, slot: str | None = None) -> None:
        """Move a page to ``place`` (from 1) among a slot's kept ones; None: in its own slot."""
        self._folder.keep(self.filing.moved(number, place, slot))

    def _set_deleted(self, number: int, deleted: bool) -> None:
        page = self.filing.page(number).model_copy(update={"deleted": deleted})
        self._folder.keep(self.filing.with_page(page))

    # -- slots ---------------------------------------------------------------------------------

    def slots(self) -> tuple[slot_rules.SlotView, ...]:
        """Return every slot in order: label, pages, sheets, whether it is missing."""
        return slot_rules.view_slots(self.filing, self._room.rules, self.filing.language)

    def sheets(self) -> slot_rules.SheetCount:
        """Return the sheets counted by the person and scanned, of the whole filing."""
        return slot_rules.sheets_of(self.filing)

    def choose_slot(self, slot: str) -> None:
        """Let the next pages go to ``slot``; it is not skipped any more."""
        found = self.filing.slot_of(slot).model_copy(update={"skipped": False})
        self._folder.keep(self.filing.with_slot(found).model_copy(update={"slot": slot}))

    def add_slot(self, slot: str) -> Slot:
        """Begin another document of a slot's type (``many``); the next pages go there."""
        filing, fresh = slot_rules.with_another(self.filing, slot)
        self._folder.keep(filing)
        return fresh

    def skip_slot(self, slot: str, skipped: bool = True) -> None:
        """Write down that there is nothing for a slot (or that there is, after all)."""
        self._folder.keep(slot_rules.with_skipped(self.filing, slot, skipped))

    def count_sheets(self, sheets: int | None, slot: str | None = None) -> slot_rules.SheetCount:
        """Keep how many sheets the person counted (of a slot, or in all); return the count."""
        if sheets is not None and sheets < 0:
            raise StepRefusedError("not a number of sheets")
        if slot is None:
            self._folder.keep(self.filing.model_copy(update={"sheets_said": sheets}))
            return self.sheets()
        found = self.filing.slot_of(slot).model_copy(update={"sheets_said": sheets})
        self._folder.keep(self.filing.with_slot(found))
        return next(view.sheets for view in self.slots() if view.slot.id == slot)

    # -- what the person says ------------------------------------------------------------------

    def describe(self, **changes: object) -> None:
        """Keep what the person said.

        Args:
            changes: document_type, case_kind, case_number, case_known, applicant, fee,
                sheets_said, not_scanned, language.

        Raises:
            StepRefusedError: it was handed in already, or there is no such thing to say.
        """
        allowed = {
            "document_type",
            "case_kind",
            "case_number",
            "case_known",
            "applicant",
            "fee",
            "sheets_said",
            "not_scanned",
            "language",
        }
        if not allowed.issuperset(changes) or self.filing.state != "draft":
            raise StepRefusedError(f"cannot be said now: {', '.join(changes)}")
        filing = self.filing
        if "document_type" in changes:
            filing = slot_rules.with_type(
                filing, str(changes.pop("document_type")), self._room.rules
            )
        value = filing.model_dump()
        value.update(changes)
        self._folder.keep(Filing.model_validate(value))


def _both_sides(opened: Opened) -> bool:
    """Return whether the scanner itself says that it scans both sides."""
    source = str(opened.options.get("source", "")).lower()
    return not source or "duplex" in source or "both" in source
