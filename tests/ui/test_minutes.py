"""The short minutes on the screen, against the recorder's own calls. Requirements: S17, S21."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.exports import SealedHearing
from kiosk.api.minutes import MinutesSummary
from kiosk.api.recorder_calls import StaffSession
from kiosk.api.states import Phase
from kiosk.auth.person import Person
from kiosk.ipc import LocalClient
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.export_actions import ExportState
from kiosk.ui.actions.minutes_actions import NEW_LINE, MinutesActions, MinutesState
from kiosk.ui.actions.receipt_actions import ReceiptState
from kiosk.ui.registry import HomePlace, MinutesPlace, TodayPlace
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states
from kiosk.ui.screen_choice import ScreenInputs, screen_name
from kiosk.ui.secretary.schedule.today import minutes_line
from kiosk.ui.secretary.sealed_hearing.export import export_view
from kiosk.ui.secretary.sealed_hearing.minutes import MinutesView, minutes_view
from kiosk.ui.view_context import ViewContext
from tests.support.hearing_builder import add_part, new_hearing
from tests.support.minutes_rig import JUDGE, SECRETARY, MinutesRig
from tests.support.people_keys import People

pytestmark = pytest.mark.slow
TRANSLATE = Translator("en")
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, load_rules()), ZoneInfo("Asia/Almaty"), service_states.NOW
)


def seen(minutes: MinutesActions, person: Person = SECRETARY) -> MinutesView:
    """Return what ``person`` sees."""
    session = StaffSession(token="t", person=person.id, name=person.name, roles=person.roles)
    return minutes_view(CONTEXT, minutes.state, session)


def tap_through(rig: MinutesRig, steps: Callable[[MinutesActions], Awaitable[None]]) -> list[str]:
    """Run ``steps`` with the screen's actions; return the codes that were shown."""
    codes: list[str] = []

    async def run(client: LocalClient) -> None:
        await steps(MinutesActions(client, lambda: None, codes.append))

    rig.run(run)
    return codes


def type_line(minutes: MinutesActions, text: str) -> None:
    """Type on the keys of the screen, which send capitals."""
    for key in text.upper():
        minutes.type(key)


def test_from_the_list_to_the_seal_by_taps(tmp_path: Path) -> None:
    rig = MinutesRig(tmp_path)

    async def steps(minutes: MinutesActions) -> None:
        await minutes.open()
        (entry,) = seen(minutes).entries
        assert (entry.text, entry.note) == ("2-15/2026", "Not begun")
        await minutes.open_minutes(entry.id)
        view = seen(minutes)
        assert view.text.startswith("Being written · due by ")
        assert view.text.endswith(" · empty fields: 5, 6, 7")
        assert [row.note for row in view.entries[4:7]] == ["Empty"] * 3
        assert view.entries[-1].note == "Usual term counts"
        await minutes.toggle_term()
        assert seen(minutes).entries[-1].note == "Longer term counts"
        assert seen(minutes).text != view.text
        await minutes.toggle_term()
        assert seen(minutes).text == view.text
        minutes.show_field("attendance")
        minutes.edit_line(NEW_LINE)
        type_line(minutes, "истец")
        await minutes.keep_line()
        (line,) = seen(minutes).entries
        assert (line.text, line.note) == ("Истец", "Typed")
        minutes.edit_line(0)
        minutes.type_text(" Омаров")
        await minutes.keep_line()
        assert seen(minutes).entries[0].text == "Истец Омаров"
        await minutes.undo()
        assert seen(minutes).entries[0].text == "Истец"
        await minutes.step_back()
        assert seen(minutes, JUDGE).action == ""  # the secretary is first
        minutes.ask_confirm()
        assert "The presiding judge confirms after you" in seen(minutes).text
        await minutes.confirm()
        assert seen(minutes).action == ""
        rig.person = JUDGE
        await minutes.refresh()
        assert seen(minutes, JUDGE).action == "Confirm"
        minutes.ask_confirm()
        await minutes.confirm()
        view = seen(minutes, JUDGE)
        assert (view.text.split(" · ")[0], view.can_change) == ("Confirmed and sealed", False)
        state = minutes.state.minutes
        assert state is not None
        assert (rig.sealed(state.sealed_id) / "minutes.pdf").is_file()
        minutes.show_field("attendance")
        assert not seen(minutes, JUDGE).can_change
        await minutes.step_back()
        await minutes.begin_version()
        assert "version 2" in seen(minutes, JUDGE).text

    assert tap_through(rig, steps) == []


