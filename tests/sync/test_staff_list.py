"""The staff list on its way to the kiosk: rooms, revoked kiosks, lists that are not taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from kiosk.central.identity.authority import CertificateAuthority
from kiosk.clocks import wall_time
from kiosk.exchange.staff_list import hash_secret, is_secret_of
from kiosk.storage.paths import Paths
from kiosk.sync.context import SyncContext
from kiosk.sync.enrolment import enrol
from kiosk.sync.polling.staff_list import PublishedStaff
from kiosk.sync.transport import central_client
from kiosk.sync.transport.central_client import CentralClient
from kiosk.sync.transport.connection import Connection
from tests.support.delivery_rig import KIOSK, Central, Kiosk
from tests.support.staff_lists import signed_list
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow
ROOM_2 = """
[[staff]]
person = "p-2"
name = "B. Secretary"
roles = ["secretary"]
rooms = ["2"]
pin = "2718"

[[staff]]
person = "p-3"
name = "C. Judge"
roles = ["judge"]
rooms = "all"
pin = "6173"
"""


def published(kiosk: Kiosk) -> dict[str, Any]:
    """Return the published rows by person; empty before the first list."""
    if not kiosk.paths.staff.exists():
        return {}
    value = json.loads(kiosk.paths.staff.read_text(encoding="utf-8"))
    return {row["person"]: row for row in value["staff"]}


def test_two_rooms_and_a_revoked_kiosk(
    own_central: Central, own_kiosk: Kiosk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each kiosk has its room's people; the PINs of a stolen one end at the other, too."""
    seed = own_central.data.parent / "seed.toml"
    seed.write_text(seed.read_text(encoding="utf-8") + ROOM_2, encoding="utf-8")
    code = own_central.run_task("enrol-code", "--room", "2", "kiosk-0002")
    own_central.start()
    other = Kiosk(tmp_path_factory.mktemp("k"), own_central.url, None)
    other.change_settings("kiosk", id="kiosk-0002")
    other.change_settings("paths", run=str(own_kiosk.folder / "other"))  # a short path
    other.paths = Paths.from_settings(other.settings.paths)
    enrol(other.paths, "kiosk-0002", code, own_central.url, None)
    try:
        own_kiosk.start_in_thread()
        other.start_in_thread()
        wait_for(lambda: set(published(own_kiosk)) == {"p-1", "p-3"}, "the list of room 1")
        wait_for(lambda: set(published(other)) == {"p-2", "p-3"}, "the list of room 2")
        assert is_secret_of("6173", published(own_kiosk)["p-3"]["pin"])
        file = own_kiosk.paths.staff.stat()
        told = own_central.run_task("revoke", "kiosk-0002")
        assert "p-2, p-3" in told
        wait_for(lambda: published(own_kiosk)["p-3"]["pin"] is None, "the list without the PIN")
        assert own_kiosk.paths.staff.stat().st_ino != file.st_ino
        wait_for(lambda: "certificate_invalid" in other.alarms(), "the refusal of the revoked one")
    finally:
        other.stop()


class Pull:
    """Pulls of one kiosk's sync whose central system sends ``value`` as the list."""

    def __init__(self, kiosk: Kiosk, central: Central, patch: pytest.MonkeyPatch) -> None:
        self.kiosk, self.central = kiosk, central
        self.context = SyncContext(kiosk.settings, lambda: None)
        self.staff = PublishedStaff(self.context)
        self.client = Connection(kiosk.paths, central.url).client()
        self.patch = patch

    def __call__(self, value: dict[str, Any], days_later: float = 0) -> set[tuple[str, str | None]]:
        """Pull the list; return the alarms."""
        self.patch.setattr(CentralClient, "fetch_staff", lambda *_: (value, None))
        self.staff.pull(self.client, wall_time() + timedelta(days=days_later))
        return self.alarms()

    def alarms(self) -> set[tuple[str, str | None]]:
        """Return code and source of the alarms in force."""
        return {(alarm.code, alarm.source) for alarm in self.context.alarms.active()}


@pytest.fixture
def pull(kiosk: Kiosk, central: Central, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pull]:
    """A kiosk that has a good list."""
    made = Pull(kiosk, central, monkeypatch)
    assert made(signed_list(central, [member("good")])) == set()
    yield made
    made.context.close()


def member(person: str, **more: Any) -> dict[str, Any]:
    """Return a row."""
    row = {"person": person, "name": "N.", "roles": ["secretary"], "badge": None}
    return row | {"pin": hash_secret("2718")} | more


def forged(central: Central) -> dict[str, Any]:
    """Return a list in which somebody gave himself a PIN."""
    value = signed_list(central, [member("good")])
    return value | {"staff": [*value["staff"], member("thief")]}


def unsigned(central: Central) -> dict[str, Any]:
    value = signed_list(central, [member("thief")])
    del value["signature"]
    return value


