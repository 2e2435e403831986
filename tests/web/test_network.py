"""A hub and a spoke set up from the screens: links, specialities, and who serves them."""

import pytest
from django.test import Client

from sanjeevani.consultation.services import call_next
from sanjeevani.directory.hubs import open_hub_speciality, open_written_line
from sanjeevani.directory.models import Facility, HubLink, Line, Role
from sanjeevani.directory.queries import hubs_for
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.identity.models import Account, Session
from sanjeevani.roster.queries import serving
from tests import factories
from tests.web.test_spoke import Spoke

pytestmark = pytest.mark.django_db


@pytest.fixture
def hub() -> Facility:
    factories.StateFactory()
    factories.StateFactory(lgd_code=0, iso_3166_2="IN")
    factories.SpecialityFactory()
    hub: Facility = factories.FacilityFactory(is_hub=True)
    return hub


def administrator(facility: Facility, role: Role) -> Client:
    """A browser of an administrator."""
    client = Client()
    post = factories.PostFactory(facility=facility, role=role, practitioner_id=None)
    factories.sign_in(client, Account.objects.get(id=post.account_id))
    Session.objects.filter(account_id=post.account_id).update(
        post_state_id=post.state_id, post_id=post.id
    )
    return client


def network(facility: Facility) -> str:
    """The address of a facility's page in the network."""
    return f"/facilities/{facility.state_id}/{facility.id}/network"


def test_a_hub_is_opened_linked_and_served(hub: Facility) -> None:
    spoke = factories.FacilityFactory(is_spoke=True, is_opd_host=False)
    post = factories.PostFactory(facility=hub)
    state = administrator(hub, Role.STATE_ADMIN)
    board = state.get(f"/facilities/28/{hub.id}").content.decode()
    assert network(hub) in board
    assert "It opens no speciality yet" in state.get(network(hub)).content.decode()
    opened = state.post(network(hub), {"do": "open", "opened": "general_medicine"})
    assert opened.headers["Location"].endswith("?done=speciality_opened")
    said = state.get(opened.headers["Location"]).content.decode()
    assert said.count("notice--good") == 1  # and not that a state is open
    assert "The speciality is open." in said
    line = Line.objects.get(state_id=28, facility_id=hub.id)
    who = f"{post.state_id}.{post.practitioner_id}"
    state.post(network(hub), {"do": "serve", "line": str(line.id), "doctor": who})
    assert serving([line.id])[line.id] == [(28, post.practitioner_id)]
    linked = state.post(network(spoke), {"do": "link", "hub": f"28.{hub.id}", "speciality": ""})
    assert linked.headers["Location"].endswith("?done=linked")
    [choice] = hubs_for(28, spoke.id)
    assert choice.line.id == line.id
    assert hub.name in state.get(network(spoke)).content.decode()
    twice = state.post(network(spoke), {"do": "link", "hub": f"28.{hub.id}", "speciality": ""})
    assert twice.status_code == 422
    link = HubLink.objects.get(state_id=28)
    assert state.post(network(spoke), {"do": f"unlink:{link.id}"}).status_code == 303
    assert hubs_for(28, spoke.id) == []
    assert state.post(network(hub), {"do": f"leave:{line.id}/{who}"}).status_code == 303
    page = state.get(network(hub)).content.decode()
    before, _button, _after = page.partition(f'value="close:{line.id}"')
    assert before.rpartition("<details")[2].count("</details>") == 0  # never by one slip of a thumb
    assert "asks again" in before.rpartition("<details")[2]
    closed = state.post(network(hub), {"do": f"close:{line.id}"})
    assert closed.headers["Location"].endswith("?done=speciality_closed&moved=0&told=0")
    assert "The speciality is closed." in state.get(closed.headers["Location"]).content.decode()
    told = state.get(f"{network(hub)}?done=speciality_closed&moved=1&told=2").content.decode()
    assert "1 patient who waited was taken to another hub or OPD" in told
    assert "2 patients who waited could not be taken elsewhere" in told
    assert state.post(network(hub), {"do": f"close:{line.id}"}).status_code == 404


def test_links_and_specialities_are_the_states_matter(hub: Facility) -> None:
    own = administrator(hub, Role.FACILITY_ADMIN)
    page = own.get(network(hub)).content.decode()
    assert "Open a speciality" not in page
    assert own.post(network(hub), {"do": "open", "opened": "general_medicine"}).status_code == 403
    other = factories.FacilityFactory(is_hub=True)
    assert own.get(network(other)).status_code == 403


def test_nothing_chosen_and_circles_are_said(hub: Facility) -> None:
    Facility.objects.filter(state_id=28, id=hub.id).update(is_spoke=True)
    above = factories.FacilityFactory(is_hub=True, is_spoke=True)
    state = administrator(hub, Role.STATE_ADMIN)
    assert state.post(network(hub), {"do": "open", "opened": ""}).status_code == 422
    assert state.post(network(hub), {"do": "link", "hub": ""}).status_code == 422
    assert state.post(network(hub), {"do": "link", "hub": f"28.{above.id}"}).status_code == 303
    circle = state.post(network(above), {"do": "link", "hub": f"28.{hub.id}"})
    assert circle.status_code == 422
    assert not HubLink.objects.filter(state_id=28, spoke_id=above.id).exists()


def test_a_hubs_doctor_in_mid_consultation_is_taken_off_first(reference: None) -> None:
    spoke = Spoke(Client())
    doctor = factories.serving_on(spoke.line)
    hub = Facility.objects.get(state_id=28, id=spoke.line.facility_id)
    post = factories.PostFactory(
        facility=hub, practitioner=doctor, account_id=doctor.account_id, role=Role.DOCTOR
    )
    spoke.waits()
    call_next(factories.doctor(doctor), practitioner=doctor)
    own = administrator(hub, Role.FACILITY_ADMIN)
    address = f"/facilities/28/{hub.id}/staff/{post.id}/end"
    assert "Take off the lines now" in own.get(address).content.decode()
    assert own.post(address, {"do": "off"}).status_code == 303
    assert serving([spoke.line.id])[spoke.line.id] == []


def test_a_hub_takes_as_many_as_its_administrator_says(hub: Facility) -> None:
    """Every speciality began with 200 places a day, and the 201st patient was refused for good."""
    line = open_hub_speciality(
        SYSTEM, state_id=28, facility_id=hub.id, speciality_code="general_medicine"
    )
    written = open_written_line(SYSTEM, parent=line)
    address = f"/lines/28/{line.id}/places"
    runs = administrator(hub, Role.FACILITY_ADMIN)
    page = runs.get(network(hub)).content.decode()
    assert "200 a day, 50 may wait" in page
    assert address in page
    more = {"places_per_day": "900", "waiting_places": "300"}
    elsewhere = administrator(factories.FacilityFactory(), Role.FACILITY_ADMIN)
    assert elsewhere.post(address, more).status_code == 403
    saved = runs.post(address, more, follow=True).content.decode()
    assert "900 a day, 300 may wait" in saved
    assert "The places are saved" in saved
    line.refresh_from_db()
    written.refresh_from_db()
    assert (line.places_per_day, line.waiting_places) == (900, 300)
    assert (written.places_per_day, written.waiting_places) == (900, 900)
    assert runs.get(f"/lines/28/{written.id}/places").status_code == 404
