"""Limits on guessing and asking, counted in the database so that all web workers agree."""

import datetime
import hashlib
import ipaddress

from django.conf import settings
from django.db import connection
from django.db.models import F

from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import TooMany
from sanjeevani.identity.models import AttemptCounter

LIMITS: dict[str, tuple[int, int]] = {
    "code_again": (1, 30),
    "codes_per_mobile": (3, 600),
    "codes_per_mobile_and_day": (10, 86_400),
    "codes_per_mobile_everywhere": (20, 3_600),
    "codes_per_address": (300, 600),
    "proofs_per_account": (3, 86_400),
    "passwords_per_login": (8, 900),
    "passwords_per_login_everywhere": (100, 900),
    "passwords_per_address": (60, 900),
    "duty_requests_per_doctor": (2, 1_800),
    "shift_offers_per_doctor": (30, 3_600),
    "requests_per_account": (30, 600),
    "messages_per_account": (120, 60),
    "documents_per_account": (60, 600),
    "uploads_per_account": (120, 600),
    "searches_per_account": (120, 600),
    "json_requests_per_account": (300, 30),
    "grievances_per_address": (20, 600),
    "grievances_per_account": (20, 600),
    "grievance_numbers_per_address": (60, 600),
}
"""How many attempts in how many seconds; `settings.SIGN_IN_LIMITS` overrides single ones.

What is counted per mobile or per login is counted for each network apart: whoever knows only a
number or a name must not keep its owner out. The caps "everywhere" are above what one network may:

- 20 codes an hour to a mobile bound what its messages cost. A network gives 10 a day, so that
  keeping somebody out takes two fresh networks an hour, and ends within the hour.
- 3 ages a day, of a mobile that may have changed hands: one in ten guesses fits a family of four.
- 100 wrong passwords for a login are those of thirteen networks, and still only 9,600 guesses a day
  at ten characters or more.

Per address: thousands may share one behind a mobile operator's NAT. If 9,000 do and one in thirty
asks for a code within ten minutes, that is 300; in messages it is one every two seconds. Of 300
doctors who begin a shift behind a hub's NAT, one in five may mistype a password: only wrong ones
add up to the 60.
"""


CLOCKS_DIFFER = datetime.timedelta(hours=1)
"""By less than this those of several servers do. A window that ends later began by a clock that was
far ahead, and has been set since: whoever tried then would wait for that day to come."""


def limit_of(name: str) -> tuple[int, int]:
    """Return how many attempts a limit allows, in how many seconds."""
    allowed, seconds = settings.SIGN_IN_LIMITS.get(name, LIMITS[name])
    return allowed, seconds


def count_attempt(limit: str, subject: str) -> None:
    """Count one attempt of `subject` (a mobile, user name or address).

    The window starts with its first attempt. Raises `TooMany` with the seconds that it still lasts.
    """
    count_attempts((limit, subject))


def count_attempts(*attempts: tuple[str, str]) -> None:
    """Count one attempt for each limit and its subject, in one statement.

    Raises `TooMany` for the first that is exceeded. They are counted all the same, unless the
    transaction around takes them back. Who counts several names them in one order always: their
    rows are locked in it.
    """
    at = clock.now()
    keys = [_key(limit, subject) for limit, subject in attempts]
    ends = [at + datetime.timedelta(seconds=limit_of(limit)[1]) for limit, _subject in attempts]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO identity_attemptcounter AS counter (key, count, expires_at)"
            " SELECT key, 1, ends FROM unnest(%(keys)s::text[], %(ends)s::timestamptz[])"
            " AS attempt (key, ends)"
            " ON CONFLICT (key) DO UPDATE SET"
            " count = CASE WHEN counter.expires_at <= %(at)s OR counter.expires_at > %(never)s"
            " THEN 1 ELSE LEAST(counter.count, 1000000) + 1 END,"
            " expires_at = CASE WHEN counter.expires_at <= %(at)s"
            " OR counter.expires_at > %(never)s"
            " THEN excluded.expires_at ELSE counter.expires_at END"
            " RETURNING key, count, expires_at",
            {"keys": keys, "at": at, "ends": ends, "never": max(ends) + CLOCKS_DIFFER},
        )
        counted = {key: (count, until) for key, count, until in cursor.fetchall()}
    for key, (limit, _subject) in zip(keys, attempts, strict=True):
        count, until = counted[key]
        if count > limit_of(limit)[0]:
            raise TooMany(max(1, round((until - at).total_seconds())))


def forget_attempts(limit: str, subject: str) -> None:
    """Start afresh after a success."""
    AttemptCounter.objects.filter(key=_key(limit, subject)).delete()


def take_back_attempt(limit: str, subject: str) -> None:
    """Uncount one attempt that succeeded, where those of others are counted with it."""
    AttemptCounter.objects.filter(key=_key(limit, subject), count__gt=0).update(
        count=F("count") - 1
    )


def network_of(address: str | None) -> str:
    """Return what counts as one address: of IPv6 the /64 that a single home is given."""
    if address is None:
        return "unknown"
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _key(limit: str, subject: str) -> str:
    # A digest keeps whatever was typed as a user name short, and mobiles out of this table.
    return f"{limit}:{hashlib.sha256(subject.encode()).hexdigest()}"
