"""Slots, sheet counts, fee, case look-up, receipt and status of a filing (R5, R14)."""

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
from kiosk.filing.model import Applicant, Filing, Page
from kiosk.filing.service import FilingService, OpenFiling
from kiosk.filing.submission.status import STAGE_LABELS, parse_status
from kiosk.ipc import ServiceDownError
from kiosk.locale import LANGUAGES, Translator
from kiosk.rules import FeeBasis, Rules
from kiosk.sync.outbox.filing_body import revision_2_fields
from tests.filing.conftest import FakeSync


@pytest.fixture
def service(settings: Settings, rules: Rules, sync: FakeSync) -> FilingService:
    """Return a filing service."""
    return FilingService(settings, rules, sync)


def put_page(filing: OpenFiling, number: int, page: Path | None = None, **more: Any) -> None:
    """Put a page into the slot that is current."""
    if page is not None:
        assert filing.folder.key is not None
        filing.folder.key.encrypt_file(page, filing.folder.page_file(number))
    filing.folder.save(filing.record.with_page(Page(number=number, **more)))


def numbers(filing: OpenFiling, slot: str) -> list[int]:
    """Return the pages of a slot."""
    return [page.number for page in filing.record.pages_of(slot)]


def test_the_type_brings_its_slots_and_pages_move_between_them(service: FilingService) -> None:
    filing = service.create("claim", "ru")
    assert [view.slot.id for view in filing.slots()] == [
        "claim",
        "power_of_attorney",
        "fee_receipt",
        "evidence",
        "other",
    ]
    for number in (1, 2, 3):
        put_page(filing, number)
    filing.choose_slot("evidence")
    put_page(filing, 4)
    filing.move_page(2, 1, "evidence")
    assert (numbers(filing, "claim"), numbers(filing, "evidence")) == ([1, 3], [2, 4])
    filing.move_page(3, 1)
    assert numbers(filing, "claim") == [3, 1]
    second = filing.add_slot("evidence")
    put_page(filing, 5)
    assert (second.id, numbers(filing, "evidence-2")) == ("evidence-2", [5])
    labels = {view.slot.id: view.label for view in filing.slots()}
    assert labels["evidence"].endswith(" 1")
    assert labels["evidence-2"].endswith(" 2")
    with pytest.raises(StepRefusedError):
        filing.add_slot("power_of_attorney")
    assert [page.number for page in filing.record.kept_pages] == [3, 1, 2, 4, 5]


def test_skipped_and_empty_slots_are_missing_and_never_refused(service: FilingService) -> None:
    filing = service.create("claim", "ru")
    missing = {view.slot.id for view in filing.slots() if view.is_missing}
    assert missing == {"claim"}
    put_page(filing, 1)
    filing.skip_slot("fee_receipt")
    assert {view.slot.id for view in filing.slots() if view.is_missing} == {"fee_receipt"}
    with pytest.raises(StepRefusedError):
        filing.skip_slot("claim")
    filing.choose_slot("fee_receipt")
    assert not any(view.is_missing for view in filing.slots())


def test_both_sides_of_a_sheet_count_once(service: FilingService) -> None:
    filing = service.create("claim", "kk")
    for number, sheet in ((1, 1), (2, 1), (3, 3), (4, 3)):
        put_page(filing, number, sheet=sheet)
    filing.delete_page(2)
    assert filing.sheet_count().scanned == 2
    assert not filing.sheet_count().has_mismatch, "nothing was counted"
    count = filing.declare_sheets(3, "claim")
    assert (count.declared, count.scanned, count.has_mismatch) == (3, 2, True)
    assert filing.sheet_count().declared == 3
    assert not filing.declare_sheets(2).has_mismatch


def test_another_type_keeps_every_page(service: FilingService) -> None:
    filing = service.create("claim", "kk")
    put_page(filing, 1)
    filing.choose_slot("evidence")
    put_page(filing, 2)
    filing.choose_slot("power_of_attorney")
    put_page(filing, 3)
    filing.update_details(document_type="motion")
    assert numbers(filing, "motion") == [1]
    assert numbers(filing, "power_of_attorney") == [3]
    assert numbers(filing, "other") == [2]


