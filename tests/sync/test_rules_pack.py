"""The MRP of a new year (S27): from the court's command to the fee. All values are made up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kiosk.central.identity.authority import CertificateAuthority, ReceiptSigner
from kiosk.central.server import open_authority
from kiosk.cli import main
from kiosk.clocks import wall_time
from kiosk.exchange.rules_pack import read_published_pack, sign_rules_pack
from kiosk.rules.fees import compute_fee
from kiosk.rules.load import load_mrp, load_rules
from kiosk.rules.mrp_pack import with_pack
from kiosk.sync.context import SyncContext
from kiosk.sync.polling.rules_pack import PublishedRulesPack
from kiosk.sync.transport.central_client import CentralClient
from tests.support.delivery_rig import Central, Kiosk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
LAST = max(row.valid_until for row in load_mrp())
NEXT = LAST.year + 1
NOW = datetime(LAST.year, 12, 20, 8, tzinfo=UTC)


def toml(version: int = 2, *rows: tuple[int, str], more: str = "") -> str:
    """Return a pack of years and their made-up values; without rows, of the year to come."""
    years = rows or ((NEXT, "5000.50"),)
    text = f"version = {version}\nvalid_from = {min(year for year, _ in years)}-01-01\n{more}"
    for year, tenge in years:
        text += f"[[mrp]]\nvalid_from = {year}-01-01\nvalid_until = {year}-12-31\n"
        text += f'tenge = "{tenge}"\nstatus = "S"\n'
    return text


def signed(central: Central, text: str) -> dict[str, Any]:
    """Return a pack signed with the key of ``central``."""
    signer = ReceiptSigner(*open_authority(central.data).current_server_files())
    return sign_rules_pack(text, NOW, sign=signer.sign, certificate=signer.certificate)


def test_a_pack_goes_from_the_courts_command_to_the_fee(
    own_central: Central, own_kiosk: Kiosk, tmp_path: Path
) -> None:
    file = tmp_path / "pack.toml"
    file.write_text(toml(2), encoding="utf-8")
    own_central.start()
    own_kiosk.start_in_thread()
    wait_for(lambda: own_kiosk.state()["link"]["state"] == "up", "the link")
    assert own_kiosk.state()["rules_pack"] is None
    assert "rules pack 2" in own_central.run_task("rules-pack", str(file))
    wait_for(lambda: own_kiosk.state()["rules_pack"], "the pack")
    assert own_kiosk.state()["rules_pack"] == {
        "version": 2,
        "valid_from": f"{NEXT}-01-01",
        "valid_until": f"{NEXT}-12-31",
    }
    rules = with_pack(load_rules(), read_published_pack(own_kiosk.paths.rules_pack))
    paid = {
        day: compute_fee(rules, "non_property", "individual", day)
        for day in (
            date(NEXT, 1, 1),
            LAST,
        )
    }
    old = compute_fee(load_rules(), "non_property", "individual", LAST)
    index = next(row.tenge for row in load_mrp() if row.valid_until == LAST)
    assert paid == {date(NEXT, 1, 1): old / index * Decimal("5000.50"), LAST: old}
    wait_for(
        lambda: "rules_pack" in str(own_central.query("select state from kiosks")), "the report"
    )
    own_kiosk.stop()  # it is kept without the court
    own_central.stop()
    own_kiosk.start_in_thread()
    assert own_kiosk.state()["rules_pack"]["version"] == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (toml(1), "not newer"),
        (toml(3, (LAST.year, "1")), "by which was paid"),
        (toml(3, more='oath = "x"\n'), "oath"),
        ("version =", "not TOML"),
        (toml(2, (NEXT, "5000.51")), "not newer"),
    ],
    ids=["older", "a year that runs", "another rule", "no TOML", "same version"],
)
def test_the_court_signs_no_bad_pack(
    own_central: Central, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    file = tmp_path / "pack.toml"
    file.write_text(toml(2), encoding="utf-8")
    own_central.run_task("rules-pack", str(file))
    own_central.run_task("rules-pack", str(file))  # twice is once
    file.write_text(text, encoding="utf-8")
    assert main(["central", "rules-pack", "--data", str(own_central.data), str(file)]) != 0
    assert words in capsys.readouterr().err
    assert own_central.query("select version from rules_packs") == [(2,)]


class Pull:
    """Pulls of one kiosk's sync whose central system sends ``value`` as the pack."""

    def __init__(self, kiosk: Kiosk, patch: pytest.MonkeyPatch) -> None:
        self.kiosk, self.patch = kiosk, patch
        self.context = SyncContext(kiosk.settings, lambda: None)
        self.published = PublishedRulesPack(self.context)

    def __call__(self, value: object, now: datetime = NOW) -> set[tuple[str, str | None]]:
        """Pull the pack; return the alarms."""
        answer = ({"pack": value}, '"tag"')
        client = SimpleNamespace(revision=8, fetch_rules_pack=lambda _tag: answer)
        self.published.pull(cast("CentralClient", client), now)
        return {(alarm.code, alarm.source) for alarm in self.context.alarms.active()}


