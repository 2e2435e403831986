"""What speaks against a medicine, for this patient, in this consultation. Pure.

Source of the list rules: Telemedicine Practice Guidelines, India, 25 March 2020 (paraphrased; a
clinical lead confirms). The other rules ask the terminology's tables, each row with its source.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Self

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from sanjeevani.terminology import dosage
from sanjeevani.terminology.classes import not_therapeutic
from sanjeevani.terminology.models import (
    DEFAULT_LANGUAGE,
    AllergyGroup,
    GuidelineList,
    Ingredient,
    Interaction,
    Medicine,
    PregnancyAdvice,
    Severity,
)
from sanjeevani.terminology.phrases import phrase_in
from sanjeevani.terminology.words import search_words


class Weight(StrEnum):
    """What a finding asks of the prescriber."""

    REFUSED = "refused"  # never signed
    REASON = "reason"  # signed only with a reason, which stands on record
    NOTE = "note"  # shown


@dataclass(frozen=True)
class Finding:
    """One thing that speaks against a medicine, and the way out of it."""

    code: str
    weight: Weight
    message: Promise | str
    way_out: Promise | str = ""


@dataclass(frozen=True)
class Circumstances:
    """What of the patient and the consultation the rules look at.

    `pregnant` is None when neither patient nor doctor said; `allergies` and `medicines` are the
    patient's words. `allergies_before` are those of earlier consultations, `running` what earlier
    prescriptions say is taken still.
    """

    is_follow_up: bool
    seen_by_video: bool
    age_months: int
    is_male: bool
    pregnant: bool | None
    weight_kg: float | None
    allergies: str
    medicines: str
    allergies_before: Sequence[str] = ()
    running: Sequence[Medicine] = ()


@dataclass(frozen=True)
class Knowledge:
    """The terminology's tables that the rules ask."""

    ingredients: Mapping[str, Ingredient]
    allergy_groups: Sequence[AllergyGroup]
    interactions: Sequence[Interaction]


@dataclass(frozen=True)
class Line:
    """A medicine with what is taken on one day in units of its form; None if nobody can say.

    `days_between`: how many days lie between two doses, 1 for what is taken daily; None for what
    is taken once or when needed.
    """

    medicine: Medicine
    units_per_day: float | None
    days_between: float | None = None


def check(
    line: Line, others: Iterable[Medicine], circumstances: Circumstances, knowledge: Knowledge
) -> list[Finding]:
    """Return all findings on a line beside the other medicines of the prescription."""
    ingredients = _ingredients(line.medicine, knowledge)
    beside = [(other, _ingredients(other, knowledge)) for other in others]
    running = [(other, _ingredients(other, knowledge)) for other in circumstances.running]
    told = _told(circumstances.medicines, knowledge)
    return [
        *_guideline_list(line.medicine, circumstances),
        *_allergies(ingredients, circumstances, knowledge),
        *_duplicates(ingredients, beside),
        *_still_taken(ingredients, running, told),
        *_interactions(ingredients, [*beside, *running], told, knowledge),
        *_age(ingredients, circumstances),
        *_pregnancy(ingredients, circumstances),
        *_daily_dose(line, ingredients, circumstances),
        *_too_often(line),
    ]


def _ingredients(medicine: Medicine, knowledge: Knowledge) -> list[Ingredient]:
    return [knowledge.ingredients[code] for code in medicine.ingredient_codes]


