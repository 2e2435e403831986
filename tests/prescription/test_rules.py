"""What the guidelines refuse, what asks for a reason, what is only said."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.prescription.queries import rule_tables
from sanjeevani.prescription.rules import Circumstances, Knowledge, Line, Weight, check
from sanjeevani.terminology.models import GuidelineList, Ingredient, Medicine
from sanjeevani.terminology.queries import medicines_by_alias

DEVANAGARI = re.compile("[\u0900-\u097f]")

ADULT = Circumstances(
    is_follow_up=False,
    seen_by_video=False,
    age_months=35 * 12,
    is_male=True,
    pregnant=None,
    weight_kg=None,
    allergies="",
    medicines="",
)


def listed(guideline_list: str) -> Medicine:
    """A medicine of a list, otherwise harmless."""
    return Medicine(
        code="x", generic_name="X", ingredient_codes=[], amounts=[], guideline_list=guideline_list
    )


NOTHING = Knowledge(ingredients={}, allergy_groups=[], interactions=[])


@given(
    guideline_list=st.sampled_from(GuidelineList.values),
    is_follow_up=st.booleans(),
    seen_by_video=st.booleans(),
)
def test_the_lists_of_the_guidelines(
    guideline_list: str, is_follow_up: bool, seen_by_video: bool
) -> None:
    """The table of the guidelines, row by row, against the rule."""
    allowed = {
        GuidelineList.O: True,
        GuidelineList.A: is_follow_up or seen_by_video,
        GuidelineList.B: is_follow_up,
        GuidelineList.NONE: False,
        GuidelineList.PROHIBITED: False,
    }[GuidelineList(guideline_list)]
    circumstances = replace(ADULT, is_follow_up=is_follow_up, seen_by_video=seen_by_video)
    findings = check(Line(listed(guideline_list), None), [], circumstances, NOTHING)
    refused = [finding for finding in findings if finding.weight == Weight.REFUSED]
    assert bool(refused) is not allowed
    assert all(str(finding.message) and str(finding.way_out) for finding in refused)


@given(units=st.floats(0.25, 40), weight=st.one_of(st.none(), st.floats(3, 120)))
def test_a_daily_dose_above_a_limit_asks_for_a_reason(units: float, weight: float | None) -> None:
    ingredient = Ingredient(
        code="p",
        name="P",
        classes=[],
        aliases=[],
        maximum_daily_mg=4000,
        maximum_daily_mg_per_kg=60,
    )
    medicine = Medicine(
        code="p500",
        generic_name="P",
        ingredient_codes=["p"],
        amounts=[500],
        guideline_list=GuidelineList.O,
    )
    knowledge = Knowledge(ingredients={"p": ingredient}, allergy_groups=[], interactions=[])
    limit = min(4000, 60 * weight) if weight else 4000
    codes = {
        finding.code
        for finding in check(Line(medicine, units), [], replace(ADULT, weight_kg=weight), knowledge)
    }
    assert ("daily_dose" in codes) is (500 * units > limit)


def first(alias: str) -> Medicine:
    """A medicine of the formulary."""
    return medicines_by_alias(alias)[0]


@pytest.mark.django_db
@pytest.mark.usefixtures("reference")
class TestWithTheFormulary:
    """The rules on the tables that are shipped."""

    def codes(
        self, alias: str, *others: str, units: float | None = None, **facts: object
    ) -> dict[str, Weight]:
        """The findings on a medicine by code."""
        findings = check(
            Line(first(alias), units),
            [first(other) for other in others],
            replace(ADULT, seen_by_video=True, **facts),  # type: ignore[arg-type]
            rule_tables().knowledge,
        )
        return {finding.code: finding.weight for finding in findings}

    def test_an_allergy_reaches_the_whole_group_and_warns_of_its_cousins(self) -> None:
        for said in ("penicillin", "Amoxicillin rash", "penicillins"):
            assert self.codes("amoxicillin", allergies=said)["allergy"] == Weight.REASON
        assert self.codes("cefixime", allergies="penicillin")["cross_allergy"] == Weight.NOTE
        assert "allergy" not in self.codes("paracetamol", allergies="penicillin")
        assert "allergy" not in self.codes("amoxicillin", allergies="none known")

    @pytest.mark.parametrize(
        ("said", "alias"),
        [
            ("Allergic to sulfa", "cotrimoxazole"),
            ("sulpha drugs", "cotrimoxazole"),
            ("सल्फा से दाने", "cotrimoxazole"),
            ("rash with painkillers", "diclofenac"),
            ("pain killer tablets", "ibuprofen"),
            ("दर्द की दवा से सूजन", "ibuprofen"),
            ("Pencillin injection", "amoxicillin"),
            ("पेंसिलिन", "amoxicillin"),
        ],
    )
    def test_an_allergy_is_known_by_what_patients_call_it(self, said: str, alias: str) -> None:
        assert self.codes(alias, allergies=said)["allergy"] == Weight.REASON

    def test_what_patients_say_by_its_brand_is_known(self) -> None:
        assert self.codes("amoxicillin", allergies="Augmentin")["allergy"] == Weight.REASON
        assert self.codes("ibuprofen", medicines="Telma-AM 40")["interaction"]
        assert "interaction" not in self.codes("ibuprofen", medicines="Calpol")

    @pytest.mark.parametrize(
        ("said", "alias", "codes"),
        [
            ("Crocin 650 for fever", "pcm", {"taken_already"}),
            ("Telma-AM 40", "amlodipine", {"taken_already"}),
            ("Voveran", "ibuprofen", {"same_class_taken"}),
            ("Calpol", "ibuprofen", set()),
        ],
    )
    def test_what_the_patient_says_is_taken_is_not_doubled_unsaid(
        self, said: str, alias: str, codes: set[str]
    ) -> None:
        assert self.codes(alias, medicines=said) == dict.fromkeys(codes, Weight.NOTE)

    def test_what_runs_and_is_told_is_said_once(self) -> None:
        facts: Any = {"medicines": "Brufen", "running": [first("ibuprofen")]}
        assert self.codes("ibuprofen", **facts) == {"still_taken": Weight.NOTE}
        assert self.codes("diclofenac", **facts) == {"same_class_taken": Weight.NOTE}

    def test_findings_are_in_the_language_of_the_reader(self) -> None:
        with translation.override("hi"):
            findings = [
                finding
                for name, other in (("doxycycline", "paracetamol"), ("enalapril", "ibuprofen"))
                for finding in check(
                    Line(first(name), None),
                    [first(other)],
                    replace(ADULT, is_male=False, pregnant=True, age_months=60),
                    rule_tables().knowledge,
                )
            ]
            assert {one.code for one in findings} >= {"interaction", "too_young", "pregnancy"}
            for one in findings:
                assert DEVANAGARI.search(str(one.message)), one.message
                assert DEVANAGARI.search(str(one.way_out)), one.way_out

    def test_interactions_are_found_whichever_way_round_and_with_what_is_taken(self) -> None:
        assert self.codes("ibuprofen", "enalapril")["interaction"]
        assert self.codes("enalapril", "ibuprofen")["interaction"]
        assert self.codes("ibuprofen", medicines="enalapril 5 mg daily")["interaction"]
        assert "interaction" not in self.codes("paracetamol", "enalapril")

    def test_the_same_ingredient_twice_asks_for_a_reason(self) -> None:
        assert self.codes("pcm", "pcm")["same_ingredient"] == Weight.REASON

    @pytest.mark.parametrize(
        ("alias", "other", "doubled"),
        [
            ("azithromycin", "erythromycin", True),
            ("ibuprofen", "diclofenac", True),
            ("dicyclomine", "hyoscine", True),
            ("ipra", "tio", True),
            ("azithromycin", "ondansetron", False),
            ("azithromycin", "domperidone", False),
            ("fluconazole", "clarithromycin", False),
            ("amitriptyline", "dicyclomine", False),
            ("furosemide", "hydrochlorothiazide", False),
            ("folic", "vit d", False),
        ],
    )
    def test_only_what_treats_the_same_is_of_the_same_group(
        self, alias: str, other: str, doubled: bool
    ) -> None:
        assert ("same_class" in self.codes(alias, other)) is doubled

    def test_what_is_not_of_one_group_still_interacts(self) -> None:
        assert self.codes("azithromycin", "ondansetron")["interaction"]
        assert self.codes("amitriptyline", "dicyclomine")["interaction"] == Weight.NOTE
        assert self.codes("tramadol", "fluoxetine")["interaction"] == Weight.NOTE

    def test_a_child_without_a_weight_is_noted(self) -> None:
        assert self.codes("pcm", units=1, age_months=24) == {"weight_unknown": Weight.NOTE}
        assert self.codes("pcm", units=1, age_months=24, weight_kg=12) == {}
        assert self.codes("pcm", units=1) == {}

    def test_the_figures_of_a_small_dose_are_shown_right(self) -> None:
        line = Line(first("tamsulosin"), 3)
        facts = replace(ADULT, is_follow_up=True)
        (finding,) = check(line, [], facts, rule_tables().knowledge)
        assert "1.2 mg" in str(finding.message)
        assert "0.8 mg" in str(finding.message)

    def test_too_young(self) -> None:
        assert self.codes("ibuprofen", age_months=1)["too_young"] == Weight.REASON
        assert "too_young" not in self.codes("ibuprofen", age_months=24)

    def test_pregnancy_known_asks_for_a_reason_possible_is_said(self) -> None:
        assert self.codes("ibuprofen", is_male=False, pregnant=True)["pregnancy"] == Weight.REASON
        assert self.codes("ibuprofen", is_male=False)["pregnancy"] == Weight.NOTE
        assert "pregnancy" not in self.codes("ibuprofen", is_male=False, pregnant=False)
        assert "pregnancy" not in self.codes("ibuprofen")
