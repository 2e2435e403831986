"""The service of June 2021 from a seed: a slice that starts fast, or the whole nation.

Everything is made up except the states and their districts; registration numbers say DEMO.
"""

import csv
import datetime
import itertools
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sanjeevani.directory.hubs import HubPlaces, hub_line
from sanjeevani.directory.models import (
    Clinic,
    ClinicHours,
    Facility,
    Gender,
    HubLink,
    Line,
    LineKind,
    Post,
    Practitioner,
    Registration,
    Role,
    ServedState,
    State,
)
from sanjeevani.directory.services import registration_key
from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.sharding import NATIONAL
from sanjeevani.identity.models import Account, AccountKind, Login
from sanjeevani.patients.models import Patient, Relation
from sanjeevani.roster.models import Assignment
from sanjeevani.terminology.models import Speciality

DATA = Path(__file__).parent / "data"

SMALL_STATES = ("Karnataka", "Tamil Nadu", "Uttar Pradesh", "Uttarakhand")
SMALL_SPECIALITIES = ("general_medicine", "paediatrics", "obstetrics_gynaecology")
SMALL_DOCTORS = {
    "general_medicine": 4,
    "paediatrics": 2,
    "obstetrics_gynaecology": 2,
}
SMALL_DEFENCE_DOCTORS = 6

NATION_STATES = 31
NATION_CLINICS = 375
NATION_PRACTITIONERS = 1600
NATION_DEFENCE_DOCTORS = 100
NATION_SPECIALITIES = (
    "general_medicine",
    "paediatrics",
    "obstetrics_gynaecology",
    "dermatology",
    "general_medicine",
    "orthopaedics",
    "psychiatry",
    "ear_nose_throat",
    "ophthalmology",
    "ayurveda",
    "cardiology",
    "homoeopathy",
)
CLINICS_PER_HOSPITAL = 4
HOSPITAL_KINDS = (
    ("district_hospital", "District Hospital", "ज़िला अस्पताल"),
    ("medical_college", "Government Medical College", "राजकीय मेडिकल कॉलेज"),
    ("sub_district_hospital", "Sub-District Hospital", "उप ज़िला अस्पताल"),
)

QUALIFICATIONS = {
    "general_medicine": "MBBS, MD (General Medicine)",
    "paediatrics": "MBBS, MD (Paediatrics)",
    "obstetrics_gynaecology": "MBBS, MS (Obstetrics and Gynaecology)",
    "dermatology": "MBBS, MD (Dermatology)",
    "orthopaedics": "MBBS, MS (Orthopaedics)",
    "psychiatry": "MBBS, MD (Psychiatry)",
    "ear_nose_throat": "MBBS, MS (ENT)",
    "ophthalmology": "MBBS, MS (Ophthalmology)",
    "cardiology": "MBBS, MD, DM (Cardiology)",
    "ayurveda": "BAMS, MD (Ayurveda)",
    "homoeopathy": "BHMS, MD (Homoeopathy)",
}

ALL_DAY = (datetime.time.min, datetime.time.max)
EVERY_DAY = range(7)
MONDAY_TO_SATURDAY = range(6)
MONDAY_TO_FRIDAY = range(5)
TIMETABLES: tuple[tuple[range, tuple[tuple[datetime.time, datetime.time], ...]], ...] = (
    (MONDAY_TO_SATURDAY, ((datetime.time(9), datetime.time(13)),)),
    (MONDAY_TO_SATURDAY, ((datetime.time(8), datetime.time(14)),)),
    (MONDAY_TO_FRIDAY, ((datetime.time(9), datetime.time(12)),)),
    (EVERY_DAY, ((datetime.time(8), datetime.time(20)),)),
    (
        MONDAY_TO_SATURDAY,
        ((datetime.time(9), datetime.time(12)), (datetime.time(15), datetime.time(17))),
    ),
    (EVERY_DAY, (ALL_DAY,)),
)
TIMETABLE_WEIGHTS = (8, 6, 4, 4, 2, 1)
"""One OPD in twenty-five is open round the clock."""


