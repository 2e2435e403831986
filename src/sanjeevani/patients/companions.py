"""Who has to be with the patient, and who can be.

Source: Telemedicine Practice Guidelines of 25 March 2020 (Appendix 5 to the Indian Medical Council
Regulations 2002): a minor is consulted only together with an identified adult; who speaks for an
incapacitated adult needs a recorded relationship or authorisation. A paraphrase, unconfirmed: a
clinical lead has to hold it against the text. Age of majority: Indian Majority Act 1875, section 3.
"""

import calendar
import datetime
import uuid
from dataclasses import dataclass

from django.db.models import Q

from sanjeevani.foundation import clock
from sanjeevani.foundation.compiled import Compiled, given
from sanjeevani.patients.errors import CompanionMissing
from sanjeevani.patients.models import Bond, Institution, Patient, Relation, Representative
from sanjeevani.patients.queries import age_in_years, members_of

ADULT_YEARS = 18


@dataclass(frozen=True)
class Companion:
    """An identified adult with the patient; `bond` says what they are to the patient.

    `id` names the person in care, the representative or the institution it was taken from.
    """

    id: str
    name: str
    bond: str

    @property
    def bond_name(self) -> str:
        """The bond in the reader's language."""
        return str(Bond(self.bond).label) if self.bond in Bond.values else self.bond


def needs_companion(patient: Patient) -> bool:
    """Tell whether the patient is seen only together with an identified adult."""
    return not patient.decides_alone or _is_minor(patient, clock.today())


def _is_minor(patient: Patient, on: datetime.date) -> bool:
    return age_in_years(patient.birth_date, on) < ADULT_YEARS


def last_day_as_minor(patient: Patient) -> datetime.date | None:
    """Return the eve of the patient's eighteenth birthday; None for who is of age."""
    if not _is_minor(patient, clock.today()):
        return None
    born = patient.birth_date
    year = born.year + ADULT_YEARS
    # Who was born on 29 February comes of age on 1 March, as `age_in_years` counts.
    is_leap_day = (born.month, born.day) == (2, 29) and not calendar.isleap(year)
    birthday = datetime.date(year, 3, 1) if is_leap_day else born.replace(year=year)
    return birthday - datetime.timedelta(days=1)


_HOLDERS_BOND = {
    Relation.CHILD: Bond.PARENT,
    Relation.SPOUSE: Bond.SPOUSE,
    Relation.PARENT: Bond.CHILD,
    Relation.OTHER: Bond.CAREGIVER,
}
"""What the holder of the mobile is to the patient, from what the patient is to the holder."""


def companions_of(patient: Patient) -> list[Companion]:
    """Return the identified adults who can be with the patient; whom to propose comes first.

    The representatives who may speak, the holder of the mobile and the other adults of the family;
    for a resident the responsible person of the institution instead of a family.
    """
    today = clock.today()
    found = [
        Companion(str(one.id), one.name, one.bond)
        for one in representatives_of(patient)
        if one.may_speak
    ]
    if patient.relation == Relation.RESIDENT:
        institution = Institution.objects.filter(
            state_id=patient.state_id, account_id=patient.account_id
        ).first()
        if institution is not None:
            found.append(
                Companion(str(institution.id), institution.responsible_name, Bond.INSTITUTION)
            )
        return found
    family = [
        member
        for member in members_of(patient.state_id, patient.account_id)
        if member.id != patient.id
        and member.relation != Relation.RESIDENT
        and member.decides_alone
        and not _is_minor(member, today)
    ]
    family.sort(key=lambda member: member.relation != Relation.SELF)
    return found + [
        Companion(
            str(member.id),
            member.name,
            _HOLDERS_BOND.get(Relation(patient.relation), Bond.RELATIVE)
            if member.relation == Relation.SELF
            else Bond.RELATIVE,
        )
        for member in family
    ]


def representatives_of(patient: Patient) -> list[Representative]:
    """Return the representatives whose authority holds today. The caller may see the patient."""
    return valid_representatives(patient.state_id, patient.id)


_valid = Compiled(
    lambda: Representative.objects.filter(
        Q(until__isnull=True) | Q(until__gte=given("today")),
        state_id=given("state_id"),
        patient_id=given("patient_id"),
        revoked_at__isnull=True,
        since__lte=given("today"),
    ).order_by("id")
)


def valid_representatives(state_id: int, patient_id: uuid.UUID) -> list[Representative]:
    """Return who may act for a patient today, for who may read the patient's record."""
    return _valid.all(state_id=state_id, patient_id=patient_id, today=clock.today())


def identified(patient: Patient, companion_id: uuid.UUID | None) -> Companion | None:
    """Return who is with the patient, None where nobody has to be and nobody is named.

    Without a name the only possible one is taken. Raises CompanionMissing.
    """
    if companion_id is None and not needs_companion(patient):
        return None
    possible = companions_of(patient)
    for companion in possible:
        if companion.id == str(companion_id):
            return companion
    if companion_id is None and len(possible) == 1:
        return possible[0]
    raise CompanionMissing