@pytest.mark.slow
def test_every_slot_becomes_a_document_and_the_receipt_names_all(
    service: FilingService, claim: list[Path], sync: FakeSync
) -> None:
    async def steps() -> None:
        async with service:
            filing = service.create("claim", "ru")
            put_page(filing, 1, claim[0])
            filing.choose_slot("fee_receipt")
            put_page(filing, 2, claim[1])
            filing.skip_slot("power_of_attorney")
            filing.declare_sheets(2)
            filing.update_details(
                not_scanned=("диск",),
                applicant={"kind": "entity", "organisation": "ТОО «А»", "bin": "120340000001"},
            )
            service.fee_hint(
                filing,
                fee_id="property",
                basis=FeeBasis(amount=Decimal(10**6)),
                paid_on=date(2026, 5, 1),
            )
            done = await service.submit(filing)
            assert [d.path for d in done.filing.documents] == ["document.pdf", "fee_receipt.pdf"]
            assert not (done.receipt.parent / "pages").exists()
            large = await service.receipt_png(filing, large=True)
            assert large.startswith(b"\x89PNG")
            reply = json.loads((done.receipt.parent / "filing.json").read_text("utf-8"))
            body = revision_2_fields(reply)
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
            again = service.find_by_reference(f"urn:uuid:{filing.record.id}")
            assert again.record.id == filing.record.id
            code = zxingcpp.read_barcodes(Image.open(done.receipt).convert("L"))[0].text
            sync.answer, sync.delivered = {}, True
            assert (await service.status(code)).stage in STAGE_LABELS
            for guess in (done.registration.number, "urn:uuid:7514", ""):
                with pytest.raises(FilingDamagedError):
                    await service.status(guess)
                with pytest.raises(FilingDamagedError):
                    service.find_by_reference(guess)

    asyncio.run(asyncio.wait_for(steps(), 120))


@pytest.mark.parametrize(
    ("kind", "choice", "amount", "day", "due", "problem"),
    [
        ("person", "property", "1000000", date(2026, 3, 1), "10000", None),
        ("entity", "property", "1000000", date(2026, 3, 1), "30000", None),
        ("person", "non_property", None, date(2026, 3, 1), "2162.5", None),
        ("person", "property", None, date(2026, 3, 1), None, "amount_needed"),
        ("person", "property", "1", date(2027, 3, 1), None, "no_index"),
        ("person", None, None, date(2026, 3, 1), None, "choose_fee"),
    ],
)
def test_the_fee_is_a_hint_or_visibly_none(
    service: FilingService,
    kind: str,
    choice: str | None,
    amount: str | None,
    day: date,
    due: str | None,
    problem: str | None,
) -> None:
    filing = service.create("claim", "ru")
    filing.update_details(applicant={"kind": kind})
    claimed = None if amount is None else Decimal(amount)
    basis = FeeBasis(amount=claimed)
    hint = service.fee_hint(filing, fee_id=choice, basis=basis, paid_on=day)
    assert hint.problem == problem
    assert hint.to_pay == (None if due is None else Decimal(due))
    assert bool(hint.qr_png()) == (due is not None)
    if due is not None:
        assert due in hint.payment_text


def test_each_document_asks_what_its_fee_needs_and_then_knows_it(service: FilingService) -> None:
    """Copies, cassation and arbitration; an organisation is not offered a divorce (НК 665)."""
    day = date(2026, 3, 1)
    filing = service.create("copy_request", "ru")
    hint = service.fee_hint(filing, paid_on=day)
    assert (hint.problem, hint.needs) == ("counts_needed", "counts")
    hint = service.fee_hint(filing, basis=FeeBasis(documents=2, pages=10), paid_on=day)
    assert (hint.problem, hint.to_pay) == (None, Decimal("2162.5"))
    assert filing.record.fee is not None
    assert (filing.record.fee.documents, filing.record.fee.pages) == (2, 10)

    filing = service.create("arbitration_cancel", "ru")
    hint = service.fee_hint(filing, fee_id="arbitration_cancel_property", paid_on=day)
    assert (hint.problem, hint.amount_of) == ("amount_needed", "disputed")

    filing = service.create("claim", "ru")
    assert "divorce" in {option.id for option in service.fee_options(filing)}
    filing.update_details(applicant={"kind": "entity"})
    assert "divorce" not in {option.id for option in service.fee_options(filing)}
    with pytest.raises(StepRefusedError):
        service.fee_hint(filing, fee_id="divorce", paid_on=day)

    filing = service.create("private_appeal", "ru")
    assert service.fee_hint(filing, paid_on=day).problem == "free"
    filing = service.create("motion", "ru")
    assert service.fee_hint(filing, paid_on=day).problem == "no_fee"


