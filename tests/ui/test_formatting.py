"""Sentences: all translated, with the same fields, in real Kazakh letters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from string import Formatter
from zoneinfo import ZoneInfo

import pytest

from kiosk.locale import Language, Translator
from kiosk.locale.catalogues import (
    TRANSLATED_LANGUAGES,
    catalogue_path,
    list_untranslated,
    read_catalogue,
)
from kiosk.rules.text import has_latin_schwa
from kiosk.ui.formatting import (
    age_text,
    clock_text,
    day_text,
    iso_date,
    size_text,
    timer_text,
)


def test_a_clock_that_was_not_set_gives_no_time_of_day() -> None:
    zone = ZoneInfo("Asia/Almaty")
    assert clock_text("2026-11-23T04:42:00.000Z", zone) == "09:42"
    assert clock_text("1970-01-01T00:07:12.000Z", zone) == clock_text(None, zone) == ""
    assert clock_text(datetime(1970, 1, 1, tzinfo=UTC), zone, seconds=True) == ""


def fields(text: str) -> set[str]:
    """Return the names in braces."""
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name}


@pytest.mark.slow
@pytest.mark.parametrize("language", TRANSLATED_LANGUAGES)
def test_no_sentence_of_the_screen_is_untranslated(language: Language) -> None:
    """Every message id of ``kiosk/ui`` has a translation."""
    assert [line for line in list_untranslated(language) if line.startswith("ui:")] == []


@pytest.mark.parametrize("language", TRANSLATED_LANGUAGES)
def test_translations_keep_their_fields(language: Language) -> None:
    """A translation fills in what the sentence does, and has no look-alike letters."""
    for message in read_catalogue(catalogue_path("ui", language), language):
        if not message.id:
            continue
        original = message.id if isinstance(message.id, str) else message.id[1]
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        for form in map(str, forms):
            assert fields(form) == fields(original), form
            assert not has_latin_schwa(form), form


def test_times_and_sizes_in_words() -> None:
    """One unit, in the language on the screen."""
    translate = Translator("ru")
    assert timer_text(2537.4) == "0:42:17"
    assert age_text(14, translate) == "14 с"
    assert age_text(26 * 3600, translate) == "26 ч"
    assert age_text(3 * 86400, translate) == "3 дня"
    assert size_text(200_000, translate) == "0,2 МБ"
    assert day_text(date(2026, 11, 22), translate) == "22 ноября, воскресенье"
    translate.switch_language("kk")
    assert day_text(date(2026, 11, 22), translate) == "22 қараша, жексенбі"


@pytest.mark.parametrize(
    ("typed", "day"),
    [("23.11.2026", "2026-11-23"), ("31.2.2026", ""), ("23.11", ""), ("", ""), ("1.1.26", "")],
)
def test_a_typed_day(typed: str, day: str) -> None:
    """Only a real day is taken."""
    assert iso_date(typed) == day
