"""Checks that items arrived at the central system: once, complete, and with a receipt."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from faults.trial import NotSurvivedError
from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.sync.outbox.receipts import ReceiptStore
from tests.support.delivery_rig import Central, Kiosk
from tests.support.waiting import wait_for

KINDS = ("hearing", "filing")


def check_delivered(central: Central, kiosk: Kiosk, hearing: str, filing: str) -> None:
    """Check that each item is stored once, with equal bytes and a valid receipt.

    Raises:
        NotSurvivedError: an item is not.
    """
    if kiosk.get(f"/v1/hearings/{hearing}").get("central_sha256_match") is not True:
        raise NotSurvivedError("the central system's SHA-256 is not ours")
    folders = (kiosk.paths.hearings, kiosk.paths.filings)
    for kind, item, folder in zip(KINDS, (hearing, filing), folders, strict=True):
        stored = wait_for(partial(stored_folders, central, item), item)
        if len(stored) != 1:
            raise NotSurvivedError(f"{item} is stored {len(stored)} times")
        compare(folder / item, stored[0])
        check_stored_receipt(kiosk, kind, item)
        rows = central.query(f"select receipt from deliveries where id = '{item}'")
        if len(rows) != 1 or not rows[0][0]:
            raise NotSurvivedError(f"{item} has no receipt at the central system, or several")


def stored_folders(central: Central, item: str) -> list[Path]:
    """Return the folders of the central system that are named after ``item``."""
    return [path for path in central.data.rglob(item) if path.is_dir()]


def compare(sent: Path, stored: Path) -> None:
    """Compare every file stored with the one sent.

    Raises:
        NotSurvivedError: a file differs or none is there.
    """
    files = [path for path in stored.rglob("*") if path.is_file()]
    same = [path for path in files if (sent / path.relative_to(stored)).is_file()]
    if not same:
        raise NotSurvivedError(f"nothing of {sent.name} is stored")
    for path in same:
        if path.read_bytes() != (sent / path.relative_to(stored)).read_bytes():
            raise NotSurvivedError(f"{path.relative_to(stored)} differs")


def check_stored_receipt(kiosk: Kiosk, kind: str, item: str) -> None:
    """Check the receipt that the kiosk keeps, with its signature.

    Raises:
        NotSurvivedError: there is none, or it proves nothing.
    """
    receipt = ReceiptStore(kiosk.paths.receipts).get(item)
    if receipt is None:
        raise NotSurvivedError(f"no receipt for {item} is kept")
    try:
        check_receipt(receipt, kind, item, kiosk.paths.court_ca)
    except ReceiptInvalidError as error:
        raise NotSurvivedError(f"{item}: {error}") from error
