"""Documents as the higher packages build them."""

import copy
from io import BytesIO
from typing import Any

from PIL import Image

from sanjeevani.documents.prescription_document import (
    MedicineLine,
    PrescriptionDocument,
    ReferralDocument,
    TokenSlipDocument,
)

_PARACETAMOL: MedicineLine = {
    "name": "Paracetamol",
    "form": "Tablet",
    "strength": "650 mg",
    "route": "By mouth",
    "dose": "1 tablet",
    "frequency": "Three times a day",
    "day_plan": {"morning": "1", "noon": "1", "evening": "", "night": "1"},
    "duration": "3 days",
    "instructions": "For fever or pain; wait at least 6 hours between doses",
}
_AMOXICILLIN: MedicineLine = {
    "name": "Amoxicillin and Clavulanic acid",
    "form": "Tablet",
    "strength": "500 mg + 125 mg",
    "route": "By mouth",
    "dose": "1 tablet",
    "frequency": "Twice a day",
    "day_plan": {"morning": "1", "noon": "", "evening": "", "night": "1"},
    "duration": "5 days",
    "instructions": "Finish the whole course, even if you feel better",
}
_ORS: MedicineLine = {
    "name": "Oral rehydration salts",
    "form": "Powder",
    "strength": "20.5 g sachet (WHO formula)",
    "route": "By mouth",
    "dose": "1 sachet",
    "frequency": "After every loose motion",
    "day_plan": None,
    "duration": "3 days",
    "instructions": "Dissolve one packet in one litre of clean water; use within 24 hours",
}

PRESCRIPTION: PrescriptionDocument = {
    "number": "7K2M-9QXT-04WD",
    "issued_on": "2026-11-23",
    "signed_at": "2026-11-23T10:42",
    "mode": "video",
    "encounter_kind": "first",
    "facility": {
        "name": "Guntur District Hospital, General medicine",
        "address": "Kannavari Thota, Guntur 522001, Andhra Pradesh",
    },
    "practitioner": {
        "name": "Dr Lakshmi Prasanna Reddy",
        "qualification": "MBBS, MD (General Medicine)",
        "registration": "APMC 84213",
        "address": "District Hospital, Guntur 522001, Andhra Pradesh",
        "contact": "0863 222 0000",
    },
    "patient": {
        "name": "Venkata Subbamma",
        "age": "34 years",
        "gender": "female",
        "address": "4-112, Ramalayam Street, Tadikonda, Guntur 522236, Andhra Pradesh",
        "height_cm": "154",
        "weight_kg": "51.5",
        "last_menstrual_period": "2026-11-02",
    },
    "complaints": ["Fever", "Sore throat"],
    "complaint_text": "Pain on swallowing, worse at night",
    "complaint_duration": "3 days",
    "history": "No diabetes or high blood pressure. Similar episode last year.",
    "allergies": "Sulfa medicines",
    "current_medicines": "Iron and folic acid tablets",
    "findings": "Temperature 38.6 °C, pulse 96/min. Tonsils red and enlarged with exudate (video).",
    "investigations": "Complete blood count if the fever lasts beyond 3 days",
    "diagnoses": [
        {
            "code": "J03.9",
            "title": "Acute tonsillitis, unspecified",
            "name": "Tonsillitis",
            "provisional": True,
        }
    ],
    "medicines": [_PARACETAMOL, _AMOXICILLIN, _ORS],
    "advice": "Warm salt-water gargles three times a day. Plenty of fluids. Rest.",
    "come_back": "If fever lasts more than 3 days, or swallowing or breathing becomes difficult.",
    "verification_address": "sanjeevani.example.in/verify",
    "qr_content": "https://sanjeevani.example.in/verify#" + "eyJhbGciOiJFZDI1NTE5In0." * 28,
}

