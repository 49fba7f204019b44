"""Views of scanning and page review: pure functions, without Kivy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from kiosk.alarms import alarm_of
from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.model import Page
from kiosk.filing.service import PageChecked
from kiosk.ui.registry import InsertPaperPlace, PageReviewPlace, ScanFaultPlace, ScanningPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.theme import Tone
from kiosk.ui.view_context import ViewContext


@dataclass(frozen=True)
class DocumentTypeView:
    """The choice of the document type."""

    groups: tuple[tuple[str, str], ...]
    group: str
    types: tuple[tuple[str, str], ...]
    page: int


def document_type_view(labels: RuleLabels, group: str, page: int) -> DocumentTypeView:
    """Return groups and the types of the chosen group."""
    return DocumentTypeView(
        groups=tuple((g, labels.group(g)) for g in labels.groups()),
        group=group,
        types=tuple((t, labels.document_type(t)) for t in labels.types_of(group)),
        page=page,
    )


@dataclass(frozen=True)
class Thumbnail:
    """A page as a small picture; ``position`` counts from 1. ``stamp`` changes with the picture."""

    position: int
    picture: Path | None
    is_flagged: bool
    stamp: int = 0


def make_thumbnails(pages: Sequence[Page], checks: dict[int, PageChecked]) -> tuple[Thumbnail, ...]:
    """Return the thumbnails of ``pages``."""
    found = []
    for position, page in enumerate(pages, start=1):
        check = checks.get(page.number)
        picture = check.thumbnail if check else None
        flagged = bool(check and any(_needs_attention(code) for code in check.advice))
        found.append(Thumbnail(position, picture, flagged, _stamp(picture)))
    return tuple(found)


def _needs_attention(code: str) -> bool:
    advice = ADVICE.get(code)
    return advice is None or not advice.is_fixed


def _stamp(picture: Path | None) -> int:
    try:
        return picture.stat().st_mtime_ns if picture else 0
    except OSError:
        return 0


@dataclass(frozen=True)
class InsertPaperView:
    """Paper is expected or moves."""

    title: str
    lines: tuple[str, ...]
    thumbnails: tuple[Thumbnail, ...]
    kept: int
    count: str
    scanning: bool
    glass: bool
    duplex: bool = False
    retake: bool = False
    label: str = ""


def insert_paper_view(
    context: ViewContext,
    place: InsertPaperPlace | ScanningPlace,
    thumbnails: tuple[Thumbnail, ...],
    label: str = "",
) -> InsertPaperView:
    """Return the view while paper is expected or moves; ``label``: of the document."""
    _ = context.translate.gettext
    count = context.translate.ngettext("{n} page scanned", "{n} pages scanned", place.kept)
    match place:
        case ScanningPlace():
            title = _("Scanning…")
            lines: tuple[str, ...] = (_("Wait until the last sheet is through."),)
        case InsertPaperPlace(glass=True, kept=kept):
            title = _("Lay sheet {n} on the glass, face down", n=kept + 1)
            if isinstance(place.retake, int):
                title = _("Lay the sheet on the glass, face down")
            lines = (
                _("Close the cover, then touch “Scan this sheet”."),
                _("A bound paper goes sheet by sheet."),
            )
        case InsertPaperPlace(is_sheet_missing=True):
            title = _("One sheet is still missing. Put it in alone")
            lines = (_("Scanning begins by itself."), _("“That is all” goes on without it."))
        case InsertPaperPlace(retake=int(number)):
            title = _("Put this one sheet in again")
            lines = (_("Scanning begins by itself."),)
            del number
        case InsertPaperPlace(kept=0):
            title = _("Put your sheets into the scanner")
            lines = (
                _("Take out staples and paper clips first."),
                _("Text facing you, top edge down."),
                _("Scanning begins by itself."),
            )
        case InsertPaperPlace():
            title = _("Put the next sheets in")
            lines = (_("Scanning begins by itself."),)
        case never:
            assert_never(never)
    scanning = isinstance(place, ScanningPlace)
    glass = isinstance(place, InsertPaperPlace) and place.glass
    return InsertPaperView(
        title,
        lines,
        thumbnails,
        place.kept,
        count if place.kept else "",
        scanning,
        glass,
        duplex=isinstance(place, InsertPaperPlace) and place.duplex,
        retake=place.retake is not None,
        label=label,
    )


@dataclass(frozen=True)
class ScanFaultView:
    """Scanning stopped: consequence, what is safe, what to do, whom to call."""

    code: str
    title: str
    kept: str
    lines: tuple[str, ...]
    finish: str
    is_finish_asked: bool
    can_finish: bool
    is_sheet_expected: bool = False
    icon: str = "scanner"


FAULT_ICONS = {
    "scanner_no_paper": "tray-alert",
    "scanner_double_feed": "file-multiple-outline",
    "scanner_absent": "power-plug-off-outline",
    "scanner_lost": "power-plug-off-outline",
    "page_incomplete": "file-document-outline",
}


RELOAD_FAULTS = frozenset(
    {
        "scanner_jam",
        "scanner_double_feed",
        "scanner_cover_open",
        "scanner_stalled",
        "page_incomplete",
        "page_failed",
        "scanner_lost",
    }
)


def scan_fault_view(context: ViewContext, place: ScanFaultPlace) -> ScanFaultView:
    """Return the view of a scanner fault."""
    _, ngettext = context.translate.gettext, context.translate.ngettext
    alarm = alarm_of(place.code)
    title, lines = alarm.say(context.translate), [alarm.remedy(context.translate, staff=False)]
    if place.is_sheet_expected:
        title = _("Put sheet {n} on top of the others again", n=place.sheet)
        lines = [_("It is the one that came out. Scanning goes on as soon as it lies there.")]
    elif place.code in RELOAD_FAULTS:
        lines.append(_("Then put sheet {n} in again. It goes on by itself.", n=place.sheet))
    kept = (
        ngettext("{n} page is kept.", "{n} pages are kept.", place.kept)
        if place.kept
        else _("Nothing has been scanned yet.")
    )
    return ScanFaultView(
        code=alarm.code,
        title=title,
        kept=kept,
        lines=tuple(line for line in lines if line),
        finish=ngettext("Finish with {n} page", "Finish with {n} pages", place.kept),
        is_finish_asked=place.is_finish_asked,
        can_finish=place.kept > 0,
        is_sheet_expected=place.is_sheet_expected,
        icon="tray-arrow-down"
        if place.is_sheet_expected
        else FAULT_ICONS.get(place.code, "scanner"),
    )


@dataclass(frozen=True)
class PageRemark:
    """One result of the page checks, in words."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class PageReviewView:
    """The review of the scanned pages."""

    title: str
    picture: Path | None
    stamp: int
    remarks: tuple[PageRemark, ...]
    thumbnails: tuple[Thumbnail, ...]
    chosen: int
    page: int | None
    count: str
    flagged_count: int
    can_undo: bool
    flagged_only: bool = False
    layout: str = "both"
    label: str = ""
    others: tuple[tuple[str, str], ...] = ()


