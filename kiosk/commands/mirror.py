"""Manage the second storage, to which every hearing is copied while it is recorded.

'kiosk mirror adopt DIR' marks a mounted storage as one of this kiosk's: the kiosk writes to such
a storage only, so that it never fills an empty mount point or a stranger's stick. Several may be
adopted and used in turn. 'kiosk mirror show' reports the state of the configured one
(paths.mirror).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.commands._common import command_settings
from kiosk.config import Settings
from kiosk.storage.volume import StorageVolume
from kiosk.storage.volume_marker import adopt_mirror

HELP = "adopt or show the storage for the second copy"
EXAMPLES = (
    "sudo kiosk mirror adopt /mnt/second",
    "sudo kiosk mirror show",
)
EXIT_STATUS = {0: "the storage can be used", 1: "it cannot, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per action."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    adopt = actions.add_parser("adopt", help="mark a mounted storage as one of this kiosk's")
    adopt.add_argument("folder", type=Path, metavar="DIR", help="where it is mounted")
    adopt.add_argument(
        "--takeover",
        action="store_true",
        help="adopt it although another kiosk used it; its content stays",
    )
    actions.add_parser("show", help="show whether the second storage is there")


def run(arguments: argparse.Namespace) -> int:
    """Do the action; return 0, or 1 if the storage cannot be used."""
    settings = command_settings(arguments)
    if arguments.action == "adopt":
        return _adopt(settings, arguments.folder, takeover=arguments.takeover)
    return _show(settings)


def _adopt(settings: Settings, folder: Path, *, takeover: bool) -> int:
    kiosk = settings.kiosk.id
    marker = adopt_mirror(folder.absolute(), kiosk, settings.paths.data, takeover=takeover)
    print(f"{folder}: second storage of {kiosk} ({marker.uuid})")
    return 0


def _show(settings: Settings) -> int:
    root = settings.paths.mirror
    if root is None:
        print("no second storage is set (paths.mirror)")
        return 1
    volume = StorageVolume(root, settings.kiosk.id, "mirror")
    state, uuid = volume.identity()
    if state != "ok":
        print(f"{root}: {state}")
        return 1
    free, total = volume.space()
    print(f"{root}: ok ({uuid}), {free / 1e9:.1f} of {total / 1e9:.1f} GB free")
    return 0
