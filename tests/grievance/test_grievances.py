"""A grievance reaches whoever may answer it, and nobody else."""

import datetime
import re
import uuid
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.consultation import services as consultation_services
from sanjeevani.consultation.interruptions import dropped, interrupt
from sanjeevani.consultation.services import call_next, hand_back
from sanjeevani.consultation.transfers import redirect
from sanjeevani.directory.models import CLINICAL_ROLES, Facility, Post, Role
from sanjeevani.directory.queries import clinic_serving
from sanjeevani.directory.services import end_post
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted, Stale
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.outbox import deliver, number_facts
from sanjeevani.grievance import services
from sanjeevani.grievance.errors import NumberUnknown, TooLateToReopen
from sanjeevani.grievance.models import Grievance, GrievanceKind, GrievanceStatus
from sanjeevani.grievance.numbers import LETTERS, new_number, read_number
from sanjeevani.grievance.queries import progress_of, read, to_handle, waiting_for
from sanjeevani.grievance.services import Complaint
from sanjeevani.grievance.tasks import close_settled
from sanjeevani.messaging.models import OutgoingMessage
from sanjeevani.queueing.models import Token
from sanjeevani.roster.models import DutyStatus
from sanjeevani.roster.services import change_duty
from tests import factories
from tests.consultation.test_closing_hubs import Network
from tests.consultation.test_transfers import called_by
from tests.web.public_world import administrator

STRANGER = Actor(ActorKind.ANONYMOUS, address="192.0.2.7")


def acting(role: Role, facility: Facility) -> tuple[Post, Actor]:
    """An administrator's post at a facility, and its actor. Administrators are no practitioners."""
    account_id = factories.StaffAccountFactory.create().id
    practitioner_id = factories.PractitionerFactory.create().id if role in CLINICAL_ROLES else None
    post = factories.PostFactory.create(
        facility=facility, role=role, account_id=account_id, practitioner_id=practitioner_id
    )
    actor = Actor(
        ActorKind.STAFF, account_id=post.account_id, post_id=post.id, state_id=post.state_id
    )
    return post, actor


def submitted(state_id: int = 28, kind: str = "waiting", mobile: str = "") -> Grievance:
    """A complaint of a stranger about a state."""
    factories.StateFactory.create(lgd_code=state_id)
    return services.submit(
        STRANGER,
        complaint=Complaint(kind=kind, text="Two hours", language="hi", mobile=mobile),
        state_id=state_id,
    )


def listed(post: Post, state_id: int, *, settled: bool = False) -> list[Grievance]:
    """All that a post handles in a tenant."""
    part = to_handle(post, state_id, start=0, size=1000, settled=settled)
    assert part.count == len(part.rows)
    return list(part.rows)


class TestNumbers:
    """Numbers survive being read out and typed."""

    @given(st.sampled_from([0, 1, 28, 37]))
    def test_what_was_given_is_read(self, state_id: int) -> None:
        number = new_number(state_id)
        for typed in (number, number.lower(), f" {number} ", number.replace("-", " ")):
            assert read_number(typed) == (state_id, number)
        assert read_number(number.replace("-", "")) == (state_id, number)

    @pytest.mark.parametrize("typed", ["", "28", "28-AAAA-BBBB", "x" * 500, "28-AAAA-BBBB-CCC0"])
    def test_what_is_no_number_is_none(self, typed: str) -> None:
        assert read_number(typed) is None

    @given(st.text(max_size=40))
    def test_anything_typed_is_a_number_or_none(self, typed: str) -> None:
        read_number(typed)

    def test_they_cannot_be_guessed(self) -> None:
        assert len(LETTERS) ** 12 > 2**58
        assert len({new_number(28) for _ in range(200)}) == 200