@dataclass
class Demo:
    """All rows of a demo, in lists by table, and the sign-ins worth printing."""

    opened_states: list[int] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    facilities: list[Facility] = field(default_factory=list)
    practitioners: list[Practitioner] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    clinics: list[Clinic] = field(default_factory=list)
    hours: list[ClinicHours] = field(default_factory=list)
    hub_links: list[HubLink] = field(default_factory=list)
    served: list[ServedState] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    patients: list[Patient] = field(default_factory=list)
    staff_sign_ins: list[tuple[str, str]] = field(default_factory=list)
    """(login, who it is), administrators and the first doctor of each OPD."""

    @property
    def registrations(self) -> list[Registration]:
        """The rows that keep each registration with one practitioner."""
        return [
            Registration(
                key=registration_key(practitioner.council, practitioner.registration_number),
                practitioner_state_id=practitioner.state_id,
                practitioner_id=practitioner.id,
            )
            for practitioner in self.practitioners
        ]

    @property
    def logins(self) -> list[Login]:
        """The rows that find the accounts."""
        return [
            Login(key=f"{account.kind}:{account.login}", account_id=account.id)
            for account in self.accounts
        ]


@dataclass(frozen=True)
class Place:
    """What the generator knows of a state."""

    council: str
    people: str
    districts: list[tuple[str, str]]


