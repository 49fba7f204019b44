"""Card with an open question and its answers."""

from __future__ import annotations

from collections.abc import Callable

from kivy.uix.widget import Widget

from kiosk.ui.actions.people_actions import AnswerSheet
from kiosk.ui.app_state import AppState
from kiosk.ui.secretary.running_hearing.questions import Question
from kiosk.ui.widgets.widget_kit import WidgetKit

ANSWERS_PER_PAGE = 5
LONG_ANSWERS_PER_PAGE = 3
LONG_ANSWER_LENGTH = 24


def question_card(kit: WidgetKit, question: Question, app: AppState) -> Widget:
    """Return one question with its answers; it never covers the recording.

    A question with many answers has pages; one to be typed opens the keys (``ask.type``).
    """
    _, secretary = kit.translate.gettext, app.secretary
    long = any(len(label) > LONG_ANSWER_LENGTH for _value, label in question.choices)
    per_page = LONG_ANSWERS_PER_PAGE - kit.theme.compact if long else ANSWERS_PER_PAGE
    first = secretary.answers_page * per_page

    def answer(value: str) -> Callable[[], None]:
        return lambda: app.spawn(secretary.answer_question(question.subject, value))

    def type_answer() -> None:
        if question.letters:
            secretary.people.show(AnswerSheet(question.subject, question.text))
        else:
            secretary.show_answer_keys(True)

    answers: list[Widget] = [
        kit.button(f"ask.{question.subject}.{value}", label, answer(value), fill=True, once=True,
                   pad=8)
        for value, label in question.choices[first : first + per_page]
    ]  # fmt: skip
    last: list[Widget] = [
        kit.button(
            "ask.later", _("Later"), lambda: secretary.postpone_question(question.subject),
            style="chosen", fill=True, pad=8, about=question.subject,
        )
    ]  # fmt: skip
    if len(question.choices) > per_page:
        is_last = first + per_page >= len(question.choices)
        page = 0 if is_last else secretary.answers_page + 1
        last.append(
            kit.button("ask.more", _("More"), lambda: secretary.show_answers_page(page), fill=True,
                       pad=8, icon_after="chevron-right")
        )  # fmt: skip
    if question.typed:
        answers.append(
            kit.button("ask.type", _("Enter"), type_answer, fill=True, pad=8)
        )  # fmt: skip
    columns = 1 if long or len(answers) <= 2 else 2
    if columns == 2 and len(answers) % 2:
        answers.append(last.pop(0))
    rows = kit.grid(answers, columns, gap=12)
    if last:
        rows.append(kit.row(*last, gap=12))
    text = kit.fitted_text(
        question.text,
        "body",
        wid="question.text",
        weight="semibold",
        size_hint_y=0.6 if kit.theme.text_size < 3 else 0.67,
    )
    return kit.card(text, *rows, tone="accent", gap=10, padding=10)
