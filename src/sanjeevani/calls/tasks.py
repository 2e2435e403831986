"""Deferred work of calls: a phone bridge is asked outside of any transaction."""

import uuid
from collections.abc import Sequence

from procrastinate.contrib.django import app

from sanjeevani.calls.models import PhoneCallStatus
from sanjeevani.calls.phone import (
    BridgedCall,
    phone_bridge,
    settle_phone_call,
    take_phone_call,
)
from sanjeevani.foundation.actor import SYSTEM
from sanjeevani.foundation.errors import Stale
from sanjeevani.foundation.outbox import StoredFact
from sanjeevani.identity.queries import find_account


@app.task(name="calls.place_phone_call")
def place_phone_call(state_id: int, phone_call_id: str) -> None:
    """Hand a call to the bridge, unless that is done, or has no sense any more."""
    try:
        call = take_phone_call(SYSTEM, state_id=state_id, phone_call_id=uuid.UUID(phone_call_id))
    except Stale:
        return
    if call.status != PhoneCallStatus.ASKED:
        return
    bridge = phone_bridge()
    guest = find_account(call.room.guest_account_id)
    if bridge is None:
        failure = "no_bridge"
    elif guest is None or not guest.mobile:
        failure = "no_number"
    else:
        failure = bridge.connect(BridgedCall(call.id, call.host_number, guest.mobile))
    settle_phone_call(SYSTEM, state_id=state_id, phone_call_id=call.id, failure=failure)


def place_soon(facts: Sequence[StoredFact]) -> None:
    """Listener of `PhoneCallAsked`."""
    for fact in facts:
        place_phone_call.defer(state_id=fact.state_id, phone_call_id=fact.payload["phone_call_id"])
