"""What is asked about the complaints that were chosen, and what was answered.

The questions are data (`terminology/data/questions.json`), to be confirmed by a clinical lead.
"""

import datetime
from collections.abc import Collection, Mapping

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import Invalid
from sanjeevani.foundation.text import plain_text
from sanjeevani.intake.content import IntakeContent
from sanjeevani.intake.triage import triage_facts
from sanjeevani.terminology.languages import text_in
from sanjeevani.terminology.models import FollowOnQuestion
from sanjeevani.terminology.queries import questions_for, symptoms_named
from sanjeevani.terminology.vitals import accept_vital

MOST = 6
"""So many at once: who is asked more answers none."""

LONGEST = 200
"""Characters of an answer."""

YES, NO = "yes", "no"

ASKED_ELSEWHERE = frozenset({"duration"})
"""Kinds of questions that the page of the complaints asks for all of them."""

OF_PREGNANCY = frozenset({"last_period", "may_be_pregnant", "weeks_pregnant", "pads_per_day"})
"""Asked of those who may be pregnant by age and gender, as the danger signs of pregnancy are."""


def questions_about(
    complaints: Collection[str], *, birth_date: datetime.date, gender: str
) -> list[FollowOnQuestion]:
    """Return what to ask a person of this age and gender about their complaints, in order."""
    may_be_pregnant = triage_facts(birth_date, gender)["pregnant"]
    asked = [
        question
        for question in _all_about(complaints)
        if question.kind not in ASKED_ELSEWHERE
        and (may_be_pregnant or question.code not in OF_PREGNANCY)
    ]
    return asked[:MOST]


def _all_about(complaints: Collection[str]) -> list[FollowOnQuestion]:
    """Return what may be asked of anybody about these complaints, in the order of asking."""
    chosen = symptoms_named(complaints)
    return questions_for(chosen[code] for code in complaints if code in chosen)


def accepted(told: Mapping[str, str], questions: Collection[FollowOnQuestion]) -> dict[str, str]:
    """Return answers as they are stored, without those left empty.

    Raises Invalid, with the code of the question as the field, for what answers none of them.
    """
    by_code = {question.code: question for question in questions}
    kept = {}
    for code, answer in told.items():
        if code not in by_code:
            raise Invalid(field=code)
        if answer.strip():
            kept[code] = _read(by_code[code], answer.strip())
    return kept


def _read(question: FollowOnQuestion, answer: str) -> str:
    try:
        match question.kind:
            case "yes_no":
                known = answer in (YES, NO)
            case "choice":
                known = any(option["code"] == answer for option in question.options)
            case "number":
                known = (question.minimum or 0) <= int(answer) <= (question.maximum or 0)
            case "temperature":
                known = bool(accept_vital("body_temperature", float(answer)))
            case "date":
                known = datetime.date.fromisoformat(answer) <= clock.today()
            case _:
                answer = plain_text(answer, lines=False)
                known = len(answer) <= LONGEST
    except ValueError:
        known = False
    if not known:
        raise Invalid(field=question.code)
    return answer


def told_in_words(content: IntakeContent, language: str) -> list[tuple[str, str]]:
    """Return questions and answers in the reader's language, which is the active one.

    In the order of asking: as stored they have none.
    """
    if not content.told:
        return []
    return [
        (question.name_in(language), _in_words(question, content.told[question.code], language))
        for question in _all_about(content.complaints)
        if question.code in content.told
    ]


def _in_words(question: FollowOnQuestion, answer: str, language: str) -> str:
    match question.kind:
        case "yes_no":
            return _("Yes") if answer == YES else _("No")
        case "choice":
            texts = {option["code"]: option["text"] for option in question.options}
            return text_in(texts[answer], language) if answer in texts else answer
        case "temperature":
            return f"{answer} °C"
        case "date":
            return date_format(datetime.date.fromisoformat(answer), "j F Y")
        case _:
            return answer
