"""The data files are whole, load repeatably, and the searches find what people type."""

from decimal import Decimal

import pytest
from django.core.management import call_command

from sanjeevani.terminology import dosage, queries
from sanjeevani.terminology.classes import not_therapeutic
from sanjeevani.terminology.danger_signs import danger_signs
from sanjeevani.terminology.models import (
    AllergyGroup,
    Diagnosis,
    FollowOnQuestion,
    GuidelineList,
    Ingredient,
    Interaction,
    LoadedEdition,
    Medicine,
    Speciality,
    Symptom,
)
from sanjeevani.terminology.services import load_reference

pytestmark = pytest.mark.usefixtures("reference")


def test_everything_promised_is_there() -> None:
    assert Speciality.objects.count() >= 25
    assert Symptom.objects.count() >= 60
    assert Diagnosis.objects.count() > 12_000
    assert Medicine.objects.values("generic_name").distinct().count() >= 130
    assert Interaction.objects.count() >= 30
    assert Diagnosis.objects.filter(names__has_key="hi").count() >= 100


def test_every_name_stands_in_english_and_hindi() -> None:
    for model in (Speciality, Symptom, FollowOnQuestion, AllergyGroup):
        for row in model.objects.all():
            assert set(row.names) >= {"en", "hi"}, row.code
            assert any("\u0900" <= character <= "\u097f" for character in row.names["hi"]), row.code
    for question in FollowOnQuestion.objects.all():
        for option in question.options:
            assert set(option["text"]) >= {"en", "hi"}
    for table in (dosage.forms, dosage.routes, dosage.slots, dosage.frequencies):
        for term in table().values():
            assert set(term.names) >= {"en", "hi"}, term.code


def test_codes_refer_to_what_exists() -> None:
    questions = set(FollowOnQuestion.objects.values_list("code", flat=True))
    for symptom in Symptom.objects.all():
        assert symptom.question_codes[0] == "duration"
        assert set(symptom.question_codes) <= questions, symptom.code
    ingredients = {row.code: row for row in Ingredient.objects.all()}
    classes = {name for row in ingredients.values() for name in row.classes}
    assert not_therapeutic() <= classes
    for medicine in Medicine.objects.all():
        assert set(medicine.ingredient_codes) <= set(ingredients)
        assert medicine.form in dosage.forms()
        assert medicine.route in dosage.routes()
        assert medicine.usual_frequency in {"", *dosage.frequencies()}
        assert medicine.usual_instruction in {"", *dosage.instructions()}
        assert len(medicine.amounts) in {0, len(medicine.ingredient_codes)}
    for interaction in Interaction.objects.all():
        for side in (interaction.first, interaction.second):
            assert side.removeprefix("class:") in (
                classes if side.startswith("class:") else ingredients
            )
    for group in AllergyGroup.objects.all():
        assert set(group.member_classes) <= classes


def test_controlled_substances_are_prohibited_and_nothing_else_is() -> None:
    controlled = set(
        Ingredient.objects.filter(classes__contains=["ndps"]).values_list("code", flat=True)
    )
    for medicine in Medicine.objects.all():
        assert (medicine.guideline_list == GuidelineList.PROHIBITED) == bool(
            controlled & set(medicine.ingredient_codes)
        ), medicine.code


def test_the_guidelines_own_examples_stand_on_their_lists() -> None:
    def lists_of(generic: str) -> set[str]:
        rows = Medicine.objects.filter(generic_name__istartswith=generic)
        return set(rows.values_list("guideline_list", flat=True))

    assert lists_of("Paracetamol") == {"O"}
    assert lists_of("Oral rehydration salts") == {"O"}
    assert lists_of("Clotrimazole") == {"A"}
    assert lists_of("Atenolol") == {"A"}
    assert lists_of("Sitagliptin") == {"B"}
    assert Medicine.objects.get(code="atenolol-tablet-50mg").essential_level == ""


def test_an_alias_is_never_shared_by_two_generics() -> None:
    owner: dict[str, str] = {}
    for medicine in Medicine.objects.all():
        for alias in medicine.aliases:
            assert alias == alias.lower()
            assert owner.setdefault(alias, medicine.generic_name) == medicine.generic_name or (
                medicine.ingredient_codes
                == Medicine.objects.filter(generic_name=owner[alias])[0].ingredient_codes
            ), alias


def test_loading_again_writes_nothing_and_changes_nothing() -> None:
    before = list(Medicine.objects.order_by("code").values())
    assert load_reference() == {}
    LoadedEdition.objects.all().delete()
    call_command("load_reference")
    assert list(Medicine.objects.order_by("code").values()) == before


