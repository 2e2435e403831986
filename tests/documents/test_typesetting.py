"""Documents say everything, in both languages, and print hostile text as it stands."""

import datetime
import re
import subprocess
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanjeevani.documents.prescription_document import age_text, days_text
from sanjeevani.documents.typesetting import LANGUAGES, labels, render
from tests.documents import samples


def text_of(pdf: bytes, *options: str) -> str:
    """Return the text of a PDF, runs of white space as one space."""
    command = ["pdftotext", *options, "-", "-"]
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    text = unicodedata.normalize("NFC", done.stdout.decode())
    return " ".join(text.replace("\u200b", "").split())


def letters(text: str) -> str:
    """Return only letters and digits: PDF extraction moves white space and joiners about."""
    return "".join(c for c in unicodedata.normalize("NFC", text) if c.isalnum())


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page[^s]", pdf))


def test_every_field_of_the_guidelines_stands_on_an_english_prescription() -> None:
    document = samples.prescription()
    text = text_of(render("prescription", document, "en"))
    doctor, patient = document["practitioner"], document["patient"]
    for expected in [
        *doctor.values(),
        patient["name"],
        patient["age"],
        "Female",
        "154 cm",
        "51.5 kg",
        "2 November 2026",
        "23 November 2026, 10:42",
        "Fever; Sore throat",
        "for 3 days",
        document["allergies"],
        "J03.9",
        "Tonsillitis (provisional)",
        "PARACETAMOL",
        "AMOXICILLIN AND CLAVULANIC ACID",
        "Tablet · 650 mg · By mouth",
        "1 tablet · Three times a day",
        "After every loose motion",
        "5 days",
        "Issued by teleconsultation (video)",
        "sanjeevani.example.in/verify",
        document["number"],
        "End of medicines: 3 in all",
    ]:
        assert letters(str(expected)) in letters(text), expected
    for field in ("history", "current_medicines", "findings", "investigations", "advice"):
        assert letters(str(document[field])) in letters(text)
    assert letters(patient["address"]) in letters(text)


def test_a_hindi_prescription_is_hindi_with_latin_doses() -> None:
    document = samples.prescription("hi")
    pdf = render("prescription", document, "hi")
    text = text_of(pdf)
    for label in ("दवा", "दिनांक", "मरीज़", "कैसे लें", "सुबह", "रात"):
        assert letters(unicodedata.normalize("NFC", label)) in letters(text), label
    for written in ("PARACETAMOL", "650 mg", "7K2M-9QXT-04WD", "2026"):
        assert written in text
    for word in ("Prescription", "Morning", "Diagnosis", "Signed", "Issued"):
        assert word not in text
    assert not re.search("[०-९]", text)
    assert b"/Lang (hi)" in pdf or b"/Lang(hi)" in pdf


def test_labels_are_complete_in_every_language() -> None:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shape(item) for key, item in value.items()}
        if isinstance(value, list):
            return len(value)
        return sorted(re.findall(r"\{\w+\}", value))

    for language in LANGUAGES:
        assert shape(labels(language)) == shape(labels("en")), language


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("paper", ["a4", "a5"])
def test_many_medicines_flow_over_pages_that_name_the_patient(language: str, paper: str) -> None:
    line = samples.prescription(language)["medicines"][0]
    medicines = [{**line, "name": f"Substance {number}"} for number in range(1, 21)]
    document = samples.prescription(language, medicines=medicines, paper=paper)
    pdf = render("prescription", document, language)
    count = pages_of(pdf)
    assert count >= 2
    for page in range(1, count + 1):
        text = text_of(pdf, "-f", str(page), "-l", str(page))
        assert letters(document["patient"]["name"]) in letters(text)
        assert document["number"] in text
        expected = labels(language)["page"].replace("{n}", str(page)).replace("{m}", str(count))
        assert letters(expected) in letters(text)
    for number in range(1, 21):
        assert f"SUBSTANCE {number}" in text_of(pdf)


@pytest.mark.parametrize("ended", ["superseded", "cancelled"])
def test_a_prescription_that_ended_says_so(ended: str) -> None:
    medicines = samples.prescription()["medicines"] * 5
    document = samples.prescription(ended=ended, medicines=medicines)
    assert labels("en")["ended"][ended] in text_of(render("prescription", document, "en"))


