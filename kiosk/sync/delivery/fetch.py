"""Fetches a delivered hearing back from the central system, for a permitted copy.

The receipt says what there is; each file is hashed as it comes and counts only when its SHA-256 is
the receipt's. After an interruption the same call resumes: intact files are not fetched again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from kiosk.errors import CentralError, CentralUnreachableError, StorageError
from kiosk.exchange.receipt_signature import ReceiptInvalidError, check_receipt
from kiosk.storage.atomic_io import make_folder, sync_folder
from kiosk.storage.hashing import sha256_of
from kiosk.sync.outbox.manifest import is_safe_relative_path
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError, check_response

BLOCK_BYTES = 256 * 1024
ProgressCallback = Callable[[int, int], None]


class NotDeliveredError(CentralError):
    """The central system has no complete recording of this hearing from this kiosk."""

    code = "not_found"


def fetch_hearing(
    client: CentralClient,
    hearing_id: str,
    folder: Path,
    ca: Path,
    report_progress: ProgressCallback,
) -> Path:
    """Fetch a hearing into ``folder/<hearing id>`` and return that.

    Args:
        client: of this kiosk; it sees only what it has delivered itself.
        hearing_id: the hearing.
        folder: where to.
        ca: the court's CA, which must vouch for the receipt.
        report_progress: called with the bytes that are there and the bytes of all.

    Raises:
        NotDeliveredError: there is no such delivered hearing.
        ReceiptInvalidError: the receipt is not genuine, or names a path that leaves the folder.
        CentralError: not now; calling again resumes.
        StorageError: the disk refuses, or a file that came has another hash than receipted.
    """
    receipt = _receipt(client, hearing_id)
    check_receipt(receipt, "hearing", hearing_id, ca)
    files = receipt["files"]
    if not all(is_safe_relative_path(str(file["path"])) for file in files):
        raise ReceiptInvalidError("a path leaves the folder")
    target, done_bytes = make_folder(folder / hearing_id), 0
    for file in files:
        path = target / str(file["path"])
        if not (path.exists() and sha256_of(path) == file["sha256"]):
            _fetch_file(client, hearing_id, file, path)
        done_bytes += int(file["size"])
        report_progress(done_bytes, int(receipt["bytes"]))
    return target


def _receipt(client: CentralClient, hearing_id: str) -> dict[str, Any]:
    try:
        receipt = client.item_status("hearing", hearing_id).get("receipt")
    except RefusedError as error:
        raise NotDeliveredError(f"the central system knows no hearing {hearing_id}") from error
    if not isinstance(receipt, dict):
        raise NotDeliveredError(f"hearing {hearing_id} is not delivered completely yet")
    return receipt


def _fetch_file(client: CentralClient, hearing_id: str, file: dict[str, Any], path: Path) -> None:
    """Fetch one file, from where an earlier attempt ended."""
    make_folder(path.parent)
    partial = path.with_name(path.name + ".part")
    offset = partial.stat().st_size if partial.exists() else 0
    if offset >= int(file["size"]):
        offset = 0
    url = client.full_url(f"/v1/hearings/{hearing_id}/files/{file['path']}")
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    response = client.session.request("GET", url, headers=headers, stream=True)
    try:
        check_response(response)
        with partial.open("ab" if response.status_code == requests.codes.partial else "wb") as out:
            for block in response.iter_content(BLOCK_BYTES):
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
    except requests.RequestException as error:
        raise CentralUnreachableError(f"broken off: {error!r}") from error
    except OSError as error:
        raise StorageError(f"{partial}: {error.strerror}") from error
    finally:
        response.close()
    if sha256_of(partial) != file["sha256"]:
        partial.unlink()
        raise StorageError(f"{path.name}: came with another hash", code="hash_mismatch")
    partial.replace(path)
    sync_folder(path.parent)