@pytest.mark.django_db
class TestWhoHandlesWhat:
    """By facility, past the facility, by state, by the nation."""

    def test_a_consultation_leads_to_its_facility(self) -> None:
        clinic = factories.ClinicFactory.create()
        patient = factories.PatientFactory.create()
        held = factories.requested(clinic, patient)
        sent = services.submit(
            factories.person(patient.account_id),
            complaint=Complaint(kind="doctor", text="Rude", language="en"),
            consultation=(held.state_id, held.id),
        )
        assert (sent.state_id, sent.facility_id) == (28, clinic.facility_id)
        facility = Facility.objects.get(state_id=28, id=clinic.facility_id)
        other, other_actor = acting(Role.FACILITY_ADMIN, factories.FacilityFactory.create())
        own, own_actor = acting(Role.FACILITY_ADMIN, facility)
        assert listed(other, 28) == []
        assert [row.id for row in listed(own, 28)] == [sent.id]
        assert read(own_actor, 28, sent.id).grievance.text == "Rude"
        with pytest.raises(NotPermitted):
            read(other_actor, 28, sent.id)

    @pytest.mark.parametrize("hub_state", [28, 33])
    @pytest.mark.django_db(databases=["default", "owner"])
    @pytest.mark.usefixtures("reference")
    def test_what_is_about_a_spokes_staff_goes_to_the_spoke(self, hub_state: int) -> None:
        network = Network.linked(hub_state)
        held = network.asked()
        worker = factories.worker_at(network.spoke)

        def about(kind: str) -> Grievance:
            return services.submit(
                worker,
                complaint=Complaint(kind=kind, text="Shouted at me", language="en"),
                consultation=(held.state_id, held.id),
            )

        staff, doctor = about("staff"), about("doctor")
        assert (staff.state_id, staff.facility_id) == (28, network.spoke.id)
        assert staff.consultation_id == (held.id if hub_state == 28 else None)
        assert (doctor.state_id, doctor.facility_id) == (hub_state, network.hub.id)
        own, _actor = acting(Role.FACILITY_ADMIN, network.spoke)
        assert [row.id for row in listed(own, 28)] == [staff.id]

    def test_nobody_complains_about_the_consultation_of_others(self) -> None:
        held = factories.requested(
            factories.ClinicFactory.create(), factories.PatientFactory.create()
        )
        stranger = factories.AccountFactory.create()
        for actor in (factories.person(stranger.id), STRANGER):
            with pytest.raises(NotFound):
                services.submit(
                    actor,
                    complaint=Complaint(kind="doctor", text="Rude", language="en"),
                    consultation=(held.state_id, held.id),
                )

    @pytest.mark.parametrize("kind", ["privacy", "safety"])
    def test_some_kinds_go_past_the_facility(self, kind: str) -> None:
        facility = factories.FacilityFactory.create()
        about = factories.GrievanceFactory.create(facility_id=facility.id, kind=kind)
        post, actor = acting(Role.FACILITY_ADMIN, facility)
        assert listed(post, 28) == []
        with pytest.raises(NotPermitted):
            read(actor, 28, about.id)
        with pytest.raises(NotPermitted):
            services.answer(actor, state_id=28, grievance_id=about.id, text="No")
        post, actor = acting(Role.STATE_ADMIN, facility)
        assert len(listed(post, 28)) == 1
        assert read(actor, 28, about.id).grievance.kind == kind

    @pytest.mark.parametrize("role", [Role.FACILITY_ADMIN, Role.STATE_ADMIN])
    def test_it_goes_past_the_doctor_whom_it_is_about(self, role: Role) -> None:
        """In many centres the doctor is the administrator, too."""
        factories.StateFactory.create()
        clinic = factories.ClinicFactory.create()
        facility = Facility.objects.get(state_id=28, id=clinic.facility_id)
        patient = factories.PatientFactory.create()
        factories.requested(clinic, patient)
        practitioner = factories.on_duty(clinic)
        held = called_by(practitioner)
        sent = services.submit(
            factories.person(patient.account_id),
            complaint=Complaint(kind="doctor", text="Shouted at me", language="en"),
            consultation=(held.state_id, held.id),
        )
        post = factories.PostFactory.create(
            facility=facility, role=role, account_id=practitioner.account_id, practitioner_id=None
        )
        doctor = Actor(
            ActorKind.STAFF, account_id=post.account_id, post_id=post.id, state_id=post.state_id
        )
        assert listed(post, 28) == []
        with pytest.raises(NotPermitted):
            read(doctor, 28, sent.id)
        with pytest.raises(NotPermitted):
            services.answer(doctor, state_id=28, grievance_id=sent.id, text="I did not")
        colleague, other = acting(role, facility)
        assert [row.id for row in listed(colleague, 28)] == [sent.id]
        assert read(other, 28, sent.id).grievance.text == "Shouted at me"

    @pytest.mark.parametrize("passed", ["handed_back", "lost", "sent_on"])
    def test_it_goes_past_all_doctors_who_had_the_patient(self, passed: str) -> None:
        factories.StateFactory.create()
        clinic = factories.ClinicFactory.create()
        facility = Facility.objects.get(state_id=28, id=clinic.facility_id)
        patient = factories.PatientFactory.create()
        held = factories.requested(clinic, patient)
        first = factories.on_duty(clinic)
        key: dict[str, Any] = {"state_id": held.state_id, "consultation_id": held.id}
        if passed == "handed_back":
            call_next(factories.doctor(first), practitioner=first)
            hand_back(factories.doctor(first), practitioner=first, **key, reason="I know them")
        elif passed == "lost":
            called_by(first)
            interrupt(SYSTEM, **key)
            token = Token.objects.filter(state_id=held.state_id, id=held.token_id)
            token.update(deadline_at=clock.now() - datetime.timedelta(seconds=1))
            dropped(SYSTEM, state_id=held.state_id, token_id=held.token_id)
        else:
            called_by(first)
            line = factories.LineFactory.create(facility=facility, places_per_day=50)
            clinic = factories.ClinicFactory.create(line=line, serves=[28])
            arrived = redirect(
                factories.doctor(first),
                practitioner=first,
                **key,
                clinic=clinic_serving(28, clinic_state_id=28, clinic_id=clinic.id),
                reason="Heart",
            )
            key["consultation_id"] = arrived.id
        change_duty(factories.doctor(first), practitioner=first, to=DutyStatus.OFF)
        second = factories.on_duty(clinic)
        assert called_by(second).id == key["consultation_id"]
        sent = services.submit(
            factories.person(patient.account_id),
            complaint=Complaint(kind="doctor", text="Shouted at me", language="en"),
            consultation=(28, key["consultation_id"]),
        )
        for doctor in (first, second):
            post = factories.PostFactory.create(
                facility=facility,
                role=Role.STATE_ADMIN,
                account_id=doctor.account_id,
                practitioner_id=None,
            )
            accused = Actor(ActorKind.STAFF, post.account_id, post.id, post.state_id)
            assert listed(post, 28) == []
            with pytest.raises(NotPermitted):
                read(accused, 28, sent.id)
            with pytest.raises(NotPermitted):
                services.answer(accused, state_id=28, grievance_id=sent.id, text="I did not")
        colleague, other = acting(Role.FACILITY_ADMIN, facility)
        assert [row.id for row in listed(colleague, 28)] == [sent.id]
        assert read(other, 28, sent.id).grievance.text == "Shouted at me"

    @pytest.mark.parametrize("hub_state", [28, 33])
    @pytest.mark.django_db(databases=["default", "owner"])
    @pytest.mark.usefixtures("reference")
    def test_it_goes_past_the_worker_whom_it_is_about(self, hub_state: int) -> None:
        """In many centres the health worker is the administrator, too."""
        network = Network.linked(hub_state)
        held = network.asked()
        assert held.asked_by_post_id is not None
        asker = Post.objects.get(state_id=28, id=held.asked_by_post_id)
        sent = services.submit(
            factories.worker_at(network.spoke),
            complaint=Complaint(kind="staff", text="Shouted at me", language="en"),
            consultation=(held.state_id, held.id),
        )
        post = factories.PostFactory.create(
            facility=network.spoke,
            role=Role.FACILITY_ADMIN,
            account_id=asker.account_id,
            practitioner_id=None,
        )
        accused = Actor(ActorKind.STAFF, post.account_id, post.id, post.state_id)
        assert listed(post, 28) == []
        with pytest.raises(NotPermitted):
            read(accused, 28, sent.id)
        with pytest.raises(NotPermitted):
            services.answer(accused, state_id=28, grievance_id=sent.id, text="I did not")
        state, _actor = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        assert [row.id for row in listed(state, 28)] == [sent.id]

    def test_the_nation_sees_what_nobody_in_a_state_does(self) -> None:
        """A state that does not take part yet, or whose last administrator has left."""
        about = submitted(28)
        national, _actor = acting(Role.NATIONAL_ADMIN, factories.FacilityFactory(state_id=0))
        assert [row.id for row in listed(national, 0)] == [about.id]
        post, _actor = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        assert listed(national, 0) == []
        end_post(SYSTEM, state_id=28, post_id=post.id)
        assert [row.id for row in listed(national, 0)] == [about.id]

    def test_the_nation_sees_what_is_about_a_states_only_administrator(self) -> None:
        """Else who was harassed by them would have written to nobody."""
        factories.StateFactory.create()
        clinic = factories.ClinicFactory.create()
        facility = Facility.objects.get(state_id=28, id=clinic.facility_id)
        patient = factories.PatientFactory.create()
        factories.requested(clinic, patient)
        practitioner = factories.on_duty(clinic)
        held = called_by(practitioner)
        sent = services.submit(
            factories.person(patient.account_id),
            complaint=Complaint(kind="safety", text="Harassed me", language="en"),
            consultation=(held.state_id, held.id),
        )
        other = submitted(28)
        factories.PostFactory.create(
            facility=facility,
            role=Role.STATE_ADMIN,
            account_id=practitioner.account_id,
            practitioner_id=None,
        )
        staff = factories.GrievanceFactory.create(about_account_id=practitioner.account_id)
        national, actor = acting(Role.NATIONAL_ADMIN, factories.FacilityFactory(state_id=0))
        assert {row.id for row in listed(national, 0)} == {sent.id, staff.id}
        assert waiting_for(national, 0).count == 2
        assert read(actor, 28, sent.id).grievance.text == "Harassed me"
        assert [row.id for row in listed(national, 28)].count(other.id) == 1
        # A colleague takes it on.
        colleague, _actor = acting(Role.STATE_ADMIN, facility)
        assert {row.id for row in listed(colleague, 28)} == {sent.id, staff.id, other.id}
        assert listed(national, 0) == []

    def test_states_see_their_own_and_the_nation_all(self) -> None:
        about = submitted(28)
        acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        national, _actor = acting(Role.NATIONAL_ADMIN, factories.FacilityFactory(state_id=0))
        other, other_actor = acting(Role.STATE_ADMIN, factories.FacilityFactory(state_id=33))
        assert len(listed(national, 28)) == 1
        assert listed(national, 0) == []
        with pytest.raises(NotPermitted):
            listed(other, 28)
        with pytest.raises(NotPermitted):
            services.take_up(other_actor, state_id=28, grievance_id=about.id)

    @pytest.mark.parametrize("role", [Role.DOCTOR, Role.OBSERVER, Role.HEALTH_WORKER])
    def test_others_see_none(self, role: Role) -> None:
        about = submitted(28)
        post, actor = acting(role, factories.FacilityFactory.create())
        with pytest.raises(NotPermitted):
            listed(post, 28)
        with pytest.raises(NotPermitted):
            read(actor, 28, about.id)

    def test_a_report_names_who_was_reported_and_not_who_came_next(self, client: Client) -> None:
        factories.StateFactory.create()
        clinic = factories.ClinicFactory.create()
        patient = factories.PatientFactory.create()
        held = factories.requested(clinic, patient)
        guest = factories.person(patient.account_id)
        names = ("Dr Bad", "Dr Worse", "Dr Good")
        doctors = [factories.on_duty(clinic, name=name) for name in names]
        reports = []
        for doctor in doctors:
            call_next(factories.doctor(doctor), practitioner=doctor)
            consultation_services.answer(guest, state_id=28, consultation_id=held.id)
            if doctor != doctors[-1]:
                for _tap in range(2):
                    made = services.report_conduct(
                        guest,
                        state_id=28,
                        consultation_id=held.id,
                        language="en",
                        about=doctor.id,
                    )
                reports.append(made)
        assert Grievance.objects.filter(state_id=28).count() == 2
        _post, admin = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        for report, name in zip(reports, names, strict=False):
            reading = read(admin, 28, report.id)
            assert (reading.reported, reading.doctors) == (name, list(names))
        administrator(Role.STATE_ADMIN, 28, client)
        page = client.get(f"/grievances/28/{reports[0].id}").content.decode()
        assert re.search(r"Reported by the patient\s*</dt>\s*<dd[^>]*>\s*Dr Bad\s*</dd>", page)

    def test_reading_is_on_the_audit_trail(self) -> None:
        about = submitted(28)
        _post, actor = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        read(actor, 28, about.id)
        row = AuditEvent.objects.get(state_id=28, verb="grievance.read")
        assert (row.record_id, row.account_id) == (about.id, actor.account_id)


