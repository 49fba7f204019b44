"""A filing as it lies in ``filing.json``, and the steps of its life.

::

    draft --submit--> submitted --register--> registered ----deliver--> delivered
                          |                        ^
                          +--no answer--> provisional --reconcile--+

A draft is wiped; everything else is kept. Sync owns what comes after the ``submitted`` marker
and keeps it in its own index: the state here is the filing room's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from kiosk.clocks import wall_text
from kiosk.filing.errors import NoPagesError, StepRefusedError
from kiosk.locale import Language

State = Literal["draft", "submitted", "provisional", "registered", "delivered"]

_NEXT: dict[State, frozenset[State]] = {
    "draft": frozenset({"submitted"}),
    "submitted": frozenset({"provisional", "registered"}),
    "provisional": frozenset({"registered", "delivered"}),
    "registered": frozenset({"delivered"}),
    "delivered": frozenset(),
}


class Record(BaseModel):
    """Part of ``filing.json``: frozen; a key that is not known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Page(Record):
    """One page in the order of the document.

    Attributes:
        number: of its file ``pages/NNNN.jpg``; never changes and never comes again.
        turn: degrees clockwise that the person turned it.
        advice: codes of :mod:`kiosk.filing.advice`, worst first.
        skew: degrees that the text lies skewed, counter-clockwise; straightened in the document.
        checked: whether the page was looked at by the kiosk.
        deleted: taken out by the person; can be taken back until the filing is handed in.
    """

    number: int
    turn: Literal[0, 90, 180, 270] = 0
    advice: tuple[str, ...] = ()
    skew: float = 0.0
    checked: bool = False
    deleted: bool = False

    @property
    def file(self) -> str:
        """Name of its file under ``pages/``."""
        return f"{self.number:04d}.jpg"


class Document(Record):
    """One file that is handed in.

    Attributes:
        path: name in the filing's folder.
        type: document type id.
        pages: number of its pages.
        sha256: hexadecimal.
        size: bytes.
        part: from 1, where a document had to be split; ``parts`` is their count.
    """

    path: str
    type: str
    pages: int
    sha256: str
    size: int
    part: int = 1
    parts: int = 1


class Applicant(Record):
    """Who files, as far as the person said so."""

    name: str = ""
    iin: str = ""
    phone: str = ""


class Filing(Record):
    """All of ``filing.json``."""

    format: Literal[1] = 1
    id: str = Field(default_factory=lambda: str(uuid4()))
    state: State = "draft"
    language: Language = "kk"
    document_type: str
    case_kind: str | None = None
    case_number: str | None = None
    applicant: Applicant = Applicant()
    created_at: str = Field(default_factory=wall_text)
    submitted_at: str | None = None
    delivered_at: str | None = None
    pages: tuple[Page, ...] = ()
    sheets_said: int | None = None
    not_scanned: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()

    # -- pages -------------------------------------------------------------------------------
    @property
    def kept_pages(self) -> tuple[Page, ...]:
        """Pages that are handed in, in order."""
        return tuple(page for page in self.pages if not page.deleted)

    @property
    def next_page(self) -> int:
        """Number of the next page to scan."""
        return max((page.number for page in self.pages), default=0) + 1

    def page(self, number: int) -> Page:
        """Return page ``number``; :class:`StepRefusedError` where there is none."""
        for page in self.pages:
            if page.number == number:
                return page
        raise StepRefusedError(f"no page {number}")

    def with_page(self, page: Page) -> Filing:
        """Return the filing with ``page`` put in: in its own place, or at the end."""
        self._must_be("draft")
        if any(old.number == page.number for old in self.pages):
            pages = tuple(page if old.number == page.number else old for old in self.pages)
        else:
            pages = (*self.pages, page)
        return self.model_copy(update={"pages": pages})

    def moved(self, number: int, place: int) -> Filing:
        """Return the filing with page ``number`` at ``place`` (from 1) of the kept pages."""
        self._must_be("draft")
        page = self.page(number)
        kept = [other for other in self.kept_pages if other.number != number]
        kept.insert(min(max(place, 1), len(kept) + 1) - 1, page)
        return self.model_copy(
            update={"pages": (*kept, *(page for page in self.pages if page.deleted))}
        )

    # -- life --------------------------------------------------------------------------------
    def stepped(self, state: State, **changes: object) -> Filing:
        """Return the filing in its next ``state``.

        Raises:
            StepRefusedError: that state does not follow.
        """
        if state not in _NEXT[self.state]:
            raise StepRefusedError(f"{state} does not follow {self.state}")
        return self.model_copy(update={"state": state, **changes})

    def submitted(self, documents: tuple[Document, ...], at: datetime | None = None) -> Filing:
        """Return the filing handed in with ``documents``.

        Raises:
            NoPagesError: it has none.
        """
        if not self.kept_pages or not documents:
            raise NoPagesError("nothing to hand in")
        return self.stepped("submitted", documents=documents, submitted_at=wall_text(at))

    def _must_be(self, state: State) -> None:
        if self.state != state:
            raise StepRefusedError(f"the filing is {self.state}, not {state}")
