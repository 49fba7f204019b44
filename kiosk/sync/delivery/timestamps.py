"""RFC 3161 time stamps on the seals of hearings, from an authority on the network.

A stamp proves that a seal existed at a moment, whatever the kiosk's clock said. It lies beside the
sealed folder (``receipts/<hearing id>.tsr``) and is asked for until it is there. Here it is
checked that it answers this request over this seal; who made it is checked by ``kiosk verify
--stamp-ca`` or ``openssl ts -verify``, against a root that the checker trusts.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
import time
from pathlib import Path
from typing import Any

import requests
from rfc3161_client import (
    PKIStatus,
    TimeStampRequest,
    TimestampRequestBuilder,
    TimeStampResponse,
    decode_timestamp_response,
)

from kiosk.errors import CentralError, KioskError
from kiosk.storage.atomic_io import make_folder, write_bytes
from kiosk.storage.paths import Layout
from kiosk.sync.outbox.manifest import SIGNATURE

log = logging.getLogger(__name__)
SUFFIX = ".tsr"
LOOK_S = 60.0
LONGEST_WAIT_S = 3600.0
TIME_LIMIT_S = 30.0
LARGEST_ANSWER = 64 * 1024
_GRANTED = (PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS)


class StampError(CentralError):
    """The authority gave no stamp that can be used; asked again later."""

    code = "stamp_failed"


def stamp(signature: bytes, url: str, time_limit_s: float = TIME_LIMIT_S) -> bytes:
    """Return a time stamp (DER) of ``signature`` from the authority at ``url``.

    Raises:
        StampError: no answer in time, a redirect, or an answer that is not a stamp of this.
    """
    builder = TimestampRequestBuilder().data(signature).nonce(nonce=True)
    request = builder.cert_request(cert_request=True).build()  # else nobody can check it later
    answer = _ask(url, request.as_bytes(), time_limit_s)
    try:
        response = decode_timestamp_response(answer)
        problem = _problem(request, response, signature)
    except (ValueError, TypeError, AttributeError) as error:
        raise StampError(f"the answer is no time stamp: {error}") from error
    if problem:
        raise StampError(problem)
    return answer


def _ask(url: str, body: bytes, time_limit_s: float) -> bytes:
    headers = {"Content-Type": "application/timestamp-query"}
    end = time.monotonic() + time_limit_s
    limits = (min(10.0, time_limit_s), time_limit_s)
    try:
        with requests.post(
            url, body, headers=headers, timeout=limits, allow_redirects=False, stream=True
        ) as response:
            if response.status_code != 200:
                raise StampError(f"the authority answers {response.status_code}")
            answer = b""
            for piece in response.iter_content(1024):
                answer += piece
                if len(answer) > LARGEST_ANSWER:
                    raise StampError("the answer is too long")
                if time.monotonic() > end:
                    raise StampError("the answer comes too slowly")
            return answer
    except requests.RequestException as error:
        raise StampError(f"the authority cannot be reached: {type(error).__name__}") from error


def _problem(request: TimeStampRequest, response: TimeStampResponse, signature: bytes) -> str:
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


class Stamper:
    """A thread that asks for the stamps that are missing. Without a URL it does nothing.

    Args:
        url: of the authority; ``""``: none.
        look_s: seconds between looks; after failures it waits longer, up to an hour.
    """

    def __init__(
        self,
        layout: Layout,
        url: str,
        look_s: float = LOOK_S,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        self._layout = layout
        self._url = url
        self._look_s = look_s
        self._time_limit_s = time_limit_s
        self._failures = 0
        self._waiting, self._problem = 0, ""
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

    def missing(self) -> list[str]:
        """Return the ids of sealed hearings here that have no stamp, oldest folder first."""
        if not self._layout.hearings.is_dir():
            return []
        folders = [one for one in self._layout.hearings.iterdir() if (one / SIGNATURE).is_file()]
        folders.sort(key=lambda one: one.name)
        return [one.name for one in folders if not self._stamp_of(one.name).exists()]

    def listed(self) -> dict[str, Any] | None:
        """Return ``State.stamps`` as of the last look; None where no authority is set."""
        if not self._url:
            return None
        return {"missing": self._waiting, "problem": self._problem or None}

    def _stamp_of(self, hearing: str) -> Path:
        return self._layout.receipts / f"{hearing}{SUFFIX}"

    def stamp_missing(self) -> int:
        """Ask for each missing stamp; return how many came.

        Raises:
            StampError: the authority fails: the rest is asked for later.
            StorageError: a stamp cannot be kept.
        """
        came = 0
        for hearing in self.missing():
            if self._stop.is_set():
                break
            try:
                signature = (self._layout.hearings / hearing / SIGNATURE).read_bytes()
            except OSError:
                continue  # delivered and tidied away meanwhile
            answer = stamp(signature, self._url, self._time_limit_s)
            make_folder(self._layout.receipts)
            write_bytes(self._stamp_of(hearing), answer)
            log.info("hearing %s has a time stamp", hearing)
            came += 1
        return came

    def _count(self) -> None:
        with contextlib.suppress(OSError):  # a disk that is gone: others say so
            self._waiting = len(self.missing())

    def _run(self) -> None:
        self._count()
        while True:
            try:
                self.stamp_missing()
                self._failures, self._problem = 0, ""
            except (KioskError, OSError) as error:
                self._failures += 1
                self._problem = error.code if isinstance(error, KioskError) else "storage_failed"
                log.warning("no time stamp: %s", error)
            self._count()
            wait = min(LONGEST_WAIT_S, self._look_s * 2 ** min(self._failures, 10))
            if self._stop.wait(wait):
                return