def test_a_consumers_payment_is_put_off_until_the_decision(service: FilingService) -> None:
    """АПК 106(3), the exception of НК 672(1)1): deferred, not exempt."""
    filing = service.create("claim", "ru")
    hint = service.fee_hint(
        filing,
        fee_id="property",
        basis=FeeBasis(amount=Decimal(10**6)),
        exemption="consumer_deferral",
        paid_on=date(2026, 3, 1),
    )
    assert hint.is_deferred
    assert (hint.to_pay, hint.payment_text) == (None, "")
    assert hint.statement is not None
    assert hint.statement.hint == Decimal(10000)


def test_an_exemption_is_asked_and_kept_and_nothing_is_to_pay(service: FilingService) -> None:
    filing = service.create("claim", "ru")
    ground = service.exemption_options(filing, "kk")[0].id
    hint = service.fee_hint(
        filing, fee_id="non_property", exemption=ground, paid_on=date(2026, 3, 1)
    )
    assert (hint.to_pay, hint.payment_text) == (None, "")
    assert filing.record.fee is not None
    assert filing.record.fee.exemption == ground
    with pytest.raises(StepRefusedError):
        service.fee_hint(filing, fee_id="non_property", exemption="none_such")
    assert fee.format_tenge(Decimal("10000.00")) == "10000"


def test_an_organisation_is_offered_no_exemption_of_a_person(service: FilingService) -> None:
    """НК 668(1)13), АПК 106(3): veterans and citizens who buy something are persons."""
    filing = service.create("claim", "ru")
    persons = {row.id for row in service.exemption_options(filing, "ru")}
    assert {"veterans_disability", "consumer_deferral", "prosecutor"} <= persons
    filing.update_details(applicant=Applicant(kind="entity"))
    offered = {row.id for row in service.exemption_options(filing, "ru")}
    assert "prosecutor" in offered
    assert not {"veterans_disability", "consumer_deferral"} & offered


def test_a_fee_does_not_outlive_the_payer_or_the_document_it_was_computed_for(
    service: FilingService,
) -> None:
    """Whoever goes back and files for an organisation pays its rate, and has no person's ground."""
    day, basis = date(2026, 3, 1), FeeBasis(amount=Decimal(10**6))
    filing = service.create("claim", "ru")
    ground = "veterans_disability"
    service.fee_hint(filing, fee_id="property", basis=basis, exemption=ground, paid_on=day)
    filing.update_details(applicant=Applicant(name="Ким О."))
    assert filing.record.fee is not None
    assert filing.record.fee.exemption == ground, "the same payer"
    filing.update_details(applicant=Applicant(kind="entity"))
    kept = filing.record.fee
    assert kept is not None
    assert (kept.fee, kept.amount) == ("property", basis.amount), "what was typed stays"
    assert (kept.hint, kept.mrp, kept.exemption) == (None, None, None)
    with pytest.raises(StepRefusedError):
        service.fee_hint(filing, fee_id="property", basis=basis, exemption=ground, paid_on=day)
    hint = service.fee_hint(filing, fee_id="property", basis=basis, paid_on=day)
    assert hint.to_pay == Decimal(30000)
    filing.update_details(document_type="claim")
    assert filing.record.fee == hint.statement, "the same document"
    filing.update_details(document_type="private_appeal")
    assert filing.record.fee is None, "nobody pays for it"