def of_another_court(central: Central) -> dict[str, Any]:
    stranger = Central(central.data.parent / "stranger")
    CertificateAuthority.open(stranger.data / "authority", "Another court")
    return signed_list(stranger, [member("thief")])


def of_an_earlier_release(_central: Central) -> dict[str, Any]:
    return {"pulled_at": "", "salt": "00", "staff": [{"person": "thief", "roles": ["secretary"]}]}


def later_form(central: Central) -> dict[str, Any]:
    """Return a list of a form that this kiosk does not know, signed by its court."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kiosk.exchange.staff_list.CONTRACT", 2)
        return signed_list(central, [member("x")])


BAD: dict[str, tuple[Callable[[Central], dict[str, Any]], str]] = {
    "changed": (forged, "forged"),
    "unsigned": (unsigned, "forged"),
    "another court's": (of_another_court, "forged"),
    "an earlier release's": (of_an_earlier_release, "forged"),
    "another kiosk's": (lambda c: signed_list(c, [member("x")], kiosk="kiosk-0002"), "foreign"),
    "ended": (lambda c: signed_list(c, [member("x")], age_days=31), "ended"),
    "older": (lambda c: signed_list(c, [member("x")], age_days=2), "older"),
    "of a later form": (later_form, "unreadable"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_list_leaves_the_last_good_one_and_says_why(
    pull: Pull, central: Central, name: str
) -> None:
    make, reason = BAD[name]
    before = pull.kiosk.paths.staff.read_bytes()
    assert pull(make(central)) == {("staff_list_refused", reason)}
    assert pull.kiosk.paths.staff.read_bytes() == before
    assert pull(signed_list(central, [member("next")])) == set(), "a good one clears the alarm"
    assert set(published(pull.kiosk)) == {"next"}


@pytest.mark.parametrize("years", [1, -6])
def test_a_kiosk_whose_clock_is_wrong_by_years_takes_its_list(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    """The central system's own time decides whether a list has ended."""
    wrong = wall_time() + timedelta(days=365 * years)
    monkeypatch.setattr("kiosk.sync.polling.poller.wall_time", lambda: wrong)
    kiosk.start_in_thread()
    wait_for(lambda: set(published(kiosk)) == {"p-1"}, "the list")
    wait_for(lambda: kiosk.state()["schedule"]["pulled_at"], "the end of the poll")
    assert "staff_list_refused" not in kiosk.alarms()


def test_a_list_ends_by_the_central_systems_time(pull: Pull, central: Central) -> None:
    late = signed_list(central, [member("late")])
    assert pull(late, days_later=31) == {("staff_list_refused", "ended")}


def test_a_list_that_is_too_large_is_not_written(
    kiosk: Kiosk, central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Pull(kiosk, central, monkeypatch)
    made.staff.pull(made.client, wall_time())
    before = kiosk.paths.staff.read_bytes()
    again = PublishedStaff(made.context)  # as after a restart: the whole list is asked for
    monkeypatch.setattr(central_client, "MAX_LIST_BYTES", 100)
    again.pull(made.client, wall_time())
    assert made.alarms() == {("staff_list_refused", "too_large")}
    assert kiosk.paths.staff.read_bytes() == before
    monkeypatch.undo()
    again.pull(made.client, wall_time())
    assert made.alarms() == set()
    made.context.close()


def test_lists_that_are_too_large_do_not_end_the_contact(
    kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.start_in_thread()
    wait_for(lambda: published(kiosk) and kiosk.get("/v1/schedule")["hearings"], "the lists")
    before = kiosk.paths.schedule.read_bytes()
    fetch_schedule = CentralClient.fetch_schedule
    monkeypatch.setattr(CentralClient, "fetch_schedule", lambda client, _: fetch_schedule(client))
    monkeypatch.setattr(central_client, "MAX_LIST_BYTES", 100)
    wait_for(lambda: "hearings_unreadable" in kiosk.alarms(), "the alarm")
    assert kiosk.state()["link"]["state"] == "up"
    assert len(kiosk.get("/v1/schedule")["hearings"]) == 2
    assert kiosk.paths.schedule.read_bytes() == before


def test_a_list_that_has_not_changed_is_not_written_again_unless_it_is_damaged(
    kiosk: Kiosk, central: Central, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Pull(kiosk, central, monkeypatch)
    made.staff.pull(made.client, wall_time())
    first = kiosk.paths.staff.stat()
    made.staff.pull(made.client, wall_time())
    assert kiosk.paths.staff.stat().st_ino == first.st_ino
    kiosk.paths.staff.write_text("{}")
    made.staff.pull(made.client, wall_time())
    assert set(published(kiosk)) == {"p-1"}
    assert made.client.fetch_staff('"another"') is not None
    made.context.close()
    assert json.loads(kiosk.paths.staff.read_text(encoding="utf-8"))["kiosk"] == KIOSK