class Generator:
    """Builds a demo. `password` is one encoded password for all staff: argon2 is slow by design."""

    def __init__(
        self,
        states: Sequence[State],
        specialities: Sequence[Speciality],
        *,
        seed: int,
        password: str,
        now: datetime.datetime,
    ) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a reproducible demo, not a secret
        self.states = {state.name: state for state in states}
        self.specialities = {speciality.code: speciality for speciality in specialities}
        self.password = password
        self.now = now
        self.demo = Demo()
        self.places = _places()
        self.names = json.loads((DATA / "names.json").read_text(encoding="utf-8"))
        self.registrations = itertools.count(1)
        self.doctor_numbers: dict[str, Iterator[int]] = {}
        self.people: dict[str, Iterator[tuple[str, Gender]]] = {}

    def small(self) -> Demo:
        """A few states, open round the clock, so that the demo works at any hour."""
        self._nation()
        self._defence(SMALL_DEFENCE_DOCTORS)
        for name in SMALL_STATES:
            state = self.states[name]
            self._open_state(state)
            hospital = self._hospital(state, 0)
            for code in SMALL_SPECIALITIES:
                clinic = self._clinic(
                    hospital, code, timetable=TIMETABLES[-1], places=300, waiting=100
                )
                self._doctors(hospital, clinic, SMALL_DOCTORS[code])
                self._hub_line(hospital, code, as_in=clinic)
            self._spokes(state, hospital)
        self._patients()
        return self.demo

    def nation(self) -> Demo:
        """375 OPDs in 31 states with their own hours, and the National Defence OPD."""
        self._nation()
        self._defence(NATION_DEFENCE_DOCTORS)
        largest = sorted(
            (state for state in self.states.values() if state.lgd_code != NATIONAL),
            key=lambda state: -(state.population_2011 or 0),
        )[:NATION_STATES]
        shares = _shares([math.sqrt(state.population_2011 or 0) for state in largest])
        doctors = _even_parts(NATION_PRACTITIONERS - NATION_DEFENCE_DOCTORS, NATION_CLINICS)
        for state, clinics in zip(largest, shares, strict=True):
            self._open_state(state)
            for number in range(clinics):
                if number % CLINICS_PER_HOSPITAL == 0:
                    hospital = self._hospital(state, number // CLINICS_PER_HOSPITAL)
                clinic = self._clinic(
                    hospital,
                    NATION_SPECIALITIES[number % len(NATION_SPECIALITIES)],
                    timetable=self.random.choices(TIMETABLES, TIMETABLE_WEIGHTS)[0],
                    places=self.random.randrange(60, 301, 20),
                    waiting=self.random.randrange(20, 61, 10),
                )
                self._doctors(hospital, clinic, next(doctors))
        self._patients()
        return self.demo

    def _nation(self) -> None:
        national = self.states["National"]
        self.demo.opened_states.append(NATIONAL)
        cell = self._facility(
            national,
            name="National Telemedicine Cell",
            name_hi="राष्ट्रीय टेलीमेडिसिन प्रकोष्ठ",
            kind="ministry",
            district=("New Delhi", "नई दिल्ली"),
        )
        self._staff(cell, "national.admin", Role.NATIONAL_ADMIN, "National administrator")

    def _defence(self, doctors: int) -> None:
        host = self._facility(
            self.states["National"],
            name="Ministry of Defence, Armed Forces Medical Services",
            name_hi="रक्षा मंत्रालय, सशस्त्र बल चिकित्सा सेवा",
            kind="ministry",
            district=("New Delhi", "नई दिल्ली"),
            is_opd_host=True,
        )
        clinic = self._clinic(
            host,
            "general_medicine",
            timetable=TIMETABLES[-1],
            places=5000,
            waiting=500,
            name="National Defence OPD",
            name_hi="राष्ट्रीय रक्षा ओपीडी",
            serves=[code for code in self._codes() if code != NATIONAL],
        )
        self._staff(host, "defence.hospital", Role.FACILITY_ADMIN, "Administrator, " + host.name)
        self._doctors(host, clinic, doctors, login="defence", everywhere=True)

    def _codes(self) -> list[int]:
        return sorted(state.lgd_code for state in self.states.values())

    def _open_state(self, state: State) -> None:
        self.demo.opened_states.append(state.lgd_code)
        directorate = self._facility(
            state,
            name=f"Directorate of Health Services, {state.name}",
            name_hi=f"स्वास्थ्य सेवा निदेशालय, {state.name_hi}",
            kind="directorate",
            district=self.places[state.lgd_code].districts[0],
        )
        self._staff(
            directorate,
            f"{_slug(state)}.admin",
            Role.STATE_ADMIN,
            f"State administrator, {state.name}",
        )

    def _hospital(self, state: State, number: int) -> Facility:
        districts = self.places[state.lgd_code].districts
        kind, name, name_hi = HOSPITAL_KINDS[number // len(districts) % len(HOSPITAL_KINDS)]
        district = districts[number % len(districts)]
        round_number = number // (len(districts) * len(HOSPITAL_KINDS))
        suffix = f" {round_number + 1}" if round_number else ""
        hospital = self._facility(
            state,
            name=f"{name}, {district[0]}{suffix}",
            name_hi=f"{name_hi}, {district[1]}{suffix}",
            kind=kind,
            district=district,
            is_opd_host=True,
        )
        self._staff(
            hospital,
            f"{_slug(state)}.hospital{number + 1}",
            Role.FACILITY_ADMIN,
            f"Administrator, {hospital.name}",
        )
        return hospital

    def _facility(
        self,
        state: State,
        *,
        name: str,
        name_hi: str,
        kind: str,
        district: tuple[str, str],
        is_opd_host: bool = False,
    ) -> Facility:
        facility = Facility(
            state_id=state.lgd_code,
            id=uuid7(),
            name=name,
            name_hi=name_hi,
            kind=kind,
            address=f"Hospital Road, {district[0]}",
            district=district[0],
            is_opd_host=is_opd_host,
        )
        self.demo.facilities.append(facility)
        return facility

    def _staff(self, facility: Facility, login: str, role: Role, title: str) -> None:
        account = self._account(login, title, facility.state_id)
        self.demo.posts.append(
            Post(
                state_id=facility.state_id,
                id=uuid7(),
                account_id=account.id,
                facility_id=facility.id,
                role=role,
                started_at=self.now,
            )
        )
        self.demo.staff_sign_ins.append((login, title))

    def _account(self, login: str, name: str, state_id: int) -> Account:
        account = Account(
            id=uuid7(),
            kind=AccountKind.STAFF,
            login=login,
            password=self.password,
            display_name=name[:100],
            language="en",
            home_state_id=state_id,
            created_at=self.now,
        )
        self.demo.accounts.append(account)
        return account

    def _clinic(
        self,
        host: Facility,
        speciality_code: str,
        *,
        timetable: tuple[range, tuple[tuple[datetime.time, datetime.time], ...]],
        places: int,
        waiting: int,
        name: str = "",
        name_hi: str = "",
        serves: Sequence[int] = (),
    ) -> Clinic:
        speciality = self.specialities[speciality_code]
        state = self._state_of(host)
        line = Line(
            state_id=host.state_id,
            id=uuid7(),
            kind=LineKind.CLINIC,
            facility_id=host.id,
            speciality_code=speciality_code,
            places_per_day=places,
            waiting_places=waiting,
            target_wait_minutes=30,
        )
        clinic = Clinic(
            state_id=host.state_id,
            id=uuid7(),
            facility_id=host.id,
            line_id=line.id,
            speciality_code=speciality_code,
            name=name or f"{speciality.name_in('en')} OPD",
            name_hi=name_hi or f"{speciality.name_in('hi')} ओपीडी",
            languages=state.languages,
        )
        weekdays, openings = timetable
        self.demo.lines.append(line)
        self.demo.clinics.append(clinic)
        self.demo.hours += [
            ClinicHours(
                state_id=clinic.state_id,
                id=uuid7(),
                clinic_id=clinic.id,
                weekday=weekday,
                opens=opens,
                closes=closes,
            )
            for weekday in weekdays
            for opens, closes in openings
        ]
        self.demo.served += [
            ServedState(
                served_state_id=served,
                clinic_state_id=clinic.state_id,
                clinic_id=clinic.id,
                since=self.now,
            )
            for served in serves or [clinic.state_id]
        ]
        return clinic

    def _doctors(
        self,
        host: Facility,
        clinic: Clinic,
        count: int,
        *,
        login: str = "",
        everywhere: bool = False,
    ) -> None:
        """Give a clinic its verified practitioners. `everywhere`: they come from all states."""
        state = self._state_of(clinic)
        prefix = login or _slug(state)
        numbers = self.doctor_numbers.setdefault(prefix, itertools.count(1))
        for number in range(count):
            home = (
                self.random.choice(
                    [state for state in self.states.values() if state.lgd_code != NATIONAL]
                )
                if everywhere
                else state
            )
            sign_in = f"{prefix}.doctor{next(numbers)}"
            role = Role.DOCTOR if clinic.speciality_code == "general_medicine" else Role.SPECIALIST
            practitioner = self._practitioner(host, home, sign_in, clinic.speciality_code, role)
            self.demo.assignments.append(
                Assignment(
                    practitioner_id=practitioner.id,
                    practitioner_state_id=practitioner.state_id,
                    line_state_id=clinic.state_id,
                    line_id=clinic.line_id,
                )
            )
            if number == 0:
                self.demo.staff_sign_ins.append(
                    (sign_in, f"{practitioner.name}, {clinic.name}, {host.name}")
                )

    def _practitioner(
        self, host: Facility, home: State, sign_in: str, speciality_code: str, role: Role
    ) -> Practitioner:
        """Make a verified practitioner with a post; `home` is the state they come from."""
        place = self.places[home.lgd_code]
        name, gender = next(self._people_of(place.people))
        account = self._account(sign_in, f"Dr {name}", host.state_id)
        practitioner = Practitioner(
            state_id=host.state_id,
            id=uuid7(),
            account_id=account.id,
            name=f"Dr {name}",
            gender=gender,
            qualification=QUALIFICATIONS[speciality_code],
            council=place.council,
            registration_number=f"DEMO-{home.lgd_code:02}-{next(self.registrations):05}",
            speciality_code=speciality_code,
            languages=sorted({*home.languages, "en", "hi"}),
            address=f"{host.name}, {host.district}",
            contact=f"{sign_in}@demo.invalid",
            verified_at=self.now,
        )
        self.demo.practitioners.append(practitioner)
        self.demo.posts.append(
            Post(
                state_id=host.state_id,
                id=uuid7(),
                account_id=account.id,
                facility_id=host.id,
                role=role,
                practitioner_id=practitioner.id,
                started_at=self.now,
            )
        )
        return practitioner

    def _hub_line(self, hub: Facility, code: str, *, as_in: Clinic | None = None) -> Line:
        """Open a hub's speciality; the doctors of a clinic there serve it through the same Next."""
        hub.is_hub = True
        line = hub_line(hub.state_id, hub.id, code, HubPlaces())
        self.demo.lines.append(line)
        if as_in is not None:
            self.demo.assignments += [
                Assignment(
                    practitioner_id=one.practitioner_id,
                    practitioner_state_id=one.practitioner_state_id,
                    line_state_id=line.state_id,
                    line_id=line.id,
                )
                for one in self.demo.assignments
                if one.line_id == as_in.line_id
            ]
        return line

    def _spokes(self, state: State, hospital: Facility) -> None:
        """Two tiers below a hospital: a primary health centre, which is hub and spoke, with
        a pharmacist, and its sub-centre with a health worker."""
        district = self.places[state.lgd_code].districts[0]
        centre = self._facility(
            state,
            name=f"Primary Health Centre, {district[0]} Rural",
            name_hi=f"प्राथमिक स्वास्थ्य केंद्र, {district[1]} ग्रामीण",
            kind="primary_health_centre",
            district=district,
        )
        sub_centre = self._facility(
            state,
            name=f"Health Sub-Centre, {district[0]} Rural",
            name_hi=f"स्वास्थ्य उपकेंद्र, {district[1]} ग्रामीण",
            kind="sub_centre",
            district=district,
        )
        centre.is_spoke = sub_centre.is_spoke = True
        line = self._hub_line(centre, "general_medicine")
        doctor = self._practitioner(
            centre, state, f"{_slug(state)}.phc1", "general_medicine", Role.DOCTOR
        )
        self.demo.assignments.append(
            Assignment(
                practitioner_id=doctor.id,
                practitioner_state_id=doctor.state_id,
                line_state_id=line.state_id,
                line_id=line.id,
            )
        )
        self.demo.staff_sign_ins.append((f"{_slug(state)}.phc1", f"{doctor.name}, {centre.name}"))
        place = self.places[state.lgd_code]
        worker, _gender = next(self._people_of(place.people))
        title = f"{worker}, health worker, {sub_centre.name}"
        self._staff(sub_centre, f"{_slug(state)}.worker1", Role.HEALTH_WORKER, title)
        pharmacist, _gender = next(self._people_of(place.people))
        title = f"{pharmacist}, pharmacist, {centre.name}"
        self._staff(centre, f"{_slug(state)}.pharmacist1", Role.PHARMACIST, title)
        for spoke, hubs in ((sub_centre, (centre, hospital)), (centre, (hospital,))):
            self.demo.hub_links += [
                HubLink(
                    state_id=state.lgd_code,
                    id=uuid7(),
                    spoke_id=spoke.id,
                    hub_state_id=hub.state_id,
                    hub_id=hub.id,
                    position=position,
                    since=self.now,
                )
                for position, hub in enumerate(hubs, start=1)
            ]

    def _people_of(self, pool: str) -> Iterator[tuple[str, Gender]]:
        """Names of a people in a random order, each once before any comes again."""
        if pool not in self.people:
            names = self.names[pool]
            everyone = [
                (f"{first} {family}", gender)
                for gender in (Gender.FEMALE, Gender.MALE)
                for first in names[gender.value]
                for family in names["family"]
            ]
            self.random.shuffle(everyone)
            self.people[pool] = itertools.cycle(everyone)
        return self.people[pool]

    def _state_of(self, row: Facility | Clinic) -> State:
        return next(state for state in self.states.values() if state.lgd_code == row.state_id)

    def _patients(self) -> None:
        """Two mobiles with somebody to care for; everyone else registers."""
        for mobile, state_name, district, family in (
            (
                "+919000000001",
                "Karnataka",
                "Mysuru",
                (
                    (Relation.SELF, "Lakshmi Gowda", Gender.FEMALE, 1992),
                    (Relation.CHILD, "Rohan Gowda", Gender.MALE, 2019),
                ),
            ),
            (
                "+919000000002",
                "Uttar Pradesh",
                "Lucknow",
                ((Relation.SELF, "Ram Prasad Yadav", Gender.MALE, 1958),),
            ),
        ):
            state = self.states[state_name]
            account = Account(
                id=uuid7(),
                kind=AccountKind.PATIENT,
                login=mobile,
                mobile=mobile,
                display_name=family[0][1],
                language="en",
                home_state_id=state.lgd_code,
                created_at=self.now,
                last_entered_at=self.now,
            )
            self.demo.accounts.append(account)
            self.demo.patients += [
                Patient(
                    state_id=state.lgd_code,
                    id=uuid7(),
                    account_id=account.id,
                    relation=relation,
                    name=name,
                    gender=gender,
                    birth_date=datetime.date(year, 7, 1),
                    birth_date_is_estimated=True,
                    address="Temple Street",
                    district=district,
                    registered_at=self.now,
                )
                for relation, name, gender, year in family
            ]


def _places() -> dict[int, Place]:
    with (DATA / "places.csv").open(encoding="utf-8", newline="") as rows:
        return {
            int(row["lgd_code"]): Place(
                council=row["council"],
                people=row["names"],
                districts=[_pair(district) for district in row["districts"].split("|")],
            )
            for row in csv.DictReader(rows)
        }


def _pair(text: str) -> tuple[str, str]:
    name, _separator, name_hi = text.partition(":")
    return name, name_hi


def _slug(state: State) -> str:
    return state.name.lower().replace(" and ", " ").replace(" ", "-")


def _shares(weights: Sequence[float]) -> list[int]:
    """Part `NATION_CLINICS` by weight, everyone at least two, by the largest remainders."""
    spare = NATION_CLINICS - 2 * len(weights)
    exact = [spare * weight / sum(weights) for weight in weights]
    parts = [math.floor(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: parts[index] - exact[index])
    for index in by_remainder[: spare - sum(parts)]:
        parts[index] += 1
    return [2 + part for part in parts]


def _even_parts(total: int, count: int) -> Iterator[int]:
    """Yield `count` numbers as equal as can be that sum up to `total`."""
    for index in range(count):
        yield (index + 1) * total // count - index * total // count
