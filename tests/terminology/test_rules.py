"""The pure rules: danger signs, early warning, vitals, words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.terminology import danger_signs as signs
from sanjeevani.terminology.early_warning import Risk, news2
from sanjeevani.terminology.vitals import (
    FAHRENHEIT,
    ImplausibleVital,
    accept_vital,
    body_mass_index,
    celsius_from_fahrenheit,
    readings,
    vitals,
)
from sanjeevani.terminology.words import prefix_query, search_words

YEAR = 365.25
ages = st.integers(0, 110 * 366)
answers = st.dictionaries(st.sampled_from([*signs.danger_signs(), "unheard_of"]), st.booleans())


def codes(found: list[signs.DangerSign | signs.VitalRule]) -> set[str]:
    return {item.code for item in found}


@given(ages, st.booleans())
def test_every_sign_asked_is_red_when_answered_yes(age_days: int, pregnant: bool) -> None:
    for sign in signs.signs_to_ask(age_days=age_days, pregnant=pregnant):
        assert codes(signs.red_signs({sign.code: True}, age_days=age_days, pregnant=pregnant)) == {
            sign.code
        }


@given(answers, ages, st.booleans())
def test_a_no_never_adds_and_a_yes_never_removes(
    given_answers: dict[str, bool], age_days: int, pregnant: bool
) -> None:
    found = codes(signs.red_signs(given_answers, age_days=age_days, pregnant=pregnant))
    assert found <= {code for code, yes in given_answers.items() if yes}
    for code in signs.danger_signs():
        more = signs.red_signs({**given_answers, code: True}, age_days=age_days, pregnant=pregnant)
        assert codes(more) >= found


@given(ages)
def test_each_age_has_one_band_and_questions(age_days: int) -> None:
    assert signs.band_of(age_days) in {"young_infant", "child", "adult"}
    patient = signs.signs_to_ask(age_days=age_days)
    worker = signs.signs_to_ask(age_days=age_days, audience=signs.Audience.HEALTH_WORKER)
    assert 8 <= len(patient) <= len(worker)


@pytest.mark.parametrize(
    ("years", "pregnant", "measured", "red"),
    [
        (30, False, {"heart_rate": 49}, True),
        (30, False, {"heart_rate": 50}, False),
        (30, False, {"heart_rate": 150}, False),
        (30, False, {"heart_rate": 151}, True),
        (5, False, {"heart_rate": 151}, False),
        (30, True, {"systolic_blood_pressure": 160}, True),
        (30, True, {"systolic_blood_pressure": 159, "diastolic_blood_pressure": 109}, False),
        (30, True, {"diastolic_blood_pressure": 110}, True),
        (30, False, {"systolic_blood_pressure": 200}, False),
        (0.1, False, {"body_temperature": 37.5}, True),
        (0.1, False, {"body_temperature": 37.4}, False),
        (0.1, False, {"body_temperature": 35.4}, True),
        (0.1, False, {"respiratory_rate": 60}, True),
        (2, False, {"body_temperature": 39.5}, False),
        (30, False, {"consciousness": "unresponsive"}, True),
        (30, False, {"consciousness": "voice"}, False),
    ],
)
def test_red_vitals_at_their_thresholds(
    years: float, pregnant: bool, measured: dict[str, float | str], red: bool
) -> None:
    found = signs.red_signs({}, age_days=int(years * YEAR), pregnant=pregnant, vitals=measured)
    assert bool(found) == red


@pytest.mark.parametrize(
    ("years", "measured", "count"),
    [
        (30, {"heart_rate": 59, "respiratory_rate": 31, "body_temperature": 39.1}, 3),
        (30, {"heart_rate": 60, "respiratory_rate": 30, "body_temperature": 39}, 0),
        (30, {"oxygen_saturation": 91, "consciousness": "voice"}, 2),
        (30, {"oxygen_saturation": 92, "consciousness": "alert"}, 0),
        (8, {"heart_rate": 141}, 1),
        (3, {"heart_rate": 141}, 0),
        (3, {"heart_rate": 161}, 1),
        (0.5, {"heart_rate": 161}, 0),
        (0.5, {"heart_rate": 181}, 1),
    ],
)
def test_high_risk_vitals_by_age(
    years: float, measured: dict[str, float | str], count: int
) -> None:
    assert len(signs.high_risk_vitals(measured, age_days=int(years * YEAR))) == count


def test_age_and_pregnancy_decide_what_is_asked() -> None:
    def asked(years: float, pregnant: bool = False) -> set[str]:
        return codes(list(signs.signs_to_ask(age_days=int(years * YEAR), pregnant=pregnant)))

    assert "acute_chest_or_abdominal_pain" in asked(50)
    assert "acute_chest_or_abdominal_pain" not in asked(49)
    assert "pregnancy_bleeding" in asked(25, pregnant=True)
    assert "pregnancy_bleeding" not in asked(25)
    assert "cannot_drink" in asked(3)
    assert "cannot_drink" not in asked(12.1)
    assert "infant_not_moving" in asked(0.1)
    assert "capillary_refill_slow" not in asked(30)


WELL = {
    "respiratory_rate": 16.0,
    "oxygen_saturation": 98.0,
    "systolic_blood_pressure": 120.0,
    "heart_rate": 72.0,
    "body_temperature": 36.8,
}


@pytest.mark.parametrize(
    ("parameter", "scores"),
    [
        ("respiratory_rate", {8: 3, 9: 1, 11: 1, 12: 0, 20: 0, 21: 2, 24: 2, 25: 3}),
        ("oxygen_saturation", {91: 3, 92: 2, 93: 2, 94: 1, 95: 1, 96: 0}),
        (
            "systolic_blood_pressure",
            {90: 3, 91: 2, 100: 2, 101: 1, 110: 1, 111: 0, 219: 0, 220: 3},
        ),
        ("heart_rate", {40: 3, 41: 1, 50: 1, 51: 0, 90: 0, 91: 1, 110: 1, 111: 2, 130: 2, 131: 3}),
        (
            "body_temperature",
            {35.0: 3, 35.1: 1, 36.0: 1, 36.1: 0, 38.0: 0, 38.1: 1, 39.0: 1, 39.1: 2},
        ),
    ],
)
def test_news2_at_every_threshold(parameter: str, scores: dict[float, int]) -> None:
    for value, expected in scores.items():
        score = news2({**WELL, parameter: value}, age_years=40, pregnant=False, alert=True)
        assert score is not None
        assert score.total == expected, value


@given(
    st.fixed_dictionaries(
        {code: st.floats(vitals()[code].minimum, vitals()[code].maximum) for code in WELL}
    ),
    st.booleans(),
    st.booleans(),
)
def test_news2_is_the_sum_of_its_parts(
    measured: dict[str, float], on_oxygen: bool, alert: bool
) -> None:
    score = news2(measured, age_years=40, pregnant=False, on_oxygen=on_oxygen, alert=alert)
    assert score is not None
    assert score.total == sum(score.parts.values())
    assert 0 <= score.total <= 20
    assert score.missing == ()
    assert (score.risk is Risk.HIGH) == (score.total >= 7)


def test_news2_knows_its_limits() -> None:
    assert news2(WELL, age_years=15, pregnant=False) is None
    assert news2(WELL, age_years=30, pregnant=True) is None
    score = news2({"respiratory_rate": 25}, age_years=30, pregnant=False, alert=True)
    assert score is not None
    assert score.risk is Risk.LOW_MEDIUM
    assert "heart_rate" in score.missing


@given(st.decimals(min_value=78, max_value=112, places=1))
def test_fahrenheit_comes_back_as_typed(degrees: object) -> None:
    typed = float(str(degrees))
    assert round(celsius_from_fahrenheit(typed) * 9 / 5 + 32, 1) == typed


def test_vitals_are_plausible_or_refused() -> None:
    assert accept_vital("body_temperature", 98.6, FAHRENHEIT) == 37
    assert accept_vital("heart_rate", 300) == 300
    for code, value, unit in [
        ("body_temperature", 98.6, None),
        ("heart_rate", 301, None),
        ("heart_rate", 70, FAHRENHEIT),
        ("body_weight", float("nan"), None),
        ("oxygen_saturation", 101, "%"),
    ]:
        with pytest.raises(ImplausibleVital):
            accept_vital(code, value, unit)
    assert body_mass_index(70, 175) == 22.9


def test_a_blood_pressure_is_read_as_one() -> None:
    measured = {"heart_rate": 72.0, "diastolic_blood_pressure": 80.0}
    alone = [(one.name, one.shown) for one in readings(measured, "en")]
    assert alone == [("Blood pressure, lower", "80 mmHg"), ("Pulse", "72 /min")]
    measured["systolic_blood_pressure"] = 120.0
    both = [(one.name, one.shown) for one in readings(measured, "hi")]
    assert both == [("रक्तचाप", "120/80 mmHg"), ("नाड़ी", "72 /min")]
    (only,) = readings(measured, "en", only={"diastolic_blood_pressure"})
    assert only.shown == "120/80 mmHg"
    assert readings(measured, "en", only=()) == []


@given(st.text(max_size=80))
def test_any_text_becomes_a_harmless_query(text: str) -> None:
    for word in search_words(text):
        assert not set(word) & set("'\\&|!():* \t\n")
    query = prefix_query(text)
    assert query == "" or query.count("'") == 2 * len(search_words(text))


def test_indic_words_stay_whole() -> None:
    assert search_words("पेट में दर्द") == ["पेट", "में", "दर्द"]
    assert search_words("ज़ुकाम") == search_words("जुकाम")
    assert search_words("Ménière") == ["meniere"]
