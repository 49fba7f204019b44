"""Verify a recorded hearing, or one part of it: is it exactly what the kiosk recorded?

The trusted root is the FILE you give, never anything in the folder. Standard tools give the same
answer, see docs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kiosk.commands._common import print_json
from kiosk.locale import LANGUAGES, Translator
from kiosk.recording.encryption.decrypt import read_identities
from kiosk.recording.verify.hearing import verify
from kiosk.recording.verify.minutes import check_minutes
from kiosk.recording.verify.report import VerifyReport
from kiosk.recording.verify.slip import check_slip
from kiosk.recording.verify.timestamp import check_timestamp
from kiosk.storage.hearing_folder import SIGNATURE

HELP = "verify a hearing's or a part's folder"
EXAMPLES = (
    "kiosk verify HEARING_FOLDER --ca court-ca.crt",
    "kiosk verify HEARING_FOLDER --ca court-ca.crt --slip CODE",
    "kiosk verify HEARING_FOLDER --ca court-ca.crt --minutes MINUTES_FOLDER",
)
EXIT_STATUS = {
    0: "it is exactly what the kiosk recorded",
    1: "it is not; each line names the problem and its place",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the trusted root and the output format."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="hearing or part")
    parser.add_argument(
        "--ca",
        type=Path,
        required=True,
        metavar="FILE",
        help="the court's certificate authority (PEM), from a source that you trust",
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="the court's private age key: also decodes closed parts",
    )
    parser.add_argument("--stamp", type=Path, metavar="FILE", help="time stamp of the seal (.tsr)")
    parser.add_argument(
        "--stamp-ca", type=Path, metavar="FILE", help="roots of time stamp authorities (PEM)"
    )
    parser.add_argument("--slip", metavar="CODE", help="code on a party's slip")
    parser.add_argument(
        "--minutes",
        type=Path,
        metavar="FOLDER",
        help="sealed short minutes: also verifies them, and that they belong to this recording",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--quick", action="store_true", help="do not decode the media")
    parser.add_argument(
        "--language", choices=LANGUAGES, default="en", help="language of the messages"
    )


def run(arguments: argparse.Namespace) -> int:
    """Verify and print the result; return 0 or 1."""
    identities = read_identities(arguments.key) if arguments.key is not None else None
    decode = not arguments.quick
    report = verify(arguments.folder, arguments.ca, decode=decode, identities=identities)
    _ = Translator(arguments.language)
    stamped = ""
    if arguments.stamp is not None:
        roots = arguments.stamp_ca or arguments.ca
        stamped = check_timestamp(arguments.folder / SIGNATURE, arguments.stamp, roots, report)
    if arguments.slip:
        check_slip(arguments.folder, arguments.slip, report)
    confirmed = ""
    if arguments.minutes is not None:
        confirmed = check_minutes(arguments.folder, arguments.minutes, arguments.ca, report)
    if arguments.json:
        print_json(report.as_json(_))
    else:
        _print_report(report, _)
        if report.ok and stamped:
            print(_("time stamp: {moment}", moment=stamped))
        if report.ok and arguments.slip:
            print(_("the slip belongs to this recording"))
        if report.ok and confirmed:
            print(_("the minutes belong to this recording, confirmed by {who}", who=confirmed))
    return 0 if report.ok else 1


def _print_report(report: VerifyReport, _: Translator) -> None:
    """Print the report for a person."""
    if not report.ok:
        for problem in report.problems:
            print(f"{problem.where}: {problem.sentence(_)}", file=sys.stderr)
        print(_("NOT VERIFIED: {n} problem(s).", n=len(report.problems)), file=sys.stderr)
        return
    for part in report.parts:
        counted = (
            _(" ({frames} pictures, {n} sound tracks decoded)").format(
                frames=part.video_frames, n=len(part.samples)
            )
            if part.decoded
            else ""
        )
        line = _("part {part}: {seconds} s").format(part=part.part, seconds=part.seconds)
        print(line + counted)
    print(
        _("VERIFIED: sealed by {device} at {moment}; nothing was changed.").format(
            device=report.device, moment=report.sealed_at
        )
    )
