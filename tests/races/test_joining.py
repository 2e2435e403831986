"""A family says on two phones at once who is the same person: nobody vanishes from its list."""

from functools import partial

import pytest

from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import patients_of
from sanjeevani.patients.services import join
from tests.factories import PatientFactory, person
from tests.races.conftest import at_once

pytestmark = pytest.mark.usefixtures("committed")


def registered_thrice() -> list[Patient]:
    first = PatientFactory.create()
    again = {"account_id": first.account_id, "state_id": first.state_id}
    return [first, PatientFactory.create(**again), PatientFactory.create(**again)]


def joined_at_once(me: Actor, *pairs: tuple[Patient, Patient]) -> None:
    """Join each pair's first record to its second, all at the same moment."""
    at_once(
        [partial(join, me, patient_id=one.id, kept_id=kept.id) for one, kept in pairs],
        len(pairs),
        (Invalid, NotFound),
        shaken=True,
    )


def test_each_joined_to_the_other_one_is_left() -> None:
    for _round in range(5):
        one, other, _third = registered_thrice()
        me = person(one.account_id, one.state_id)
        joined_at_once(me, (one, other), (other, one))
        assert patients_of(me).count() == 2


def test_one_step_leads_from_every_double_to_who_is_on_the_list() -> None:
    for _round in range(5):
        one, other, third = registered_thrice()
        me = person(one.account_id, one.state_id)
        joined_at_once(me, (one, other), (other, third))
        doubles = Patient.objects.filter(state_id=28, account_id=one.account_id)
        assert {double.same_as_id for double in doubles} - {None} <= {
            kept.id for kept in patients_of(me)
        }
