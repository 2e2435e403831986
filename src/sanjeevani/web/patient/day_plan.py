"""A prescription as the patient's day: what to take in the morning, at noon, and so on."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import ngettext

from sanjeevani.prescription.dosing import dosing
from sanjeevani.terminology.dosage import forms, instructions

COUNTED = frozenset({"tablet", "capsule"})
"""Forms of which a bare number says enough; others name their unit."""


@dataclass(frozen=True)
class PlannedMedicine:
    """One medicine: doses by time of day, or in words where the day has no fixed times."""

    name: str
    note: str
    doses: dict[str, str] = field(default_factory=dict)


def day_plan(content: dict[str, Any], language: str) -> list[PlannedMedicine]:
    """Return the medicines of a prescription's content for a reader of a language."""
    return [_planned(line, language) for line in content["medicines"]]


def _planned(line: dict[str, Any], language: str) -> PlannedMedicine:
    form = forms().get(line["form"])
    unit = form.unit_in(language) if form and line["form"] not in COUNTED else ""
    taken = dosing(line["frequency"], Decimal(line["dose"]))
    by_slot = taken.by_slot if taken else {}
    said = []
    if not by_slot:
        often = taken.in_words(language) if taken else line["frequency"]
        whole_unit = form.unit_in(language) if form else ""
        said.append(f"{amount(Decimal(line['dose']))} {whole_unit}: {often}")
    instruction = instructions().get(line["instruction_code"])
    if instruction:
        said.append(instruction.name_in(language))
    if line["instructions"]:
        said.append(line["instructions"])
    days = line["duration_days"]
    said.append(ngettext("for %(num)d day", "for %(num)d days", days) % {"num": days})
    name = f"{line['generic_name']} {line['strength']}"
    if form:
        name = f"{name} ({form.name_in(language)})"
    return PlannedMedicine(
        name,
        " · ".join(said),
        {slot: f"{amount(dose)} {unit}".strip() for slot, dose in by_slot.items()},
    )


def amount(dose: Decimal) -> str:
    """Write a dose in Latin digits: 1, ½, 1½, 2.25."""
    whole, rest = divmod(dose, 1)
    if rest == Decimal("0.5"):
        return f"{whole:f}½" if whole else "½"
    return f"{dose.normalize():f}"
