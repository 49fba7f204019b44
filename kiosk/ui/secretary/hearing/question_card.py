"""Card with an open question and its answers."""

from __future__ import annotations

from kivy.uix.widget import Widget

from kiosk.ui.actions.secretary_actions import SecretaryActions
from kiosk.ui.secretary.hearing.questions import Question
from kiosk.ui.widgets.widget_kit import WidgetKit

ANSWERS_PER_PAGE = 5
LONG_ANSWERS_PER_PAGE = 3
LONG_ANSWER_LENGTH = 24


def question_card(
    kit: WidgetKit, question: Question, secretary: SecretaryActions, page: int = 0
) -> Widget:
    """Return one question with its answers; it never covers the recording.

    A question with many answers has pages; one to be typed opens the keys (``ask.type``).
    """
    _ = kit.translate.gettext
    long = any(len(label) > LONG_ANSWER_LENGTH for _value, label in question.choices)
    per_page = LONG_ANSWERS_PER_PAGE - kit.theme.compact if long else ANSWERS_PER_PAGE
    first = page * per_page
    answers: list[Widget] = [
        _answer_button(kit, f"ask.{question.subject}.{value}", label, secretary, question, value)
        for value, label in question.choices[first : first + per_page]
    ]
    last = [
        kit.button("ask.later", _("Later"), lambda: secretary.postpone_question(question.subject),
                   style="chosen", wide=True, height=-1, pad=8)
    ]  # fmt: skip
    if len(question.choices) > per_page:
        after = page + 1 if first + per_page < len(question.choices) else 0
        last.append(
            kit.button("ask.more", _("More"), lambda: secretary.show_answers_page(after), wide=True,
                       height=-1, pad=8, icon_after="chevron-right")
        )  # fmt: skip
    if question.typed:
        answers.append(
            kit.button(
                "ask.type", _("Enter"), secretary.open_answer_keys, wide=True, height=-1, pad=8
            )
        )
    columns = 1 if long or len(answers) <= 2 else 2
    rows = [kit.row(*answers[n : n + columns], gap=12) for n in range(0, len(answers), columns)]
    if not long and len(answers) % 2 and columns == 2:
        rows[-1].add_widget(last.pop(0))
    if last:
        rows.append(kit.row(*last, gap=12))
    text = kit.fitted_text(
        question.text, "body", wid="question.text", weight="semibold", size_hint_y=0.6
    )
    return kit.card(text, *rows, tone="accent", gap=10, padding=10)


def _answer_button(
    kit: WidgetKit,
    wid: str,
    label: str,
    secretary: SecretaryActions,
    question: Question,
    value: str,
) -> Widget:
    return kit.button(
        wid,
        label,
        lambda: secretary.spawn_answer(question.subject, value),
        wide=True,
        height=-1,
        once=True,
        pad=8,
    )
