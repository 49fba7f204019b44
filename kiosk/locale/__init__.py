"""Languages of the kiosk: Kazakh, Russian, English, switched live.

The English sentence in the code is the message id. ``kk`` and ``ru`` come from gettext catalogues,
one file per package (``kk/LC_MESSAGES/ui.po``, ``alarms.po``, ...), which are merged when they are
loaded. A compiled ``.mo`` is used if it is at least as new as its ``.po``; otherwise the ``.po`` is
read, so that a forgotten compilation never shows a stale or English sentence.

``python -m kiosk.locale.catalogues`` extracts, checks and compiles.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from kiosk.errors import KioskError

Language = Literal["kk", "ru", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NATIVE_NAMES: Mapping[Language, str] = {"kk": "Қазақша", "ru": "Русский", "en": "English"}
"""Each language's own name; it is never translated."""

CATALOGUES_FOLDER = Path(__file__).parent


class LanguageError(KioskError):
    """The language is not one of :data:`LANGUAGES`."""

    code = "language_unknown"


def N_(message: str) -> str:  # noqa: N802 - the name every gettext tool knows
    """Mark ``message`` for extraction; return it untranslated."""
    return message


def parse_language(text: str) -> Language:
    """Return ``text`` as a :data:`Language`.

    Raises:
        LanguageError: it is not a language of the kiosk.
    """
    for language in LANGUAGES:
        if language == text:
            return language
    raise LanguageError(f"language “{text}” is not one of {', '.join(LANGUAGES)}")


def load_catalogue(language: Language, folder: Path = CATALOGUES_FOLDER) -> Translations:
    """Return all catalogues of ``language`` under ``folder``, merged (empty for English)."""
    po_files = sorted((folder / language / "LC_MESSAGES").glob("*.po"))
    if not po_files:
        return Translations()
    merged = _read_catalogue(po_files[0], language)  # merge() keeps the first one's plural rule
    for po in po_files[1:]:
        merged.merge(_read_catalogue(po, language))
    return merged


def _read_catalogue(po: Path, language: Language) -> Translations:
    """Return a catalogue from its ``.mo`` if that is fresh, else from the ``.po``."""
    mo = po.with_suffix(".mo")
    if mo.exists() and mo.stat().st_mtime_ns >= po.stat().st_mtime_ns:
        with mo.open("rb") as file:
            return Translations(file)
    compiled = io.BytesIO()
    with po.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return Translations(compiled)


class Translator:
    """gettext in one of three languages; :meth:`switch_language` changes it.

    Calling the object translates: ``_ = Translator("kk"); _("Start hearing")``.

    Args:
        language: initial language.
        folder: folder of the catalogues.
    """

    def __init__(self, language: str = "kk", folder: Path = CATALOGUES_FOLDER) -> None:
        self._folder = folder
        self._loaded: dict[Language, Translations] = {}
        self._observers: list[Callable[[], None]] = []
        self._language: Language = parse_language(language)

    @property
    def language(self) -> Language:
        """The current language."""
        return self._language

    def switch_language(self, language: str) -> None:
        """Change the language and call every observer once; do nothing if it is current."""
        new_language = parse_language(language)
        if new_language == self._language:
            return
        self._language = new_language
        for observer in list(self._observers):
            observer()

    def add_observer(self, observer: Callable[[], None]) -> Callable[[], None]:
        """Call ``observer`` after each change of language; return a function that stops it."""
        self._observers.append(observer)

        def unsubscribe() -> None:
            if observer in self._observers:
                self._observers.remove(observer)

        return unsubscribe

    def _catalogue(self) -> Translations:
        if self._language not in self._loaded:
            self._loaded[self._language] = load_catalogue(self._language, self._folder)
        return self._loaded[self._language]

    def gettext(self, message: str, **values: object) -> str:
        """Return ``message`` in the current language, with ``{name}`` filled from ``values``."""
        text = str(self._catalogue().gettext(message)) if message else ""
        return text.format(**values) if values else text

    __call__ = gettext

    def ngettext(self, singular: str, plural: str, number: int, **values: object) -> str:
        """Return the form for ``number``, with ``{n}`` and ``values`` filled in."""
        text = str(self._catalogue().ngettext(singular, plural, number))
        return text.format(n=number, **values)

    def pgettext(self, context: str, message: str, **values: object) -> str:
        """Return ``message`` with its meaning in ``context`` (an English word may have several)."""
        text = str(self._catalogue().pgettext(context, message))
        return text.format(**values) if values else text

    def pick(self, labels: Mapping[Any, str | None]) -> str:
        """Return the label of a language map in the current language, else in kk, ru or en.

        A legal text without a fallback (an oath) must not use this: see
        :meth:`kiosk.rules.Rules.oath_text`.
        """
        for language in (self._language, *LANGUAGES):
            if text := labels.get(language):
                return text
        return ""
