"""A case number that a visitor types stands in no address, log or error text."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.court_proxy import court_proxy
from tests.support.delivery_rig import Central, temporary_kiosk, wait_problem

pytestmark = pytest.mark.slow

NUMBER = "7514-26-00-2/1"
SECRET = "7514-26-00-2"


def refuse_cases(status: int) -> Callable[[str, str], int | None]:
    """Return a rule of the proxy: look-ups of cases get this status."""
    return lambda _method, path: status if "cases" in path else None


def test_a_case_number_is_in_no_address_log_or_error(
    template: Path, central: Central, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = []
    with (
        court_proxy(central, template / "identity") as proxy,
        temporary_kiosk(template, proxy.url) as kiosk,
    ):
        kiosk.start_in_thread()
        wait_problem(kiosk, None)
        status, found = kiosk.request("POST", "/v1/cases", {"number": NUMBER})
        assert (status, found["exists"], found["number"]) == (200, True, NUMBER)
        for marked, refused in ((False, 403), (True, 403), (True, 503), (True, 405)):
            proxy.marked, proxy.refuse = marked, refuse_cases(refused)
            status, answer = kiosk.request("POST", "/v1/cases", {"number": NUMBER})
            assert status == 409
            answers.append(answer)
        proxy.refuse, proxy.cut_after = lambda *_: None, 1
        answers.append(kiosk.request("POST", "/v1/cases", {"number": NUMBER})[1])
    addresses = [address for _, address, _, _ in proxy.requests]
    assert sum("/v1/cases" in address for address in addresses) >= 6
    for text in (*addresses, json.dumps(answers), caplog.text):
        assert SECRET not in text
        assert SECRET.replace("/", "%2F") not in text