def _guideline_list(medicine: Medicine, circumstances: Circumstances) -> Iterator[Finding]:
    kind = medicine.guideline_list
    if kind == GuidelineList.PROHIBITED:
        yield Finding(
            "prohibited",
            Weight.REFUSED,
            _("This medicine may never be prescribed by teleconsultation (Schedule X or NDPS)."),
            _("Refer the patient to be seen in person."),
        )
    elif kind == GuidelineList.NONE:
        yield Finding(
            "not_listed",
            Weight.REFUSED,
            _("This medicine is on no list of the telemedicine guidelines."),
            _("Choose another medicine, or refer the patient to be seen in person."),
        )
    elif kind == GuidelineList.A and not (
        circumstances.is_follow_up or circumstances.seen_by_video
    ):
        yield Finding(
            "list_a_needs_video",
            Weight.REFUSED,
            _("List A: in a first consultation only after seeing the patient by video."),
            _("Step up to video, choose a List O medicine, or refer in person."),
        )
    elif kind == GuidelineList.B and not circumstances.is_follow_up:
        yield Finding(
            "list_b_needs_follow_up",
            Weight.REFUSED,
            _("List B: only as an addition in a follow-up for the same condition."),
            _("Choose another medicine, or refer the patient to be seen in person."),
        )


def _allergies(
    ingredients: Sequence[Ingredient], circumstances: Circumstances, knowledge: Knowledge
) -> Iterator[Finding]:
    today = _Allergy.told(circumstances.allergies, knowledge)
    before = [_Allergy.told(words, knowledge) for words in circumstances.allergies_before]
    for ingredient in ingredients:
        name = {"name": ingredient.name}
        if today.names(ingredient):
            yield Finding(
                "allergy",
                Weight.REASON,
                _("The patient named an allergy to %(name)s or its group.") % name,
                _("Choose another group, or ask what happened and write the reason."),
            )
        elif any(allergy.names(ingredient) for allergy in before):
            yield Finding(
                "allergy_before",
                Weight.REASON,
                _(
                    "In an earlier consultation the patient named an allergy to %(name)s"
                    " or its group."
                )
                % name,
                _("Choose another group, or ask what happened and write the reason."),
            )
        elif any(allergy.may_extend_to(ingredient) for allergy in (today, *before)):
            yield Finding(
                "cross_allergy",
                Weight.NOTE,
                _("Who is allergic to what the patient named may react to %(name)s too.") % name,
                _("Ask how severe the reaction was."),
            )


@dataclass(frozen=True)
class _Allergy:
    """What a patient's words about allergies mean: ingredients by code, and classes of them."""

    ingredients: set[str]
    certain: set[str]
    possible: set[str]

    @classmethod
    def told(cls, words: str, knowledge: Knowledge) -> Self:
        said = set(search_words(words))
        if not said:
            return cls(set(), set(), set())
        named = {
            code
            for code, ingredient in knowledge.ingredients.items()
            if _mentions(said, _called(ingredient))
        }
        groups = {group.code: group for group in knowledge.allergy_groups}
        meant = [
            group
            for group in groups.values()
            if _mentions(said, [*group.names.values(), *group.aliases, group.code])
            or any(
                set(knowledge.ingredients[code].classes) & set(group.member_classes)
                for code in named
            )
        ]
        return cls(
            named,
            certain={name for group in meant for name in group.member_classes},
            possible={
                name
                for group in meant
                for other in group.cross_reacts_with
                for name in groups[other].member_classes
            },
        )

    def names(self, ingredient: Ingredient) -> bool:
        return ingredient.code in self.ingredients or bool(self.certain & set(ingredient.classes))

    def may_extend_to(self, ingredient: Ingredient) -> bool:
        return bool(self.possible & set(ingredient.classes))


def _called(ingredient: Ingredient) -> list[str]:
    """Return all that patients may call an ingredient."""
    return [ingredient.name, *ingredient.aliases, *ingredient.brands]


def _mentions(said: set[str], names: Iterable[str]) -> bool:
    """Tell whether a name stands in the words; a plural in the name also finds the singular."""
    return any(
        words and all(word in said or word.removesuffix("s") in said for word in words)
        for words in map(_words_of_name, names)
    )


@lru_cache(maxsize=4096)
def _words_of_name(name: str) -> list[str]:
    """Cut the names of ingredients and groups into words once: they are a few hundred."""
    return search_words(name)


