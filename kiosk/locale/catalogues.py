"""Extracts, checks and compiles the catalogues.

``python -m kiosk.locale.catalogues update [DOMAIN]``  add new sentences to the ``.po`` files
``python -m kiosk.locale.catalogues check``    list untranslated sentences; exit status 1 if any
``python -m kiosk.locale.catalogues compile``  make the ``.mo`` files (part of ``make setup``)

A domain is a catalogue: sentences of ``kiosk/ui/`` go to ``ui.po``, those of ``kiosk/alarms.toml``
to ``alarms.po``. ``update`` removes sentences that are no longer used.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kiosk.locale import CATALOGUES_FOLDER, Language

TRANSLATED_LANGUAGES: tuple[Language, ...] = ("kk", "ru")
PACKAGE = CATALOGUES_FOLDER.parent
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
TOML_SENTENCES = {"alarms.toml": ("sentence", "staff", "public")}
"""TOML files whose tables hold sentences, and the keys of those."""
IDENTIFIER = re.compile(r"[a-z]+(_[a-z]+)+")
"""A key, not a sentence: Babel extracts “no_paper” from ``_(NAMES["no_paper"])``."""
PLURALS = {
    "kk": "nplurals=1; plural=0;",  # a Kazakh noun stays in the singular after a number
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
    "(n%100<10 || n%100>=20) ? 1 : 2);",
}


def domain_of(source: Path, package: Path = PACKAGE) -> str:
    """Return the domain (name of the catalogue) that the file ``source`` belongs to."""
    first = source.relative_to(package).parts[0]
    return Path(first).stem


def extract_messages(package: Path = PACKAGE) -> dict[str, Catalog]:
    """Return the sentences of the code, one catalogue per domain that has any."""
    catalogues: dict[str, Catalog] = {}
    for source in sorted(package.rglob("*")):
        if CATALOGUES_FOLDER in source.parents:
            continue
        for message, comments, context in _read_messages(source):
            domain = catalogues.setdefault(domain_of(source, package), Catalog(charset="utf-8"))
            location = (source.relative_to(package.parent).as_posix(), 0)
            domain.add(message, locations=[location], auto_comments=comments, context=context)
    return catalogues


def _read_messages(source: Path) -> Iterator[tuple[Any, list[str], str | None]]:
    """Yield message id (two for a plural), translator comments and context of each sentence."""
    if source.suffix == ".py":
        found = extract_from_file("python", source, keywords=KEYWORDS, comment_tags=("L10n:",))
        for _line, message, comments, context in found:
            if not (isinstance(message, str) and IDENTIFIER.fullmatch(message)):
                yield message, comments, context
    elif keys := TOML_SENTENCES.get(source.name):
        for table in tomllib.loads(source.read_text(encoding="utf-8")).values():
            yield from ((table[key], [], None) for key in keys if key in table)


def read_catalogue(path: Path, language: Language) -> Catalog:
    """Return the catalogue at ``path``, or an empty one for ``language``."""
    if path.exists():
        with path.open("rb") as file:
            return read_po(file, locale=language)
    catalogue = Catalog(locale=language, charset="utf-8")
    catalogue.mime_headers = [("Plural-Forms", PLURALS[language])]
    return catalogue


def catalogue_path(domain: str, language: Language, folder: Path = CATALOGUES_FOLDER) -> Path:
    """Return the path of the catalogue of ``domain`` in ``language``."""
    return folder / language / "LC_MESSAGES" / f"{domain}.po"


def update_catalogues(
    folder: Path = CATALOGUES_FOLDER, package: Path = PACKAGE, only: str | None = None
) -> None:
    """Update the ``.po`` files under ``folder`` from the code; keep the translations.

    Args:
        folder: folder of the catalogues.
        package: package whose code is read.
        only: domain to update; default: all.
    """
    for domain, template in extract_messages(package).items():
        if only not in (None, domain):
            continue
        for language in TRANSLATED_LANGUAGES:
            path = catalogue_path(domain, language, folder)
            catalogue = read_catalogue(path, language)
            catalogue.update(template, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            _write(path, catalogue)


def _write(path: Path, catalogue: Catalog) -> None:
    """Write ``catalogue`` without dates and line numbers, so that a diff shows sentences only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for message in catalogue:  # Babel gives a new plural as many forms as English has
        if isinstance(message.string, tuple):
            forms = (*message.string, *[""] * catalogue.num_plurals)
            message.string = forms[: catalogue.num_plurals]
    language = str(catalogue.locale)
    header = (
        'msgid ""\nmsgstr ""\n'
        f'"Language: {language}\\n"\n'
        '"MIME-Version: 1.0\\n"\n'
        '"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Content-Transfer-Encoding: 8bit\\n"\n'
        f'"Plural-Forms: {PLURALS[language]}\\n"\n\n'
    )
    with path.open("wb") as file:
        file.write(header.encode())
        write_po(
            file, catalogue, width=100, omit_header=True, include_lineno=False, sort_output=True
        )


def list_untranslated(
    language: Language, folder: Path = CATALOGUES_FOLDER, package: Path = PACKAGE
) -> list[str]:
    """Return ``domain: sentence`` for each sentence of the code that ``language`` lacks."""
    missing: list[str] = []
    for domain, template in extract_messages(package).items():
        known = read_catalogue(catalogue_path(domain, language, folder), language)
        for message in template:
            if message.id and not _is_translated(known.get(message.id, message.context)):
                missing.append(f"{domain}: {message.id}")
    return missing


def _is_translated(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(forms)


def compile_catalogues(folder: Path = CATALOGUES_FOLDER) -> list[Path]:
    """Write a ``.mo`` beside every ``.po`` under ``folder``; return them."""
    compiled: list[Path] = []
    for language in TRANSLATED_LANGUAGES:
        for path in sorted((folder / language / "LC_MESSAGES").glob("*.po")):
            target = path.with_suffix(".mo")
            with target.open("wb") as file:
                write_mo(file, read_catalogue(path, language))
            compiled.append(target)
    return compiled


def main(argv: list[str] | None = None) -> int:
    """Run ``update``, ``check`` or ``compile``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.locale.catalogues", description=__doc__)
    parser.add_argument("action", choices=("update", "check", "compile"))
    parser.add_argument("domain", nargs="?", help="only this catalogue (update)")
    arguments = parser.parse_args(argv)
    action = arguments.action
    if action == "update":
        update_catalogues(only=arguments.domain)
    elif action == "compile":
        print(f"{len(compile_catalogues())} catalogues compiled")
    else:
        missing = [
            f"{language}: {line}"
            for language in TRANSLATED_LANGUAGES
            for line in list_untranslated(language)
        ]
        print("\n".join(missing) or "every sentence is translated")
        return 1 if missing else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
