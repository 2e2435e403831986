"""Reads of the reference tables."""

import re
from collections.abc import Iterable

from django.db.models import BooleanField, Case, IntegerField, Q, QuerySet, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Length

from sanjeevani.foundation.compiled import given, given_any
from sanjeevani.foundation.steady import Steady
from sanjeevani.terminology.models import (
    AllergyGroup,
    Diagnosis,
    FollowOnQuestion,
    Ingredient,
    LoadedEdition,
    Medicine,
    Speciality,
    Symptom,
)
from sanjeevani.terminology.words import prefix_query, search_words

CHILD_BELOW_MONTHS = 12 * 12
"""Below twelve years a complaint goes to the child's speciality."""

_ICD_CODE = re.compile(r"^[A-Za-z]\d[\d.]*$")


_specialities = Steady(lambda: Speciality.objects.all())


def specialities(system: str | None = None) -> list[Speciality]:
    """Return the specialities in their order, of one system of medicine if asked."""
    return [row for row in _specialities.all() if system in (None, "", row.system)]


_symptoms_for = Steady(
    lambda: Symptom.objects.filter(
        Q(maximum_age_months=None) | Q(maximum_age_months__gt=given("age_months")),
        minimum_age_months__lte=given("age_months"),
        sex=given_any("sexes"),
    )
)
_questions = Steady(lambda: FollowOnQuestion.objects.filter(code=given_any("codes")))
_symptoms = Steady(lambda: Symptom.objects.filter(code=given_any("codes")))


def symptoms_for(*, age_months: int, sex: str) -> list[Symptom]:
    """Return the complaints that a person of this age and sex can have, in their order.

    `sex`: female, male, or anything else, which shows the complaints of both.
    """
    sexes = ["", sex] if sex in {"female", "male"} else ["", "female", "male"]
    return _symptoms_for.all(age_months=age_months, sexes=sexes)


def all_symptoms() -> list[Symptom]:
    """Return every complaint, in their order."""
    return list(Symptom.objects.all())


def search_symptoms(text: str, *, age_months: int, sex: str) -> list[Symptom]:
    """Return the complaints for which every word typed begins a name or a synonym."""
    words = search_words(text)
    return [
        symptom
        for symptom in symptoms_for(age_months=age_months, sex=sex)
        if all(any(known.startswith(word) for known in symptom.search_words) for word in words)
    ]


def symptoms_named(codes: Iterable[str]) -> dict[str, Symptom]:
    """Return complaints by code; unknown codes are left out."""
    return {symptom.code: symptom for symptom in _symptoms.all(codes=list(codes))}


def questions_for(symptoms: Iterable[Symptom]) -> list[FollowOnQuestion]:
    """Return the questions of these complaints, each once, duration first."""
    codes = list(dict.fromkeys(code for symptom in symptoms for code in symptom.question_codes))
    found = questions_coded(codes)
    return [found[code] for code in codes if code in found]


def questions_coded(codes: Iterable[str]) -> dict[str, FollowOnQuestion]:
    """Return questions by code; unknown codes are left out."""
    wanted = list(codes)
    return {row.code: row for row in _questions.all(codes=wanted)} if wanted else {}


def recommended_speciality(symptoms: Iterable[Symptom], *, age_months: int) -> str | None:
    """Return the code of the speciality that these complaints lead to, None without any.

    The most frequent speciality wins; on a tie the first complaint's, because people name
    first what troubles them most.
    """
    child = age_months < CHILD_BELOW_MONTHS
    votes: dict[str, int] = {}
    for symptom in symptoms:
        code = (child and symptom.child_speciality_id) or symptom.speciality_id
        votes[code] = votes.get(code, 0) + 1
    return max(votes, key=lambda code: votes[code]) if votes else None


def _matches(text: str) -> RawSQL:
    """Ask the search column for every word as a prefix, past PostgreSQL's own text parser."""
    return RawSQL("search @@ %s::tsquery", [prefix_query(text)], output_field=BooleanField())


