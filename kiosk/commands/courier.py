"""Carry recordings, filings and reports to the court on a medium instead of the network.

  kiosk courier pack --to /media/usb          pack everything undelivered, encrypted to the court
  kiosk courier pack --to /media/usb ID ...   pack only these
  kiosk courier receipt /media/usb            import the court's receipts
  kiosk courier list                          list the packs and how many receipts came back

At the court: kiosk central ingest /media/usb --key FILE. A hearing marked as a state secret never
leaves by network; a medium is its only way. Only the court's key opens a medium. Packing deletes
nothing: as with any delivery, the imported receipt permits the deletion. It works beside a
running kiosk sync.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from kiosk.alarms import alarm_of
from kiosk.commands._common import command_settings
from kiosk.errors import StorageError
from kiosk.exchange.courier_format import CourierError
from kiosk.storage.atomic_io import read_json
from kiosk.storage.paths import Paths
from kiosk.sync.courier.pack import undelivered_items, write_pack
from kiosk.sync.courier.receipts import import_receipts
from kiosk.sync.delivery.retention import receipted_hashes
from kiosk.sync.outbox.receipts import ReceiptStore

HELP = "carry recordings and filings to the court on a medium"
EXAMPLES = (
    "sudo kiosk courier pack --to /media/usb",
    "sudo kiosk courier receipt /media/usb",
)
EXIT_STATUS = {0: "everything", 1: "something was left out, with the reason"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one sub-command per step."""
    steps = parser.add_subparsers(dest="step", metavar="STEP", required=True)
    packing = steps.add_parser("pack", help="write everything undelivered to a medium")
    packing.add_argument("--to", type=Path, required=True, metavar="MEDIUM", help="its folder")
    packing.add_argument("ids", nargs="*", metavar="ID", help="only these (default: everything)")
    receipt = steps.add_parser("receipt", help="import the court's receipts")
    receipt.add_argument("medium", type=Path, metavar="MEDIUM", help="its folder")
    steps.add_parser("list", help="list the packs and how many receipts came back")


def run(arguments: argparse.Namespace) -> int:
    """Do the step."""
    paths = Paths.from_settings(command_settings(arguments).paths)
    if arguments.step == "pack":
        return _pack(paths, arguments.to, arguments.ids)
    if arguments.step == "receipt":
        return _receipt(paths, arguments.medium)
    return _list(paths)


def _pack(paths: Paths, medium: Path, ids: list[str]) -> int:
    wanted = undelivered_items(paths)
    unknown = set(ids) - {item_id for _, item_id in wanted}
    if unknown:
        raise CourierError(
            f"not waiting for delivery here: {', '.join(sorted(unknown))}", code="not_found"
        )
    chosen = [item for item in wanted if not ids or item[1] in ids]
    packed = write_pack(paths, medium, chosen, lambda line: print(line, flush=True))
    for item_id in packed.already_packed_ids:
        print(f"{item_id}: already on this medium")
    _print_left_out(packed.skipped)
    if packed.folder is not None:
        print(f"{len(packed.packed_ids)} item(s) on the medium, in {packed.folder}")
        print("Unmount it before you pull it. Nothing was deleted here.")
    elif not packed.skipped:
        print("Nothing more to pack.")
    return 1 if packed.skipped else 0


def _receipt(paths: Paths, medium: Path) -> int:
    imported = import_receipts(paths, medium)
    _print_left_out(imported.held_back)
    print(
        f"{len(imported.imported)} receipt(s) imported, {len(imported.already_known)} known before."
    )
    if imported.unanswered:
        print(f"{imported.unanswered} pack(s) on this medium have no answer from the court yet.")
    return 1 if imported.held_back or imported.unanswered else 0


def _print_left_out(left: dict[str, str]) -> None:
    for item_id, code in left.items():
        print(f"{item_id}: {code}: {alarm_of(code).sentence}")


def _list(paths: Paths) -> int:
    receipts = ReceiptStore(paths.receipts)
    for path in sorted((paths.database.parent / "courier").glob("*.json")):
        try:
            known = read_json(path)
            items = [(str(item["kind"]), str(item["id"])) for item in known["items"]]
        except (OSError, ValueError, KeyError) as error:
            raise StorageError(f"{path}: {error}") from error
        back = sum(bool(receipted_hashes(paths, receipts, kind, item)) for kind, item in items)
        print(f"{known['made_at']}  {path.stem}  {back} of {len(items)} receipts are back")
    return 0
