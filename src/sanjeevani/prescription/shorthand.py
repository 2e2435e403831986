"""Reading a prescription line as a doctor types it: `pcm 650 1-0-1 5d after food`.

Whatever stands in a line is either understood or asked about: nothing of it is passed over for
what is usual.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, lru_cache

from sanjeevani.prescription.dosing import dosing, simplified
from sanjeevani.prescription.queries import rule_tables
from sanjeevani.terminology import dosage
from sanjeevani.terminology.models import Medicine
from sanjeevani.terminology.queries import medicines_by_alias, search_medicines

SOLID = "solid"
"""What tablets and capsules are counted in: one is often written for the other."""

_UNITS = {
    **dict.fromkeys(("tab", "tabs", "tablet", "tablets"), SOLID),
    **dict.fromkeys(("cap", "caps", "capsule", "capsules"), SOLID),
    **dict.fromkeys(("drop", "drops", "gtt"), "drop"),
    **dict.fromkeys(("puff", "puffs", "spray", "sprays"), "puff"),
    **dict.fromkeys(("sachet", "sachets"), "sachet"),
    **dict.fromkeys(("u", "unit", "units"), "unit"),
    "ml": "mL",
}
"""The units that doctors write. A `t` or `c` stands for one dose of any form."""

_UNITS_OF_FORMS = {"tablet": SOLID, "capsule": SOLID, "spray": "puff"}

_TIMES = "d|days?|w|wks?|weeks?|m|months?"
_DAYS = re.compile(rf"^x?(\d{{1,3}})({_TIMES})$")
_DAYS_IN = {"d": 1, "w": 7, "m": 30}
_NUMBER = re.compile(r"^(\d+(?:\.\d+)?)(mg|mcg|g|ml|%|iu)?$")
_DOSE = re.compile(rf"^(\d+(?:\.\d+)?)({'|'.join(_UNITS)}|t|c)$")

_AMOUNT = re.compile(rf"\b\d+(?:\.\d+)? ?(?:{'|'.join(_UNITS)})\b")

_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75", "1/2": ".5", "1/4": ".25", "3/4": ".75"}
_DASH = r"\s*[-–—−+]\s*"
_PART = r"((?:\d|[1-9]\d)(?:\.\d+)?)"
_PATTERN = re.compile(
    rf"(?<![\w.%]){_PART}{_DASH}{_PART}{_DASH}{_PART}(?:{_DASH}{_PART})?(?![\w.%])"
)
_SPELLINGS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"[,;]\s+"), " "),
    (re.compile(r"(?<![\d.,])([1-9]\d{0,2}),(\d{3})(?![\d,])"), r"\1\2"),
    (re.compile(r"(\d),(\d)"), r"\1.\2"),
    # What stands spaced: 250 mg / 5 ml, x 5 days, 5 mg, 2.5 ml.
    (re.compile(r"(\d)\s*(mg|mcg|g|iu)\s*/\s*(\d*)\s*ml\b"), r"\1\2/\3ml"),
    (re.compile(rf"(?<![\w./])(?:(?:x|×|for)\s*)?(\d{{1,3}})\s*({_TIMES})(?!\w)"), r"\1\2"),
    (re.compile(r"(?<![\w./])(\d+(?:\.\d+)?)\s+(mg|mcg|g|%|iu)(?![\w/])"), r"\1\2"),
    (
        re.compile(
            r"(?<![\w./])(\d+(?:\.\d+)?)\s+"
            rf"({'|'.join(word for word, unit in _UNITS.items() if unit != SOLID)})(?![\w/])"
        ),
        r"\1\2",
    ),
]


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
    `unread`: the words that fit none of `choices`, or that nobody can be sure of.
    """

    item: ItemContent | None
    choices: list[Medicine]
    nearest: list[Medicine] = field(default_factory=list)
    unread: str = ""


def parse(text: str, medicine: Medicine | None = None) -> Reading:
    """Read a line. What is not written comes from the medicine's usual dose and days.

    A medicine without a usual dose gets none: adding such an item is refused. A name that several
    medicines answer to gives them as choices; `medicine` is the one chosen.
    """
    said = _Said()
    words = _spelt_plainly(text).split()
    while words:
        del words[: said.take(words)]
    spelt = " ".join(said.name)
    named = [medicine] if medicine else _named(spelt, said)
    name, rest = said.name[: said.before_strength], said.name[said.before_strength :]
    if name and rest and (not named or (medicine and not _named(spelt, replace(said)))):
        found = named or _named(" ".join(name), said)
        if found:
            return Reading(None, found, unread=" ".join(rest))
    if not named:
        return Reading(None, [], _fitting(_spelt_alike(spelt), said)[0])
    found, unread = _fitting(named, said)
    if unread := unread or said.unread():
        return Reading(None, found, unread=unread)
    medicine = _the_one(found, said)
    if medicine is None:
        return Reading(None, found)
    frequency = said.frequency or medicine.usual_frequency
    # What is usual of a medicine that is taken for weeks says nothing of a dose that is given once.
    usual_days = 1 if dosage.is_single(frequency) else medicine.usual_days or 0
    return Reading(
        ItemContent(
            medicine_code=medicine.code,
            dose=said.amount or Decimal(str(medicine.usual_dose or 0)),
            frequency=frequency,
            duration_days=said.days or usual_days,
            instruction_code=said.instruction or medicine.usual_instruction,
            instructions=_as_written(text, " ".join(said.own)),
        ),
        [],
    )


