"""A patient is registered with a mobile while its owner comes in for the first time."""

from collections.abc import Callable
from functools import partial

import pytest

from sanjeevani.directory.models import Facility
from sanjeevani.foundation.ids import uuid7
from sanjeevani.identity.errors import ProofNeeded
from sanjeevani.identity.services import request_code
from sanjeevani.patients import handover
from sanjeevani.patients.models import Patient
from sanjeevani.patients.spokes import register_at_spoke
from tests.factories import HubLinkFactory, StateFactory, worker_at
from tests.identity.conftest import unlimited
from tests.identity.helpers import sent_code
from tests.identity.test_codes import NOBODY
from tests.patients.test_families import MEENA
from tests.races.conftest import at_once

__all__ = ["unlimited"]

pytestmark = pytest.mark.usefixtures("committed", "unlimited")


def test_who_comes_in_unasked_finds_nobody_on_the_list() -> None:
    StateFactory()
    link = HubLinkFactory()
    worker = worker_at(Facility.objects.get(state_id=28, id=link.spoke_id))
    for one in range(5):
        mobile = f"+91984801230{one}"
        challenge = request_code(NOBODY, mobile=mobile, language="en")
        let_in: list[object] = []

        def come(challenge: object = challenge, mobile: str = mobile) -> None:
            signed_in = handover.sign_in(
                NOBODY,
                challenge=challenge,  # type: ignore[arg-type]
                code=sent_code(mobile),
                language="en",
            )
            let_in.append(signed_in.session.account_id)  # noqa: B023

        both: list[Callable[[], object]] = [
            partial(
                register_at_spoke,
                worker,
                profile=MEENA,
                language="en",
                key=uuid7(),
                mobile=mobile,
                is_another=True,
            ),
            come,
        ]
        at_once(both, 2, (ProofNeeded,), shaken=True)
        patient = Patient.objects.filter(state_id=28).latest("registered_at")
        assert patient.account_id not in let_in
