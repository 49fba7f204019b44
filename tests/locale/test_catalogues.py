"""The shipped catalogues: complete, with the same placeholders, without look-alike letters."""

from __future__ import annotations

import re

import pytest

from kiosk.locale import CATALOGUES_FOLDER, Language
from kiosk.locale.catalogues import (
    TRANSLATED_LANGUAGES,
    extract_messages,
    list_untranslated,
    read_catalogue,
)
from kiosk.rules.text import has_latin_schwa

PLACEHOLDER = re.compile(r"\{\w+\}")
LATIN_IN_CYRILLIC = re.compile(r"[а-яёәғқңөұүһі][a-z]|[a-z][а-яёәғқңөұүһі]", re.IGNORECASE)
SHIPPED = [
    (language, path)
    for language in TRANSLATED_LANGUAGES
    for path in sorted((CATALOGUES_FOLDER / language / "LC_MESSAGES").glob("*.po"))
]


def placeholders(text: object) -> set[str]:
    return set(PLACEHOLDER.findall(str(text)))


@pytest.mark.slow
@pytest.mark.parametrize("language", TRANSLATED_LANGUAGES)
def test_every_sentence_of_the_code_is_translated(language: Language) -> None:
    assert list_untranslated(language) == []


@pytest.mark.parametrize(("language", "path"), SHIPPED, ids=lambda value: str(value)[-12:])
def test_translations_keep_the_placeholders(language: Language, path: object) -> None:
    wrong = []
    for message in read_catalogue(path, language):  # type: ignore[arg-type]
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        texts = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = placeholders(ids[-1])
        wrong += [text for text in texts if ids[0] and placeholders(text) != wanted]
    assert wrong == []


@pytest.mark.parametrize(("language", "path"), SHIPPED, ids=lambda value: str(value)[-12:])
def test_the_set_up_can_compile_it(language: Language, path: object) -> None:
    """A "% c" in a sentence is taken for a placeholder of another kind, which none may lack."""
    catalogue = read_catalogue(path, language)  # type: ignore[arg-type]
    assert [(message.id, errors) for message, errors in catalogue.check()] == []


@pytest.mark.parametrize(("language", "path"), SHIPPED, ids=lambda value: str(value)[-12:])
def test_no_latin_letter_within_a_cyrillic_word(language: Language, path: object) -> None:
    texts = [
        str(text)
        for message in read_catalogue(path, language)  # type: ignore[arg-type]
        for text in (message.string if isinstance(message.string, tuple) else (message.string,))
    ]
    assert [text for text in texts if has_latin_schwa(text)] == []
    assert [text for text in texts if LATIN_IN_CYRILLIC.search(text)] == []


@pytest.mark.slow
def test_keys_of_tables_are_not_taken_for_sentences() -> None:
    ids = [message.id for catalogue in extract_messages().values() for message in catalogue]
    assert [
        key for key in ids if isinstance(key, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", key)
    ] == []