def _duplicates(
    ingredients: Sequence[Ingredient], beside: Iterable[tuple[Medicine, list[Ingredient]]]
) -> Iterator[Finding]:
    own_codes = {ingredient.code for ingredient in ingredients}
    own_groups = _groups(ingredients)
    for other, other_ingredients in beside:
        if own_codes & {ingredient.code for ingredient in other_ingredients}:
            yield Finding(
                "same_ingredient",
                Weight.REASON,
                _("%(name)s holds the same ingredient.") % {"name": other.generic_name},
                _("Remove one of them."),
            )
        elif own_groups & _groups(other_ingredients):
            yield Finding(
                "same_class",
                Weight.NOTE,
                _("%(name)s belongs to the same group of medicines.")
                % {"name": other.generic_name},
            )


def _told(medicines: str, knowledge: Knowledge) -> list[Ingredient]:
    """Return the ingredients that the patient's words name, by whatever name."""
    said = set(search_words(medicines))
    return [
        ingredient
        for ingredient in (knowledge.ingredients.values() if said else ())
        if _mentions(said, _called(ingredient))
    ]


def _still_taken(
    ingredients: Sequence[Ingredient],
    running: Iterable[tuple[Medicine, list[Ingredient]]],
    told: Iterable[Ingredient],
) -> Iterator[Finding]:
    """Compare with what an earlier prescription says, then with what only the patient says."""
    own_codes = {ingredient.code for ingredient in ingredients}
    own_groups = _groups(ingredients)
    known: set[str] = set()
    alike: dict[str, None] = {}
    for other, other_ingredients in running:
        codes = {ingredient.code for ingredient in other_ingredients}
        known |= codes
        if own_codes & codes:
            yield Finding(
                "still_taken",
                Weight.NOTE,
                _(
                    "%(name)s of an earlier prescription holds the same ingredient"
                    " and is still to be taken."
                )
                % {"name": other.generic_name},
                _("Tell the patient whether this one goes on with it or takes its place."),
            )
        elif own_groups & _groups(other_ingredients):
            alike[other.generic_name] = None
    for ingredient in told:
        if ingredient.code in known:
            continue
        if ingredient.code in own_codes:
            yield Finding(
                "taken_already",
                Weight.NOTE,
                _("The patient says that %(name)s is taken already.") % {"name": ingredient.name},
                _("Tell the patient whether this one goes on with it or takes its place."),
            )
        elif own_groups & _groups([ingredient]):
            alike[ingredient.name] = None
    for name in alike:
        yield Finding(
            "same_class_taken",
            Weight.NOTE,
            _("%(name)s, which the patient takes already, belongs to the same group of medicines.")
            % {"name": name},
            _("Tell the patient whether this one goes on with it or takes its place."),
        )


def _groups(ingredients: Iterable[Ingredient]) -> set[str]:
    """Return the therapeutic classes: only they make two medicines double each other."""
    return {name for ingredient in ingredients for name in ingredient.classes} - not_therapeutic()


_INTERACTION_WEIGHT = {
    Severity.CONTRAINDICATED: Weight.REASON,
    Severity.SERIOUS: Weight.REASON,
    Severity.MODERATE: Weight.NOTE,
}


def _interactions(
    ingredients: Iterable[Ingredient],
    beside: Iterable[tuple[Medicine, list[Ingredient]]],
    told: Iterable[Ingredient],
    knowledge: Knowledge,
) -> Iterator[Finding]:
    own = _keys(ingredients)
    partners = [(other.generic_name, _keys(items)) for other, items in beside] + [
        (ingredient.name, _keys([ingredient])) for ingredient in told
    ]
    language = _language()
    for interaction in knowledge.interactions:
        for name, keys in partners:
            if (interaction.first in own and interaction.second in keys) or (
                interaction.second in own and interaction.first in keys
            ):
                yield Finding(
                    "interaction",
                    _INTERACTION_WEIGHT[Severity(interaction.severity)],
                    _("With %(name)s: %(effect)s.")
                    % {"name": name, "effect": interaction.effect_in(language)},
                    phrase_in(interaction.advice, language),
                )


