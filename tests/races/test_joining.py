"""A family acts on two phones at once: nobody vanishes from its list."""

from collections.abc import Callable
from functools import partial

import pytest

from sanjeevani.foundation.actor import Actor
from sanjeevani.foundation.errors import Invalid, NotFound, NotPermitted
from sanjeevani.patients.models import Patient
from sanjeevani.patients.queries import patients_of
from sanjeevani.patients.services import choose_home, join, register
from tests.factories import AccountFactory, PatientFactory, person
from tests.patients.test_families import MEENA
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


def test_nobody_is_registered_in_a_state_that_was_left_at_the_same_moment() -> None:
    for _round in range(5):
        account = AccountFactory.create()
        me = person(account.id, 28)
        both: list[Callable[[], object]] = [
            partial(register, me, state_id=28, account_id=account.id, profile=MEENA),
            partial(choose_home, me, account_id=account.id, home_state_id=29),
        ]
        at_once(both, 2, (NotPermitted,), shaken=True)
        account.refresh_from_db()
        registered = Patient.objects.filter(state_id=28, account_id=account.id)
        assert registered.exists() == (account.home_state_id == 28)
