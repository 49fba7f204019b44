"""The card of a receipt: what is offered and said, whatever became of it (R47-R49, R77, S12)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kiosk.api.recorder import RecorderState
from kiosk.locale import Translator
from kiosk.rules import load_rules
from kiosk.ui.actions.receipt_actions import ReceiptState
from kiosk.ui.rule_labels import RuleLabels
from kiosk.ui.samples import service_states as sample_data
from kiosk.ui.secretary.running_hearing.oath import oath_hint, oath_view
from kiosk.ui.secretary.running_hearing.questions import open_question
from kiosk.ui.secretary.running_hearing.receipt import receipt_paper, receipt_view
from kiosk.ui.secretary.running_hearing.receipt_samples import LATER, PRINTED, SCANNED, TAKEN
from kiosk.ui.view_context import ViewContext

TRANSLATE = Translator("en")
RULES = load_rules()
CONTEXT = ViewContext(
    TRANSLATE, RuleLabels(TRANSLATE, RULES), ZoneInfo("Asia/Almaty"), sample_data.NOW
)


def hearing_of(**hearing: Any) -> Any:
    shown = {"kind": "criminal", "marks": [TAKEN], **hearing}
    state = RecorderState.model_validate(sample_data.recording(hearing=shown))
    assert state.hearing is not None
    return state.hearing


def card(state: ReceiptState | None = None, **hearing: Any) -> tuple[str, list[str]]:
    """Return sentence and choices of the card; nothing where there is none."""
    view = receipt_view(CONTEXT, hearing_of(**hearing), state or ReceiptState())
    return ("", []) if view is None else (view.panel.text, [c.id for c in view.panel.choices])


@pytest.mark.parametrize(
    ("receipts", "choices", "said"),
    [
        ([], ["print:", "scan:"], "have it signed"),
        ([PRINTED], ["print:", "scan:"], "Printed at 09:51"),
        ([SCANNED], ["withdraw:1"], "Scanned at 09:53"),
    ],
    ids=["new", "printed", "scanned"],
)
def test_the_next_step_is_offered(receipts: list[Any], choices: list[str], said: str) -> None:
    text, offered = card(receipts=receipts)
    assert offered == choices
    assert said in text


def test_it_comes_by_itself_at_its_event_until_it_is_closed_or_something_else_happens() -> None:
    assert card(marks=[{**TAKEN, "type": "questioning"}]) == ("", [])
    assert card(marks=[TAKEN, LATER]) == ("", [])
    assert card(ReceiptState(hidden=7)) == ("", [])
    assert card(open_questions=["of_whom:7"]) == ("", []), "whom it concerns comes first"
    for state in (ReceiptState(mark=7), ReceiptState(mark=7, hidden=7)):
        assert card(state, marks=[TAKEN, LATER])[1] == ["print:", "scan:"], "opened by hand"
    assert card(ReceiptState(mark=7), marks=[{**TAKEN, "withdrawn": True}]) == ("", [])


def test_online_none_is_taken_but_from_an_institution_a_copy_is_scanned() -> None:
    """R49; АПК 133-3(3)."""
    person = {"id": "p3", "role": "witness", "name": "Ержан Т.", "attendance": "online"}
    text, offered = card(persons=[person])
    assert (offered, "No receipt" in text) == ([], True)
    text, offered = card(persons=[{**person, "institution": True}], kind="civil")
    assert (offered, "institution" in text) == (["scan:"], True)


def test_a_fault_says_what_to_do_and_leaves_a_way_on() -> None:
    text, offered = card(ReceiptState(problem="printer_no_paper"))
    assert offered == ["print:", "scan:"]
    assert "no paper" in text
    _text, offered = card(ReceiptState(step="paper", problem="scanner_jam"))
    assert offered == ["glass:", "stop:"]
    text, offered = card(ReceiptState(problem="recorder_down", can_retry=True))
    assert offered == ["retry:"]
    assert card(ReceiptState(step="reading"))[1] == [], "nothing to be tapped in the middle"


def test_a_scan_that_its_code_put_elsewhere_is_said() -> None:
    other = {**TAKEN, "id": 6, "of": {"id": "p4", "role": "expert", "name": "Цой В."}}
    text, _offered = card(ReceiptState(kept=6), marks=[other, TAKEN])
    assert text == "The scan was kept at the receipt that its code names: Цой В."


def test_what_is_printed_and_not_scanned_is_asked_at_the_next_event() -> None:
    asked = {"open_questions": ["receipt:7"], "receipts": [PRINTED]}
    assert open_question(CONTEXT, hearing_of(**asked), frozenset()) is None, "its card is open"
    question = open_question(CONTEXT, hearing_of(marks=[TAKEN, LATER], **asked), frozenset())
    assert question is not None
    assert question.text.endswith("Ержан Т.")
    assert [value for value, _label in question.choices] == ["scan", "paper"]


@pytest.mark.parametrize(
    ("event", "role", "kind", "language", "norm", "text"),
    [
        ("receipt_taken", "witness", "criminal", "kk", "ҚПК 370(2)", "Куәдан оған"),
        ("receipt_taken", "witness", "criminal", "ru", "УПК 370(2)", ""),
        ("receipt_taken", "victim", "criminal", "kk", "ҚПК 369(1), 370(2)", ""),
        ("receipt_taken", "expert", "civil", "kk", "АПК 200", "… сарапшыға"),
        ("receipt_taken", "interpreter", "criminal", "ru", "УПК 352(2)", "предупреждается"),
        ("non_disclosure_receipt", "defender", "criminal", "ru", "УПК 350(2)", "Лица, участ"),
        ("receipt_taken", "witness", "", "kk", "", ""),
    ],
    ids=["witness", "untranslated", "victim", "expert", "interpreter", "closed", "no-kind"],
)
def test_the_paper_has_the_norm_and_only_the_text_that_was_read(
    event: str, role: str, kind: str, language: str, norm: str, text: str
) -> None:
    mark = {**TAKEN, "type": event, "of": {"id": "p3", "role": role, "name": "Ержан Т."}}
    translate = Translator(language)
    hearing = hearing_of(marks=[mark], kind=kind)
    labels = RuleLabels(translate, RULES)
    paper = receipt_paper(labels, translate, hearing, 7, ZoneInfo("Asia/Almaty"))
    assert paper.norm == norm
    assert paper.text.startswith(text)
    assert bool(paper.text) == bool(text)
    assert (paper.name, paper.day, paper.code) == (
        "Ержан Т.",
        "23.11.2026",
        f"KIOSK-RECEIPT:{hearing.id}:7",
    )


@pytest.mark.parametrize(
    ("event", "role", "kind", "language", "norm", "text"),
    [
        ("warning_false_testimony", "witness", "criminal", "ru", "УПК 370(2)", "ответственность"),
        ("warning_false_testimony", "witness", "civil", "ru", "ГПК 203(1)", ""),
        ("interpreter_rights", "interpreter", "civil", "kk", "АПК 191(2)", "Төрағалық етуші"),
        ("rights_explained", "specialist", "criminal", "kk", "ҚПК 361", "Төрағалық етуші маманға"),
    ],
    ids=["warning", "untranslated", "interpreter", "specialist"],
)
def test_what_is_explained_is_shown_with_its_norm_until_it_is_said(
    event: str, role: str, kind: str, language: str, norm: str, text: str
) -> None:
    """R51, S11, S13: the text that was read; without one the norm, and a sentence says so."""
    mark = {**TAKEN, "type": event, "of": {"id": "p3", "role": role, "name": "Ержан Т."}}
    shown = {"marks": [mark], "kind": kind, "language": language}
    view = oath_view(CONTEXT, hearing_of(**shown), 0)
    assert view is not None
    assert (view.norm, view.is_oath, view.text.startswith(text)) == (norm, False, True)
    assert bool(view.missing) is not bool(view.text)
    assert oath_view(CONTEXT, hearing_of(**shown), 7) is None, "hidden"
    said = {**shown, "marks": [{**mark, "ended": TAKEN["at"], "heard": False}]}
    assert oath_view(CONTEXT, hearing_of(**said), 0) is None
    assert "presiding judge was not heard" in oath_hint(CONTEXT, hearing_of(**said))


def test_nothing_is_shown_where_the_rules_know_nothing_to_explain() -> None:
    """A plaintiff's rights, or a minor who is not warned (S12): the events stay at hand."""
    plaintiff = {"id": "p1", "role": "plaintiff", "name": "Ахметов А."}
    rights = {**TAKEN, "type": "rights_explained", "of": plaintiff}
    assert oath_view(CONTEXT, hearing_of(marks=[rights], kind="civil"), 0) is None
    child = {"id": "p3", "role": "witness", "name": "Ержан Т.", "minor": True}
    warned = {**TAKEN, "type": "warning_false_testimony"}
    assert oath_view(CONTEXT, hearing_of(marks=[warned], persons=[child]), 0) is None