def test_the_secretary_signs_with_one_tap_to_the_drive_and_one_back(tmp_path: Path) -> None:
    """АПК 283(5), and what is wrong with what came back is said."""
    rig, people = MinutesRig(tmp_path), People(tmp_path / "people")
    shutil.copy(people.roots, rig.people_roots)
    drive = rig.plug("stick")

    async def steps(minutes: MinutesActions) -> None:
        await minutes.open(rig.hearing)
        minutes.show_signature()
        assert seen(minutes).step == "fields"  # nothing to sign yet
        await minutes.step_back()
        for person in (SECRETARY, JUDGE):
            rig.person = person
            await minutes.confirm()
        assert "not signed yet" in seen(minutes).text
        minutes.show_signature()
        assert seen(minutes).text.startswith("The minutes are not signed yet.")
        await minutes.hand_out()
        view = seen(minutes)
        (folder,) = drive.iterdir()
        assert f"Written to the drive, folder {folder.name}." in view.text
        content = (folder / "SHA256SUMS").read_bytes()
        assert view.digest.replace(" ", "") == hashlib.sha256(content).hexdigest()
        (folder / "s.cms").write_bytes(people.sign("СЕРИКОВА САУЛЕ", "", content))
        await minutes.take_signature()
        assert not seen(minutes).is_signed
        (folder / "s.cms").write_bytes(people.sign("АХМЕТОВА АЙГҮЛ", "БОЛАТҚЫЗЫ", content))
        await minutes.take_signature()
        view = seen(minutes)
        assert view.is_signed
        assert view.text.startswith("The minutes are signed: АХМЕТОВА АЙГҮЛ БОЛАТҚЫЗЫ.")
        await minutes.step_back()
        assert "signed by the secretary" in seen(minutes).text

    assert tap_through(rig, steps) == ["signature_other_person"]


def test_a_line_that_is_emptied_is_removed(tmp_path: Path) -> None:
    rig = MinutesRig(tmp_path)

    async def steps(minutes: MinutesActions) -> None:
        await minutes.open(rig.hearing)
        minutes.show_field("case")
        minutes.edit_line(0)
        for _ in minutes.state.typing.text:
            minutes.type("")
        assert seen(minutes).typing is not None
        await minutes.keep_line()
        assert seen(minutes).entries == ()
        await minutes.step_back()
        assert seen(minutes).entries[3].note == "Empty"

    assert tap_through(rig, steps) == []


def test_what_is_typed_stays_while_the_recorder_refuses_or_is_down(tmp_path: Path) -> None:
    rig = MinutesRig(tmp_path)
    kept: list[MinutesActions] = []

    async def steps(minutes: MinutesActions) -> None:
        await minutes.open(rig.hearing)
        minutes.show_field("attendance")
        minutes.edit_line(NEW_LINE)
        type_line(minutes, "истец")
        kept.append(minutes)

    codes = tap_through(rig, steps)
    asyncio.run(kept[0].keep_line())
    assert codes == ["recorder_down"]
    view = seen(kept[0])
    assert view.typing is not None
    assert view.typing.text == "Истец"


def test_the_lists_show_no_day_of_a_clock_that_was_not_set() -> None:
    unset = "1970-01-01T00:07:12.000Z"
    summary = MinutesSummary(hearing_id="1", started=unset, ended=unset, due="2026-11-26")
    (entry,) = minutes_view(CONTEXT, MinutesState(hearings=(summary,)), None).entries
    assert entry.below == "due by 26.11.2026"
    sealed = SealedHearing(id="1", started=unset, ended=unset, seconds=60.0)
    (row,) = export_view(CONTEXT, ExportState((sealed,))).rows
    assert row.details == "0:01:00"


