"""Look after the second storage, on which every hearing is copied while it is recorded.

'kiosk mirror adopt DIR' marks a mounted storage as one of this kiosk: only such a storage is
written to, so that neither an empty mount point nor somebody's stick is ever filled. Several may
be adopted and take turns. 'kiosk mirror show' tells how the configured one (paths.mirror) is.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kiosk.cli import command_settings
from kiosk.errors import KioskError
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import adopt_mirror

HELP = "adopt or show the storage for the second copy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is to be done."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    adopt = actions.add_parser("adopt", help="make a mounted storage one of this kiosk")
    adopt.add_argument("folder", type=Path, metavar="DIR", help="where it is mounted")
    adopt.add_argument(
        "--takeover",
        action="store_true",
        help="take it although another kiosk used it; what lies there stays",
    )
    actions.add_parser("show", help="tell whether the second storage is there")


def run(arguments: argparse.Namespace) -> int:
    """Do it; return 0, or 1 where the storage cannot be used."""
    settings = command_settings(arguments)
    kiosk = settings.kiosk.id
    if arguments.action == "adopt":
        try:
            marker = adopt_mirror(
                arguments.folder.absolute(),
                kiosk,
                settings.paths.data,
                takeover=arguments.takeover,
            )
        except KioskError as error:
            print(error, file=sys.stderr)
            return 1
        print(f"{arguments.folder}: second storage of {kiosk} ({marker.uuid})")
        return 0
    root = settings.paths.mirror
    if root is None:
        print("no second storage is set (paths.mirror)")
        return 1
    disk = StorageVolume(root, kiosk, "mirror")
    state, uuid = disk.identity()
    if state != "ok":
        print(f"{root}: {state}")
        return 1
    free, total = disk.space()
    print(f"{root}: ok ({uuid}), {free / 1e9:.1f} of {total / 1e9:.1f} GB free")
    return 0