def search_diagnoses(text: str, limit: int = 20) -> list[Diagnosis]:
    """Return diagnoses by the beginning of a code (`E11`, `e119`) or of words, frequent first."""
    text = text.strip()
    if _ICD_CODE.match(text):
        rows = Diagnosis.objects.filter(code__startswith=_dotted(text.upper()))
    elif prefix_query(text):
        rows = Diagnosis.objects.filter(_matches(text))
    else:
        return []
    return list(rows.defer("search").order_by("rank", Length("code"), "code")[:limit])


def _dotted(code: str) -> str:
    plain = code.replace(".", "")
    return f"{plain[:3]}.{plain[3:]}" if len(plain) > 3 else plain


def frequent_diagnoses(limit: int = 20) -> list[Diagnosis]:
    """Return the most frequent outpatient diagnoses."""
    return list(Diagnosis.objects.defer("search").order_by("rank", "code")[:limit])


_diagnoses = Steady(lambda: Diagnosis.objects.defer("search").filter(code=given_any("codes")))


def diagnoses_coded(codes: Iterable[str]) -> dict[str, Diagnosis]:
    """Return diagnoses by code; unknown codes are left out."""
    return {diagnosis.code: diagnosis for diagnosis in _diagnoses.all(codes=list(codes))}


def search_medicines(text: str, limit: int = 20) -> list[Medicine]:
    """Return medicines for which every word typed begins a name, an alias or a strength.

    Those whose alias or first word is exactly the first word typed come first, then single
    ingredients, then by name, tablets and capsules before other forms.
    """
    words = search_words(text)
    if not words:
        return []
    exact = Q(aliases__contains=[words[0]]) | Q(search_words__0=words[0])
    rows = _medicines().filter(_matches(text))
    return list(
        rows.alias(
            exactness=Case(When(exact, then=0), default=1, output_field=IntegerField()),
            size=Length("generic_name"),
            oral_solid=_oral_solids_first(),
        ).order_by(
            "exactness", "size", "generic_name", "oral_solid", "form", "amounts", "strength"
        )[:limit]
    )


def medicines_by_alias(alias: str) -> list[Medicine]:
    """Return the medicines that a shorthand (`pcm`) or a generic name stands for, exactly.

    Ordered by form and amount, tablets first: the parser of a prescription line picks by
    strength and form.
    """
    wanted = " ".join(search_words(alias))
    if not wanted:
        return []
    return list(
        _medicines()
        .filter(Q(aliases__contains=[wanted]) | Q(generic_name__iexact=alias.strip()))
        .alias(oral_solid=_oral_solids_first())
        .order_by("oral_solid", "form", "amounts", "code")
    )


def _oral_solids_first() -> Case:
    return Case(
        When(form__in=["tablet", "capsule"], then=0), default=1, output_field=IntegerField()
    )


def medicines_coded(codes: Iterable[str]) -> dict[str, Medicine]:
    """Return medicines by code; unknown codes are left out."""
    return _medicines().in_bulk(list(codes))


def all_medicines() -> dict[str, Medicine]:
    """Return the whole formulary by code."""
    return _medicines().in_bulk()


_edition = Steady(lambda: LoadedEdition.objects.filter(name="terminology").values_list("digest"))


def reference_edition() -> str | None:
    """Return the digest of the data files that the reference tables hold; None before any."""
    row = _edition.first()
    return row[0] if row else None


def _medicines() -> QuerySet[Medicine]:
    return Medicine.objects.defer("search")


def ingredients_coded(codes: Iterable[str]) -> dict[str, Ingredient]:
    """Return ingredients by code; unknown codes are left out."""
    return Ingredient.objects.in_bulk(list(codes))


def allergy_groups() -> list[AllergyGroup]:
    """Return the groups of ingredients that an allergy can name."""
    return list(AllergyGroup.objects.order_by("code"))