def _language() -> str:
    """Return the reader's language: findings are made for who reads them now."""
    return (get_language() or DEFAULT_LANGUAGE).partition("-")[0]


def _keys(ingredients: Iterable[Ingredient]) -> set[str]:
    return {
        key
        for ingredient in ingredients
        for key in (ingredient.code, *(f"class:{name}" for name in ingredient.classes))
    }


def _age(ingredients: Iterable[Ingredient], circumstances: Circumstances) -> Iterator[Finding]:
    for ingredient in ingredients:
        if circumstances.age_months < ingredient.minimum_age_months:
            yield Finding(
                "too_young",
                Weight.REASON,
                phrase_in(ingredient.age_note, _language())
                or _("%(name)s is not meant for this age.") % {"name": ingredient.name},
                _("Choose another medicine, or write why this one."),
            )


_CHILDBEARING_MONTHS = range(12 * 12, 50 * 12)


def _pregnancy(
    ingredients: Iterable[Ingredient], circumstances: Circumstances
) -> Iterator[Finding]:
    may_be = (
        not circumstances.is_male
        and circumstances.pregnant is None
        and circumstances.age_months in _CHILDBEARING_MONTHS
    )
    if not (circumstances.pregnant or may_be):
        return
    for ingredient in ingredients:
        if not ingredient.pregnancy:
            continue
        grave = ingredient.pregnancy != PregnancyAdvice.CAUTION
        yield Finding(
            "pregnancy",
            Weight.REASON if grave and circumstances.pregnant else Weight.NOTE,
            _("%(name)s in pregnancy: %(advice)s")
            % {
                "name": ingredient.name,
                "advice": phrase_in(ingredient.pregnancy_note, _language()) or _("take care"),
            },
            _("Ask whether the patient may be pregnant."),
        )


CHILD_MONTHS = 12 * 12
"""Below, a dose goes by the weight."""


def _daily_dose(
    line: Line, ingredients: Sequence[Ingredient], circumstances: Circumstances
) -> Iterator[Finding]:
    if line.units_per_day is None:
        return
    for ingredient, amount in zip(ingredients, line.medicine.amounts, strict=False):
        daily = amount * line.units_per_day
        per_kg = ingredient.maximum_daily_mg_per_kg
        if per_kg and circumstances.weight_kg is None and circumstances.age_months < CHILD_MONTHS:
            yield Finding(
                "weight_unknown",
                Weight.NOTE,
                _(
                    "%(name)s for a child: at most %(limit)s mg per kg a day."
                    " The weight is not known."
                )
                % {"name": ingredient.name, "limit": f"{per_kg:g}"},
                _("Ask the weight and write it into the note."),
            )
        limits = [
            limit
            for limit in (
                ingredient.maximum_daily_mg,
                per_kg * circumstances.weight_kg if per_kg and circumstances.weight_kg else None,
            )
            if limit is not None
        ]
        if limits and daily > min(limits):
            yield Finding(
                "daily_dose",
                Weight.REASON,
                _("%(daily)s mg of %(name)s a day is more than %(limit)s mg.")
                % {
                    "daily": f"{daily:.6g}",
                    "name": ingredient.name,
                    "limit": f"{min(limits):.6g}",
                },
                _("Lower the dose, or write the reason."),
            )


RARE_DAYS = 6
"""What is usually taken with more days than these between two doses is dangerous every day."""


def _too_often(line: Line) -> Iterator[Finding]:
    usual = dosage.frequencies().get(line.medicine.usual_frequency)
    if usual is None or usual.single_dose or not usual.times_per_day or line.days_between is None:
        return
    usually_between = 1 / usual.times_per_day
    if usually_between > RARE_DAYS and line.days_between < usually_between - 1:
        yield Finding(
            "too_often",
            Weight.REASON,
            _("%(name)s is usually taken: %(frequency)s. This is more often.")
            % {"name": line.medicine.generic_name, "frequency": usual.name_in(_language()).lower()},
            _("Correct how often, or write the reason."),
        )
