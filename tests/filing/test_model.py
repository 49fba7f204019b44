"""The life of a filing, and its pages."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from kiosk.filing.errors import NoPagesError, StepRefusedError
from kiosk.filing.model import Document, Filing, FilingState, Page

DOCUMENT = Document(path="document.pdf", type="claim", pages=1, sha256="00", size=1)
ALLOWED = {
    ("draft", "submitted"),
    ("submitted", "provisional"),
    ("submitted", "registered"),
    ("provisional", "registered"),
    ("provisional", "delivered"),
    ("registered", "delivered"),
}


@pytest.mark.parametrize(("old", "new"), list(product(get_args(FilingState), repeat=2)))
def test_every_step_is_allowed_or_refused(old: FilingState, new: FilingState) -> None:
    filing = Filing(document_type="claim", state=old)
    if (old, new) in ALLOWED:
        assert filing.with_state(new).state == new
    else:
        with pytest.raises(StepRefusedError):
            filing.with_state(new)


def with_pages(*numbers: int) -> Filing:
    """Return a draft with pages."""
    filing = Filing(document_type="claim")
    for number in numbers:
        filing = filing.with_page(Page(number=number))
    return filing


def order(filing: Filing) -> list[int]:
    """Return the numbers of the kept pages."""
    return [page.number for page in filing.kept_pages]


def test_pages_keep_their_order_and_can_be_moved() -> None:
    filing = with_pages(1, 2, 3, 4)
    assert order(filing.with_page_moved(4, 1)) == [4, 1, 2, 3]
    assert order(filing.with_page_moved(1, 99)) == [2, 3, 4, 1]
    assert order(filing.with_page_moved(2, 2)) == [1, 2, 3, 4]


def test_a_retaken_page_stays_in_its_place() -> None:
    filing = with_pages(1, 2, 3).with_page_moved(3, 1)
    assert order(filing.with_page(Page(number=3, turn=90))) == [3, 1, 2]


def test_a_deleted_page_number_never_comes_again() -> None:
    filing = with_pages(1, 2)
    filing = filing.with_page(Page(number=2, deleted=True))
    assert order(filing) == [1]
    assert filing.next_page == 3


def test_pages_cannot_change_once_handed_in() -> None:
    filing = with_pages(1).as_submitted((DOCUMENT,))
    with pytest.raises(StepRefusedError):
        filing.with_page(Page(number=2))
    with pytest.raises(StepRefusedError):
        filing.with_page_moved(1, 1)


def test_nothing_cannot_be_handed_in() -> None:
    with pytest.raises(NoPagesError):
        Filing(document_type="claim").as_submitted((DOCUMENT,))


def test_it_reads_back_what_it_writes() -> None:
    filing = with_pages(1, 2)
    assert Filing.model_validate_json(filing.model_dump_json(exclude_none=True)) == filing
