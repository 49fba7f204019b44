"""RFC 3161 time stamps on the seals of hearings, from an authority on the network.

A stamp proves that a seal existed at a moment, whatever the kiosk's clock said. It is stored
beside the sealed folder (``receipts/<hearing id>.tsr``) and requested until it is there. This
module checks that it answers this request over this seal; ``kiosk verify --stamp-ca`` and
``openssl ts -verify`` check who made it, against a root that the checker trusts.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from pathlib import Path

import requests
from rfc3161_client import (
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    decode_timestamp_response,
)

from kiosk.api.sync import Stamps
from kiosk.errors import CentralError, KioskError
from kiosk.storage.atomic_io import make_folder, write_bytes
from kiosk.storage.hearing_folder import SIGNATURE
from kiosk.storage.paths import Paths

log = logging.getLogger(__name__)
SUFFIX = ".tsr"
POLL_S = 60.0
MAX_WAIT_S = 3600.0
TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 64 * 1024
_GRANTED = (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)


class TimestampError(CentralError):
    """The authority gave no stamp that can be used; asked again later."""

    code = "stamp_failed"


def request_timestamp(signature: bytes, url: str, timeout_s: float = TIMEOUT_S) -> bytes:
    """Return a time stamp (DER) of ``signature`` from the authority at ``url``.

    Raises:
        StampError: no answer in time, a redirect, or an answer that is not a stamp of this.
    """
    builder = TimestampRequestBuilder().data(signature).nonce(nonce=True)
    request = builder.cert_request(cert_request=True).build()  # else nobody can check it later
    answer = _post_request(url, request.as_bytes(), timeout_s)
    try:
        response = decode_timestamp_response(answer)
        problem = _response_problem(request, response, signature)
    except (ValueError, TypeError, AttributeError) as error:
        raise TimestampError(f"the answer is no time stamp: {error}") from error
    if problem:
        raise TimestampError(problem)
    return answer


def _post_request(url: str, body: bytes, timeout_s: float) -> bytes:
    headers = {"Content-Type": "application/timestamp-query"}
    end = time.monotonic() + timeout_s
    limits = (min(10.0, timeout_s), timeout_s)
    try:
        with requests.post(
            url, body, headers=headers, timeout=limits, allow_redirects=False, stream=True
        ) as response:
            if response.status_code != 200:
                raise TimestampError(f"the authority answers {response.status_code}")
            answer = b""
            for piece in response.iter_content(1024):
                answer += piece
                if len(answer) > MAX_ANSWER_BYTES:
                    raise TimestampError("the answer is too long")
                if time.monotonic() > end:
                    raise TimestampError("the answer comes too slowly")
            return answer
    except requests.RequestException as error:
        raise TimestampError(f"the authority cannot be reached: {type(error).__name__}") from error


def _response_problem(
    request: TimeStampRequest, response: TimeStampResponse, signature: bytes
) -> str:
    """Return why the response is no answer to this request, ``""`` if it is one."""
    if response.status not in _GRANTED:
        return f"the authority refuses (status {int(response.status)})"
    info = response.tst_info
    if info.nonce != request.nonce:
        return "the stamp answers another request"
    algorithm = info.message_imprint.hash_algorithm.dotted_string
    name = {"2.16.840.1.101.3.4.2.1": "sha256", "2.16.840.1.101.3.4.2.3": "sha512"}.get(algorithm)
    if name is None or hashlib.new(name, signature).digest() != info.message_imprint.message:
        return "the stamp is of something else"
    return ""


class TimestampWorker:
    """A thread that requests missing time stamps. Without a URL it does nothing.

    Args:
        url: of the authority; ``""``: none.
        poll_s: seconds between polls; after failures it waits longer, up to an hour.
    """

    def __init__(
        self,
        paths: Paths,
        url: str,
        poll_s: float = POLL_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._paths = paths
        self._url = url
        self._poll_s = poll_s
        self._timeout_s = timeout_s
        self._failures = 0
        self._missing_count, self._problem = 0, ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stamps", daemon=True)

    def start(self) -> None:
        """Begin."""
        if self._url:
            self._thread.start()

    def stop(self) -> None:
        """End; a request that is on its way is left to itself."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(1.0)

    def missing_ids(self) -> list[str]:
        """Return the ids of sealed hearings here that have no stamp, oldest folder first."""
        if not self._paths.hearings.is_dir():
            return []
        folders = [
            folder for folder in self._paths.hearings.iterdir() if (folder / SIGNATURE).is_file()
        ]
        folders.sort(key=lambda folder: folder.name)
        return [folder.name for folder in folders if not self._timestamp_path(folder.name).exists()]

    def state(self) -> Stamps | None:
        """Return ``State.stamps`` as of the last poll; None without an authority."""
        if not self._url:
            return None
        return Stamps(missing=self._missing_count, problem=self._problem or None)

    def _timestamp_path(self, hearing: str) -> Path:
        return self._paths.receipts / f"{hearing}{SUFFIX}"

    def request_missing(self) -> int:
        """Request each missing stamp; return how many were received.

        Raises:
            StampError: the authority fails: the rest is asked for later.
            StorageError: a stamp cannot be kept.
        """
        received = 0
        for hearing in self.missing_ids():
            if self._stop.is_set():
                break
            try:
                signature = (self._paths.hearings / hearing / SIGNATURE).read_bytes()
            except OSError:
                continue  # delivered and deleted meanwhile
            answer = request_timestamp(signature, self._url, self._timeout_s)
            make_folder(self._paths.receipts)
            write_bytes(self._timestamp_path(hearing), answer)
            log.info("hearing %s has a time stamp", hearing)
            received += 1
        return received

    def _update_missing_count(self) -> None:
        with contextlib.suppress(OSError):  # a disk that is gone: others say so
            self._missing_count = len(self.missing_ids())

    def _run(self) -> None:
        self._update_missing_count()
        while True:
            try:
                self.request_missing()
                self._failures, self._problem = 0, ""
            except (KioskError, OSError) as error:
                self._failures += 1
                self._problem = error.code if isinstance(error, KioskError) else "storage_failed"
                log.warning("no time stamp: %s", error)
            self._update_missing_count()
            wait = min(MAX_WAIT_S, self._poll_s * 2 ** min(self._failures, 10))
            if self._stop.wait(wait):
                return
