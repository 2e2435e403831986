"""Lines as doctors type them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.prescription.dosing import dosing, simplified
from sanjeevani.prescription.shorthand import ItemContent, parse
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import medicines_coded


@given(st.lists(st.integers(0, 9), min_size=3, max_size=4))
def test_a_pattern_and_its_code_mean_the_same_day(amounts: list[int]) -> None:
    """However it is written, the doses of the day stay what they were."""
    pattern = "-".join(map(str, amounts))
    read = dosing(pattern, Decimal(1))
    if not any(amounts):
        assert read is None
        return
    assert read is not None
    assert read.per_day == sum(amounts)
    frequency, dose = simplified(pattern)
    again = dosing(frequency, dose)
    assert again is not None
    assert again.per_day == sum(amounts)


@given(st.text(max_size=30))
def test_what_is_no_frequency_is_refused_and_hurts_nothing(text: str) -> None:
    read = dosing(text, Decimal(1))
    assert read is None or text in dosage.frequencies() or "-" in text


@pytest.mark.django_db
@pytest.mark.usefixtures("reference")
class TestLines:
    """Parsing against the shipped formulary."""

    def read(self, text: str) -> ItemContent:
        """The item that a line means."""
        item = parse(text).item
        assert item, [medicine.code for medicine in parse(text).choices]
        return item

    def test_the_line_of_the_handbook(self) -> None:
        item = self.read("pcm 650 1-0-1 5d after food")
        medicine = medicines_coded([item.medicine_code])[item.medicine_code]
        assert (medicine.generic_name, medicine.strength, medicine.form) == (
            "Paracetamol",
            "650 mg",
            "tablet",
        )
        assert (item.dose, item.frequency, item.duration_days, item.instruction_code) == (
            Decimal(1),
            "BD",
            5,
            "after_food",
        )

    @pytest.mark.parametrize(
        ("text", "dose", "frequency", "days"),
        [
            ("pcm 500 tds 3d", 1, "TDS", 3),
            ("PCM 500 TDS x3d", 1, "TDS", 3),
            ("pcm 500 2-0-2 1w", 2, "BD", 7),
            ("pcm 650 1-0-2 5d", 1, "1-0-2", 5),
            ("pcm 500 sos 3d", 1, "SOS", 3),
        ],
    )
    def test_lines(self, text: str, dose: int, frequency: str, days: int) -> None:
        item = self.read(text)
        assert (item.dose, item.frequency, item.duration_days) == (Decimal(dose), frequency, days)

    def test_what_is_not_written_is_the_usual(self) -> None:
        item = self.read("pcm 650")
        assert item.frequency
        assert item.duration_days > 0

    def test_words_behind_are_kept_as_instructions(self) -> None:
        item = self.read("pcm 650 bd 3d only with fever above 38")
        assert item.instructions == "only with fever above 38"

    def test_a_name_of_several_gives_choices(self) -> None:
        reading = parse("pcm")
        assert reading.item is None
        assert len(reading.choices) > 1

    @pytest.mark.parametrize(
        ("text", "ingredient"),
        [
            ("amoxycillin 500 cap", "amoxicillin"),
            ("cetrizine 10 hs", "cetirizine"),
            ("rabiprazole 20", "rabeprazole"),
            ("sulphasalazine", "sulfasalazine"),
            ("albuterol inhaler", "salbutamol"),
        ],
    )
    def test_spellings_that_are_common_in_india(self, text: str, ingredient: str) -> None:
        reading = parse(text)
        codes = [reading.item.medicine_code] if reading.item else []
        codes += [medicine.code for medicine in reading.choices]
        assert codes
        assert all(code.startswith(f"{ingredient}-") for code in codes)

    def test_a_name_misspelt_is_asked_about_and_never_taken(self) -> None:
        reading = parse("metphormin 500 bd 5d")
        assert (reading.item, reading.choices) == (None, [])
        assert [medicine.ingredient_codes for medicine in reading.nearest] == [["metformin"]] * len(
            reading.nearest
        )
        assert "500" in reading.nearest[0].strength

    @pytest.mark.parametrize("brand", ["crocin", "dolo 650", "augmentin 625", "rantac"])
    def test_a_brand_is_not_taken_for_another_medicine(self, brand: str) -> None:
        reading = parse(f"{brand} 1-0-1 5d")
        assert (reading.item, reading.choices, reading.nearest) == (None, [], [])

    @pytest.mark.parametrize("text", ["", "   ", "xyzzy 1-0-1", "5d", "' OR 1=1", "बुखार"])
    def test_nonsense_means_nothing(self, text: str) -> None:
        assert parse(text).item is None
