r"""Several small files in one request (``POST /v1/uploads``).

The body is one line of JSON and then the files' bytes, one after the other, in the line's order::

    {"files": [{"upload": id, "size": 2000, "sha256": hex}, …]}\n

``upload`` is the id that the central system gave the file; size and SHA-256 are those announced.
The answer is JSON with what became of each, in the same order::

    {"files": [{"upload": id, "result": "taken", "code": null}, …], "as_of": "2026-…"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum

CONTENT_TYPE = "application/vnd.courtroom-kiosk.files"
MAX_FILES = 100
MAX_FILE_BYTES = 64 << 10
MAX_LIST_BYTES = 32 << 10
MAX_BYTES = 1 << 20
"""Of a body. Web servers in between refuse more by default."""


class Result(StrEnum):
    """What became of a file."""

    TAKEN = "taken"  # durable, hashed, confirmed
    PRESENT = "present"  # it was confirmed before
    WRONG_HASH = "wrong_hash"  # the bytes are not those announced; nothing of them is kept
    REFUSED = "refused"  # ``code`` says why; alone it may be taken


def file_list(files: Iterable[tuple[str, int, str]]) -> bytes:
    """Return the first line of a body.

    Args:
        files: upload, size and SHA-256 of each.
    """
    rows = [{"upload": upload, "size": size, "sha256": sha256} for upload, size, sha256 in files]
    return json.dumps({"files": rows}, separators=(",", ":")).encode("ascii") + b"\n"


def read_results(answer: Mapping[str, object]) -> dict[str, str]:
    """Return the results of an answer by upload, as far as they can be read."""
    rows = answer.get("files")
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return {str(row.get("upload")): str(row.get("result")) for row in found}
