"""A prescription as the patient follows it: through the day, in the reader's language."""

from dataclasses import dataclass

from sanjeevani.prescription.documents import MedicineReading, medicines_in
from sanjeevani.prescription.models import Prescription

SLOTS = ("morning", "noon", "evening", "night")


@dataclass(frozen=True)
class DayPlan:
    """`by_slot`: what is taken at each time of the day; `otherwise`: what has no fixed times."""

    medicines: list[tuple[MedicineReading, dict[str, str]]]
    by_slot: dict[str, list[tuple[MedicineReading, str]]]
    otherwise: list[MedicineReading]


def day_plan(prescription: Prescription, language: str) -> DayPlan:
    """Return the medicines with their doses by time of day, each with its unit."""
    medicines = [
        (
            reading,
            {slot: _dose(number, reading.units[slot]) for slot, number in reading.by_slot.items()},
        )
        for reading in medicines_in(prescription, language)
    ]
    return DayPlan(
        medicines=medicines,
        by_slot={
            slot: taken
            for slot in SLOTS
            if (taken := [(one, doses[slot]) for one, doses in medicines if doses.get(slot)])
        },
        otherwise=[reading for reading, doses in medicines if not doses],
    )


def _dose(number: str, unit: str) -> str:
    """Write a half as people say it: the point of 0.5 is easily missed."""
    whole, _point, fraction = number.partition(".")
    if fraction == "5":
        number = f"{'' if whole == '0' else whole}½"
    return f"{number} {unit}"