def _spelt_plainly(text: str) -> str:
    """Write amounts and times in one way: `1 + 0 + ½`, `2,5 ml` and `x 5 days` are all used."""
    text = text.casefold()
    text = re.sub(
        r"(\d?)([½¼¾]|(?<![\d./])(?:1/2|1/4|3/4)(?![\d/]))",
        lambda match: (match[1] or "0") + _FRACTIONS[match[2]],
        text,
    )
    for spelling, plain in _SPELLINGS:
        text = spelling.sub(plain, text)
    return _PATTERN.sub(lambda match: "-".join(filter(None, match.groups())), text)


def _as_written(text: str, own: str) -> str:
    """Return the doctor's own words, which stand last, as they were typed."""
    words = text.split()
    tails = (" ".join(words[start:]) for start in range(len(words)))
    return next((tail for tail in tails if " ".join(_spelt_plainly(tail).split()) == own), own)


@dataclass
class _Said:
    """What a line says, word by word: the medicine first, then how it is taken."""

    name: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    before_strength: int = 0
    """Words of the name before the first number: those after it may belong to no name."""
    form: str = ""
    form_word: str = ""
    counted: bool = False
    """Before tab or cap stood the last number: its strength, or how many."""
    dose: Decimal | None = None
    dose_word: str = ""
    in_pattern: Decimal = Decimal(1)
    """What a pattern of equal doses says of one: two in `2-0-2`."""
    frequency: str = ""
    days: int | None = None
    instruction: str = ""
    own: list[str] = field(default_factory=list)

    def take(self, words: Sequence[str]) -> int:
        """Understand what stands first in the words; return how many words it was."""
        word = words[0]
        how_begun = bool(self.frequency) or self.days is not None
        if match := _DAYS.match(word):
            self.days = int(match[1]) * _DAYS_IN[match[2][0]]
            return 1
        if match := _DOSE.match(word):
            self.dose, self.dose_word = Decimal(match[1]), word
            return 1
        if _is_pattern(word) and self.frequency in ("", simplified(word)[0]):
            self.frequency, self.in_pattern = simplified(word)
            self.dose = self.dose or self.in_pattern
            return 1
        if self.name and not self.frequency and (found := _phrase(words, _frequencies())):
            self.frequency, taken = found
            return taken
        if not self.form and (found := _phrase(words, _forms())):
            self.form, taken = found
            self.form_word = " ".join(words[:taken])
            return taken
        is_bare = len(words) > 1 and word.replace(".", "").isdigit()
        is_counted = is_bare and _UNITS.get(words[1]) == SOLID
        if how_begun and is_counted:
            self.dose, self.dose_word = Decimal(word), word + words[1]
            return 2
        if not how_begun and self.name and (match := _NUMBER.match(word)):
            self.before_strength = self.before_strength or len(self.name)
            self.numbers.append(match[1])
            self.counted = is_counted
            if is_counted and not self.form:
                self.form, self.form_word = _forms().get(words[1].rstrip("s"), ""), words[1]
            return 1 + is_counted
        if not how_begun:
            self.name.append(word)
            return 1
        return self._take_instruction(words)

    def _take_instruction(self, words: Sequence[str]) -> int:
        """Understand an instruction, at the end or before what else is readable."""
        for taken in range(len(words), 0, -1):
            code = _instructions().get(" ".join(words[:taken]))
            if code and (taken == len(words) or self._is_how(words[taken:])):
                self.instruction = code
                return taken
        self.own = list(words)
        return len(words)

    def _is_how(self, words: Sequence[str]) -> bool:
        return bool(
            _DAYS.match(words[0])
            or _DOSE.match(words[0])
            or (not self.frequency and (_is_pattern(words[0]) or _phrase(words, _frequencies())))
        )

    @property
    def amount(self) -> Decimal | None:
        """The dose: `1 tab 2-0-2` are two tablets, morning and night."""
        return self.in_pattern if self.dose == 1 else self.dose

    def unread(self) -> str:
        """Return what would say how the medicine is taken, and cannot be told or says otherwise.

        Own words would stand on the paper beside a usual dose, frequency or duration. A dose
        beside a pattern with another one, as `5 ml 2-0-2`, may stand for itself or be doubled.
        """
        if self.in_pattern != 1 and self.dose not in (1, self.in_pattern):
            return self.dose_word
        if not self.own:
            return ""
        if not self.frequency or self.days is None:
            return " ".join(self.own)
        again = _phrase(self.own, _frequencies())
        if again and dosage.frequencies()[again[0]].times_per_day is not None:
            return " ".join(self.own[: again[1]])
        if _is_pattern(self.own[0]) or re.fullmatch(r"x?[\d.]+", self.own[0]):
            return self.own[0]
        amount = None if self.dose else _AMOUNT.search(" ".join(self.own))
        return amount[0] if amount else ""


