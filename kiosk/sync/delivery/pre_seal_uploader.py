"""Uploads finished files of a hearing while it still runs (``[sync] minutes_early``).

Each file that the journal calls finished is announced by itself and sent; the manifest at the end
adopts it by path, size and SHA-256.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.sync.outbox.manifest import is_courier_only
from kiosk.sync.outbox.pre_seal_files import PreSealFile, PreSealFiles
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.central_session import RefusedError
from kiosk.sync.transport.tus_client import TusClient, UploadGoneError

log = logging.getLogger(__name__)

MISMATCHES = 2  # then it waits for the manifest
HASHING_SECONDS = 20.0


class PreSealUploader:
    """Uploads pre-seal files.

    Args:
        files: returns the store of pre-seal files (a new one after a rebuild of the database).
        hearings: folder of the hearings.
        patch_bytes: most bytes per PATCH.
        raise_if_preempted: raises when the transfer has to yield or stop.
        mark_link_up: called after each successful request.
    """

    def __init__(
        self,
        files: Callable[[], PreSealFiles],
        hearings: Path,
        patch_bytes: int,
        raise_if_preempted: Callable[[], None],
        mark_link_up: Callable[[], None],
    ) -> None:
        self._files = files
        self._hearings = hearings
        self._patch_bytes = patch_bytes
        self._raise_if_preempted = raise_if_preempted
        self._mark_link_up = mark_link_up

    def upload_finished(self, client: CentralClient) -> None:
        """Upload the finished files; after an interruption the next call resumes.

        Raises:
            CentralError: not now.
            PreemptedError: something urgent goes first.
        """
        for file in self._files().waiting():
            folder = self._hearings / file.hearing_id
            if is_courier_only(folder):
                self._files().set_state(file, "given_up")
                continue
            self._raise_if_preempted()
            if (folder / file.path).exists():
                self._upload_file(client, file, folder / file.path)
            else:  # replaced since: the journal will say so
                self._files().set_state(file, "given_up")

    def _upload_file(self, client: CentralClient, file: PreSealFile, path: Path) -> None:
        body = {
            "kind": "hearing",
            "owner": file.hearing_id,
            "path": file.path,
            "size": file.size,
            "sha256": file.sha256,
        }
        try:
            answer = client.announce_upload(file.upload_id, body)
            self._mark_link_up()
            if answer.get("state") == "receiving":
                url = client.full_url(str(answer["address"]))
                tus = TusClient(client.session, self._patch_bytes)
                tus.upload(path, url, file.size, raise_if_preempted=self._raise_if_preempted)
                answer = self._wait_verified(client, file)
        except (RefusedError, UploadGoneError) as error:
            log.info("a finished minute is refused: %s", error)
            state = "closed" if error.code == "closed_since" else "given_up"
            self._files().set_state(file, state)
            return
        self._record_answer(file, answer)

    def _wait_verified(self, client: CentralClient, file: PreSealFile) -> dict[str, Any]:
        while True:
            answer = client.wait_verified(file.upload_id, HASHING_SECONDS)
            if answer.get("state") != "verifying":
                return answer
            self._raise_if_preempted()

    def _record_answer(self, file: PreSealFile, answer: dict[str, Any]) -> None:
        """Record the result; a mismatch is sent again, and in the end left to the manifest."""
        state = answer.get("state")
        if state == "complete" and answer.get("server_sha256") == file.sha256:
            self._files().set_state(file, "complete")
        elif state == "mismatch":
            log.error("hash of a finished minute of %s disagrees", file.hearing_id)
            again = file.tries < MISMATCHES
            self._files().set_state(file, "waiting" if again else "given_up", failed=True)
        elif state == "closed":
            self._files().set_state(file, "closed")
