"""Where the gateway reports seats and quality: signed by the secret that both share."""

import hashlib
import hmac
import time

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import ValidationError

from sanjeevani.calls.reports import Batch, record
from sanjeevani.consultation.calling import seats_complete
from sanjeevani.foundation.access import machine
from sanjeevani.foundation.errors import Invalid, NotPermitted

CLOCKS_DIFFER_SECONDS = 300


@csrf_exempt
@machine
@require_POST
def seats(request: HttpRequest) -> HttpResponse:
    """Take a batch of reports; it may come twice."""
    if not is_signed(request.headers.get("X-Gateway-Signature", ""), request.body):
        raise NotPermitted
    try:
        batch = Batch.model_validate_json(request.body)
    except ValidationError:
        raise Invalid from None
    for state_id, room_id in record(batch):
        seats_complete(state_id, room_id)
    return HttpResponse(status=204)


def is_signed(header: str, body: bytes) -> bool:
    """Tell whether `t=<Unix time>,v1=<hex>` was made with our secret, over this body, just now."""
    moment, _, given = header.removeprefix("t=").partition(",v1=")
    if not moment.isdecimal() or len(moment) > 12 or not given.isascii():
        return False
    signed = hmac.new(
        settings.LIVE_SECRET.encode(), f"seats.{moment}.".encode() + body, hashlib.sha256
    )
    fresh = abs(time.time() - int(moment)) < CLOCKS_DIFFER_SECONDS
    return hmac.compare_digest(signed.hexdigest(), given) and fresh
