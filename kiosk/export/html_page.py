"""The HTML page of a copy: plays the parts and lists the events, from ``file://``, in kk and ru."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kiosk.api.notes import Note
from kiosk.export.minutes import BUTTON_LABEL, NOTE_LABEL
from kiosk.export.part_video import VideoFile
from kiosk.export.texts import PAGE_LABELS, ExportTexts
from kiosk.export.time_account import TimeAccount
from kiosk.hearing.session.hearing_state import BUTTON_MARK, Mark
from kiosk.locale import LANGUAGES, Translator

_TEMPLATE = Path(__file__).with_name("html_page.html")


def page_part(
    number: int,
    *,
    closed: bool,
    files: Sequence[VideoFile],
    marks: Sequence[Mark],
    notes: Sequence[Note],
    lanes: Sequence[Mapping[str, Any]],
    texts: ExportTexts,
) -> dict[str, Any]:
    """Return the page data of one part.

    Args:
        lanes: who spoke when (:func:`kiosk.export.speech_lanes.page_lanes`).
    """
    return {
        "number": number,
        "closed": closed,
        "files": [
            {"src": file.name, "offset": file.offset, "seconds": file.seconds} for file in files
        ],
        "marks": sorted(
            [_page_mark(mark, texts) for mark in marks] + [_page_note(note) for note in notes],
            key=lambda row: float(row["seconds"]),
        ),
        "lanes": list(lanes),
    }


def _page_mark(mark: Mark, texts: ExportTexts) -> dict[str, Any]:
    event = texts.rules.events.get(mark.type)
    labels = event.label.as_map() if event else {"kk": mark.type, "ru": mark.type}
    if mark.type == BUTTON_MARK:
        labels = {str(language): Translator(language)(BUTTON_LABEL) for language in LANGUAGES}
    label = {language: labels.get(language) or mark.type for language in ("kk", "ru")}
    if mark.of is not None:
        role = texts.rules.roles.get(mark.of.role)
        roles = role.label.as_map() if role else {}
        for language in label:
            whom = (roles.get(language) or mark.of.role, mark.of.name)
            label[language] += f": {' '.join(filter(None, whom))}"
    return {"seconds": mark.part_seconds, "label": label, "note": mark.note}


def _page_note(note: Note) -> dict[str, Any]:
    label = {str(language): Translator(language)(NOTE_LABEL) for language in LANGUAGES}
    return {"seconds": note.part_seconds, "label": label, "note": note.text}


def page_texts(
    title: str, subtitle: str, time_account: TimeAccount, guide: str, texts: ExportTexts
) -> dict[str, Any]:
    """Return all texts of the page in one language."""
    _ = texts.translate
    losses = [texts.loss_line(loss) for loss in time_account.losses] or [_("Nothing was missing.")]
    return {
        "title": title,
        "about": subtitle,
        "stretches": [
            {"kind": interval.kind, "cells": list(texts.interval_row(interval))}
            for interval in time_account.intervals
        ],
        "sums": texts.sum_lines(time_account),
        "losses": "\n".join([_("Missing or mute within the recorded parts:"), *losses]),
        "how": guide,
    }


def render_html_page(
    language: str,
    parts: Sequence[Mapping[str, Any]],
    page: Mapping[str, Mapping[str, Any]],
    texts: Mapping[str, ExportTexts],
) -> bytes:
    """Return the page as one self-contained HTML file.

    Args:
        language: shown first (``kk`` or ``ru``).
        parts: results of :func:`page_part`.
        page: results of :func:`page_texts`, by language.
        texts: by language.
    """
    data = {
        "language": language,
        "parts": list(parts),
        "page_texts": dict(page),
        "words": {
            name: {key: own_texts.translate(text) for key, text in PAGE_LABELS.items()}
            for name, own_texts in texts.items()
        },
    }
    inline = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    template = _TEMPLATE.read_text(encoding="utf-8")
    head, tail = template.split("__DATA__")
    head = head.replace("__TITLE__", html.escape(str(page[language]["title"])))
    return (head + inline + tail).encode("utf-8")
