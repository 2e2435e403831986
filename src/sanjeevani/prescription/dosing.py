"""How often a medicine is taken: a coded frequency, or doses written through the day (`1-0-2`)."""

import re
from dataclasses import dataclass
from decimal import Decimal

from sanjeevani.terminology import dosage

_PART = r"((?:\d|[1-9]\d)(?:\.\d|½)?)"
_PATTERN = re.compile(rf"^{_PART}-{_PART}-{_PART}(?:-{_PART})?$")
"""Two digits for insulin, whose doses differ through the day and are counted in units."""
_SLOTS_OF_THREE = ("morning", "noon", "night")
_SLOTS_OF_FOUR = ("morning", "noon", "evening", "night")


@dataclass(frozen=True)
class Dosing:
    """Doses in units of the form. `by_slot` is empty when the day's slots do not apply.

    `pattern`: the doses where they are written so, with `dose` in them; empty for a code.
    """

    frequency: str
    dose: Decimal
    by_slot: dict[str, Decimal]
    per_day: float | None
    pattern: str = ""

    @property
    def on_one_day(self) -> float:
        """Units on a day of taking it: at least one dose, also if needed or once a week."""
        is_pattern = self.frequency not in dosage.frequencies()
        return max(self.per_day or 0, 0 if is_pattern else float(self.dose))

    @property
    def days_between(self) -> float | None:
        """Days between two doses, 1 for daily and more often; None if once, or as needed."""
        coded = dosage.frequencies().get(self.frequency)
        if coded is None:
            return 1
        if coded.single_dose or coded.times_per_day is None:
            return None
        return max(1, 1 / coded.times_per_day)

    def in_words(self, form: dosage.DosageForm, language: str) -> tuple[str, str]:
        """Say how much at a time and how often, in a language.

        A pattern says both: "1 unit, 20-0-10" might be taken for one unit.
        """
        coded = dosage.frequencies().get(self.frequency)
        if coded is None:
            most = max(self.by_slot.values())
            return f"{self.pattern} {form.unit_in(language, most)}", ""
        unit = form.unit_in(language, self.dose)
        return f"{self.dose.normalize():f} {unit}", coded.name_in(language)


def dosing(frequency: str, dose: Decimal) -> Dosing | None:
    """Read a frequency, None if it is neither a code nor a pattern with a dose in it."""
    coded = dosage.frequencies().get(frequency)
    if coded is not None:
        per_day = None if coded.times_per_day is None else coded.times_per_day * float(dose)
        return Dosing(frequency, dose, dict.fromkeys(coded.slots, dose), per_day)
    match = _PATTERN.match(frequency)
    if match is None:
        return None
    amounts = [_amount(group) * dose for group in match.groups() if group is not None]
    slots = _SLOTS_OF_FOUR if len(amounts) == len(_SLOTS_OF_FOUR) else _SLOTS_OF_THREE
    by_slot = {slot: amount for slot, amount in zip(slots, amounts, strict=True) if amount}
    if not by_slot:
        return None
    pattern = "-".join(f"{amount.normalize():f}" for amount in amounts)
    return Dosing(frequency, dose, by_slot, float(sum(by_slot.values())), pattern)


def _amount(text: str) -> Decimal:
    return Decimal(text.replace("½", ".5"))


def simplified(frequency: str) -> tuple[str, Decimal]:
    """Turn a pattern with equal doses into its code and dose: `2-0-2` is 2 BD. Others stay."""
    match = _PATTERN.match(frequency)
    if match is None:
        return frequency, Decimal(1)
    amounts = [_amount(group) for group in match.groups() if group is not None]
    taken = {amount for amount in amounts if amount}
    if len(taken) == 1:
        shape = "-".join("1" if amount else "0" for amount in amounts)
        for coded in dosage.frequencies().values():
            if coded.pattern == shape:
                return coded.code, taken.pop()
    return frequency, Decimal(1)
