"""What the screens of paper and pages say: pure functions, without Kivy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from kiosk.alarms import alarm_of
from kiosk.filing.imaging.page_advice import ADVICE
from kiosk.filing.model import Page
from kiosk.filing.service import PageChecked
from kiosk.ui.here import Here
from kiosk.ui.places import Feeding, Looking, Scanning, Stuck
from kiosk.ui.rulebook import RuleLabels
from kiosk.ui.theme import Tone


@dataclass(frozen=True)
class TypeView:
    """Choosing the document type."""

    groups: tuple[tuple[str, str], ...]
    group: str
    types: tuple[tuple[str, str], ...]
    page: int


def type_view(labels: RuleLabels, group: str, page: int) -> TypeView:
    """Return groups and the types of the chosen group."""
    return TypeView(
        groups=tuple((g, labels.group(g)) for g in labels.groups()),
        group=group,
        types=tuple((t, labels.document_type(t)) for t in labels.types_of(group)),
        page=page,
    )


@dataclass(frozen=True)
class Thumb:
    """A page as a small picture; ``place`` counts from 1. ``stamp`` changes with the picture."""

    place: int
    picture: Path | None
    flagged: bool
    stamp: int = 0


def thumbs_of(pages: Sequence[Page], seen: dict[int, PageChecked]) -> tuple[Thumb, ...]:
    """Return the pages as small pictures."""
    found = []
    for place, page in enumerate(pages, start=1):
        looks = seen.get(page.number)
        picture = looks.thumbnail if looks else None
        flagged = bool(looks and any(_needs_eyes(code) for code in looks.advice))
        found.append(Thumb(place, picture, flagged, _stamp(picture)))
    return tuple(found)


def _needs_eyes(code: str) -> bool:
    advice = ADVICE.get(code)
    return advice is None or not advice.helped


def _stamp(picture: Path | None) -> int:
    try:
        return picture.stat().st_mtime_ns if picture else 0
    except OSError:
        return 0


@dataclass(frozen=True)
class FeedView:
    """Paper is awaited or arriving."""

    title: str
    lines: tuple[str, ...]
    thumbs: tuple[Thumb, ...]
    kept: int
    count: str
    scanning: bool
    glass: bool
    duplex: bool = False
    retake: bool = False
    label: str = ""


def feed_view(
    here: Here, place: Feeding | Scanning, thumbs: tuple[Thumb, ...], label: str = ""
) -> FeedView:
    """Return the screen while paper is awaited or passes; ``label``: of the document."""
    _ = here.say.gettext
    count = here.say.ngettext("{n} page scanned", "{n} pages scanned", place.kept)
    match place:
        case Scanning():
            title = _("Scanning…")
            lines: tuple[str, ...] = (_("Wait until the last sheet is through."),)
        case Feeding(glass=True, kept=kept):
            title = _("Lay sheet {n} on the glass, face down", n=kept + 1)
            if isinstance(place.retake, int):
                title = _("Lay the sheet on the glass, face down")
            lines = (
                _("Close the cover, then touch “Scan this sheet”."),
                _("A bound paper goes sheet by sheet."),
            )
        case Feeding(again=True):
            title = _("One sheet is still missing. Put it in alone")
            lines = (_("Scanning begins by itself."), _("“That is all” goes on without it."))
        case Feeding(retake=int(number)):
            title = _("Put this one sheet in again")
            lines = (_("Scanning begins by itself."),)
            del number
        case Feeding(kept=0):
            title = _("Put your sheets into the scanner")
            lines = (
                _("Take out staples and paper clips first."),
                _("Text facing you, top edge down."),
                _("Scanning begins by itself."),
            )
        case Feeding():
            title = _("Put the next sheets in")
            lines = (_("Scanning begins by itself."),)
        case never:
            assert_never(never)
    scanning = isinstance(place, Scanning)
    glass = isinstance(place, Feeding) and place.glass
    return FeedView(
        title,
        lines,
        thumbs,
        place.kept,
        count if place.kept else "",
        scanning,
        glass,
        duplex=isinstance(place, Feeding) and place.duplex,
        retake=place.retake is not None,
        label=label,
    )


@dataclass(frozen=True)
class FaultView:
    """Scanning stopped: consequence, what is safe, what to do, whom to call."""

    code: str
    title: str
    kept: str
    lines: tuple[str, ...]
    finish: str
    asks: bool
    can_finish: bool
    awaited: bool = False
    icon: str = "scanner"


FAULT_ICONS = {
    "scanner_no_paper": "tray-alert",
    "scanner_double_feed": "file-multiple-outline",
    "scanner_absent": "power-plug-off-outline",
    "scanner_lost": "power-plug-off-outline",
    "page_incomplete": "file-document-outline",
}


RELOADS = frozenset(
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


def fault_view(here: Here, place: Stuck) -> FaultView:
    """Return the screen of a scanner fault; it leaves by itself once mended."""
    _, ngettext = here.say.gettext, here.say.ngettext
    alarm = alarm_of(place.code)
    title, lines = alarm.say(here.say), [alarm.remedy(here.say, staff=False)]
    if place.awaited:
        title = _("Put sheet {n} on top of the others again", n=place.sheet)
        lines = [_("It is the one that came out. Scanning goes on as soon as it lies there.")]
    elif place.code in RELOADS:
        lines.append(_("Then put sheet {n} in again. It goes on by itself.", n=place.sheet))
    kept = (
        ngettext("{n} page is kept.", "{n} pages are kept.", place.kept)
        if place.kept
        else _("Nothing has been scanned yet.")
    )
    return FaultView(
        code=alarm.code,
        title=title,
        kept=kept,
        lines=tuple(line for line in lines if line),
        finish=ngettext("Finish with {n} page", "Finish with {n} pages", place.kept),
        asks=place.asks,
        can_finish=place.kept > 0,
        awaited=place.awaited,
        icon="tray-arrow-down" if place.awaited else FAULT_ICONS.get(place.code, "scanner"),
    )


@dataclass(frozen=True)
class Check:
    """One thing seen on a page, in words."""

    tone: Tone
    text: str


@dataclass(frozen=True)
class PagesView:
    """Looking the pages over."""

    title: str
    picture: Path | None
    stamp: int
    checks: tuple[Check, ...]
    thumbs: tuple[Thumb, ...]
    chosen: int
    page: int | None
    count: str
    flagged: int
    can_undo: bool
    only_flagged: bool = False
    shape: str = "both"
    label: str = ""
    others: tuple[tuple[str, str], ...] = ()


def pages_view(
    here: Here,
    place: Looking,
    pages: Sequence[Page],
    seen: dict[int, PageChecked],
    label: str = "",
    others: tuple[tuple[str, str], ...] = (),
) -> PagesView:
    """Return the page chosen, what was seen on it, and all thumbnails.

    Args:
        here: words.
        place: where the visitor looks.
        pages: of the document.
        seen: what was seen on them, by number.
        label: of the document.
        others: id and label of the documents to which a page can be moved.
    """
    _ = here.say.gettext
    every = thumbs_of(pages, seen)
    flagged = sum(thumb.flagged for thumb in every)
    only = place.flagged and flagged > 0
    thumbs = tuple(thumb for thumb in every if thumb.flagged) if only else every
    chosen = max(1, min(place.chosen, len(pages)))
    looks = seen.get(pages[chosen - 1].number) if pages else None
    picture = looks.preview if looks else None
    return PagesView(
        title=_("Page {n} of {m}", n=chosen, m=len(pages)) if pages else _("No pages"),
        picture=picture,
        stamp=_stamp(picture),
        checks=_checks(here, looks) if pages else (),
        thumbs=thumbs,
        chosen=chosen,
        page=place.page,
        count=here.say.ngettext("{n} page", "{n} pages", len(pages)),
        flagged=flagged,
        can_undo=place.deleted is not None,
        only_flagged=only,
        shape=place.shape,
        label=label,
        others=others,
    )


def _checks(here: Here, looks: PageChecked | None) -> tuple[Check, ...]:
    _ = here.say.gettext
    if looks is None:
        return (Check("plain", _("The page is being looked at…")),)
    found = []
    for code in looks.advice:
        advice = ADVICE.get(code)
        if advice is None:
            alarm = alarm_of(code)
            found.append(Check("fault", alarm.say(here.say)))
        elif advice.helped:
            found.append(Check("good", _(advice.sentence)))
        else:
            found.append(Check("caution", f"{_(advice.sentence)} {_(advice.remedy)}".strip()))
    if not any(check.tone != "good" for check in found):
        found.insert(0, Check("good", _("Sharp and complete")))
    return tuple(found)