@pytest.fixture
def pull(kiosk: Kiosk, central: Central, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pull]:
    """A kiosk that holds version 2."""
    made = Pull(kiosk, monkeypatch)
    assert made(signed(central, toml(2))) == set()
    yield made
    made.context.close()


def of_another_court(central: Central) -> object:
    stranger = Central(central.data.parent / "another")
    CertificateAuthority.open(stranger.data / "authority", "Another court")
    return signed(stranger, toml(3))


def unsigned(central: Central) -> object:
    value = signed(central, toml(3))
    del value["signature"]
    return value


BAD: dict[str, tuple[Callable[[Central], object], str]] = {
    "unsigned": (unsigned, "forged"),
    "changed": (lambda c: signed(c, toml(3)) | {"toml": toml(4)}, "forged"),
    "another court's": (of_another_court, "forged"),
    "a signed document of another kind": (lambda c: signed(c, toml(3)) | {"kind": "x"}, "forged"),
    "older": (lambda c: signed(c, toml(1)), "older"),
    "the same version": (lambda c: signed(c, toml(2, (NEXT, "1"))), "older"),
    "a past year": (
        lambda c: signed(c, toml(3, (LAST.year - 1, "1"), (NEXT, "5000.50"))),
        "contradicts",
    ),
    "more than MRP": (lambda c: signed(c, toml(3, more='oath = "x"\n')), "unreadable"),
    "two rows of a day": (lambda c: signed(c, toml(3, (NEXT, "1"), (NEXT, "2"))), "unreadable"),
    "one row of many": (lambda c: signed(c, toml(3, (NEXT, "1"), (NEXT + 1, "-1"))), "unreadable"),
    "no number": (lambda c: signed(c, toml(3, (NEXT, "nan"))), "unreadable"),
    "no TOML": (lambda c: signed(c, "version ="), "unreadable"),
    "nested too deep": (lambda c: signed(c, f"a = {'[' * 20_000}"), "unreadable"),
    "no object": (lambda _: [1], "unreadable"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_pack_leaves_the_one_held_and_says_why(
    pull: Pull, central: Central, name: str
) -> None:
    make, reason = BAD[name]
    before = pull.kiosk.paths.rules_pack.read_bytes()
    assert pull(make(central)) == {("rules_pack_refused", reason)}
    assert pull.kiosk.paths.rules_pack.read_bytes() == before
    assert pull(signed(central, toml(5))) == set(), "a good one clears the alarm"


def test_what_was_paid_by_a_former_pack_stays(pull: Pull, central: Central) -> None:
    """Before its year begins a pack may be corrected, after that not, and not left out."""
    assert pull(signed(central, toml(3, (NEXT, "5001")))) == set()
    later = NOW + timedelta(days=60)
    corrected, without = toml(4, (NEXT, "5002")), toml(4, (NEXT + 1, "6000"))
    for text in (corrected, without):
        assert pull(signed(central, text), later) == {("rules_pack_refused", "contradicts")}
    assert pull(signed(central, toml(4, (NEXT, "5001"), (NEXT + 1, "6000"))), later) == set()


@pytest.mark.parametrize("content", ["", "{", "[]", "changed"])
def test_a_damaged_pack_is_not_used_and_fetched_again(
    pull: Pull, central: Central, content: str
) -> None:
    path = pull.kiosk.paths.rules_pack
    if content == "changed":
        content = json.dumps(json.loads(path.read_bytes()) | {"toml": toml(2, (NEXT, "1"))})
    path.write_text(content, encoding="utf-8")
    assert read_published_pack(path) is None
    assert pull(None) == {("rules_pack_damaged", "")}
    assert pull.context.rules_pack is None
    assert pull(signed(central, toml(2))) == set()
    found = read_published_pack(path)
    assert found is not None
    assert found.version == 2


def test_an_earlier_central_system_is_not_asked(pull: Pull) -> None:
    client = SimpleNamespace(revision=7)
    pull.published.pull(cast("CentralClient", client), wall_time())
    assert pull.context.rules_pack is not None
