"""Rows of text as what they mean, or what is wrong with them. Knows words, not the database."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.utils import translation

from sanjeevani.directory.models import CLINICAL_ROLES, FacilityKind, Gender, Role, State
from sanjeevani.directory.services import FacilityDetails, registration_key
from sanjeevani.foundation.errors import Invalid
from sanjeevani.identity.mobiles import latin_digits, parse_mobile
from sanjeevani.onboarding.columns import LENGTHS, REQUIRED, Header, plain_word
from sanjeevani.onboarding.messages import Remark
from sanjeevani.onboarding.sheets import FORMULA, Row
from sanjeevani.terminology.models import Speciality

T = TypeVar("T")

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-/._]*")
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._\-]{2,59}")
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE)
_PARTS = re.compile(r"\s*[|;,/]\s*")

_YES = frozenset({"yes", "y", "1", "true", "हाँ", "हां"})
_NO = frozenset({"", "no", "n", "0", "false", "नहीं"})
_KIND_WORDS = {
    "mc": "medical_college",
    "dh": "district_hospital",
    "sdh": "sub_district_hospital",
    "chc": "community_health_centre",
    "phc": "primary_health_centre",
    "sc": "sub_centre",
    "shc": "sub_centre",
    "hwc": "sub_centre",
}
_ROLE_WORDS = {"cho": "health_worker", "anm": "health_worker"}


@dataclass(frozen=True)
class FacilityRow:
    """A facility as a file names it."""

    line: int
    state_id: int
    code: str
    details: FacilityDetails
    speciality_codes: Sequence[str]

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        """What no second row may have."""
        return [
            ("facility", self.state_id, self.code),
            ("name", self.state_id, self.details.district, self.details.name),
        ]


@dataclass(frozen=True)
class LinkRow:
    """A hub link as a file names it."""

    line: int
    state_id: int
    spoke_code: str
    hub_state_id: int
    hub_code: str
    speciality_code: str
    place: int

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        """What no second row may have."""
        spoke = (self.state_id, self.spoke_code)
        return [("link", *spoke, self.speciality_code, self.hub_state_id, self.hub_code)]


@dataclass(frozen=True)
class StaffRow:
    """Somebody in a post, as a file names them. Only doctors have `practitioner`."""

    line: int
    state_id: int
    login: str
    name: str
    mobile: str
    role: Role
    facility_code: str
    language: str
    practitioner: Mapping[str, Any] | None

    @property
    def keys(self) -> list[tuple[Any, ...]]:
        """What no second row may have."""
        return [("post", self.state_id, self.login, self.facility_code, self.role)]

    @property
    def registration(self) -> str | None:
        """The registration as one key."""
        if self.practitioner is None:
            return None
        return registration_key(
            self.practitioner["council"], self.practitioner["registration_number"]
        )


AnyRow = FacilityRow | LinkRow | StaffRow


class Words:
    """What the words of a file may mean: states, specialities, languages.

    `own_state` stands where a file names none; None where it has to.
    """

    def __init__(
        self, states: Iterable[State], specialities: Iterable[Speciality], own_state: int | None
    ) -> None:
        self.own_state = own_state
        self.states: dict[str, int] = {}
        self.languages = {"en"}
        for state in states:
            for word in (str(state.lgd_code), state.name, state.name_hi):
                self.states[plain_word(word)] = state.lgd_code
            self.languages |= set(state.languages)
        self.specialities: dict[str, str] = {}
        for speciality in specialities:
            for word in (speciality.code, *speciality.names.values()):
                self.specialities[plain_word(word)] = speciality.code
        self.kinds = _choices(FacilityKind, _KIND_WORDS)
        self.roles = _choices(Role, _ROLE_WORDS)
        self.genders = _choices(Gender, {"f": "female", "m": "male"})


def _choices(choices: Any, more: Mapping[str, str]) -> dict[str, str]:
    found = dict(more)
    for language in ("en", "hi"):
        with translation.override(language):
            for value, label in choices.choices:
                found[plain_word(value)] = found[plain_word(str(label))] = value
    return found


@dataclass
class Cells:
    """The cells of one row by column, read one by one; what is wrong gathers in `remarks`."""

    kind: str
    values: dict[str, str]
    words: Words
    remarks: list[Remark] = field(default_factory=list)

    def wrong(self, column: str, code: str, **params: Any) -> None:
        """Note that a cell cannot be used."""
        self.remarks.append(Remark(column, code, params))

    def text(self, column: str) -> str:
        """Return a cell's text."""
        return self.values.get(column, "")

    def chosen(self, column: str, known: Mapping[str, T], code: str, **params: Any) -> T | None:
        """Return what a cell's word stands for."""
        text = self.text(column)
        if not text:
            return None
        value = known.get(plain_word(text))
        if value is None:
            self.wrong(column, code, value=text[:60], **params)
        return value

    def state(self, column: str, default: int | None) -> int:
        """Return the state that a cell names, or the default."""
        state_id = self.chosen(column, self.words.states, "unknown_state")
        if state_id is not None:
            return state_id
        if default is None and not self.text(column):
            self.wrong(column, "needs_state")
        return default or 0

    def code(self, column: str) -> str:
        """Return the code of a facility."""
        text = latin_digits(self.text(column)).upper()
        if text and not _CODE.fullmatch(text):
            self.wrong(column, "bad_code")
        return text

    def is_yes(self, column: str) -> bool:
        """Return yes or no; an empty cell is no."""
        word = plain_word(self.text(column))
        if word not in _YES | _NO:
            self.wrong(column, "not_yes_no")
        return word in _YES

    def several(self, column: str, known: Mapping[str, str], code: str) -> list[str]:
        """Return what the parts of a cell stand for: `hi|te`, `hi, te`."""
        found: dict[str, None] = {}
        for part in filter(None, _PARTS.split(self.text(column))):
            value = known.get(plain_word(part))
            if value is None:
                self.wrong(column, code, value=part[:60])
            else:
                found[value] = None
        return list(found)