def test_a_clinical_leads_decision_survives_loading() -> None:
    Medicine.objects.filter(code="sildenafil-tablet-50mg").update(
        guideline_list="B", list_source="Clinical lead, order 12", list_confirmed=True
    )
    Ingredient.objects.filter(code="paracetamol").update(maximum_daily_mg=3000, confirmed=True)
    LoadedEdition.objects.all().delete()
    load_reference()
    decided = Medicine.objects.get(code="sildenafil-tablet-50mg")
    assert (decided.guideline_list, decided.list_source) == ("B", "Clinical lead, order 12")
    assert Ingredient.objects.get(code="paracetamol").maximum_daily_mg == 3000


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("J06.9", "J06.9"),
        ("e119", "E11.9"),
        ("htn", "I10"),
        ("diab mell", "E11.9"),
        ("hypertension", "I10"),
        ("मधुमेह", "E11.9"),
        ("खांसी", "R05"),
        ("खाँसी", "R05"),
        ("dog", "W54"),
        ("COVID", "U07.1"),
    ],
)
def test_diagnoses_are_found_by_code_and_by_words(typed: str, first: str) -> None:
    assert queries.search_diagnoses(typed)[0].code == first


@pytest.mark.parametrize("typed", ["", "  ", "'", "& | !", "\\", "():*", "zzzzqq"])
def test_a_search_for_nothing_finds_nothing_and_hurts_nothing(typed: str) -> None:
    assert queries.search_diagnoses(typed) == []
    assert queries.search_medicines(typed) == []
    assert queries.medicines_by_alias(typed) == []


def test_operators_that_someone_types_are_words() -> None:
    codes = [row.code for row in queries.search_diagnoses("fever' | 'typhoid")]
    assert codes == [row.code for row in queries.search_diagnoses("typhoid fever")]


def test_diagnoses_leave_out_chapters_and_blocks() -> None:
    assert not Diagnosis.objects.filter(code__contains="-").exists()
    assert not Diagnosis.objects.filter(code="I").exists()


@pytest.mark.parametrize(
    ("typed", "generic"),
    [
        ("pcm", "Paracetamol"),
        ("parac 650", "Paracetamol"),
        ("amoxyclav", "Amoxicillin and Clavulanic acid"),
        ("amox 500", "Amoxicillin"),
        ("ors", "Oral rehydration salts"),
        ("met 500", "Metformin"),
        ("cotrim", "Sulfamethoxazole and Trimethoprim"),
    ],
)
def test_medicines_are_found_as_doctors_type_them(typed: str, generic: str) -> None:
    assert queries.search_medicines(typed)[0].generic_name == generic


def test_tablets_come_before_other_forms() -> None:
    found = [medicine.code for medicine in queries.search_medicines("pcm")]
    assert found[:2] == ["paracetamol-tablet-500mg", "paracetamol-tablet-650mg"]


def test_shorthand_stands_for_one_generic() -> None:
    found = queries.medicines_by_alias("PCM")
    assert {medicine.generic_name for medicine in found} == {"Paracetamol"}
    assert found[0].form == "tablet"
    assert found[0].name_on_prescription == "PARACETAMOL"
    assert queries.medicines_by_alias("Iron and folic acid")[0].form == "tablet"
    assert queries.medicines_by_alias("pc") == []


def test_complaints_fit_age_and_sex() -> None:
    def codes(age_months: int, sex: str) -> set[str]:
        return {row.code for row in queries.symptoms_for(age_months=age_months, sex=sex)}

    assert "period_pain" in codes(30 * 12, "female")
    assert "period_pain" not in codes(30 * 12, "male")
    assert "period_pain" in codes(30 * 12, "other")
    assert "period_pain" not in codes(60, "female")
    assert "child_crying" in codes(6, "male")
    assert "child_crying" not in codes(24, "male")
    assert "other" in codes(0, "")


def test_a_complaint_leads_to_a_speciality_by_age() -> None:
    fever, rash = (
        queries.symptoms_named(["fever", "skin_rash"])[code] for code in ("fever", "skin_rash")
    )
    assert queries.recommended_speciality([fever], age_months=360) == "general_medicine"
    assert queries.recommended_speciality([fever], age_months=36) == "paediatrics"
    assert queries.recommended_speciality([rash], age_months=36) == "dermatology"
    assert queries.recommended_speciality([fever, rash], age_months=360) == "general_medicine"
    assert queries.recommended_speciality([], age_months=360) is None


def test_complaints_are_found_in_roman_and_devanagari() -> None:
    for typed in ("bukh", "बुख", "FEVER"):
        found = queries.search_symptoms(typed, age_months=360, sex="male")
        assert found[0].code == "fever"
    assert queries.questions_for(found)[0].code == "duration"


def test_danger_signs_have_hindi() -> None:
    for sign in danger_signs().values():
        assert sign.question_in("hi") != sign.question_in("en")
        assert sign.first_aid_in("hi") != sign.first_aid_in("en")


@pytest.mark.parametrize(
    ("form", "language", "amount", "unit"),
    [
        ("tablet", "en", "0.5", "tablet"),
        ("tablet", "en", "1", "tablet"),
        ("tablet", "en", "1.5", "tablets"),
        ("tablet", "hi", "2", "गोली"),
        ("oral_liquid", "en", "5", "mL"),
        # Until a language has its own words, all of it is English.
        ("eye_drops", "ta", "2", "drops"),
    ],
)
def test_a_unit_is_said_as_of_its_amount(form: str, language: str, amount: str, unit: str) -> None:
    assert dosage.forms()[form].unit_in(language, Decimal(amount)) == unit