HINDI: dict[str, Any] = {
    "facility": {
        "name": "ज़िला अस्पताल लखनऊ, सामान्य चिकित्सा",
        "address": "हज़रतगंज, लखनऊ 226001, उत्तर प्रदेश",
    },
    "practitioner": {
        "name": "डॉ. अनुराधा श्रीवास्तव",
        "qualification": "एमबीबीएस, एमडी (सामान्य चिकित्सा)",
        "registration": "UPMC 55120",
        "address": "ज़िला अस्पताल, लखनऊ 226001",
        "contact": "0522 220 0000",
    },
    "patient": {
        "name": "कृष्णा कुमारी द्विवेदी",
        "age": "34 वर्ष",
        "gender": "female",
        "address": "ग्राम रामपुर, तहसील मोहनलालगंज, लखनऊ 226301, उत्तर प्रदेश",
        "height_cm": "154",
        "weight_kg": "51.5",
        "last_menstrual_period": "2026-11-02",
    },
    "complaints": ["बुखार", "गले में दर्द"],
    "complaint_text": "निगलने में दर्द, रात में ज़्यादा",
    "complaint_duration": "3 दिन",
    "history": "मधुमेह या उच्च रक्तचाप नहीं। पिछले वर्ष भी ऐसा हुआ था।",
    "allergies": "सल्फ़ा दवाएँ",
    "current_medicines": "आयरन और फ़ोलिक एसिड की गोलियाँ",
    "findings": "तापमान 38.6 °C, नाड़ी 96/मिनट। टॉन्सिल लाल और सूजे हुए (वीडियो)।",
    "investigations": "बुखार 3 दिन से अधिक रहे तो रक्त की पूरी जाँच (CBC)",
    "diagnoses": [
        {
            "code": "J03.9",
            "title": "Acute tonsillitis, unspecified",
            "name": "टॉन्सिल की सूजन",
            "provisional": True,
        }
    ],
    "medicines": [
        {
            **_PARACETAMOL,
            "form": "गोली",
            "route": "मुँह से",
            "dose": "1 गोली",
            "frequency": "दिन में तीन बार",
            "duration": "3 दिन",
            "instructions": "बुखार या दर्द होने पर; दो ख़ुराक के बीच कम से कम 6 घंटे रखें",
        },
        {
            **_ORS,
            "form": "पाउडर",
            "route": "मुँह से",
            "dose": "1 पैकेट",
            "frequency": "हर दस्त के बाद",
            "duration": "3 दिन",
            "instructions": "एक पैकेट एक लीटर साफ़ पानी में घोलें; 24 घंटे में इस्तेमाल करें",
        },
    ],
    "advice": "दिन में तीन बार गुनगुने नमक के पानी से गरारे करें। ख़ूब पानी पिएँ। आराम करें।",
    "come_back": "बुखार 3 दिन से अधिक रहे, या निगलने या साँस लेने में कठिनाई हो।",
}


def prescription(language: str = "en", **changes: Any) -> PrescriptionDocument:
    """Return a whole prescription in a language, with some fields changed."""
    document: dict[str, Any] = copy.deepcopy(dict(PRESCRIPTION))
    if language == "hi":
        document.update(copy.deepcopy(HINDI))
    document.update(changes)
    return document  # type: ignore[return-value]


def referral(language: str = "en", **changes: Any) -> ReferralDocument:
    """Return a letter of referral."""
    document: dict[str, Any] = dict(prescription(language))
    for name in ("medicines", "come_back", "encounter_kind"):
        del document[name]
    document.update(
        urgency="emergency",
        refer_to="Government General Hospital, Guntur: ENT emergency",
        reason="Swelling beside the tonsil with difficulty in opening the mouth: quinsy?",
        danger_signs="Is there trouble breathing?",
        measured="Temperature 39.2 °C; Blood pressure 100/60 mmHg",
        treatment_given="Paracetamol 650 mg at 10:40",
        colleagues=[
            {
                "name": "Dr Kavita Rao",
                "qualification": "MS (ENT)",
                "registration": "Andhra Pradesh Medical Council 45678",
                "advice": "Needs drainage today. Give nothing by mouth on the way.",
            }
        ],
    )
    document.update(changes)
    return document  # type: ignore[return-value]


TOKEN_SLIP: TokenSlipDocument = {
    "token": "27",
    "line_name": "General medicine OPD",
    "facility_name": "Guntur District Hospital",
    "date": "2026-11-23",
    "patient_name": "Venkata Subbamma",
    "place": "4",
    "expected_wait": "About 10 to 25 minutes",
    "issued_at": "09:12",
    "opens_at": "09:00",
    "note": "",
    "qr_content": "https://sanjeevani.example.in/w/27",
}


def a_photo() -> BytesIO:
    """A small picture."""
    picture = BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    picture.seek(0)
    return picture
