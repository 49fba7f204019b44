"""Monthly indices (MRP) that come after the release: a rules pack, and what it may change (S27).

::

    version = 2
    valid_from = 2027-01-01        # no row begins before it

    [[mrp]]
    valid_from = 2027-01-01
    valid_until = 2027-12-31
    tenge = "…"
    status = "S"

Any other key is refused: a pack changes indices and nothing else of the rules. The date of payment
decides which index counts (art. 664(2)), so what was known for a day that is over stays as it was.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from kiosk.rules.errors import RulesError
from kiosk.rules.model import Mrp, TableRow
from kiosk.rules.rules import Rules

MAX_CHARACTERS = 32 << 10
MAX_ROWS = 100


class PackedMrp(Mrp):
    """A row of a pack."""

    tenge: Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]


class MrpPack(TableRow):
    """A rules pack.

    Attributes:
        version: counts upwards; a kiosk takes no older one than it holds.
        valid_from: first payment date of which the pack says something.
        mrp: indices; their dates do not overlap.
    """

    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    valid_from: date
    mrp: Annotated[tuple[PackedMrp, ...], Field(min_length=1, max_length=MAX_ROWS)]

    @model_validator(mode="after")
    def _dates_fit(self) -> MrpPack:
        rows = sorted(self.mrp, key=lambda row: row.valid_from)
        if rows[0].valid_from < self.valid_from:
            raise ValueError("a row begins before the pack's valid_from")
        if any(later.valid_from <= earlier.valid_until for earlier, later in pairwise(rows)):
            raise ValueError("two rows are for the same day")
        return self

    @property
    def valid_until(self) -> date:
        """Last payment date of which the pack says something."""
        return max(row.valid_until for row in self.mrp)


def read_mrp_pack(text: str) -> MrpPack:
    """Return the pack of a TOML text.

    Raises:
        RulesError: it is no pack; the message has one line per problem.
    """
    if len(text) > MAX_CHARACTERS:
        raise RulesError("rules pack: too long")
    try:
        return MrpPack.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RulesError(f"rules pack: not TOML: {error}") from error
    except ValidationError as error:
        problems = (
            f"{'.'.join(str(key) for key in item['loc']) or 'pack'}: {item['msg']}"
            for item in error.errors(include_url=False)
        )
        raise RulesError("rules pack:\n" + "\n".join(problems)) from error


def find_changed_day(before: Sequence[Mrp], after: Sequence[Mrp], today: date) -> date | None:
    """Return a day up to ``today`` whose known index would change or be absent, or None.

    Args:
        before: rows in force; the first that fits a day counts.
        after: rows as they would be.
        today: somebody may have paid on this day and each one before it.
    """
    edges = {row.valid_from for row in (*before, *after)} | {
        row.valid_until + timedelta(days=1) for row in (*before, *after) if row.valid_until < today
    }
    for day in sorted(edge for edge in edges if edge <= today):
        known = _tenge_on(before, day)
        if known is not None and _tenge_on(after, day) != known:
            return day
    return None


def _tenge_on(rows: Iterable[Mrp], day: date) -> Decimal | None:
    return next((row.tenge for row in rows if row.valid_from <= day <= row.valid_until), None)


def with_pack(rules: Rules, pack: MrpPack | None) -> Rules:
    """Return the rules with the indices of ``pack`` before those of the release."""
    return rules if pack is None else replace(rules, mrp=(*pack.mrp, *rules.mrp))