def read(row: Row, header: Header, words: Words) -> tuple[AnyRow | None, list[Remark]]:
    """Return what a row means, or None and what is wrong with it, cell by cell."""
    values: dict[str, str] = {}
    cells = Cells(header.kind, values, words)
    if len(row.cells) > len(header.names):
        cells.wrong("", "too_many_cells")
    lengths = LENGTHS[header.kind]
    for name, text in zip(header.names, row.cells, strict=False):
        if name is None:
            continue
        values[name] = text
        if text == FORMULA:
            cells.wrong(name, "formula")
        elif len(text) > lengths[name]:
            cells.wrong(name, "too_long", length=lengths[name])
        elif "??" in text or "\ufffd" in text:
            cells.wrong(name, "question_marks")
        elif _SHORTENED.fullmatch(text) and name in _NUMBERS:
            cells.wrong(name, "shortened_number")
    for name in REQUIRED[header.kind]:
        if not values.get(name):
            cells.wrong(name, "empty")
    if cells.remarks:
        return None, cells.remarks
    found = _READERS[header.kind](row.line, cells)
    return (None if cells.remarks else found), cells.remarks


_NUMBERS = frozenset(
    {"mobile", "code", "phone", "facility_code", "hub_code", "spoke_code", "registration_number"}
)


def _facility(line: int, cells: Cells) -> FacilityRow:
    specialities = cells.several("specialities", cells.words.specialities, "unknown_speciality")
    details = FacilityDetails(
        name=cells.text("name"),
        name_hi=cells.text("name_hi"),
        kind=cells.chosen(
            "kind", cells.words.kinds, "unknown_kind", kinds=", ".join(FacilityKind.values)
        )
        or "",
        address=cells.text("address"),
        district=cells.text("district"),
        phone=cells.text("phone"),
        is_opd_host=cells.is_yes("opd_host"),
        is_hub=cells.is_yes("hub"),
        is_spoke=cells.is_yes("spoke"),
    )
    if specialities and not details.is_hub:
        cells.wrong("specialities", "specialities_need_hub")
    return FacilityRow(
        line,
        cells.state("state", cells.words.own_state),
        cells.code("code"),
        details,
        specialities,
    )


def _link(line: int, cells: Cells) -> LinkRow:
    state_id = cells.state("state", cells.words.own_state)
    place = latin_digits(cells.text("place") or "1")
    if not re.fullmatch(r"[1-9][0-9]?", place):
        cells.wrong("place", "bad_place")
        place = "1"
    return LinkRow(
        line,
        state_id,
        cells.code("spoke_code"),
        cells.state("hub_state", state_id),
        cells.code("hub_code"),
        cells.chosen("speciality", cells.words.specialities, "unknown_speciality") or "",
        int(place),
    )


_DOCTORS = ("gender", "qualification", "council", "registration_number", "speciality", "contact")


def _staff(line: int, cells: Cells) -> StaffRow:
    login = cells.text("user_name").lower()
    if not _LOGIN.fullmatch(login):
        cells.wrong("user_name", "bad_login")
    try:
        mobile = parse_mobile(cells.text("mobile"))
    except Invalid as refused:
        cells.remarks.append(Remark("mobile", "bad_mobile", {"reason": _both(refused)}))
        mobile = ""
    role = cells.chosen("role", cells.words.roles, "unknown_role", roles=", ".join(Role.values))
    languages = {code: code for code in cells.words.languages}
    practitioner = None
    if role in CLINICAL_ROLES:
        for column in _DOCTORS:
            if not cells.text(column):
                cells.wrong(column, "empty")
        practitioner = {
            "name": cells.text("name"),
            "gender": cells.chosen("gender", cells.words.genders, "unknown_gender") or "",
            "qualification": cells.text("qualification"),
            "council": cells.text("council"),
            "registration_number": cells.text("registration_number"),
            "speciality_code": cells.chosen(
                "speciality", cells.words.specialities, "unknown_speciality"
            )
            or "",
            "languages": cells.several("languages", languages, "unknown_language") or ["en"],
            "contact": cells.text("contact"),
        }
    return StaffRow(
        line,
        cells.state("state", cells.words.own_state),
        login,
        cells.text("name"),
        mobile,
        Role(role) if role else Role.OBSERVER,
        cells.code("facility_code"),
        cells.chosen("language", languages, "unknown_language") or "en",
        practitioner,
    )


def _both(refused: Invalid) -> dict[str, str]:
    """Write down a message of another package in both languages, for whoever reads it later."""
    written = {}
    for language in ("en", "hi"):
        with translation.override(language):
            written[language] = str(refused.message)
    return written


_READERS: Mapping[str, Callable[[int, Cells], AnyRow]] = {
    "facilities": _facility,
    "hub_links": _link,
    "staff": _staff,
}
