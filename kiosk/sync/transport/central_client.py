"""Client of the central contract (``docs/central-api.yaml``), one call per operation."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import requests

from kiosk.errors import CentralError
from kiosk.exchange.small_files import CONTENT_TYPE
from kiosk.sync.transport.central_session import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    CentralSession,
    ForeignAnswerError,
    RefusedError,
    response_object,
)
from kiosk.sync.transport.tus_client import FileSlice

log = logging.getLogger(__name__)

CONTRACT = 1
SCHEDULE_DAYS = 7
COLLECTIONS = {"hearing": "hearings", "filing": "filings", "report": "reports"}
#: Keys of a filing's registration that a server of revision 1 does not know.
REVISION_2 = frozenset({"document_type", "case_known", "entity", "fee", "slots"})
Timeout = tuple[float, float]
TaggedList = tuple[dict[str, Any], str | None]
"""A list and its entity tag (RFC 9110, 8.8.3); a server of an earlier revision gives none."""
PATIENT_TIMEOUT: Timeout = (CONNECT_SECONDS, ANSWER_SECONDS)
POLL_TIMEOUT: Timeout = (CONNECT_SECONDS, 20.0)
MAX_LIST_BYTES = 16 << 20
"""Of a list; written with line breaks it stays below what its readers take (64 MiB)."""


class ContractUnknownError(CentralError):
    """The central system speaks a contract that this kiosk does not know: update the kiosk."""

    code = "central_contract_unknown"


class CentralClient:
    """The central system over one session.

    Args:
        session: the session.
        url: base address, ``https://host:port``.

    Every call raises :class:`~kiosk.errors.CentralUnreachableError`, :class:`IdentityRefusedError`
    or :class:`RefusedError` (both of :mod:`kiosk.sync.transport.central_session`).
    """

    def __init__(self, session: CentralSession, url: str) -> None:
        self.session = session
        self._url = url.rstrip("/")
        self._revision = 0

    @property
    def revision(self) -> int:
        """Revision of the contract that the server has said last; 0: not asked yet."""
        return self._revision

    def full_url(self, path: str) -> str:
        """Return the full address of ``path`` (an upload's address may be full already)."""
        return path if path.startswith(("https://", "http://")) else self._url + path

    def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        timeout: Timeout = PATIENT_TIMEOUT,
    ) -> dict[str, Any]:
        """Make one call and return the JSON object of its answer."""
        response = self.session.request(method, self.full_url(path), json=body, timeout=timeout)
        return response_object(response)

    def check_contract(self, timeout: Timeout = POLL_TIMEOUT) -> dict[str, Any]:
        """Ask which contract the server speaks.

        Raises:
            ContractUnknownError: one that this kiosk does not know; send nothing else.
        """
        answer = self.call("GET", "/v1/contract", timeout=timeout)
        if answer.get("contract") != CONTRACT:
            raise ContractUnknownError(
                f"the central system speaks contract {answer.get('contract')!r}, "
                f"this kiosk knows {CONTRACT}"
            )
        revision = answer.get("revision")
        self._revision = revision if isinstance(revision, int) else 1
        return answer

    def fetch_schedule(self, tag: str | None = None) -> TaggedList | None:
        """Pull seven days of hearings of this kiosk's courtroom.

        Args:
            tag: of the list that the kiosk has.

        Returns:
            The list and its tag; None: the kiosk has it.
        """
        return self._fetch_list(f"/v1/schedule?days={SCHEDULE_DAYS}", tag)

    def fetch_staff(self, tag: str | None = None) -> TaggedList | None:
        """Pull the signed list of those who may sign in here, as :meth:`fetch_schedule` does."""
        return self._fetch_list("/v1/staff", tag)

    def fetch_rules_pack(self, tag: str | None = None) -> TaggedList | None:
        """Pull the signed rules pack (revision 8), as :meth:`fetch_schedule` does."""
        return self._fetch_list("/v1/rules-pack", tag)

    def _fetch_list(self, path: str, tag: str | None) -> TaggedList | None:
        response = self.session.request(
            "GET",
            self.full_url(path),
            headers={} if tag is None else {"If-None-Match": tag},
            timeout=POLL_TIMEOUT,
            max_bytes=MAX_LIST_BYTES,
        )
        if response.status_code == requests.codes.not_modified and tag is not None:
            return None
        return response_object(response), response.headers.get("ETag")

    def fetch_filing_changes(self, cursor: str | None = None) -> dict[str, Any]:
        """Pull a page of this kiosk's filings that have changed after ``cursor`` (revision 5).

        Raises:
            RefusedError: 400 ``cursor_unknown``: begin without a cursor.
        """
        query = "" if cursor is None else f"?after={quote(cursor, safe='')}"
        return self.call("GET", f"/v1/filings{query}", timeout=POLL_TIMEOUT)

    def register_item(
        self, kind: str, item_id: str, body: dict[str, Any], timeout: Timeout = PATIENT_TIMEOUT
    ) -> dict[str, Any]:
        """Register a hearing, filing or report; the same again gives the same answer.

        What a server of an earlier revision does not know is left out only when the server has just
        said that it speaks that revision.
        """
        if kind == "filing" and not REVISION_2.isdisjoint(body):
            if self._revision < 2:
                self.check_contract(timeout)
            if self._revision < 2:
                log.warning("filing %s: a server of revision 1 takes no slots or fee", item_id)
                body = {key: value for key, value in body.items() if key not in REVISION_2}
        try:
            return self.call("PUT", f"/v1/{COLLECTIONS[kind]}/{item_id}", body, timeout)
        except RefusedError:  # perhaps an older server by now: it is asked again
            self._revision = 0
            raise

    def find_case(self, number: str, timeout: Timeout = PATIENT_TIMEOUT) -> dict[str, Any]:
        """Ask whether there is such a case in this kiosk's court (revision 4).

        The number stands in the body: addresses get into the logs of proxies and into errors.
        """
        return self.call("POST", "/v1/cases", {"number": number}, timeout)

    def item_status(
        self, kind: str, item_id: str, timeout: Timeout = PATIENT_TIMEOUT
    ) -> dict[str, Any]:
        """Ask for the status of a hearing, filing or report."""
        return self.call("GET", f"/v1/{COLLECTIONS[kind]}/{item_id}", timeout=timeout)

    def wait_verified(self, upload_id: str, seconds: float) -> dict[str, Any]:
        """Wait up to ``seconds`` (at most 30) while the server hashes an upload."""
        return self.call("GET", f"/v1/uploads/{upload_id}?wait={seconds:g}")

    def post_heads(self, hearing_id: str, heads: list[dict[str, Any]]) -> None:
        """Send signed journal heads."""
        self.call("POST", f"/v1/hearings/{hearing_id}/heads", {"heads": heads})

    def post_closures(self, hearing_id: str, closures: list[dict[str, Any]]) -> None:
        """Name plain files that the central system must delete."""
        self.call("POST", f"/v1/hearings/{hearing_id}/closures", {"closures": closures})

    def send_small_files(self, body: FileSlice) -> dict[str, Any]:
        """Send several small files in one request (revision 6)."""
        response = self.session.request(
            "POST", self.full_url("/v1/uploads"), data=body, headers={"Content-Type": CONTENT_TYPE}
        )
        return response_object(response)

    def announce_upload(self, upload_id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Announce one file before its manifest is known."""
        return self.call("PUT", f"/v1/uploads/{upload_id}", body)

    def send_heartbeat(self, state: dict[str, Any]) -> dict[str, Any]:
        """Send the heartbeat."""
        return self.call("PUT", "/v1/state", state, POLL_TIMEOUT)


def is_of_one_request(error: CentralError) -> bool:
    """Return whether an error may concern one request alone: somebody answered."""
    answered = isinstance(error, RefusedError | ForeignAnswerError)
    return answered or error.code == "central_fault"
