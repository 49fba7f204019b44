"""Asks what is needed for a hint about the state fee."""

from __future__ import annotations

import logging
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from kiosk.errors import KioskError
from kiosk.filing.form.fee import FeeOption
from kiosk.rules.fees import FeeBasis
from kiosk.ui.actions.visit.context import VisitContext
from kiosk.ui.formatting import append_key
from kiosk.ui.registry import DocumentsPlace, FeePlace

log = logging.getLogger(__name__)

MAX_AMOUNT_DIGITS = 12
MAX_COUNT_DIGITS = 4


class FeeHintForm:
    """Which fee, the amount of the claim, an exemption; the court decides what is due.

    Args:
        visit: the visit with its filing.
    """

    def __init__(self, visit: VisitContext) -> None:
        self._visit = visit

    @property
    def options(self) -> tuple[FeeOption, ...]:
        """The fees that may be due."""
        filing = self._visit.filing
        return self._visit.filing_service.fee_options(filing) if filing else ()

    @property
    def _grounds(self) -> frozenset[str]:
        """The grounds of exemption of whoever pays now."""
        filing, service = self._visit.filing, self._visit.filing_service
        options = service.exemption_options(filing, filing.record.language) if filing else ()
        return frozenset(option.id for option in options)

    @property
    def is_free(self) -> bool:
        """Whether nobody pays for such a document (НК 668(1)15))."""
        filing = self._visit.filing
        return filing is not None and self._visit.filing_service.is_free(filing)

    def ask(self) -> None:
        """Ask for the fee if several are possible, else for what it is computed from."""
        known, options = self._visit.record.fee, [option.id for option in self.options]
        if known is not None and known.fee not in options:
            known = None  # the applicant or the document was changed since
        fee = known.fee if known else None
        if fee is None and len(options) == 1:
            fee = options[0]
        is_chosen = fee is not None or not options
        place = FeePlace(fee, choosing="amount" if is_chosen else "fee")
        if known is not None:
            place = replace(
                place,
                amount=_typed(known.amount),
                documents=_typed(known.documents),
                pages=_typed(known.pages),
                exemption=known.exemption if known.exemption in self._grounds else None,
            )
        self._show_hint(place)

    def _show_hint(self, place: FeePlace) -> None:
        """Show the fee for the answers so far; they are stored in the filing."""
        filing, hint = self._visit.filing, None
        if filing is not None:
            try:
                hint = self._visit.filing_service.fee_hint(
                    filing, fee_id=place.fee, basis=_basis(place), exemption=place.exemption
                )
            except (KioskError, InvalidOperation) as error:
                log.info("fee: %s", error)
        self._visit.show(replace(place, hint=hint))

    def _change(self, **changes: Any) -> None:
        if place := self._visit.at(FeePlace):
            self._show_hint(replace(place, **changes))

    def choose_fee(self, fee: str) -> None:
        """Choose ``fee``."""
        self._change(fee=fee, choosing="amount", page=0)

    def type_amount(self, key: str) -> None:
        """Type one digit of the amount."""
        if place := self._visit.at(FeePlace):
            self._change(amount=append_key(place.amount, key, MAX_AMOUNT_DIGITS).lstrip("0"))

    def type_count(self, key: str) -> None:
        """Type one digit of the number that is counted."""
        if place := self._visit.at(FeePlace):
            typed = append_key(getattr(place, place.counting), key, MAX_COUNT_DIGITS).lstrip("0")
            self._change(**{place.counting: typed})

    def count(self, what: str) -> None:
        """Let the keys type the number of ``what``: ``documents`` or ``pages``."""
        self._change(counting=what)

    def show_options(self, choosing: str, page: int = 0) -> None:
        """Show the fees, the exemptions or their groups, or the keypad for the amount."""
        self._change(choosing=choosing, page=page)

    def choose_exemption_group(self, group: str) -> None:
        """Show the grounds of exemption that hang on ``group``."""
        self._change(group=group, choosing="exemption", page=0)

    def choose_exemption(self, ground: str | None) -> None:
        """Choose a ground of exemption, or none; the court decides."""
        self._change(exemption=ground, choosing="amount", page=0)

    def finish(self) -> None:
        """Finish the questions about the fee."""
        self._visit.advance_to(DocumentsPlace())


def _basis(place: FeePlace) -> FeeBasis:
    return FeeBasis(
        amount=Decimal(place.amount) if place.amount else None,
        documents=int(place.documents) if place.documents else None,
        pages=int(place.pages) if place.pages else None,
    )


def _typed(value: Decimal | int | None) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)
