"""What shops and patients call a medicine leads to its generic; notes are read in Hindi too."""

import pytest

from sanjeevani.prescription.queries import rule_tables
from sanjeevani.prescription.rules import Circumstances, Line, check
from sanjeevani.prescription.shorthand import Reading, parse
from sanjeevani.terminology.data_files import read_rows, split
from sanjeevani.terminology.models import Ingredient, Interaction, Medicine
from sanjeevani.terminology.phrases import phrase_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("reference")]


def read(line: str) -> list[Medicine]:
    """What a line may mean."""
    reading: Reading = parse(line)
    if reading.item is None:
        return reading.choices
    return [rule_tables().medicines[reading.item.medicine_code]]


@pytest.mark.parametrize(
    ("brand", "ingredients"),
    [(row["brand"], split(row["ingredients"])) for row in read_rows("brands")],
)
def test_a_brand_in_a_line_is_its_generic_and_nothing_else(
    brand: str, ingredients: list[str]
) -> None:
    for line in (f"{brand} 5d", f"{brand} 1-0-1 5d", f"{brand.upper()} bd x 5 days"):
        found = read(line)
        assert found, line
        assert all(set(one.ingredient_codes) == set(ingredients) for one in found), line


def test_every_note_of_the_formulary_stands_in_hindi() -> None:
    notes = {
        note for row in Ingredient.objects.all() for note in (row.pregnancy_note, row.age_note)
    }
    notes |= {row.advice for row in Interaction.objects.all()}
    for note in notes - {""}:
        assert phrase_in(note, "hi") != note
        assert phrase_in(note, "en") == note


@pytest.mark.parametrize(
    ("said", "ingredients"),
    [
        (name, split(row["ingredients"]))
        for row in read_rows("names_said")
        for name in split(row["names"])
    ],
)
def test_an_allergy_in_the_patients_own_script_is_known(said: str, ingredients: list[str]) -> None:
    tables = rule_tables()
    for words in (f"{said} से दाने", f"Rash after {said.upper()}."):
        for code in ingredients:
            medicine = Medicine(
                code="x", generic_name="X", ingredient_codes=[code], amounts=[], guideline_list="O"
            )
            circumstances = Circumstances(
                is_follow_up=True,
                seen_by_video=True,
                age_months=420,
                is_male=True,
                pregnant=None,
                weight_kg=None,
                allergies=words,
                medicines="",
            )
            found = check(Line(medicine, None), [], circumstances, tables.knowledge)
            assert "allergy" in {one.code for one in found}, (said, code)
