"""A state with a hospital, its OPDs with doctors and patients, and those who administer it."""

import datetime

from django.test import Client

from sanjeevani.consultation.services import answer, call_next
from sanjeevani.directory.models import Clinic, Facility, Post, Practitioner, Role
from sanjeevani.directory.queries import state
from sanjeevani.directory.services import add_holidays, load_states
from sanjeevani.directory.timetable import Opening
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.roster.services import assign, plan_week
from tests import factories
from tests.factories import ANDHRA_PRADESH, TAMIL_NADU
from tests.web.public_world import administrator

OPENS, CLOSES = datetime.time(0), datetime.time.max
ONE_DAY = datetime.timedelta(days=1)


class AdminWorld:
    """Andhra Pradesh is open. Its children's OPD has patients waiting and nobody on duty."""

    def __init__(self) -> None:
        load_states()
        for code in (0, ANDHRA_PRADESH):
            opened = state(code)
            opened.opened_at = clock.now()
            opened.save()
        self.office: Facility = factories.FacilityFactory.create(
            name="Directorate of Health Services", name_hi="", kind="directorate", is_opd_host=False
        )
        self.hospital: Facility = factories.FacilityFactory.create(
            name="District Hospital, Guntur", name_hi="ज़िला अस्पताल, गुंटूर"
        )
        self.cell: Facility = factories.FacilityFactory.create(state_id=0, name="National Cell")
        factories.SpecialityFactory.create()
        self.general = self._clinic("General medicine OPD", "सामान्य ओपीडी")
        self.children = self._clinic("Children's OPD", "बाल रोग ओपीडी")
        self.doctor: Practitioner = factories.on_duty(self.general)
        self.away: Practitioner = factories.PractitionerFactory.create(name="Dr Ravi Kumar")
        self.new: Practitioner = factories.PractitionerFactory.create(
            name="Dr Meena Iyer", verified_at=None
        )
        assign(SYSTEM, practitioner=self.away, line=self.children.line)
        plan_week(
            SYSTEM,
            practitioner_id=self.away.id,
            line=self.children.line,
            shifts=[Opening(weekday=day, opens=OPENS, closes=CLOSES) for day in range(7)],
        )
        self.post: Post = factories.PostFactory.create(
            facility=self.hospital, practitioner=self.doctor
        )
        self.holiday = add_holidays(
            SYSTEM,
            state_id=ANDHRA_PRADESH,
            facility_id=self.hospital.id,
            clinic_id=self.general.id,
            first=clock.today() + ONE_DAY,
            last=clock.today() + ONE_DAY,
            reason="Ugadi",
        )
        self.waiting = [
            factories.requested(self.children, factories.PatientFactory.create()) for _ in range(3)
        ]
        self.clients = {
            "national": self._client(Role.NATIONAL_ADMIN, self.cell),
            "state": self._client(Role.STATE_ADMIN, self.office),
            "facility": self._client(Role.FACILITY_ADMIN, self.hospital),
        }

    def _clinic(self, name: str, name_hi: str) -> Clinic:
        line = factories.LineFactory.create(facility=self.hospital)
        made: Clinic = factories.ClinicFactory.create(line=line, name=name, name_hi=name_hi)
        return made

    def _client(self, role: Role, facility: Facility) -> Client:
        client = Client()
        administrator(role, facility.state_id, client, facility)
        return client

    def stranger(self, role: Role, state_id: int = TAMIL_NADU) -> Client:
        """An administrator of another state, or of another facility of the same one."""
        return self._client(role, factories.FacilityFactory.create(state_id=state_id))

    def with_patient(self) -> None:
        """The doctor on duty talks with a patient."""
        held = factories.requested(self.general, factories.PatientFactory.create())
        call_next(factories.doctor(self.doctor), practitioner=self.doctor)
        answer(
            factories.person(held.patient_account_id),
            state_id=held.state_id,
            consultation_id=held.id,
        )

    def at(self, path: str = "") -> str:
        """An address of the hospital."""
        return f"/facilities/{ANDHRA_PRADESH}/{self.hospital.id}{path}"

    def opd(self, path: str = "", clinic: Clinic | None = None) -> str:
        """An address of the general OPD, or of another one."""
        return f"/opds/{ANDHRA_PRADESH}/{(clinic or self.general).id}{path}"

    def week_of_away(self) -> str:
        """The address of the week of the doctor who is away."""
        return f"/lines/28/{self.children.line_id}/doctors/28/{self.away.id}/week"

    def addresses(self) -> dict[str, str]:
        """Every page, by who looks at it and a name."""
        return {
            "national:states": "/nation",
            "national:administrators": "/nation/administrators",
            "national:state-open": "/nation/states/28",
            "national:state-closed": "/nation/states/33",
            "national:appoint-first": "/nation/states/33/administrators/new",
            "national:appoint": "/nation/states/28/administrators/new",
            "national:facilities": "/states/0/facilities",
            "state:home": "/states/28",
            "state:facilities": "/states/28/facilities",
            "state:facility-new": "/states/28/facilities/new",
            "state:facility-change": f"/states/28/facilities/{self.hospital.id}/change",
            "state:facility-close": f"/states/28/facilities/{self.hospital.id}/close",
            "state:opds": "/states/28/opds",
            "state:opd-new": f"/states/28/facilities/{self.hospital.id}/opds/new",
            "state:serve": f"/states/28/opds/{self.general.id}/states",
            "state:staff": "/states/28/staff",
            "state:doctors": "/states/28/doctors",
            "state:enrol": "/states/28/doctors/new",
            "state:doctor-new": f"/states/28/doctors/{self.new.id}",
            "state:doctor": f"/states/28/doctors/{self.doctor.id}",
            "state:doctor-change": f"/states/28/doctors/{self.new.id}/change",
            "state:doctor-withdraw": f"/states/28/doctors/{self.away.id}/withdraw",
            "state:doctor-post": f"/states/28/doctors/{self.away.id}/post",
            "state:board": self.at(),
            "facility:board": self.at(),
            "facility:holidays": self.at("/holidays"),
            "facility:roster": self.at("/roster"),
            "facility:hours": self.at("/hours"),
            "facility:staff": self.at("/staff"),
            "facility:appoint": self.at("/staff/new"),
            "facility:known": self.at("/staff/known"),
            "facility:give-post": self.at("/staff/doctors"),
            "facility:invite": self.at(f"/staff/{self.post.id}/invite"),
            "facility:account": self.at(f"/staff/{self.post.id}/account"),
            "facility:end-post": self.at(f"/staff/{self.post.id}/end"),
            "facility:opd": self.opd(),
            "facility:timetable": self.opd("/timetable"),
            "facility:places": self.opd("/places"),
            "facility:rules": self.opd("/rules"),
            "facility:doctors": self.opd("/doctors", self.children),
            "facility:add-doctor": self.opd("/doctors/add"),
            "facility:ask": self.opd("/doctors/ask", self.children),
            "facility:week": self.week_of_away(),
            "facility:close": self.opd("/close", self.children),
        }
