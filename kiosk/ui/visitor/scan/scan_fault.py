"""Scanning stopped: consequence, what is safe, what to do, whom to call."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.alarms import alarm_of
from kiosk.ui.app_state import AppState
from kiosk.ui.registry import ScanFaultPlace
from kiosk.ui.samples.visit_states import visit

FAULT_ICONS = {
    "scanner_no_paper": "tray-alert",
    "scanner_double_feed": "file-multiple-outline",
    "scanner_absent": "power-plug-off-outline",
    "scanner_lost": "power-plug-off-outline",
    "scanner_picture": "file-document-outline",
    "scanner_resolution": "file-document-outline",
    "page_incomplete": "file-document-outline",
}
# After these the sheet has to be inserted again.
RELOAD_FAULTS = frozenset(
    {
        "scanner_jam",
        "scanner_double_feed",
        "scanner_cover_open",
        "scanner_stalled",
        "page_incomplete",
        "page_failed",
        "scanner_lost",
        "scanner_picture",
        "scanner_resolution",
    }
)


@dataclass(frozen=True)
class ScanFaultView:
    """A fault of the scanner, in words."""

    title: str
    kept: str
    lines: tuple[str, ...]
    finish: str
    is_finish_asked: bool
    can_finish: bool
    is_sheet_expected: bool
    icon: str


def view(app: AppState) -> ScanFaultView:
    """Return consequence and remedy of the fault."""
    _, ngettext = app.translate.gettext, app.translate.ngettext
    place = app.visit.place_as(ScanFaultPlace)
    alarm, icon = alarm_of(place.code), FAULT_ICONS.get(place.code, "scanner")
    title, lines = alarm.say(app.translate), [alarm.remedy(app.translate, staff=False)]
    if place.is_sheet_expected:
        title, icon = (
            _("Put sheet {n} on top of the others again", n=place.sheet),
            "tray-arrow-down",
        )
        lines = [_("It is the one that came out. Scanning goes on as soon as it lies there.")]
    elif place.code in RELOAD_FAULTS:
        lines.append(_("Then put sheet {n} in again. It goes on by itself.", n=place.sheet))
    kept = ngettext("{n} page is kept.", "{n} pages are kept.", place.kept)
    return ScanFaultView(
        title=title,
        kept=kept if place.kept else _("Nothing has been scanned yet."),
        lines=tuple(line for line in lines if line),
        finish=ngettext("Finish with {n} page", "Finish with {n} pages", place.kept),
        is_finish_asked=place.is_finish_asked,
        can_finish=place.kept > 0,
        is_sheet_expected=place.is_sheet_expected,
        icon=icon,
    )


SAMPLED_FAULTS = (
    "scanner_jam",
    "scanner_double_feed",
    "scanner_cover_open",
    "scanner_stalled",
    "scanner_lost",
    "scanner_picture",
    "page_incomplete",
)
SAMPLES = {
    **{f"scan_fault-{code}": visit(ScanFaultPlace(code, 2, 3), 2) for code in SAMPLED_FAULTS},
    "scan_fault-scanner_resolution": visit(ScanFaultPlace("scanner_resolution", 0, 1)),
    "scan_fault-scanner_absent": visit(ScanFaultPlace("scanner_absent", 0, 1)),
    "scan_fault-sheet-awaited": visit(
        ScanFaultPlace("scanner_jam", 2, 3, is_sheet_expected=True), 2
    ),
    "scan_fault-finish": visit(ScanFaultPlace("scanner_jam", 2, 3, is_finish_asked=True), 2),
}
