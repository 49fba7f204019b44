"""The rules data as shipped: counts, single values, and that what is missing stays missing."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from kiosk.rules import Rules, load_rules
from kiosk.rules.explanations import explanation_for


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


def test_every_row_of_the_tables_is_there(rules: Rules) -> None:
    counts = {
        "document_types": len(rules.document_types),
        "case_kinds": len(rules.case_kinds),
        "proceedings": len(rules.proceedings),
        "instances": len(rules.instances),
        "roles": len(rules.roles),
        "forms": len(rules.forms),
        "legal_bases": len(rules.legal_bases),
        "closure_grounds": len(rules.closure_grounds),
        "permissions": len(rules.permissions),
        "events": len(rules.events),
        "fees": len(rules.state_fee.fee),
        "exemptions": len(rules.state_fee.exemption),
        "mrp": len(rules.mrp),
        "limits": len(rules.limits),
        "short_protocol": [len(row.field) for row in rules.short_protocols],
        "full_protocol": [len(row.field) for row in rules.full_protocols],
    }
    assert counts == {
        "document_types": 43,
        "case_kinds": 4,
        "proceedings": 5,
        "instances": 3,
        "roles": 37,
        "forms": 9,
        "legal_bases": 7,
        "closure_grounds": 24,
        "permissions": 4,
        "events": 55,
        "fees": 21,
        "exemptions": 36,
        "mrp": 9,
        "limits": 38,
        "short_protocol": [10, 10],
        "full_protocol": [15, 20],
    }


def test_labels_and_their_status(rules: Rules) -> None:
    claim = rules.document_type("claim")
    assert claim.label.kk == "талап қою арызы (талап қою)"
    assert claim.status["kk"] == "L"
    assert claim.source == ("R11",)
    assert rules.role("court_specialist").label.ru == "специалист суда"
    assert rules.role("specialist").label.kk == "маман"
    assert rules.event("retirement").label.en == "retirement"
    assert rules.case_kinds["admin_offence"].code == {"kk": "ӘҚБтК", "ru": "КоАП"}
    assert rules.case_kinds["admin_justice"].status == {"kk": "M", "ru": "S"}
    assert rules.proceedings["claim"].kind == "civil"


def test_kazakh_is_given_wherever_the_tables_give_it(rules: Rules) -> None:
    tables = (
        rules.document_types,
        rules.case_kinds,
        rules.roles,
        rules.forms,
        rules.closure_grounds,
        rules.permissions,
        rules.events,
    )
    lacking = [
        row.id
        for table in tables
        for row in table.values()
        if not all((row.label.kk, row.label.ru, row.label.en))
    ]
    assert lacking == []


def test_the_oath_is_the_acts_in_each_language_and_never_a_translation(rules: Rules) -> None:
    """ҚПК 370(2), УПК 370(2); a civil witness swears none (АПК 203(1))."""
    assert rules.oath_text("en") is None
    kazakh = rules.oath_text("kk")
    assert kazakh is not None
    assert kazakh.startswith("Сотқа іс бойынша өзіме белгілі болған барлық мән-жайды")
    assert kazakh.endswith("шындықтан басқа ешнәрсе айтпауға ант етемін")
    assert not re.search("[a-z]", kazakh, re.IGNORECASE), "the official text mixes Latin letters in"
    russian = rules.oath_text("ru")
    assert russian is not None
    assert russian.startswith("Я клянусь суду рассказать все известное мне по делу")
    assert rules.oath_text("ru", "civil") is None
    assert rules.oath_text("kk", "civil") is None
    assert rules.oath_text("kk", "admin_justice") is None


def test_kazakh_names_of_fees_are_our_captions_and_no_text_of_the_act(rules: Rules) -> None:
    assert {fee.status["kk"] for fee in rules.state_fee.fee} == {"M"}
    assert {row.norm.kk is None for row in rules.state_fee.exemption if not row.deferred} == {True}
    assert all("S" in fee.status.values() for fee in rules.state_fee.fee)


def test_every_fee_belongs_to_a_document_that_a_visitor_can_hand_in(rules: Rules) -> None:
    """НК 665; what is lodged with the Constitutional Court is not lodged here."""
    used = {fee for row in rules.document_types.values() if row.visitor for fee in row.fees}
    lost = {row.id for row in rules.state_fee.fee} - used
    assert lost == {row.id for row in rules.state_fee.fee if row.elsewhere} == {"constitutional"}


def test_papers_that_are_free_for_everyone_name_their_ground(rules: Rules) -> None:
    """НК 668(1)15)."""
    free = {row.id: row.free_by for row in rules.document_types.values() if row.free_by}
    assert set(free) == {"private_appeal", "admin_offence_complaint", "bailiff_complaint"}
    assert set(free.values()) == {"procedural_applications"}
    assert not any(rules.document_type(name).fees for name in free)


def test_technical_rules_of_the_court_administration_are_named(rules: Rules) -> None:
    """S22: the act is named by its index; what it says was not read and is not guessed."""
    assert rules.limits["recording_order"].value == "V1500012457"
    assert rules.limits["electronic_documents_order"].value == "V1800017148"


def test_limits_of_the_letter(rules: Rules) -> None:
    assert rules.limit("net_min_mbit") == 1.0
    assert (rules.limit("preconnect_open_min"), rules.limit("preconnect_late_min")) == (10, 5)
    assert rules.limit("max_file_mb") == 20
    assert rules.limit("storage_quota_mb") is None
    assert rules.limits["storage_quota_mb"].missing
    assert rules.limit("default_format") == "offline"
    assert rules.limit("sanitary.mask") is False
    assert rules.limits["net_min_mbit"].source == ("R31",)


def test_closure_grounds(rules: Rules) -> None:
    grounds = rules.closure_grounds
    needs = Counter(ground.needs for ground in grounds.values())
    assert needs == {
        "application": 7,
        "application_or_initiative": 6,
        "consent_missing": 2,
        "disorder": 1,
        "law": 3,
        "reasoned_ruling": 4,
        "ruling": 1,
    }
    secret = [row for row in grounds.values() if row.never_online]
    assert [row.id for row in secret] == ["state_secret", "crim_secret"]
    assert {row.announcement for row in secret} == {"closed"}
    civil = rules.closure_grounds_for("civil")
    assert civil == rules.closure_grounds_for("admin_justice"), "ӘРПК 147(1)"
    assert grounds["civ_adoption"].needs == "law"
    assert [row.id for row in grounds.values() if row.text] == ["civ_other", "koap_other"]
    assert grounds["koap_intimate"].label == grounds["crim_intimate"].label
    assert not rules.closure_effect.copies


def test_permissions_default_to_no(rules: Rules) -> None:
    assert not any(row.default for row in rules.permissions.values())
    assert all(row.consent_kinds == ("criminal",) for row in rules.permissions.values())


def test_short_protocol_fields_in_the_statutes_order(rules: Rules) -> None:
    protocol = rules.short_protocol("criminal")
    fields = protocol.field
    assert [row.id for row in fields][5:7] == ["means", "file"]
    assert "questioning" in fields[8].events
    assert protocol.title.label.kk == "сот отырысының қысқаша хаттамасы"
    assert protocol.signed_by.roles == ("presiding", "secretary")


def test_civil_minutes_have_the_fields_of_their_own_code(rules: Rules) -> None:
    """АПК 282(4): items 1, 2, 3, 4, 6, 13-1, 16, 18, the recording and its file; ӘРПК 147(1)."""
    protocol = rules.short_protocol("civil")
    assert protocol is rules.short_protocol("admin_justice")
    items = [row.source[0].removeprefix("АПК 282(2)") for row in protocol.field[:8]]
    assert items == ["1)", "2)", "3)", "4)", "6)", "13-1)", "16)", "18)"]
    assert [row.id for row in protocol.field[8:]] == ["means", "file"]
    assert "course" not in {row.id for row in protocol.field}, "persons questioned are criminal's"


def test_full_minutes_have_every_item_of_the_civil_code(rules: Rules) -> None:
    """АПК 282(2), 1) to 18) with 5-1) and 13-1); of УПК 347(3) what was read (S18)."""
    civil = rules.full_protocol("civil")
    assert civil is rules.full_protocol("admin_justice")
    items = [row.source[0].removeprefix("АПК 282(2)").rstrip(")") for row in civil.field]
    between = {"6": ["5-1"], "14": ["13-1"]}
    assert items == [item for n in range(1, 19) for item in (*between.get(str(n), []), str(n))]
    criminal = rules.full_protocol("criminal")
    assert (civil.is_partial, criminal.is_partial) == (False, True)
    short = [row.id for row in rules.short_protocol("criminal").field]
    assert [row.id for row in criminal.field if row.id in short] == short
    assert "testimony" in {row.id for row in criminal.field}


def test_notes_of_uncertainty_are_kept(rules: Rules) -> None:
    assert "from 1 Apr" in next(row.note for row in rules.mrp if row.valid_from.year == 2022)
    assert [row.status for row in rules.mrp if row.valid_from.year in (2015, 2024, 2025)] == [
        "S",
        "M",
        "S",
    ]
    assert rules.forms["mixed"].status == {"kk": "M"}


def test_all_grounds_of_exemption_are_found_by_what_they_hang_on(rules: Rules) -> None:
    """НК 668(1), all 34, 671(1), and the deferral of АПК 106(3)."""
    rows = rules.state_fee.exemption
    assert [row.source for row in rows[:34]] == [(f"НК 668(1){n})",) for n in range(1, 35)]
    assert all(row.norm.ru for row in rows if not row.deferred)
    assert all(row.label.kk and row.label.ru for row in rows)
    assert Counter(row.group for row in rows) == {
        "claim": 14,
        "organisation": 17,
        "person": 2,
        "document": 3,
    }


@pytest.mark.parametrize(
    ("kind", "offered", "not_offered"),
    [
        (
            "civil",
            {"recording_announced", "expert_warned", "claim_presented"},
            {"oath", "last_word"},
        ),
        ("criminal", {"recording_announced", "oath", "last_word", "charge_presented"}, set()),
        ("admin_offence", set(), {"oath", "last_word", "recording_announced", "receipt_taken"}),
        ("admin_offence", set(), {"truth_explained", "non_disclosure_warned", "charge_presented"}),
        ("admin_justice", {"recording_announced", "claim_presented"}, {"oath", "safety_right"}),
        ("civil", set(), {"charge_presented", "non_disclosure_receipt", "torture_statement"}),
    ],
)
def test_a_hearing_offers_the_events_of_its_own_code(
    rules: Rules, kind: str, offered: set[str], not_offered: set[str]
) -> None:
    ids = {row.id for row in rules.events_for(kind)}
    assert offered <= ids
    assert not not_offered & ids


def test_the_words_at_the_courts_entry_are_the_acts(rules: Rules) -> None:
    """ҚПК 345(2), 350."""
    assert rules.event("court_enters").label.kk == "«Сот келе жатыр»"


def test_terms_of_the_minutes_by_code(rules: Rules) -> None:
    """УПК 347(4), 348; АПК 283(4), 284, 285."""
    days = {name: rules.limit(f"{name}_days.civil") for name in ("protocol", "reading", "remarks")}
    assert days == {"protocol": 3, "reading": 5, "remarks": 3}
    assert rules.limits["protocol_days.civil"].unit == "working days"
    assert rules.limit("protocol_days.criminal") == rules.limit("remarks_days.criminal") == 5


def test_explanations_are_statute_text_in_clean_letters_and_fit_one_person(rules: Rules) -> None:
    """R47, R51, S12, S13: by event, kind of case, role and age."""

    def norm(event: str, kind: str, role: str = "", *, minor: bool = False) -> str:
        rows = rules.explanations.values()
        found = explanation_for(rows, event, kind, role, minor=minor)
        return found.kk.norm if found else ""

    assert norm("receipt_taken", "criminal", "witness") == "ҚПК 370(2)"
    assert norm("receipt_taken", "criminal", "witness", minor=True) == "", "S12: none is taken"
    assert norm("receipt_taken", "criminal", "interpreter") == "ҚПК 352(2)"
    assert norm("receipt_taken", "civil", "expert") == "АПК 200"
    assert norm("receipt_taken", "civil", "witness") == "АПК 133-3(3)", "from an institution only"
    assert norm("rights_explained", "criminal", "specialist") == "ҚПК 361"
    assert norm("receipt_taken", "criminal", "specialist") == "", "no receipt is taken"
    assert norm("warning_false_testimony", "admin_offence", "witness") == "", "not read"
    assert norm("non_disclosure_receipt", "criminal") == "ҚПК 350", "whoever stays"
    for row in rules.explanations.values():
        assert all((row.kk.norm, row.ru.norm))
        assert not re.search("[a-zA-Z]", row.kk.text + row.ru.text), f"{row.id}: a Latin letter"
