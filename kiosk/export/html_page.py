"""The page of a copy: plays the parts and shows the course, from ``file://``, in kk and ru."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kiosk.export.minutes import BUTTON_LABEL
from kiosk.export.part_video import VideoFile
from kiosk.export.texts import PAGE_WORDS, Words
from kiosk.export.time_account import Statement
from kiosk.hearing.session.hearing_state import BUTTON, Mark
from kiosk.locale import LANGUAGES, Translator

_TEMPLATE = Path(__file__).with_name("html_page.html")


def part_of_page(
    number: int, *, closed: bool, files: Sequence[VideoFile], marks: Sequence[Mark], words: Words
) -> dict[str, Any]:
    """Return what the page needs of one part."""
    return {
        "number": number,
        "closed": closed,
        "files": [{"src": one.name, "offset": one.offset, "seconds": one.seconds} for one in files],
        "marks": [_mark(mark, words) for mark in marks],
    }


def _mark(mark: Mark, words: Words) -> dict[str, Any]:
    row = words.rules.events.get(mark.type)
    labels = row.label.as_map() if row else {"kk": mark.type, "ru": mark.type}
    if mark.type == BUTTON:
        labels = {str(one): Translator(one)(BUTTON_LABEL) for one in LANGUAGES}
    label = {language: labels.get(language) or mark.type for language in ("kk", "ru")}
    return {"seconds": mark.part_seconds, "label": label, "note": mark.note}


def told_of_page(
    title: str, about: str, statement: Statement, check: str, words: Words
) -> dict[str, Any]:
    """Return everything the page says in one language."""
    _ = words.translate
    losses = [words.loss(one) for one in statement.losses] or [_("Nothing was missing.")]
    return {
        "title": title,
        "about": about,
        "stretches": [
            {"kind": one.kind, "cells": list(words.stretch(one))} for one in statement.stretches
        ],
        "sums": words.sums(statement),
        "losses": "\n".join([_("Missing or mute within the recorded parts:"), *losses]),
        "how": check,
    }


def make_page(
    language: str,
    parts: Sequence[Mapping[str, Any]],
    told: Mapping[str, Mapping[str, Any]],
    words: Mapping[str, Words],
) -> bytes:
    """Return the page as HTML; everything it shows is in it.

    Args:
        language: shown first (``kk`` or ``ru``).
        parts: of :func:`part_of_page`; told: of :func:`told_of_page`, by language.
    """
    data = {
        "language": language,
        "parts": list(parts),
        "told": dict(told),
        "words": {
            name: {key: one.translate(text) for key, text in PAGE_WORDS.items()}
            for name, one in words.items()
        },
    }
    inline = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    page = _TEMPLATE.read_text(encoding="utf-8")
    head, tail = page.split("__DATA__")
    head = head.replace("__TITLE__", html.escape(str(told[language]["title"])))
    return (head + inline + tail).encode("utf-8")