def test_the_first_screen_says_which_minutes_are_due() -> None:
    def said(*days: str) -> list[tuple[str, str]]:
        rows = tuple(MinutesSummary(hearing_id=day, due=day) for day in days)
        return [(line.text, line.tone) for line in minutes_line(CONTEXT, rows)]

    assert said() == said("") == []
    first = "Minutes to write: 2, the first by 26.11.2026"
    assert said("2026-12-01", "2026-11-26", "") == [(first, "plain")]
    assert said("2026-11-23") == [("Minutes to write: 1, the first by 23.11.2026", "caution")]
    assert said("2026-11-22", "2026-11-26") == [("Minutes overdue: 1", "caution")]


def test_full_minutes_in_a_recess_by_taps(tmp_path: Path) -> None:
    """They are opened from the recess, cannot be confirmed yet, and say what they are (S18)."""
    rig = MinutesRig(tmp_path)
    built = new_hearing(rig.paths.hearings, rig.signer, kind="criminal")
    add_part(built, fragments=1)

    async def steps(minutes: MinutesActions) -> None:
        await minutes.open_running(built.folder.name)
        view = seen(minutes)
        assert view.text.startswith("Full minutes · Being written · the list of fields of УПК")
        assert "confirmed after the end of the hearing" in view.text
        assert (view.is_running, view.action, len(view.entries)) == (True, "", 15)
        minutes.show_field("testimony")
        minutes.edit_line(NEW_LINE)
        type_line(minutes, "видел")
        await minutes.keep_line()
        await minutes.step_back()
        minutes.close()
        await minutes.open_running(built.folder.name)
        assert "Видел" in seen(minutes).entries[9].below
        await minutes.open_minutes(rig.hearing)
        (form,) = [entry for entry in seen(minutes).entries if entry.id == "form"]
        assert form.note == "Short minutes"
        await minutes.toggle_form()
        view = seen(minutes)
        assert view.text.startswith("Full minutes · ")
        assert view.action == "Confirm"
        await minutes.toggle_form()
        assert seen(minutes).text.startswith("Being written")

    assert tap_through(rig, steps) == []


@pytest.mark.parametrize("phase", ["recess", "retired", "recording", "sealing"])
def test_until_the_end_its_own_minutes_may_stand_in_place_of_the_hearing(phase: str) -> None:
    """S18. Those of another hearing never do: the way to mark and resume must not be hidden."""
    writing = ScreenInputs(
        phase=Phase(phase),
        has_hearing=True,
        is_staff=True,
        is_secretary=True,
        visitor_place=HomePlace(),
        staff_place=MinutesPlace(),
        has_running_minutes=True,
    )
    assert (screen_name(writing) == "secretary.minutes") == (phase != "sealing")
    assert screen_name(replace(writing, has_running_minutes=False)) != "secretary.minutes"
    assert screen_name(replace(writing, staff_place=TodayPlace())) != "secretary.minutes"


def test_the_scan_of_a_late_receipt_says_what_goes_on(tmp_path: Path) -> None:
    """Its entry is there until both have confirmed; a fault comes before everything (R47, R48)."""
    rig = MinutesRig(tmp_path)

    async def steps(minutes: MinutesActions) -> None:
        await minutes.open_minutes(rig.hearing)
        assert "receipt" in {entry.id for entry in seen(minutes).entries}
        minutes.show_scan()

        def said(**scanner: Any) -> str:
            session = StaffSession(token="t", person="p-1", name="", roles=("secretary",))
            receipt = ReceiptState(**scanner)
            return minutes_view(CONTEXT, minutes.state, session, receipt).text

        assert said().startswith("For a receipt that was signed after the hearing.")
        assert said(step="paper") == "Put the signed sheet into the scanner."
        assert said(kept=3) == "The scan is kept with these minutes, and they say so."
        wrong = said(problem="receipt_other_hearing", kept=3)
        assert wrong == CONTEXT.alarm_text("receipt_other_hearing")
        await minutes.withdraw_receipt()  # there is none: nothing is asked of the recorder
        await minutes.step_back()
        assert seen(minutes).step == "fields"

    assert tap_through(rig, steps) == []
