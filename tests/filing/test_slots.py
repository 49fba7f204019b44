"""Slots, sheets, fee, cases, receipt and standing: what the person says and is told."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from kiosk.config import Settings
from kiosk.filing.errors import FilingDamagedError, StepRefusedError
from kiosk.filing.form import cases, fee
from kiosk.filing.model import Filing, Page
from kiosk.filing.service import FilingDesk, OpenFiling
from kiosk.filing.submission.status import WORDS, standing_of
from kiosk.ipc import ServiceDownError
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import Rules
from kiosk.sync.outbox.filing_body import slots_body
from tests.filing.conftest import FakeSync


@pytest.fixture
def desk(settings: Settings, rules: Rules, sync: FakeSync) -> FilingDesk:
    """Return a desk."""
    return FilingDesk(settings, rules, sync)


def put(filing: OpenFiling, number: int, page: Path | None = None, **more: Any) -> None:
    """Put a page into the slot that is current."""
    if page is not None:
        assert filing.folder.key is not None
        filing.folder.key.seal_file(page, filing.folder.page_file(number))
    filing.folder.keep(filing.filing.with_page(Page(number=number, **more)))


def numbers(filing: OpenFiling, slot: str) -> list[int]:
    """Return the pages of a slot."""
    return [page.number for page in filing.filing.pages_of(slot)]


def test_the_type_brings_its_slots_and_pages_move_between_them(desk: FilingDesk) -> None:
    filing = desk.begin("claim", "ru")
    assert [view.slot.id for view in filing.slots()] == [
        "claim",
        "power_of_attorney",
        "fee_receipt",
        "evidence",
        "other",
    ]
    for number in (1, 2, 3):
        put(filing, number)
    filing.choose_slot("evidence")
    put(filing, 4)
    filing.move(2, 1, "evidence")
    assert (numbers(filing, "claim"), numbers(filing, "evidence")) == ([1, 3], [2, 4])
    filing.move(3, 1)
    assert numbers(filing, "claim") == [3, 1]
    second = filing.add_slot("evidence")
    put(filing, 5)
    assert (second.id, numbers(filing, "evidence-2")) == ("evidence-2", [5])
    labels = {view.slot.id: view.label for view in filing.slots()}
    assert labels["evidence"].endswith(" 1")
    assert labels["evidence-2"].endswith(" 2")
    with pytest.raises(StepRefusedError):
        filing.add_slot("power_of_attorney")
    assert [page.number for page in filing.filing.kept_pages] == [3, 1, 2, 4, 5]


def test_skipped_and_empty_slots_are_missing_and_never_refused(desk: FilingDesk) -> None:
    filing = desk.begin("claim", "ru")
    missing = {view.slot.id for view in filing.slots() if view.missing}
    assert missing == {"claim"}
    put(filing, 1)
    filing.skip_slot("fee_receipt")
    assert {view.slot.id for view in filing.slots() if view.missing} == {"fee_receipt"}
    with pytest.raises(StepRefusedError):
        filing.skip_slot("claim")
    filing.choose_slot("fee_receipt")
    assert not any(view.missing for view in filing.slots())


def test_both_sides_of_a_sheet_count_once(desk: FilingDesk) -> None:
    filing = desk.begin("claim", "kk")
    for number, sheet in ((1, 1), (2, 1), (3, 3), (4, 3)):
        put(filing, number, sheet=sheet)
    filing.delete(2)
    assert filing.sheets().scanned == 2
    assert not filing.sheets().differs, "nothing was counted"
    count = filing.count_sheets(3, "claim")
    assert (count.said, count.scanned, count.differs) == (3, 2, True)
    assert filing.sheets().said == 3
    assert not filing.count_sheets(2).differs


def test_another_type_keeps_every_page(desk: FilingDesk) -> None:
    filing = desk.begin("claim", "kk")
    put(filing, 1)
    filing.choose_slot("evidence")
    put(filing, 2)
    filing.choose_slot("power_of_attorney")
    put(filing, 3)
    filing.describe(document_type="motion")
    assert numbers(filing, "motion") == [1]
    assert numbers(filing, "power_of_attorney") == [3]
    assert numbers(filing, "other") == [2]


def test_every_slot_becomes_a_document_and_the_receipt_names_all(
    desk: FilingDesk, claim: list[Path], sync: FakeSync
) -> None:
    async def steps() -> None:
        async with desk:
            filing = desk.begin("claim", "ru")
            put(filing, 1, claim[0])
            filing.choose_slot("fee_receipt")
            put(filing, 2, claim[1])
            filing.skip_slot("power_of_attorney")
            filing.count_sheets(2)
            filing.describe(
                not_scanned=("диск",),
                applicant={"kind": "entity", "organisation": "ТОО «А»", "bin": "120340000001"},
            )
            desk.fee(filing, fee_id="property", amount=Decimal(10**6), paid_on=date(2026, 5, 1))
            done = await desk.submit(filing)
            assert [d.path for d in done.filing.documents] == ["document.pdf", "fee_receipt.pdf"]
            assert not (done.receipt.parent / "pages").exists()
            large = await desk.receipt_picture(filing, large=True)
            assert large.startswith(b"\x89PNG")
            told = json.loads((done.receipt.parent / "filing.json").read_text("utf-8"))
            body = slots_body(told)
            states = {slot["slot"]: slot["state"] for slot in body["slots"]}
            assert states == {
                "claim": "filled",
                "power_of_attorney": "missing",
                "fee_receipt": "filled",
                "evidence": "empty",
                "other": "empty",
            }
            assert body["slots"][2]["files"] == ["fee_receipt.pdf"]
            assert body["entity"] == {"name": "ТОО «А»", "bin": "120340000001"}
            assert (body["fee"]["hint"], body["fee"]["mrp"]) == ("30000", "4325")
            again = desk.by_reference(f"urn:uuid:{filing.filing.id}")
            assert again.filing.id == filing.filing.id
            code = zxingcpp.read_barcodes(Image.open(done.receipt).convert("L"))[0].text
            sync.answer, sync.delivered = {}, True
            assert (await desk.standing(code)).state in WORDS
            for guess in (done.registration.number, "urn:uuid:7514", ""):
                with pytest.raises(FilingDamagedError):
                    await desk.standing(guess)
                with pytest.raises(FilingDamagedError):
                    desk.by_reference(guess)

    asyncio.run(asyncio.wait_for(steps(), 120))


@pytest.mark.parametrize(
    ("kind", "choice", "amount", "day", "due", "problem"),
    [
        ("person", "property", "1000000", date(2026, 3, 1), "10000", None),
        ("entity", "property", "1000000", date(2026, 3, 1), "30000", None),
        ("person", "non_property", None, date(2026, 3, 1), "2162.5", None),
        ("person", "property", None, date(2026, 3, 1), None, "amount_needed"),
        ("person", "property", "1", date(2027, 3, 1), None, "no_index"),
        ("entity", "divorce", "1", date(2026, 3, 1), None, "no_rate"),
        ("person", None, None, date(2026, 3, 1), None, "choose_fee"),
    ],
)
def test_the_fee_is_a_hint_or_visibly_none(
    desk: FilingDesk,
    kind: str,
    choice: str | None,
    amount: str | None,
    day: date,
    due: str | None,
    problem: str | None,
) -> None:
    filing = desk.begin("claim", "ru")
    filing.describe(applicant={"kind": kind})
    claimed = None if amount is None else Decimal(amount)
    hint = desk.fee(filing, fee_id=choice, amount=claimed, paid_on=day)
    assert hint.problem == problem
    assert hint.to_pay == (None if due is None else Decimal(due))
    assert bool(hint.qr_png()) == (due is not None)
    if due is not None:
        assert due in hint.payment_text


def test_an_exemption_is_asked_and_kept_and_nothing_is_to_pay(desk: FilingDesk) -> None:
    filing = desk.begin("claim", "ru")
    ground = desk.exemptions(filing)[0].id
    hint = desk.fee(filing, fee_id="non_property", exemption=ground, paid_on=date(2026, 3, 1))
    assert (hint.to_pay, hint.payment_text) == (None, "")
    assert filing.filing.fee is not None
    assert filing.filing.fee.exemption == ground
    with pytest.raises(StepRefusedError):
        desk.fee(filing, fee_id="non_property", exemption="none_such")
    assert fee.tenge(Decimal("10000.00")) == "10000"


def test_a_case_is_known_unknown_or_unchecked(desk: FilingDesk, sync: FakeSync) -> None:
    schedule = desk.layout.schedule
    schedule.parent.mkdir(parents=True)
    hearing = {"id": "x", "case_number": "7514-26-00-2К/11", "kind": "civil", "title": "A v. B"}
    pulled = {"pulled_at": "2026-11-23T04:00:00.000Z", "hearings": [hearing]}
    schedule.write_text(json.dumps(pulled))

    def find(text: str) -> cases.FoundCase:
        return asyncio.run(desk.find_case(text))

    here = find("7514–26–00 – 2k / 11")
    assert (here.state, here.number, here.kind, here.source) == (
        "known",
        "7514-26-00-2К/11",
        "civil",
        "schedule",
    )
    sync.answer = {"exists": True, "number": "1-2/3", "kind": "criminal", "court": {"kk": "Сот"}}
    assert find("1-2/3").source == "central"
    sync.answer = {"exists": False, "number": "1-2/4"}
    assert find("1-2/4").state == "unknown"
    sync.answer = None
    assert find("1-2/4").state == "unchecked"
    assert cases.case_in_code("https://sud.example/?case=7514-26-00-2/11&x=1") == "7514-26-00-2/11"
    assert cases.case_in_code("urn:uuid:0f0e") is None


@pytest.mark.parametrize(
    ("told", "state", "reached"),
    [
        ({"state": "queued"}, "received", ("received",)),
        ({"state": "sent", "delivered": True}, "sent", ("received", "sent")),
        ({"state": "registered", "number": "1"}, "registered", ("received", "registered")),
        (
            {"state": "registered", "number": "1", "delivered": True},
            "registered",
            ("received", "registered", "sent"),
        ),
        ({"state": "accepted", "number": "1"}, "accepted", ("received", "registered", "accepted")),
        (
            {"state": "returned", "number": "1", "reason": "R"},
            "returned",
            ("received", "registered", "returned"),
        ),
    ],
)
def test_every_state_has_its_own_word(
    told: dict[str, Any], state: str, reached: tuple[str, ...]
) -> None:
    standing = standing_of(told)
    assert (standing.state, standing.reached) == (state, reached)
    for language in LANGUAGES:
        words = {Translator(language)(word) for word in WORDS.values()}
        assert len(words) == len(WORDS)


def test_advice_on_the_applicant_says_what_may_be_left_out(desk: FilingDesk) -> None:
    filing = desk.begin("claim", "kk")
    assert desk.applicant_advice(filing) == {"name": "missing", "iin": "missing"}
    filing.describe(applicant={"name": "A", "iin": "850101300124"})
    assert set(desk.applicant_advice(filing)) <= {"iin"}
    filing.describe(applicant={"kind": "entity", "name": "A", "organisation": "B", "bin": "1"})
    assert desk.applicant_advice(filing) == {"bin": "bin_length"}


def test_ids_cannot_be_guessed() -> None:
    ids = {Filing(document_type="claim").id for _ in range(200)}
    assert len({one[:8] for one in ids}) == 200
    assert all(one[14] == "4" for one in ids), "random ones (RFC 9562, version 4)"


class LostAnswer(FakeSync):
    """Registers, and its answer is lost."""

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """Register, and fall silent."""
        await super().post(path, body, timeout)
        raise ServiceDownError("sync.sock: the answer was lost")


def test_an_answer_that_was_lost_costs_no_number_and_both_are_shown_later(
    settings: Settings, rules: Rules, claim: list[Path]
) -> None:
    async def steps() -> None:
        sync = LostAnswer()
        async with FilingDesk(settings, rules, sync) as desk:
            filing = desk.begin("motion", "kk")
            put(filing, 1, claim[0])
            done = await desk.submit(filing)
            mine = done.registration
            assert (mine.state, mine.given_by) == ("provisional", "kiosk")
            again = await desk.submit(desk.open(filing.filing.id))
            assert again.registration == mine, "handed in twice is handed in once"
            assert sync.asked == [f"/v1/filings/{filing.filing.id}/register"]
            sync.answer = {"exists": True}
            told = {"state": "registered", "number": "7514-1", "provisional": mine.number}
            found = standing_of(told)
            assert (found.number, found.provisional) == ("7514-1", mine.number)

    asyncio.run(asyncio.wait_for(steps(), 90))
