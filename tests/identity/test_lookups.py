"""Every look-up of the door finds its rows by an index, however full the tables are."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from sanjeevani.foundation.actor import Actor, ActorKind
from sanjeevani.identity import queries, services
from sanjeevani.identity.models import AccountKind, OneTimeCode, Session
from sanjeevani.messaging import services as messaging
from tests.identity.helpers import sent_code

ROWS = 50_000
MOBILE = "+919876543210"
NOBODY = Actor(ActorKind.ANONYMOUS, address="203.0.113.7")

FILL = f"""
INSERT INTO identity_onetimecode (id, mobile, digest, tries, created_at, expires_at)
SELECT gen_random_uuid(), '+91' || (6000000000 + n), md5(n::text) || md5(n::text), 0,
  now() - n * interval '1 minute', now() - n * interval '1 minute'
FROM generate_series(1, {ROWS}) n;
INSERT INTO identity_attemptcounter (key, count, expires_at)
SELECT 'codes_per_mobile:' || n, 1, now() - n * interval '1 minute'
FROM generate_series(1, {ROWS}) n;
INSERT INTO identity_account (id, kind, login, mobile, password, display_name, language, is_active,
  created_at)
SELECT ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'patient',
  '+91' || (6000000000 + n), '+91' || (6000000000 + n), '', '', 'en', true, now()
FROM generate_series(1, {ROWS}) n;
INSERT INTO identity_login (key, account_id)
SELECT 'patient:' || login, id FROM identity_account;
INSERT INTO identity_session (digest, id, account_id, kind, display_name, language, device,
  created_at, last_seen_at, expires_at)
SELECT md5(n::text) || md5(n::text), gen_random_uuid(), gen_random_uuid(), 'patient', '', 'en', '',
  now(), now(), now() + interval '1 day' + n * interval '1 minute'
FROM generate_series(1, {ROWS}) n;
INSERT INTO messaging_outgoingmessage (id, mobile, text, purpose, language, status, attempts,
  queued_at, next_attempt_at, expires_at, provider_id, failure)
SELECT gen_random_uuid(), '+91' || (6000000000 + n), '', 'sign_in_code', 'en', 'sent', 1,
  now() - interval '1 hour', now() - interval '1 hour', now() + interval '1 hour', '', ''
FROM generate_series(1, {ROWS}) n;
ANALYZE identity_onetimecode, identity_attemptcounter, identity_account, identity_login,
  identity_session, messaging_outgoingmessage;
"""  # noqa: S608 - the only value is the number of rows


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Fifty thousand old rows in every table of the door."""
    tables = (
        "identity_onetimecode, identity_attemptcounter, identity_account, identity_login,"
        " identity_session, messaging_outgoingmessage"
    )
    with django_db_blocker.unblock():
        with connections["owner"].cursor() as cursor:
            cursor.execute(FILL)
        yield
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables}")
            cursor.execute(f"ANALYZE {tables}")


def plans(action: Callable[[], Any]) -> list[tuple[str, dict[str, Any]]]:
    """Run an action; return each statement on the door's tables with its plan."""
    seen: list[tuple[str, Any]] = []

    def keep(execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        if "identity_" in str(sql) or "messaging_" in str(sql):
            seen.append((str(sql), params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(keep):
        action()
    found = []
    with connection.cursor() as cursor:
        for sql, params in seen:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            answer = cursor.fetchone()[0]
            plan = json.loads(answer) if isinstance(answer, str) else answer
            found.append((sql, plan[0]["Plan"]))
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk a plan."""
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)


def session() -> queries.SessionInfo:
    found = queries.find_session(SIGNED["token"])
    assert found is not None
    return found


SIGNED: dict[str, str] = {}


def sign_in() -> None:
    challenge = services.request_code(NOBODY, mobile=MOBILE, language="en")
    assert queries.find_code(challenge)
    signed = services.verify_code(
        NOBODY, challenge=challenge, code=sent_code(MOBILE), language="en", replaces="x" * 43
    )
    SIGNED["token"] = signed.token


@pytest.mark.django_db
@pytest.mark.usefixtures("filled")
def test_no_table_is_read_from_end_to_end() -> None:
    def everything() -> None:
        sign_in()
        info = session()
        queries.sessions_of(info.account_id)
        queries.find_account(info.account_id)
        queries.account_by_login(AccountKind.STAFF, "asha.devi")
        own = Actor(ActorKind.STAFF, account_id=info.account_id)
        services.choose_post(own, session=info, post_state_id=28, post_id=uuid.uuid4())
        services.set_language(own, account_id=info.account_id, language="hi")
        services.sign_out(own, account_id=info.account_id, session_id=info.id)
        services.sign_out_everywhere(own, account_id=info.account_id)
        messaging._claim()

    found = plans(everything)
    assert len(found) > 20
    scans = [
        (sql, node["Relation Name"])
        for sql, plan in found
        for node in nodes(plan)
        # All marks together are the edition, and they are kept few.
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "foundation_mark"
    ]
    # The helper that reads the code from the newest message is the tests' own.
    assert not [scan for scan in scans if 'ORDER BY "messaging_outgoingmessage"' not in scan[0]]


@pytest.mark.django_db
@pytest.mark.usefixtures("filled")
def test_old_rows_are_deleted_by_their_age() -> None:
    Session.objects.create(
        digest="0" * 64,
        account_id=uuid.uuid4(),
        kind="patient",
        language="en",
        device="",
        created_at="2020-01-01T00:00Z",
        last_seen_at="2020-01-01T00:00Z",
        expires_at="2020-02-01T00:00Z",
    )
    services.forget_expired()
    assert OneTimeCode.objects.count() < 100
    assert Session.objects.count() == ROWS
