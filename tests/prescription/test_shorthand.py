"""Lines as doctors type them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.prescription.dosing import dosing, simplified
from sanjeevani.prescription.shorthand import ItemContent, parse
from sanjeevani.terminology import dosage
from sanjeevani.terminology.queries import all_medicines, medicines_coded


@given(st.lists(st.integers(0, 99), min_size=3, max_size=4))
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


@pytest.mark.parametrize(
    ("frequency", "dose", "units"),
    [("BD", 2, 4), ("SOS", 2, 2), ("WEEKLY", 4, 4), ("ALT", 1, 1), ("0-0-0.5", 1, 0.5)],
)
def test_units_on_a_day_of_taking_it(frequency: str, dose: int, units: float) -> None:
    read = dosing(frequency, Decimal(dose))
    assert read
    assert read.on_one_day == units


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
            ("insulin premix 20-0-10 30d", 1, "20-0-10", 30),
            ("insulin premix 20 - 0 - 20 30d", 20, "BD", 30),
            ("pcm 500 sos 3d", 1, "SOS", 3),
            ("pcm 500 1 tab 2-0-2 3d", 2, "BD", 3),
            ("pcm 500 2-0-2 1 tab 3d", 2, "BD", 3),
            ("pcm 500 2 tab 2-0-2 3d", 2, "BD", 3),
            ("pcm 125 5ml 1-0-1 3d", 5, "BD", 3),
        ],
    )
    def test_lines(self, text: str, dose: int, frequency: str, days: int) -> None:
        item = self.read(text)
        assert (item.dose, item.frequency, item.duration_days) == (Decimal(dose), frequency, days)

    @pytest.mark.parametrize(
        ("text", "unread"),
        [("pcm 125 5ml 2-0-2 3d", "5ml"), ("pcm 125 2-0-2 5 ml 3d", "5ml")],
    )
    def test_a_dose_that_a_pattern_contradicts_is_asked_about(self, text: str, unread: str) -> None:
        reading = parse(text)
        assert (reading.item, reading.unread) == (None, unread)

    def test_what_is_not_written_is_the_usual(self) -> None:
        item = self.read("pcm 650")
        assert item.frequency
        assert item.duration_days > 0

    @pytest.mark.parametrize(
        "text", ["vit d 60000 cap stat", "azithro 500 stat", "pcm 650 stat", "tinidazole 500"]
    )
    def test_one_dose_is_for_one_day_however_long_it_is_taken_usually(self, text: str) -> None:
        item = self.read(text)
        assert (item.frequency, item.duration_days) == ("STAT", 1)

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

    @pytest.mark.parametrize("brand", ["combiflam", "nicip", "rantac", "zincovit"])
    def test_a_brand_that_nobody_wrote_down_is_not_taken_for_another_medicine(
        self, brand: str
    ) -> None:
        reading = parse(f"{brand} 1-0-1 5d")
        assert (reading.item, reading.choices, reading.nearest) == (None, [], [])

    @pytest.mark.parametrize("text", ["", "   ", "xyzzy 1-0-1", "5d", "' OR 1=1", "बुखार"])
    def test_nonsense_means_nothing(self, text: str) -> None:
        assert parse(text).item is None

    @pytest.mark.parametrize(
        ("text", "code", "dose", "frequency", "days"),
        [
            ("pcm 500 2 tab tds 3d", "paracetamol-tablet-500mg", "2", "TDS", 3),
            ("pcm 500 tds 2 tabs x 5 days", "paracetamol-tablet-500mg", "2", "TDS", 5),
            ("pcm 500 1½ tab tds 3d", "paracetamol-tablet-500mg", "1.5", "TDS", 3),
            ("atenolol 50 1/2 tab od 30d", "atenolol-tablet-50mg", "0.5", "OD", 30),
            ("atenolol 50 ½-0-½ 30d", "atenolol-tablet-50mg", "0.5", "BD", 30),
            ("cetirizine syp 2.5 ml hs 5d", "cetirizine-oral_liquid-5mgper5ml", "2.5", "HS", 5),
            (
                "metronidazole 200 5ml tds 7d",
                "metronidazole-oral_liquid-200mgper5ml",
                "5",
                "TDS",
                7,
            ),
            (
                "amoxicillin 250mg/5ml syp 5 ml tds 7d",
                "amoxicillin-oral_liquid-250mgper5ml",
                "5",
                "TDS",
                7,
            ),
            ("cipro eye drops 1 drop qid 7d", "ciprofloxacin-eye_drops-0.3%", "1", "QID", 7),
            (
                "salbutamol inhaler 1 puff sos 30d",
                "salbutamol-inhaler-100microgramperpuff",
                "1",
                "SOS",
                30,
            ),
            ("cetirizine 10 tab hs 5d", "cetirizine-tablet-10mg", "1", "HS", 5),
            ("amlodipine 2,5 once daily 7d", "amlodipine-tablet-2.5mg", "1", "OD", 7),
            (
                "vit d3 60,000 iu once weekly 8w",
                "colecalciferol-capsule-60000iu",
                "1",
                "WEEKLY",
                56,
            ),
            ("pcm 650 1 – 0 – 1 for 5 days", "paracetamol-tablet-650mg", "1", "BD", 5),
            ("pcm 650 5d 1+0+1", "paracetamol-tablet-650mg", "1", "BD", 5),
            ("amoxclav 625 tds 5d", "amoxicillin+clavulanic_acid-tablet-500mg125mg", "1", "TDS", 5),
        ],
    )
    def test_amounts_and_times_are_what_was_written(
        self, text: str, code: str, dose: str, frequency: str, days: int
    ) -> None:
        item = self.read(text)
        assert (item.medicine_code, item.dose, item.frequency, item.duration_days) == (
            code,
            Decimal(dose),
            frequency,
            days,
        )
        assert item.instructions == ""

    def test_an_instruction_may_stand_before_the_days(self) -> None:
        item = self.read("pcm 650 bd after food 5d")
        assert (item.duration_days, item.instruction_code) == (5, "after_food")

    @pytest.mark.parametrize(
        ("text", "unread"),
        [
            ("pantoprazole 20 od 14d", "20"),
            ("digoxin 0.125 od 30d", "0.125"),
            ("nph 10 bd 30d", "10"),
            ("pcm 500 1 1/2 tab tds 3d", "1"),
            ("ondansetron inj 4 bd 2d", "inj"),
            ("pcm drops 10 drops tds 3d", "10drops"),
            ("pcm 650 bd five days", "five days"),
            ("pcm 650 bd 5", "5"),
            ("pcm 650 5d sometimes", "sometimes"),
            ("amitriptyline 10 od 30d hs", "hs"),
            ("pcm 650 bd 5d take 2 tab", "2 tab"),
            ("pcm 500 foo bar", "foo bar"),
            ("pcm 500 evening 1-0-1 5d", "evening"),
        ],
    )
    def test_what_cannot_be_read_is_never_replaced_by_what_is_usual(
        self, text: str, unread: str
    ) -> None:
        reading = parse(text)
        assert reading.item is None
        assert reading.unread == unread
        assert parse(text, reading.choices[0]).item is None

    def test_the_eye_is_not_taken_for_the_ear(self) -> None:
        reading = parse("cipro 0.3 tds 5d")
        assert reading.item is None
        assert {medicine.route for medicine in reading.choices} == {"otic", "ophthalmic"}

    def test_every_medicine_in_full_is_read_as_itself(self) -> None:
        """What a template keeps of a line brings the same medicine back."""
        for medicine in all_medicines().values():
            strength = medicine.strength.replace(" ", "")
            line = f"{medicine.generic_name} {strength} {medicine.form} 3t BD 4d after food"
            if " liquid " in line.casefold():
                continue  # liquid paraffin: the word is a form as well
            item = self.read(line)
            assert (item.medicine_code, item.dose, item.frequency) == (
                medicine.code,
                Decimal(3),
                "BD",
            )

    @pytest.mark.parametrize("line", ["methotrexate 2.5 weekly 28d", "warfarin 5 od 30d"])
    def test_a_medicine_without_a_usual_dose_gets_none(self, line: str) -> None:
        assert self.read(line).dose == 0
