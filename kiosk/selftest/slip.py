"""The report of a self-test as a slip for the receipt printer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from kiosk import fonts
from kiosk.alarms import alarm_of
from kiosk.clocks import parse_wall
from kiosk.filing.printing.raster_page import RasterPage
from kiosk.selftest.labels import CHECK_NAMES, STATE_NAMES
from kiosk.selftest.model import CheckResult
from kiosk.selftest.words import MeasuredWords


def slip_lines(report: Mapping[str, Any], words: MeasuredWords) -> list[tuple[str, list[str]]]:
    """Return each check with its result, and what is to be read below it.

    A check that passed has the value that says most; one that did not has the reason, the remedy
    and all values.
    """
    translate = words.translate
    lines: list[tuple[str, list[str]]] = []
    for row in report["results"]:
        result = CheckResult.from_json(row)
        if result.check not in CHECK_NAMES:
            continue
        state = translate(STATE_NAMES[result.state])
        head = f"{translate(CHECK_NAMES[result.check])}: {state}"
        if result.state == "passed":
            value = words.headline(result)
            lines.append((f"{head} · {value}" if value else head, []))
            continue
        below = []
        if result.code:
            alarm = alarm_of(result.code)
            below = [alarm.say(translate), alarm.remedy(translate, staff=True)]
        lines.append((head, below + [line.text for line in words.lines(result)]))
    return lines


def render_slip(
    report: Mapping[str, Any],
    words: MeasuredWords,
    court: str,
    width: int,
    notes: Sequence[str] = (),
) -> Image.Image:
    """Return the slip as black dots on white (mode ``1``).

    Args:
        width: dots across the paper.
        notes: what is read before the checks, such as steps of commissioning that are not done.
    """
    _ = words.translate.gettext
    page = RasterPage(width, width / 576)
    page.draw_text(court, 26, fonts.SEMI_BOLD)
    title = _("The room is set up") if report.get("commissioning") else _("Self-test")
    page.draw_text(title, 34, fonts.SEMI_BOLD)
    ended = parse_wall(str(report["ended"]))
    when = ended.astimezone(words.zone).strftime("%d.%m.%Y %H:%M") if ended else ""
    page.draw_text(
        " · ".join((str(report["kiosk"]), _("Room {room}", room=report["room"]), when)), 24
    )
    page.draw_text(_("Signed report {id}", id=report.get("id") or "–"), 22)
    for note in notes:
        page.draw_text(note, 26, fonts.MEDIUM)
    page.draw_rule()
    for head, below in slip_lines(report, words):
        page.draw_text(head, 26, fonts.MEDIUM)
        for line in below:
            page.draw_text(line, 22)
    page.draw_rule()
    page.draw_text(_("Technician: ________________"), 24, gap=30)
    return page.render()
