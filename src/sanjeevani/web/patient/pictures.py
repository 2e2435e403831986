"""Which of our icons stands beside a complaint or a danger sign of the terminology.

The terminology names pictures by what they should show; several of them share one drawing here.
"""

from collections.abc import Iterable, Mapping

from sanjeevani.terminology.models import Symptom
from sanjeevani.web.icons import SHAPES

_DRAWN_AS: Mapping[str, tuple[str, ...]] = {
    "ambulance": ("accident",),
    "bed": ("sleepy", "tired", "unconscious"),
    "bleeding": ("drop_red", "nose_drop"),
    "blood_pressure": ("cuff",),
    "bone": ("back", "joint", "knee", "shoulder"),
    "breathing": ("breath", "chest_in", "inhaler", "lungs"),
    "calendar": ("calendar_drop", "calendar_off", "calendar_pain"),
    "child": ("baby", "baby_cry", "child_scale"),
    "diabetes": ("drop",),
    "drink": ("cup_off",),
    "ear": ("ear_off",),
    "eye": ("eye_pain", "eye_red", "glasses", "yellow_eye"),
    "fever": ("thermometer",),
    "file": ("report",),
    "headache": ("brain", "dizzy", "head", "stroke"),
    "heart": ("chest_pain", "heartbeat", "pulse"),
    "injury": ("bandage", "flame"),
    "medicines": ("pills",),
    "mind": ("anxious", "sad", "self_harm"),
    "night": ("moon",),
    "pregnancy": ("pregnant",),
    "skin": ("boil", "face_dots", "itch", "patch", "rash", "ring"),
    "snake": ("worm",),
    "stomach": ("flame_stomach", "plate"),
    "throat": ("neck",),
    "urine": ("kidney", "urine_clock"),
    "women": ("breast", "discharge"),
}
_DRAWING = {name: drawing for drawing, names in _DRAWN_AS.items() for name in names}


def drawing(name: str) -> str:
    """Return the icon for a picture that the terminology names, a plain one when none fits."""
    return name if name in SHAPES else _DRAWING.get(name, "other")


def pictures_of(symptoms: Iterable[Symptom]) -> dict[str, str]:
    """Return the icon of each complaint, by code."""
    return {symptom.code: drawing(symptom.icon) for symptom in symptoms}
