"""What several commands share: the settings, the language of a document, a hearing's folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from kiosk.config import Settings
from kiosk.export.errors import ExportError
from kiosk.settings_files import load_settings, settings_path
from kiosk.storage.hearing_folder import JOURNAL_FILE
from kiosk.storage.paths import Paths


def command_settings(arguments: argparse.Namespace) -> Settings:
    """Load the settings that ``--config`` names (or the default file)."""
    return load_settings(settings_path(arguments.config))


def document_language(arguments: argparse.Namespace, settings: Settings) -> str:
    """Return the language of a court document: ``--language``, else the kiosk's own, else Kazakh.

    No document of the court is made in English.
    """
    own = settings.kiosk.language
    return str(arguments.language or (own if own != "en" else "kk"))


def hearing_folder(paths: Paths, hearing: str) -> Path:
    """Return a hearing's folder, given its id or the folder itself.

    Raises:
        ExportError: there is none (``hearing_unknown``).
    """
    for folder in (paths.hearings / hearing, Path(hearing)):
        if (folder / JOURNAL_FILE).is_file():
            return folder.resolve()
    raise ExportError(f"no hearing {hearing}", code="hearing_unknown")


def print_json(value: object) -> None:
    """Print ``value`` for a person or a program: indented, not escaped."""
    print(json.dumps(value, ensure_ascii=False, indent=1))