def test_a_case_is_known_unknown_or_unchecked(service: FilingService, sync: FakeSync) -> None:
    schedule = service.paths.schedule
    schedule.parent.mkdir(parents=True)
    hearing = {"id": "x", "case_number": "7514-26-00-2К/11", "kind": "civil", "title": "A v. B"}
    pulled = {"pulled_at": "2026-11-23T04:00:00.000Z", "hearings": [hearing]}
    schedule.write_text(json.dumps(pulled))

    def find(text: str) -> cases.CaseLookup:
        return asyncio.run(service.find_case(text))

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


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("https://sud.example/?case=7514-26-00-2/11&x=1", "7514-26-00-2/11"),
        ("3599-24-00-2а/2151", "3599-24-00-2а/2151"),
        ("№ 6003-25-00-4к/1454(2).", "6003-25-00-4к/1454(2)"),
        ("7514–26–00–2 \\ 11", "7514-26-00-2/11"),
        ("6003-25-00-4 к / 1454 ( 2 )", "6003-25-00-4к/1454(2)"),
        ("6003-25-00-4\u200bк/1454\u00ad(2)", "6003-25-00-4к/1454(2)"),
        ("7514-26-00-2ә / 11", "7514-26-00-2ә/11"),
        ("urn:uuid:0f0e", None),
        ("7514-26-00-2/", None),
        ("", None),
    ],
)
def test_a_case_number_is_read_from_a_summons_code(code: str, number: str | None) -> None:
    """Letters of appeal and cassation, and the number of a part, belong to it."""
    assert cases.case_number_in_code(code) == number


@pytest.mark.parametrize(
    ("reply", "state", "reached"),
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
    reply: dict[str, Any], state: str, reached: tuple[str, ...]
) -> None:
    status = parse_status(reply)
    assert (status.stage, status.reached) == (state, reached)
    for language in LANGUAGES:
        words = {Translator(language)(word) for word in STAGE_LABELS.values()}
        assert len(words) == len(STAGE_LABELS)


def test_advice_on_the_applicant_says_what_may_be_left_out(service: FilingService) -> None:
    filing = service.create("claim", "kk")
    assert service.applicant_problems(filing) == {"name": "missing", "iin": "missing"}
    filing.update_details(applicant={"name": "A", "iin": "850101300124"})
    assert set(service.applicant_problems(filing)) <= {"iin"}
    filing.update_details(
        applicant={"kind": "entity", "name": "A", "organisation": "B", "bin": "1"}
    )
    assert service.applicant_problems(filing) == {"bin": "bin_length"}


def test_ids_cannot_be_guessed() -> None:
    ids = {Filing(document_type="claim").id for _ in range(200)}
    assert len({filing_id[:8] for filing_id in ids}) == 200
    assert all(filing_id[14] == "4" for filing_id in ids), "random ones (RFC 9562, version 4)"


class LostAnswer(FakeSync):
    """Registers, and its answer is lost."""

    async def post(self, path: str, body: Any = None, timeout: float = 10.0) -> dict[str, Any]:
        """Register, and fall silent."""
        await super().post(path, body, timeout)
        raise ServiceDownError("sync.sock: the answer was lost")


@pytest.mark.slow
def test_an_answer_that_was_lost_costs_no_number_and_both_are_shown_later(
    settings: Settings, rules: Rules, claim: list[Path]
) -> None:
    async def steps() -> None:
        sync = LostAnswer()
        async with FilingService(settings, rules, sync) as service:
            filing = service.create("motion", "kk")
            put_page(filing, 1, claim[0])
            done = await service.submit(filing)
            mine = done.registration
            assert (mine.state, mine.given_by) == ("provisional", "kiosk")
            again = await service.submit(service.open(filing.record.id))
            assert again.registration == mine, "handed in twice is handed in once"
            assert sync.asked == [f"/v1/filings/{filing.record.id}/register"]
            sync.answer = {"exists": True}
            reply = {"state": "registered", "number": "7514-1", "provisional": mine.number}
            found = parse_status(reply)
            assert (found.number, found.provisional) == ("7514-1", mine.number)

    asyncio.run(asyncio.wait_for(steps(), 90))
