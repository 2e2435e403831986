"""Which hubs answer a spoke: order, specialities, tiers, and no circles."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanjeevani.directory.errors import AlreadyClosed, LeadsBack, LinkedAlready, SpecialityOpen
from sanjeevani.directory.hubs import (
    LinkGraph,
    add_hub_link,
    close_hub_speciality,
    open_hub_speciality,
    order_hub_links,
    remove_hub_link,
)
from sanjeevani.directory.models import Facility, HubLink, Role
from sanjeevani.directory.queries import hub_links_of, hubs_for, spokes_of, spokes_without_hub
from sanjeevani.foundation import clock
from sanjeevani.foundation.actor import SYSTEM, Actor, ActorKind
from sanjeevani.foundation.errors import Invalid, NotPermitted, Stale
from tests.factories import (
    ANDHRA_PRADESH,
    TAMIL_NADU,
    FacilityFactory,
    PostFactory,
    SpecialityFactory,
    StateFactory,
)


@pytest.fixture
def nation(db: None) -> None:
    """The tenants and two specialities."""
    StateFactory(lgd_code=0, iso_3166_2="IN")
    StateFactory()
    StateFactory(lgd_code=TAMIL_NADU)
    SpecialityFactory()
    SpecialityFactory(code="paediatrics")


def facility(**more: Any) -> Facility:
    """A facility that is hub and spoke, with general medicine open."""
    made: Facility = FacilityFactory(**{"is_hub": True, "is_spoke": True} | more)
    if made.is_hub:
        opened(made)
    return made


def opened(hub: Facility, speciality_code: str = "general_medicine") -> Any:
    """The line of a speciality at a hub."""
    return open_hub_speciality(
        SYSTEM, state_id=hub.state_id, facility_id=hub.id, speciality_code=speciality_code
    )


def link(
    spoke: Facility, hub: Facility, speciality_code: str = "", actor: Actor = SYSTEM
) -> HubLink:
    """Let a hub answer a spoke."""
    return add_hub_link(
        actor,
        state_id=spoke.state_id,
        spoke_id=spoke.id,
        hub_state_id=hub.state_id,
        hub_id=hub.id,
        speciality_code=speciality_code,
    )


def names(spoke: Facility, speciality_code: str | None = None) -> list[str]:
    """The hubs that a spoke asks, in order."""
    return [choice.hub.name for choice in hubs_for(spoke.state_id, spoke.id, speciality_code)]


def test_hubs_are_asked_in_the_order_set(nation: None) -> None:
    centre = facility(is_hub=False)
    first, second = facility(name="First"), facility(name="Second", state_id=TAMIL_NADU)
    links = [link(centre, first), link(centre, second)]
    assert names(centre, "general_medicine") == ["First", "Second"]
    order_hub_links(
        SYSTEM,
        state_id=centre.state_id,
        spoke_id=centre.id,
        speciality_code="",
        link_ids=[links[1].id, links[0].id],
    )
    assert names(centre, "general_medicine") == ["Second", "First"]
    with pytest.raises(Stale):
        order_hub_links(
            SYSTEM,
            state_id=centre.state_id,
            spoke_id=centre.id,
            speciality_code="",
            link_ids=[links[0].id],
        )


def test_a_speciality_goes_only_where_it_is_open(nation: None) -> None:
    centre = facility(is_hub=False)
    general, children = facility(name="General"), facility(name="Children")
    paediatrics = opened(children, "paediatrics")
    link(centre, general)
    link(centre, children, "paediatrics")
    assert names(centre) == ["General", "Children"]
    assert names(centre, "paediatrics") == ["Children"]
    assert names(centre, "general_medicine") == ["General"]
    close_hub_speciality(SYSTEM, state_id=children.state_id, line_id=paediatrics.id)
    assert names(centre, "paediatrics") == []


def test_a_closed_hub_answers_nobody_but_stays_on_the_list(nation: None) -> None:
    centre, hub = facility(is_hub=False), facility()
    link(centre, hub)
    Facility.objects.filter(state_id=hub.state_id, id=hub.id).update(closed_at=clock.now())
    assert names(centre) == []
    assert [shown.closed_at is None for _link, shown in hub_links_of(28, centre.id)] == [False]


def test_no_link_to_what_is_closed_or_no_hub(nation: None) -> None:
    centre = facility(is_hub=False)
    with pytest.raises(AlreadyClosed):
        link(centre, facility(is_hub=False, closed_at=clock.now()))
    with pytest.raises(Invalid) as no_hub:
        link(centre, facility(is_hub=False))
    assert no_hub.value.field == "hub"
    with pytest.raises(Invalid) as no_spoke:
        link(facility(is_spoke=False), facility())
    assert no_spoke.value.field == "spoke"


def test_tiers_lead_upwards_and_never_back(nation: None) -> None:
    centre, primary = facility(is_hub=False), facility()
    district, college = facility(), facility(state_id=TAMIL_NADU)
    for spoke, hub in ((centre, primary), (primary, district), (district, college)):
        link(spoke, hub)
    for spoke, hub in ((college, primary), (college, district), (district, primary)):
        with pytest.raises(LeadsBack):
            link(spoke, hub)
    link(primary, college)
    with pytest.raises(LinkedAlready):
        link(primary, college)


@given(
    edges=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40),
)
def test_links_never_form_a_circle(edges: list[tuple[int, int]]) -> None:
    import uuid

    keys = [(28 + number % 2, uuid.UUID(int=number)) for number in range(8)]
    graph = LinkGraph()
    kept = [(spoke, hub) for spoke, hub in edges if graph.add(keys[spoke], keys[hub])]
    # What has no circle can be put into an order; what was refused would have closed one.
    above: dict[int, set[int]] = {number: set() for number in range(8)}
    for spoke, hub in kept:
        above[spoke].add(hub)
    order: list[int] = []
    while len(order) < 8:
        top = [n for n in above if n not in order and above[n] <= set(order)]
        assert top, "a circle"
        order += top
    for spoke, hub in edges:
        if (spoke, hub) not in kept:
            assert spoke == hub or graph.leads(keys[hub], keys[spoke])


def test_a_spoke_without_a_hub_is_named(nation: None) -> None:
    alone, linked, hub = facility(is_hub=False), facility(is_hub=False), facility(is_spoke=False)
    made = link(linked, hub)
    assert [row.id for row in spokes_without_hub(28, start=0, size=9).rows] == [alone.id]
    assert [row.id for row in spokes_of(28, 28, hub.id, start=0, size=9).rows] == [linked.id]
    remove_hub_link(SYSTEM, state_id=28, link_id=made.id)
    assert spokes_without_hub(28, start=0, size=1).count == 2


def test_a_speciality_is_open_once_and_may_open_again(nation: None) -> None:
    hub = facility()
    with pytest.raises(SpecialityOpen):
        opened(hub)


def test_a_speciality_opens_again_after_closing(nation: None) -> None:
    hub = facility()
    line = opened(hub, "paediatrics")
    close_hub_speciality(SYSTEM, state_id=hub.state_id, line_id=line.id)
    assert opened(hub, "paediatrics").id != line.id


@pytest.mark.parametrize(
    ("role", "hub_state", "may"),
    [
        (Role.STATE_ADMIN, ANDHRA_PRADESH, True),
        (Role.STATE_ADMIN, TAMIL_NADU, False),
        (Role.NATIONAL_ADMIN, TAMIL_NADU, True),
        (Role.FACILITY_ADMIN, ANDHRA_PRADESH, False),
    ],
)
def test_who_runs_both_states_links(nation: None, role: Role, hub_state: int, may: bool) -> None:
    centre, hub = facility(is_hub=False), facility(state_id=hub_state)
    post = PostFactory(role=role, facility=centre)
    actor = Actor(
        ActorKind.STAFF, account_id=post.account_id, post_id=post.id, state_id=post.state_id
    )
    if may:
        link(centre, hub, actor=actor)
    else:
        with pytest.raises(NotPermitted):
            link(centre, hub, actor=actor)