def _is_pattern(word: str) -> bool:
    return "-" in word and dosing(word, Decimal(1)) is not None


def _phrase(words: Sequence[str], phrases: Mapping[str, str]) -> tuple[str, int] | None:
    """Return the code of the longest phrase that the words begin with, and its length."""
    for taken in range(min(len(words), 6), 0, -1):
        if code := phrases.get(" ".join(words[:taken])):
            return code, taken
    return None


@cache
def _forms() -> dict[str, str]:
    return _phrases(dosage.forms())


@cache
def _frequencies() -> dict[str, str]:
    return _phrases(dosage.frequencies())


@cache
def _instructions() -> dict[str, str]:
    return _phrases(dosage.instructions())


def _phrases(terms: Mapping[str, dosage.Term]) -> dict[str, str]:
    """Return the codes by all that is written for them; names that two share go to the first."""
    found: dict[str, str] = {}
    for term in terms.values():
        code = term.code.casefold()
        for words in (code, code.replace("_", " "), *term.abbreviations, *term.names.values()):
            found.setdefault(" ".join(_spelt_plainly(words).split()), term.code)
    return found


def _named(spelt: str, said: _Said) -> list[Medicine]:
    """Return the medicines of a name: in full with its strength, by alias, or by beginnings."""
    full = [
        medicine
        for medicine in rule_tables().medicines.values()
        if spelt == _in_full(medicine.generic_name, medicine.strength)
    ]
    if full:
        return full
    if said.form_word and (found := medicines_by_alias(f"{spelt} {said.form_word}")):
        said.form = ""
        return found
    return medicines_by_alias(spelt) or search_medicines(spelt)


@lru_cache(maxsize=1024)
def _in_full(generic_name: str, strength: str) -> str:
    return _spelt_plainly(f"{generic_name} {strength.replace(' ', '')}")


def _fitting(found: list[Medicine], said: _Said) -> tuple[list[Medicine], str]:
    """Leave those of the form, the strength and the unit that were written.

    Also return the word that fits none of them.
    """
    if said.form:
        kept = [medicine for medicine in found if medicine.form == said.form]
        kept = kept or [one for one in found if _kind(one.form) == _kind(said.form)]
        if not kept:
            return found, said.form_word
        found = kept
    numbers = list(said.numbers)
    if said.counted and (len(numbers) > 1 or not any(numbers[-1] in _strengths(m) for m in found)):
        said.dose, said.dose_word = Decimal(numbers[-1]), f"{numbers.pop()}tab"
    for number in numbers:
        kept = [medicine for medicine in found if number in _strengths(medicine)]
        # A bare number that is the usual dose says nothing else.
        if not kept and said.dose is None and _is_usual(number, found):
            kept = found
        if not kept:
            return found, number
        found = kept
    if unit := _UNITS.get(said.dose_word.lstrip("0123456789.")):
        kept = [medicine for medicine in found if _unit(medicine.form) == unit]
        if not kept:
            return found, said.dose_word
        found = kept
    return found, ""


def _is_usual(number: str, found: list[Medicine]) -> bool:
    return all(medicine.usual_dose == float(number) for medicine in found)


def _unit(form: str) -> str:
    unit = dosage.forms()[form].units["en"]
    return _UNITS_OF_FORMS.get(unit, unit)


def _kind(form: str) -> str:
    """Return what one word stands for: drops are for the eye as well, tablets of many kinds."""
    kind = form.rsplit("_", maxsplit=1)[-1]
    return "tablet" if kind == "capsule" else kind


def _strengths(medicine: Medicine) -> set[str]:
    """Return the numbers that name a strength; of a combination, also the sum (amoxyclav 625)."""
    numbers = re.findall(r"\d+(?:\.\d+)?", re.sub(r"/\d+", "/", medicine.strength))
    return {*numbers, f"{sum(medicine.amounts):g}"}


def _the_one(found: list[Medicine], said: _Said) -> Medicine | None:
    """Return the medicine that is meant, if it is only one."""
    if len({(medicine.strength, medicine.route) for medicine in found}) == 1:
        return found[0]  # of equal strengths the first form is the usual one
    first = [medicine for medicine in found if medicine.form == found[0].form]
    # A strength written in full names a tablet or capsule.
    if said.numbers and not said.form and _unit(found[0].form) == SOLID and len(first) == 1:
        return first[0]
    return None


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
