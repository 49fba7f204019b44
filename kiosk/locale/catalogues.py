"""Extract, check and compile the catalogues.

``python -m kiosk.locale.catalogues update [ROOM]``  new sentences into the ``.po`` files
``python -m kiosk.locale.catalogues check``   list what is not translated; exit status 1 if any
``python -m kiosk.locale.catalogues compile``  make the ``.mo`` files (part of ``make setup``)

A room is a catalogue: what lies in ``kiosk/ui/`` goes to ``ui.po``, ``kiosk/alarms.py`` to
``alarms.po``. Sentences that left the code leave the catalogue.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kiosk.locale import FOLDER, Language

TRANSLATED: tuple[Language, ...] = ("kk", "ru")
PACKAGE = FOLDER.parent
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
EXTRACTORS = {".py": "python", ".kv": "javascript"}
IDENTIFIER = re.compile(r"[a-z]+(_[a-z]+)+")
"""The extractor takes ``_(NAMES["no_paper"])`` for the sentence “no_paper”; it is a key."""
PLURALS = {
    "kk": "nplurals=1; plural=0;",  # a Kazakh noun stays in the singular after a number
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
    "(n%100<10 || n%100>=20) ? 1 : 2);",
}


def room_of(source: Path, package: Path = PACKAGE) -> str:
    """Return the room (name of the catalogue) that the file ``source`` belongs to."""
    first = source.relative_to(package).parts[0]
    return Path(first).stem


def extract(package: Path = PACKAGE) -> dict[str, Catalog]:
    """Return the sentences of the code, one catalogue per room that has any."""
    rooms: dict[str, Catalog] = {}
    for source in sorted(path for path in package.rglob("*") if path.suffix in EXTRACTORS):
        if FOLDER in source.parents:
            continue
        found = extract_from_file(
            EXTRACTORS[source.suffix], source, keywords=KEYWORDS, comment_tags=("L10n:",)
        )
        for _line, message, comments, context in found:
            if isinstance(message, str) and IDENTIFIER.fullmatch(message):
                continue
            room = rooms.setdefault(room_of(source, package), Catalog(charset="utf-8"))
            place = (source.relative_to(package.parent).as_posix(), 0)
            room.add(message, locations=[place], auto_comments=comments, context=context)
    return rooms


def read_catalogue(path: Path, language: Language) -> Catalog:
    """Return the catalogue at ``path``, or an empty one for ``language``."""
    if path.exists():
        with path.open("rb") as file:
            return read_po(file, locale=language)
    catalogue = Catalog(locale=language, charset="utf-8")
    catalogue.mime_headers = [("Plural-Forms", PLURALS[language])]
    return catalogue


def catalogue_path(room: str, language: Language, folder: Path = FOLDER) -> Path:
    """Return where the catalogue of ``room`` in ``language`` lies."""
    return folder / language / "LC_MESSAGES" / f"{room}.po"


def update(folder: Path = FOLDER, package: Path = PACKAGE, only: str | None = None) -> None:
    """Bring the ``.po`` files under ``folder`` up to the code; translations are kept.

    Args:
        folder: folder of the catalogues.
        package: package whose code is read.
        only: room to update; default: all.
    """
    for room, template in extract(package).items():
        if only not in (None, room):
            continue
        for language in TRANSLATED:
            path = catalogue_path(room, language, folder)
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


def untranslated(language: Language, folder: Path = FOLDER, package: Path = PACKAGE) -> list[str]:
    """Return ``room: sentence`` for each sentence of the code that ``language`` lacks."""
    lacking: list[str] = []
    for room, template in extract(package).items():
        known = read_catalogue(catalogue_path(room, language, folder), language)
        for message in template:
            if message.id and not _is_translated(known.get(message.id, message.context)):
                lacking.append(f"{room}: {message.id}")
    return lacking


def _is_translated(message: Message | None) -> bool:
    if message is None or message.fuzzy:
        return False
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(forms)


def compile_all(folder: Path = FOLDER) -> list[Path]:
    """Write a ``.mo`` beside every ``.po`` under ``folder``; return them."""
    made: list[Path] = []
    for language in TRANSLATED:
        for path in sorted((folder / language / "LC_MESSAGES").glob("*.po")):
            target = path.with_suffix(".mo")
            with target.open("wb") as file:
                write_mo(file, read_catalogue(path, language))
            made.append(target)
    return made


def main(argv: list[str] | None = None) -> int:
    """Run ``update``, ``check`` or ``compile``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kiosk.locale.catalogues", description=__doc__)
    parser.add_argument("action", choices=("update", "check", "compile"))
    parser.add_argument("room", nargs="?", help="only this room (update)")
    arguments = parser.parse_args(argv)
    action = arguments.action
    if action == "update":
        update(only=arguments.room)
    elif action == "compile":
        print(f"{len(compile_all())} catalogues compiled")
    else:
        lacking = [
            f"{language}: {line}" for language in TRANSLATED for line in untranslated(language)
        ]
        print("\n".join(lacking) or "every sentence is translated")
        return 1 if lacking else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