@pytest.mark.django_db
class TestThePages:
    """However many there are, each can be reached."""

    @pytest.mark.parametrize("settled", [False, True])
    def test_the_last_of_many_is_on_the_last_page(self, client: Client, settled: bool) -> None:
        factories.StateFactory.create()
        administrator(Role.STATE_ADMIN, 28, client)
        status = "answered" if settled else "received"
        for number in range(251):
            moment = clock.now() + datetime.timedelta(minutes=-number if settled else number)
            last = factories.GrievanceFactory.create(
                status=status, due_at=moment, answered_at=moment if settled else None
            )
        where = "/grievances?state=28" + ("&settled=1" if settled else "")
        first = client.get(where).content.decode()
        assert "(251)" in first
        assert last.number not in first
        assert "page=2" in first
        if settled:
            assert re.search(r'href="[^"]*page=2&(amp;)?state=28&(amp;)?settled=1"', first)
        for page in (11, 12):  # The second is of before somebody answered its only one.
            assert last.number in client.get(f"{where}&page={page}").content.decode()


SAID = {"kind": "safety", "state": "28", "text": "He shouted at me", "name": "", "mobile": ""}


@pytest.mark.django_db
class TestThePoorLink:
    """What is sent again is one, and what is refused is not lost."""

    @pytest.fixture(autouse=True)
    def state(self) -> None:
        """A state to complain about."""
        factories.StateFactory.create()

    def key_of(self, client: Client) -> str:
        """The key of a form that was opened."""
        found = re.search(
            r'name="sent" value="([0-9a-f-]{36})"', client.get("/grievance").content.decode()
        )
        assert found
        return found[1]

    def test_sent_again_it_is_one_complaint_with_one_number(self, client: Client) -> None:
        first = SAID | {"sent": self.key_of(client)}
        answers = [client.post("/grievance", first) for _time in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert answers[0]["Location"] == answers[1]["Location"]
        assert Grievance.objects.filter(state_id=28).count() == 1
        # Other words, and the same words of somebody else, are others.
        client.post("/grievance", first | {"text": "He hit me"})
        stranger = Client()
        stranger.post("/grievance", SAID | {"sent": self.key_of(stranger)})
        stranger.post("/grievance", SAID)
        assert Grievance.objects.filter(state_id=28).count() == 4

    def test_too_many_of_one_network_lose_nothing(
        self, client: Client, settings: LazySettings
    ) -> None:
        settings.SIGN_IN_LIMITS = {"grievances_per_address": (1, 600)}
        assert client.post("/grievance", SAID).status_code == 303
        refused = client.post("/grievance", SAID | {"text": "She shouted as well"})
        assert refused.status_code == 429
        assert "She shouted as well" in refused.content.decode()
        assert "tried too often" in refused.content.decode()
        # Whoever is signed in is counted alone, not with all behind the same network.
        factories.sign_in(client, factories.AccountFactory.create())
        assert client.post("/grievance", SAID).status_code == 303

    def test_a_reason_that_comes_too_late_is_not_lost(self, client: Client) -> None:
        about = submitted(28)
        Grievance.objects.filter(state_id=28, id=about.id).update(
            status="answered", answered_at=clock.now() - datetime.timedelta(days=31)
        )
        address = f"/grievance/{about.number}"
        refused = client.post(address, {"reason": "He shouts still"})
        assert refused.status_code == 409
        assert "He shouts still" in refused.content.decode()
        assert "write a new complaint" in refused.content.decode()

    def test_pressed_twice_is_once(self, client: Client) -> None:
        about = submitted(28)
        Grievance.objects.filter(state_id=28, id=about.id).update(
            status="answered", answered_at=clock.now()
        )
        address = f"/grievance/{about.number}"
        for _time in range(2):
            assert client.post(address, {"act": "close"}).status_code == 303
        client.post(address, {"reason": "He shouts still"})
        again = client.post(address, {"reason": "He shouts still"})
        assert (again.status_code, "He shouts still" in again.content.decode()) == (409, True)


@pytest.mark.django_db
class TestItsWay:
    """From received to answered, disputed, answered again and closed."""

    def test_the_whole_way(self) -> None:
        about = submitted(28, mobile="+919876543210")
        _post, admin = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        key: dict[str, Any] = {"state_id": 28, "grievance_id": about.id}
        services.take_up(admin, **key)
        services.answer(admin, **key, text="We are sorry.")
        seen = progress_of(about.number.lower())
        assert (seen.status, seen.answer, seen.can_reopen) == ("answered", "We are sorry.", True)
        with pytest.raises(Stale):
            services.answer(admin, **key, text="Again")
        again = services.reopen(STRANGER, number=about.number, reason="It happened again")
        assert again.due_at < about.due_at
        services.answer(admin, **key, text="We have called you.")
        services.close(STRANGER, number=about.number)
        steps = read(admin, 28, about.id).steps
        assert [(step.status, step.text) for step in steps] == [
            ("received", ""),
            ("in_progress", ""),
            ("answered", "We are sorry."),
            ("reopened", "It happened again"),
            ("answered", "We have called you."),
            ("closed", ""),
        ]
        assert [step.post_id == admin.post_id for step in steps[:3]] == [False, True, True]

    def test_the_author_is_told_in_their_language_without_the_answer(self) -> None:
        about = submitted(28, mobile="+919876543210")
        silent = submitted(28)
        _post, admin = acting(Role.STATE_ADMIN, factories.FacilityFactory.create())
        for one in (about, silent):
            services.answer(admin, state_id=28, grievance_id=one.id, text="Secret words")
        number_facts()
        deliver("answers")
        (message,) = OutgoingMessage.objects.all()
        assert (message.mobile, message.language) == ("+919876543210", "hi")
        assert message.text.endswith(f"/grievance/{about.number}")
        assert "Secret" not in message.text

    def test_an_answer_cannot_be_disputed_for_ever(self) -> None:
        about = submitted(28)
        Grievance.objects.filter(state_id=28, id=about.id).update(
            status="answered", answered_at=clock.now() - datetime.timedelta(days=31)
        )
        assert not progress_of(about.number).can_reopen
        with pytest.raises(TooLateToReopen):
            services.reopen(STRANGER, number=about.number, reason="Still")
        close_settled(0)
        assert progress_of(about.number).status == GrievanceStatus.CLOSED

    def test_fresh_answers_stay_open_to_dispute(self) -> None:
        about = submitted(28)
        Grievance.objects.filter(state_id=28, id=about.id).update(
            status="answered", answered_at=clock.now() - datetime.timedelta(days=3)
        )
        close_settled(0)
        assert progress_of(about.number).status == GrievanceStatus.ANSWERED

    @pytest.mark.parametrize("kind", GrievanceKind.values)
    def test_every_kind_has_its_due_date(self, kind: str) -> None:
        about = submitted(28, kind)
        assert (about.due_at - about.received_at).days == services.due_days(kind) <= 30

    def test_wrong_input_is_refused(self) -> None:
        factories.StateFactory.create()
        good = {"kind": "waiting", "text": "Two hours", "language": "en"}
        for wrong in ({"text": " "}, {"text": "x" * 4001}, {"kind": "lawsuit"}):
            with pytest.raises(Invalid):
                services.submit(SYSTEM, complaint=Complaint(**{**good, **wrong}), state_id=28)
        with pytest.raises(Invalid):
            services.submit(SYSTEM, complaint=Complaint(**good), state_id=99)
        for number in ("", "28-AAAA-BBBB-CCCC", "99-AAAA-BBBB-CCCC"):
            with pytest.raises(NumberUnknown):
                progress_of(number)
        with pytest.raises(NotFound):
            services.take_up(SYSTEM, state_id=28, grievance_id=uuid.uuid4())
        about = submitted(28)
        with pytest.raises(Invalid):
            services.reopen(STRANGER, number=about.number, reason=" ")
        with pytest.raises(Stale):
            services.reopen(STRANGER, number=about.number, reason="Hurry")
