"""Compares a delivered journal with the signed heads that arrived while it was written.

A head names the number of lines and the SHA-256 of the last of them. A journal that was rewritten
later contradicts the heads that arrived before. Such a recording gets no receipt, so that the kiosk
deletes nothing, until a person has accepted it (``kiosk central accept``). What is accepted is all
that was known then: whatever is found later has to be accepted, too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from kiosk.central.data import schema
from kiosk.central.data.database import Database, insert
from kiosk.central.data.object_store import ObjectStore
from kiosk.central.deliveries.incidents import MAX_DETAIL, record_decision, record_incident
from kiosk.central.errors import RefusedError
from kiosk.clocks import format_wall
from kiosk.storage.hearing_folder import JOURNAL_FILE

Problem = Literal["journal_rewritten", "files_left_out", "files_changed", "closing_unproven"]
"""Why a complete recording gets no receipt; a kiosk has a sentence for each."""


def journal_path(part: int) -> str:
    """Return the path of a part's journal; part 0 is the chain of the whole hearing."""
    return f"part-{part:02d}/{JOURNAL_FILE}" if part else JOURNAL_FILE


def find_contradictions(
    heads: Iterable[tuple[int, int, str]], journals: Mapping[int, Iterable[bytes]]
) -> list[str]:
    """Return the places at which journals contradict their heads.

    Args:
        heads: ``(part, count of lines, SHA-256 of the last of them)``.
        journals: content by part, in blocks; a part without a journal contradicts all of its heads.
    """
    hashes_by_part: dict[int, dict[int, str]] = {}
    for part, count, digest in heads:
        hashes_by_part.setdefault(part, {})[count] = digest
    found = []
    for part, counts in sorted(hashes_by_part.items()):
        unmatched = dict(counts)
        for number, line in enumerate(split_lines(journals.get(part, ())), start=1):
            if unmatched.get(number) == hashlib.sha256(line).hexdigest():
                del unmatched[number]
        found += [f"part {part} count {count}" for count in sorted(unmatched)]
    return found


def split_lines(blocks: Iterable[bytes]) -> Iterable[bytes]:
    """Yield the complete lines of ``blocks`` without their newlines."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines


class JournalHeadCheck:
    """Comparison of each hearing's journals with their heads, before its receipt.

    Args:
        database: heads and recorded contradictions.
        store: the journals.
    """

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store

    async def find_rewritten(self, hearing: str, files: Sequence[Row[Any]]) -> str:
        """Return where a hearing's journals contradict their heads, or an empty text."""
        table = schema.heads
        heads = await self._database.run_read(
            lambda connection: connection.execute(
                select(table.c.part, table.c.lines, table.c.hash).where(table.c.hearing == hearing)
            ).all()
        )
        if not heads:
            return ""
        keys = {file.path: file for file in files}
        found = await asyncio.to_thread(self._compare, heads, keys)
        if not found:
            newest = {head.part: head.lines for head in sorted(heads, key=lambda row: row.lines)}
            await self._database.run_write(
                lambda connection: _drop_older(connection, hearing, newest)
            )
        return ", ".join(found)

    def _compare(
        self, heads: Sequence[Row[Any, Any, Any]], files: Mapping[str, Row[Any]]
    ) -> list[str]:
        parts = {head.part for head in heads}
        known = {part: files.get(journal_path(part)) for part in parts}
        journals = {
            part: self._store.read(file.id, 0, file.size)
            for part, file in known.items()
            if file is not None
        }
        return find_contradictions(((row.part, row.lines, row.hash) for row in heads), journals)


def _drop_older(connection: Connection, hearing: str, newest: Mapping[int, int]) -> None:
    """Keep the newest head of each journal: the journals fit, and a hearing has thousands.

    Args:
        newest: lines that the newest head of a part counts, by part.
    """
    table = schema.heads
    for part, lines in newest.items():
        connection.execute(
            table.delete().where(
                table.c.hearing == hearing, table.c.part == part, table.c.lines < lines
            )
        )


def record_problems(
    connection: Connection, kiosk: str, hearing: str, found: Mapping[Problem, str]
) -> bool:
    """Record why a receipt is withheld; return whether a person has accepted just that.

    Args:
        connection: a writing transaction.
        kiosk: its sender.
        hearing: id of the hearing.
        found: details by code; the first code is the one that the kiosk is told.
    """
    table = schema.problems
    code, detail = next(iter(found)), _shorten("; ".join(found.values()))
    known = connection.execute(
        select(table).where(table.c.delivery == hearing).with_for_update()
    ).one_or_none()
    if known is not None and (known.code, known.detail) == (code, detail):
        return known.accepted_at is not None
    now = {"code": code, "detail": detail, "at": format_wall(), "accepted_at": None, "reason": None}
    connection.execute(
        insert(connection, table)
        .values(delivery=hearing, **now)
        .on_conflict_do_update(index_elements=["delivery"], set_=now)
    )
    for each, its_detail in found.items():
        record_incident(connection, kiosk, each, hearing, _shorten(its_detail))
    return False


def _shorten(detail: str) -> str:
    """Return ``detail`` in :data:`MAX_DETAIL` characters: the hash tells long ones apart."""
    if len(detail) <= MAX_DETAIL:
        return detail
    digest = hashlib.sha256(detail.encode("utf-8")).hexdigest()[:16]
    return f"{detail[: MAX_DETAIL - 20]}… ({digest})"


def accept_problem(connection: Connection, hearing: str, reason: str, seen: str = "") -> None:
    """Record that a person accepts what withholds a hearing's receipt.

    Args:
        connection: a writing transaction.
        hearing: id of the hearing.
        reason: what was found out.
        seen: ``code: detail`` of what was looked into; empty: whatever is known now.

    Raises:
        RefusedError: 404, nothing is held back; 409, something else was found meanwhile.
    """
    table = schema.problems
    row = connection.execute(
        select(table, schema.deliveries.c.kiosk)
        .join(schema.deliveries, schema.deliveries.c.id == table.c.delivery)
        .where(table.c.delivery == hearing, table.c.accepted_at.is_(None))
        .with_for_update(of=table)
    ).one_or_none()
    if row is None:
        raise RefusedError(404, "not_found", f"nothing is held back of {hearing}")
    if seen and seen != f"{row.code}: {row.detail}":
        raise RefusedError(409, "problem_changed", "something else was found meanwhile")
    connection.execute(
        update(table)
        .where(table.c.delivery == hearing)
        .values(accepted_at=format_wall(), reason=reason)
    )
    record_decision(connection, row.kiosk, "recording_accepted", hearing, reason)


def open_problem(connection: Connection, delivery: str) -> str | None:
    """Return the code of the problem that withholds a delivery's receipt, or None."""
    table = schema.problems
    code: str | None = connection.execute(
        select(table.c.code).where(table.c.delivery == delivery, table.c.accepted_at.is_(None))
    ).scalar_one_or_none()
    return code
