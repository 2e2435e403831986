"""A service that runs, for the public pages: OPDs with patients waiting, and a month of figures."""

import datetime
import random
from typing import Any

from django.core.cache import cache

from sanjeevani.consultation.services import answer, call_next
from sanjeevani.directory.models import Clinic, Facility, Practitioner, Role
from sanjeevani.directory.queries import facility
from sanjeevani.directory.services import load_states
from sanjeevani.foundation import clock
from sanjeevani.foundation.ids import uuid7
from sanjeevani.reporting.models import (
    NATION,
    LineFigures,
    Presence,
    Scope,
    StateFigures,
    StateTotals,
)
from sanjeevani.reporting.tallies import Contribution, End, Tally
from tests import factories

LEADING = {28: 1219689, 33: 1161987, 29: 1056447, 9: 952926, 24: 267482, 23: 264364, 35: 812}


class PublicWorld:
    """Andhra Pradesh with three OPDs, one of them closed, and the National one."""

    def __init__(self) -> None:
        cache.clear()
        load_states()
        self.hospital: Facility = factories.FacilityFactory.create(
            name="District Hospital, Guntur", name_hi="ज़िला अस्पताल, गुंटूर"
        )
        self.general = self._clinic("general_medicine", "General medicine OPD", "सामान्य ओपीडी")
        self.children = self._clinic("paediatrics", "Children's OPD", "बाल रोग ओपीडी")
        self.closed = self._clinic("dermatology", "Skin OPD", "त्वचा ओपीडी", hours=())
        host = factories.FacilityFactory.create(state_id=0, name="Ministry of Defence", name_hi="")
        self.national: Clinic = factories.ClinicFactory.create(
            line=factories.LineFactory.create(facility=host),
            name="National Defence OPD",
            serves=[28, 33],
        )
        self.doctors: list[Practitioner] = [
            factories.on_duty(self.general),
            factories.on_duty(self.general, gender="male", languages=["te", "en"]),
            factories.on_duty(self.national, state_id=0),
        ]
        for number in range(12):
            waiting = factories.requested(self.general, factories.PatientFactory.create())
            if number < 2:
                doctor = self.doctors[number]
                call_next(factories.doctor(doctor), practitioner=doctor)
            if number == 0:
                person = factories.person(waiting.patient_account_id)
                answer(person, state_id=28, consultation_id=waiting.id)

    def _clinic(self, code: str, name: str, name_hi: str, **more: Any) -> Clinic:
        factories.SpecialityFactory.create(code=code, names={"en": code, "hi": name_hi})
        line = factories.LineFactory.create(facility=self.hospital, speciality_code=code)
        clinic: Clinic = factories.ClinicFactory.create(
            line=line, name=name, name_hi=name_hi, **more
        )
        return clinic

    @property
    def board(self) -> str:
        """The address of the hospital's board."""
        return f"/board/28/{facility(28, self.hospital.id).id}"


def month_of_figures(line: Clinic | None = None) -> None:
    """Fill the roll-ups as a month of work would, and the totals of some states."""
    chance = random.Random(7)
    ever = Tally()
    for back in range(30):
        day = clock.today() - datetime.timedelta(days=back)
        tally = Tally()
        for _consultation in range(chance.randrange(40, 90) if day.weekday() < 6 else 9):
            tally.add(a_consultation(chance, day))
        ever.merge(tally)
        for scope, state_id in (
            (Scope.NATION, 0),
            (Scope.HOST, 28),
            (Scope.HOST, 33),
            (Scope.HOME, 28),
        ):
            StateFigures.objects.create(scope=scope, state_id=state_id, day=day, **vars(tally))
        if line is not None:
            LineFigures.objects.create(state_id=28, line_id=line.line_id, day=day, **vars(tally))
    ever.completed = sum(LEADING.values())
    StateTotals.objects.create(scope=Scope.NATION, state_id=0, **vars(ever))
    for state_id, completed in LEADING.items():
        sum_of_state = vars(Tally(requested=completed, completed=completed))
        StateTotals.objects.create(scope=Scope.HOME, state_id=state_id, **sum_of_state)
    for state_id, doctors in ((NATION, 1612), (28, 93), (0, 100)):
        Presence.objects.create(
            state_id=state_id,
            opds=376,
            opds_attended=341,
            doctors_on_duty=doctors,
            as_of=clock.now(),
        )


def a_consultation(chance: random.Random, day: datetime.date) -> Contribution:
    """One of those that happen."""
    end = chance.choices(
        [End.COMPLETED, End.CANCELLED, End.NOT_ANSWERED, End.REDIRECTED], [85, 6, 5, 4]
    )[0]
    held = end is End.COMPLETED
    return Contribution(
        28,
        uuid7(),
        day,
        end.value,
        int(chance.gammavariate(2, 400)) if held else None,
        int(chance.gammavariate(3, 120)) if held else None,
        chance.choices([None, 1, 3, 4, 5], [60, 2, 4, 14, 20])[0] if held else None,
    )


def administrator(role: Role, state_id: int, client: Any, hospital: Facility | None = None) -> None:
    """Sign a client in as an administrator or observer in a post."""
    from sanjeevani.identity.models import Session

    account = factories.StaffAccountFactory.create()
    where = hospital or factories.FacilityFactory.create(state_id=state_id)
    post = factories.PostFactory.create(
        facility=where, role=role, account_id=account.id, practitioner_id=None
    )
    factories.sign_in(client, account)
    Session.objects.filter(account_id=account.id).update(
        post_state_id=post.state_id, post_id=post.id
    )
