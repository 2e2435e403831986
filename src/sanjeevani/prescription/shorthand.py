"""Reading a prescription line as a doctor types it: `pcm 650 1-0-1 5d after food`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from sanjeevani.prescription.dosing import dosing, simplified
from sanjeevani.prescription.queries import rule_tables
from sanjeevani.terminology import dosage
from sanjeevani.terminology.models import Medicine
from sanjeevani.terminology.queries import medicines_by_alias, search_medicines

_DAYS = re.compile(r"^(?:x)?(\d{1,3})(d|day|days|w|wk|week|weeks|m|month|months)$")
_DAYS_IN = {"d": 1, "w": 7, "m": 30}
_NUMBER = re.compile(r"^\d+(?:\.\d+)?(?:mg|mcg|g|ml|%|iu)?$")
_DOSE = re.compile(
    r"^(\d+(?:\.\d+)?)(tab|tabs|t|cap|caps|c|ml|drop|drops|gtt|puff|puffs|sachet|sachets)$"
)


@dataclass(frozen=True)
class ItemContent:
    """One line of a prescription as written: see `DraftItem` for units."""

    medicine_code: str
    dose: Decimal
    frequency: str
    duration_days: int
    instruction_code: str = ""
    instructions: str = ""
    override_reason: str = ""


@dataclass(frozen=True)
class Reading:
    """What was understood: a whole item, or the medicines it could mean.

    `nearest`, where nothing has the name: what is spelt alike, to ask whether one was meant.
    """

    item: ItemContent | None
    choices: list[Medicine]
    nearest: list[Medicine] = field(default_factory=list)


def parse(text: str, medicine: Medicine | None = None) -> Reading:
    """Read a line. What is not written comes from the medicine's usual dose and days.

    A name that several medicines answer to gives them as choices; `medicine` is the one chosen.
    """
    words = text.casefold().replace("½", ".5").split()
    name: list[str] = []
    numbers: list[str] = []
    form = frequency = instruction = ""
    dose: Decimal | None = None
    days: int | None = None
    free: list[str] = []
    forms = _by_abbreviation(dosage.forms())
    frequencies = _by_abbreviation(dosage.frequencies())
    instructions = _by_abbreviation(dosage.instructions())
    for index, word in enumerate(words):
        rest = " ".join(words[index:])
        if match := _DAYS.match(word):
            days = int(match[1]) * _DAYS_IN[match[2][0]]
        elif match := _DOSE.match(word):
            dose = Decimal(match[1])
        elif dosing(word, Decimal(1)) and "-" in word:
            frequency, unit_dose = simplified(word)
            dose = dose or unit_dose
        elif word in frequencies and not frequency and name:
            frequency = frequencies[word]
        elif word in forms and not form:
            form = forms[word]
        elif not frequency and days is None and _NUMBER.match(word) and name:
            numbers.append(re.sub(r"[a-z%]+$", "", word))
        elif frequency or days is not None:
            instruction = _instruction(rest, instructions)
            free = [] if instruction else words[index:]
            break
        else:
            name.append(word)
    spelt = " ".join(name)
    found = [medicine] if medicine else _medicines(spelt, numbers, form)
    if not found:
        return Reading(None, [], _fitting(_spelt_alike(spelt), numbers, form))
    if len(found) != 1:
        return Reading(None, found)
    medicine = found[0]
    return Reading(
        ItemContent(
            medicine_code=medicine.code,
            dose=dose or Decimal(str(medicine.usual_dose or 1)),
            frequency=frequency or medicine.usual_frequency,
            duration_days=days or medicine.usual_days or 0,
            instruction_code=instruction or medicine.usual_instruction,
            instructions=" ".join(free),
        ),
        [],
    )


def _by_abbreviation(terms: Mapping[str, dosage.Term]) -> dict[str, str]:
    return {
        word: term.code
        for term in terms.values()
        for word in (term.code.casefold(), *term.abbreviations)
    }


def _instruction(text: str, by_abbreviation: dict[str, str]) -> str:
    for term in dosage.instructions().values():
        if any(text == name.casefold() for name in term.names.values()):
            return term.code
    return by_abbreviation.get(text, by_abbreviation.get(text.replace(" ", "_"), ""))


def _medicines(name: str, numbers: list[str], form: str) -> list[Medicine]:
    found = _fitting(medicines_by_alias(name) or search_medicines(name), numbers, form)
    if len(found) > 1:
        # A strength written in full names one; of equal strengths the first form is the usual one.
        if len({medicine.strength for medicine in found}) == 1:
            found = found[:1]
        elif numbers and not form:
            solid = [medicine for medicine in found if medicine.form == found[0].form]
            found = solid if len(solid) == 1 else found
    return found


def _fitting(found: list[Medicine], numbers: list[str], form: str) -> list[Medicine]:
    """Leave those of the form and of the strength, each only where it leaves any."""
    if form:
        found = [medicine for medicine in found if medicine.form == form] or found
    for number in numbers:
        found = [
            medicine
            for medicine in found
            if number in re.findall(r"\d+(?:\.\d+)?", medicine.strength)
        ] or found
    return found


ALIKE = 0.8
"""How much of a name must agree. Below it, names of quite other medicines look alike."""

SHORTEST_ALIKE = 5
"""Letters: a shorthand is not misspelt, but many a brand is nearly one (dolo, olo)."""


def _spelt_alike(name: str) -> list[Medicine]:
    """Return the medicines with the name nearest to one that none has.

    The first letter agrees: with another one it is more often another medicine (norfloxacin).
    """
    by_spelling: dict[str, list[Medicine]] = {}
    for medicine in rule_tables().medicines.values():
        for spelling in {medicine.generic_name.casefold(), *medicine.aliases}:
            if len(spelling) >= SHORTEST_ALIKE and spelling[0] == name[:1]:
                by_spelling.setdefault(spelling, []).append(medicine)
    near = get_close_matches(name, by_spelling, n=2, cutoff=ALIKE)
    found = {medicine.code: medicine for spelling in near for medicine in by_spelling[spelling]}
    return list(found.values())
