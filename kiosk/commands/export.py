"""Copy a sealed hearing for the parties to a medium, such as a USB stick (FAT32 too).

The copy is a folder with one MP4 per part that holds every source as a track, a page
(index.html) that plays them and lists the events, a statement of what was recorded, the seal, how
to check it, and, where they fit, the sealed fragments themselves. Everything is read back from the
medium and compared before the copy gets its name. The remains of an interrupted copy are removed
by the next one. Of a hearing with closed parts only the open parts are copied; a closed hearing is
refused. Each copy is recorded under exports/ in the kiosk's data.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import uuid
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk.commands._common import command_settings, document_language, hearing_folder
from kiosk.config import Settings
from kiosk.errors import ConfigError, KioskError
from kiosk.evidence.device_key import load_device_signer
from kiosk.export.errors import CancelledError
from kiosk.export.hearing_export import ExportProgress, ExportRequest, ExportResult, HearingExport
from kiosk.export.log import ExportLogEntry
from kiosk.export.recipient import Recipient
from kiosk.hardware.child_process.pdeathsig import die_with_parent
from kiosk.rules import load_rules
from kiosk.storage.paths import Paths

HELP = "copy a sealed hearing for the parties to a medium"
EXAMPLES = ("sudo kiosk export HEARING --to /media/usb --by secretary-7",)
EXIT_STATUS = {0: "the copy is complete and was read back", 1: "there is no copy, with the reason"}
_BAR = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the hearing, the medium and the options of the copy."""
    parser.add_argument("hearing", metavar="HEARING", help="id of the hearing, or its folder")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="DIR", help="folder of the mounted medium"
    )
    parser.add_argument("--language", choices=("kk", "ru"), help="language in which the page opens")
    parser.add_argument(
        "--originals",
        choices=("auto", "yes", "no"),
        default="auto",
        help="also copy the sealed fragments (default: if they fit)",
    )
    parser.add_argument("--by", default="", metavar="PERSON", help="id of the person who asks")
    parser.add_argument(
        "--application", default="", metavar="TEXT", help="the application that asks for the copy"
    )
    parser.add_argument("--given-to", default="", metavar="NAME", help="who takes the copy")
    parser.add_argument(
        "--warned", action="store_true", help="they were warned, as АПК 282(4) wants it"
    )
    parser.add_argument("--id", default="", help=argparse.SUPPRESS)
    parser.add_argument("--settings-from-stdin", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    parser.add_argument(
        "--progress-json", action="store_true", help="print the progress as lines of JSON"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the copy; return 0, or 1 with the reason."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.parent is not None:
        die_with_parent(arguments.parent)
    if arguments.settings_from_stdin:
        settings, arguments.given_to, arguments.application = _read_stdin()
    else:
        settings = command_settings(arguments)
    report_progress = _print_json_line if arguments.progress_json else _print_bar

    def progress(now: ExportProgress) -> None:
        if stop.is_set():
            raise CancelledError("cancelled")
        report_progress({"state": "running", **asdict(now)})

    paths = Paths.from_settings(settings.paths)
    folder = hearing_folder(paths, arguments.hearing)
    entry = ExportLogEntry(paths, arguments.id or str(uuid.uuid4()))
    recipient = Recipient(arguments.given_to, arguments.warned)
    asked = {"by": arguments.by, "application": arguments.application}
    request = asked | dict(recipient.as_fields())
    try:
        entry.begin(folder.name, str(arguments.to), request)
        copy = _export(arguments, settings, folder, progress)
    except KioskError as error:
        state = "cancelled" if isinstance(error, CancelledError) else "failed"
        entry.end(state, {"code": error.code})
        if arguments.progress_json:
            _print_json_line({"state": state, "code": error.code, "message": str(error)})
            return error.exit_code
        sys.stderr.write("\n")
        raise
    entry.end("done", {"folder": copy.folder.name, "closed_parts_left_out": copy.left_out})
    report_progress({"state": "done", **asdict(copy), "folder": str(copy.folder)})
    return 0


def _read_stdin() -> tuple[Settings, str, str]:
    """Return the recorder's own settings, who takes the copy and by which application.

    Both may name persons, and a command line is shown to everybody.
    """
    try:
        settings, _, typed = sys.stdin.read().partition("\n")
        given_to, _, application = typed.partition("\n")
        return Settings.model_validate_json(settings), given_to, application
    except (ValidationError, UnicodeDecodeError) as error:
        raise ConfigError("standard input: these are no settings") from error


def _export(
    arguments: argparse.Namespace,
    settings: Settings,
    folder: Path,
    progress: Callable[[ExportProgress], None],
) -> ExportResult:
    signer, _enrolled = load_device_signer(Paths.from_settings(settings.paths), settings.kiosk.id)
    return HearingExport(
        folder,
        arguments.to,
        settings=settings,
        rules=load_rules(),
        signer=signer,
        request=ExportRequest(
            document_language(arguments, settings),
            arguments.by,
            arguments.application,
            arguments.originals,
            recipient=Recipient(arguments.given_to, arguments.warned),
        ),
        progress=progress,
    ).run()


def _print_json_line(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def _print_bar(value: dict[str, Any]) -> None:
    """Draw the progress as one line of a terminal, or the result as text."""
    if value["state"] == "done":
        left = value["left_out"]
        sys.stderr.write("\n")
        print(f"{value['folder']}: {value['files']} files, {value['bytes']} bytes, read back")
        if left:
            print(f"closed parts, not copied: {', '.join(map(str, left))}")
        if value["withheld"]:
            print(f"stretches with a protected person, not copied: {value['withheld']}")
        return
    share = value["done"] / max(1, value["total"])
    bar = "#" * round(share * _BAR)
    sys.stderr.write(f"\r[{bar:<{_BAR}}] {share:4.0%} {value['stage'].replace('_', ' '):<14}")
    sys.stderr.flush()