HOSTILE = {
    "markup": '#panic("x") *bold* _it_ $x^2$ <label> @ref `raw` \\ // comment /* c */ #{1+1}',
    "json": '"}]} \\u0000 \\n {"data": 1}',
    "import": '#import "/etc/passwd" #read("/etc/passwd") #sys.inputs',
    "indic": "తెలుగు தமிழ் ಕನ್ನಡ മലയാളം ગુજરાતી ਪੰਜਾਬੀ বাংলা हिन्दी اردو",
    "clinical": "SpO₂ ≥ 94 %, ≤ 10⁹/L, 5 µg → 37.5 °C ½ ± ₹",
    "list": "1. one - two + three = four",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_prints_as_it_stands(name: str) -> None:
    hostile = HOSTILE[name]
    document = samples.prescription(history=hostile, advice=hostile)
    document["patient"]["name"] = hostile
    document["medicines"][0]["instructions"] = hostile
    text = text_of(render("prescription", document, "en"))
    if name == "indic":
        # Extraction reorders vowel signs; that every letter is there shows that none is a box.
        for character in set(letters(hostile)):
            assert character in text
    else:
        assert letters(hostile) in letters(text)


def test_direction_overrides_and_control_characters_do_not_print() -> None:
    document = samples.prescription(history="Take \u202e05\u202c mg\x00\x07 \u2066now\u2069")
    text = text_of(render("prescription", document, "en"))
    assert "Take 05 mg now" in text


def test_long_words_break_instead_of_leaving_the_page() -> None:
    document = samples.prescription(history="W" * 400, advice="क्षत्रिय" * 80)
    pdf = render("prescription", document, "en")
    box = subprocess.run(
        ["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    ).stdout.decode()
    assert max(float(x) for x in re.findall(r'xMax="([\d.]+)"', box)) <= 595.3
    assert text_of(pdf).replace(" ", "").count("W") >= 400


def test_a_character_without_a_font_costs_a_box_and_not_the_document() -> None:
    text = text_of(
        render("prescription", samples.prescription(history="Fever 😀 中文 since"), "en")
    )
    assert "Fever" in text


def test_a_statement_beyond_any_code_gives_way_to_the_address() -> None:
    document = samples.prescription(qr_content="https://x.example/verify?s=" + "a" * 4000)
    assert "sanjeevani.example.in/verify" in text_of(render("prescription", document, "en"))


def test_the_same_data_gives_the_same_bytes_and_no_time_of_rendering() -> None:
    document = samples.prescription("hi")
    moment = datetime.datetime(2026, 11, 23, 5, 12, tzinfo=datetime.UTC)
    first = render("prescription", document, "hi", issued_at=moment)
    assert first == render("prescription", document, "hi", issued_at=moment)
    assert b"20261123" in first
    assert first != render("prescription", samples.prescription(), "hi", issued_at=moment)


def test_files_are_tagged_and_titled() -> None:
    pdf = render("prescription", samples.prescription(), "en")
    info = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True)
    described = info.stdout.decode()
    assert re.search(r"Tagged:\s+yes", described)
    assert "Prescription 7K2M-9QXT-04WD" in described
    assert b"pdfuaid" in pdf
    fonts = subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True)
    assert all(line.split()[-5] == "yes" for line in fonts.stdout.decode().splitlines()[2:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_referral_letters_and_token_slips(language: str) -> None:
    letter = samples.referral(language)
    text = text_of(render("referral_letter", letter, language))
    for name in ("refer_to", "reason", "treatment_given", "danger_signs", "measured"):
        assert letters(letter[name]) in letters(text)
    assert labels(language)["diagnosis"] in text
    bare = samples.referral(language, diagnoses=[], danger_signs="", measured="")
    text = text_of(render("referral_letter", bare, language))
    for name in ("diagnosis", "danger_signs", "measured"):
        assert letters(labels(language)[name]) not in letters(text)
    slip = text_of(render("token_slip", samples.TOKEN_SLIP, language))
    assert "27" in slip
    assert "09:12" in slip
    assert labels(language)["emergency"].split()[-1][:3] in slip
    without = text_of(render("token_slip", {**samples.TOKEN_SLIP, "qr_content": ""}, language))
    assert "27" in without


def test_empty_fields_leave_no_gaps_and_no_errors() -> None:
    document = samples.prescription(
        complaints=[],
        complaint_text="",
        complaint_duration="",
        history="",
        allergies="",
        current_medicines="",
        findings="",
        investigations="",
        diagnoses=[],
        medicines=[],
        advice="",
        come_back="",
    )
    document["patient"] |= {"height_cm": "", "weight_kg": "", "last_menstrual_period": ""}
    text = text_of(render("prescription", document, "en"))
    assert "None reported" in text
    assert text.count("Not recorded") == 2
    assert "No medicine was prescribed." in text
    assert "LMP" not in text


@settings(max_examples=25)
@given(st.text(max_size=120))
def test_any_text_renders(text: str) -> None:
    document = samples.prescription(complaint_text=text, come_back=text)
    document["patient"]["address"] = text
    assert render("prescription", document, "hi").startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2026-11-22", "1 day"),
        ("2026-10-24", "30 days"),
        ("2026-09-24", "60 days"),
        ("2026-09-23", "2 months"),
        ("2024-11-24", "23 months"),
        ("2024-11-23", "2 years"),
        ("1992-12-01", "33 years"),
    ],
)
def test_ages_are_said_as_clinicians_say_them(born: str, expected: str) -> None:
    day = datetime.date(2026, 11, 23)
    assert age_text(datetime.date.fromisoformat(born), day, "en") == expected


def test_durations_have_a_plural() -> None:
    assert [days_text(days, "en") for days in (1, 5)] == ["1 day", "5 days"]
    assert days_text(5, "hi") == "5 दिन"
