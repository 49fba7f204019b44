"""Nothing waits between two files of a delivery: no question that was answered, no verdict."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from kiosk.storage.database import Database
from kiosk.sync.outbox.lanes import Lane
from kiosk.sync.outbox.manifest import Manifest, ManifestFile
from kiosk.sync.outbox.outbox import Outbox
from kiosk.sync.outbox.outbox_items import Upload
from tests.support.court_proxy import court_proxy
from tests.support.delivery_rig import Central, temporary_kiosk


@pytest.mark.slow
def test_a_new_file_is_not_asked_for_and_the_next_one_goes_before_its_verdict(
    central: Central, template: Path
) -> None:
    with (
        court_proxy(central, template / "identity") as proxy,
        temporary_kiosk(template, proxy.url) as kiosk,
    ):
        hearing = kiosk.make_hearing(video=200_000, files=3)
        kiosk.start_in_thread()
        kiosk.wait_delivered("hearing", hearing)
        asked = [(method, path) for method, path, _, status in proxy.requests if status < 300]
        assert [path for method, path in asked if method == "HEAD"] == []
        sent = [path.rsplit("/", 1)[-1] for method, path in asked if method == "PATCH"]
        order = [path.split("?")[0].rsplit("/", 1)[-1] for _, path in asked if "/v1/" in path]
        overlapped = [
            first
            for first, second in pairwise(sent)
            if order.index(second) < len(order) - 1 - order[::-1].index(first)
        ]
        assert len(overlapped) >= len(sent) - 3  # the end of a step asks for all verdicts


def test_a_file_without_a_verdict_is_not_sent_twice(tmp_path: Path) -> None:
    outbox = Outbox(Database(tmp_path / "sync.db"))
    for item in ("h1", "h2"):
        files = tuple(ManifestFile(name, 9, "0" * 64, Lane.VIDEO) for name in ("a", "b"))
        outbox.add(Manifest(item, "hearing", files))
        outbox.mark_registered(item, {"a": f"/{item}a", "b": f"/{item}b"}, [])
    sent: list[Upload] = []
    while (
        upload := outbox.next_upload(
            (Lane.VIDEO,), ("hearing",), lambda _: 0, [file.key for file in sent]
        )
    ) is not None:
        sent.append(upload)
    assert [upload.key for upload in sent] == [("h1", "a"), ("h1", "b"), ("h2", "a"), ("h2", "b")]