def page_review_view(
    context: ViewContext,
    place: PageReviewPlace,
    pages: Sequence[Page],
    checks: dict[int, PageChecked],
    label: str = "",
    others: tuple[tuple[str, str], ...] = (),
) -> PageReviewView:
    """Return the chosen page, its remarks, and all thumbnails.

    Args:
        here: words.
        place: where the visitor looks.
        pages: of the document.
        seen: what was seen on them, by number.
        label: of the document.
        others: id and label of the documents to which a page can be moved.
    """
    _ = context.translate.gettext
    every = make_thumbnails(pages, checks)
    flagged = sum(thumbnail.is_flagged for thumbnail in every)
    only = place.flagged_only and flagged > 0
    thumbnails = tuple(thumbnail for thumbnail in every if thumbnail.is_flagged) if only else every
    chosen = max(1, min(place.chosen, len(pages)))
    check = checks.get(pages[chosen - 1].number) if pages else None
    picture = check.preview if check else None
    return PageReviewView(
        title=_("Page {n} of {m}", n=chosen, m=len(pages)) if pages else _("No pages"),
        picture=picture,
        stamp=_stamp(picture),
        remarks=_remarks(context, check) if pages else (),
        thumbnails=thumbnails,
        chosen=chosen,
        page=place.page,
        count=context.translate.ngettext("{n} page", "{n} pages", len(pages)),
        flagged_count=flagged,
        can_undo=place.deleted is not None,
        flagged_only=only,
        layout=place.layout,
        label=label,
        others=others,
    )


def _remarks(context: ViewContext, check: PageChecked | None) -> tuple[PageRemark, ...]:
    _ = context.translate.gettext
    if check is None:
        return (PageRemark("plain", _("The page is being looked at…")),)
    found = []
    for code in check.advice:
        advice = ADVICE.get(code)
        if advice is None:
            alarm = alarm_of(code)
            found.append(PageRemark("fault", alarm.say(context.translate)))
        elif advice.is_fixed:
            found.append(PageRemark("good", _(advice.sentence)))
        else:
            found.append(PageRemark("caution", f"{_(advice.sentence)} {_(advice.remedy)}".strip()))
    if not any(check.tone != "good" for check in found):
        found.insert(0, PageRemark("good", _("Sharp and complete")))
    return tuple(found)
