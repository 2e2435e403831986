"""The discipline of keys holds in the database as it is, and its guards fail when it is broken."""

import uuid

import pytest
from django.db import ProgrammingError, connection, connections, transaction

from sanjeevani.foundation.ids import uuid7
from sanjeevani.foundation.models import AuditEvent
from sanjeevani.foundation.sharding import (
    TableKind,
    UnscopedStatement,
    across_states,
    insert_only_tables,
    manifest,
)
from sanjeevani.queueing.models import Token
from tests.statements import StatementInTemplate
from tests.structure.catalogue import faults_of

both_roles = pytest.mark.django_db(databases=["default", "owner"])


@both_roles
def test_every_key_of_a_sharded_table_starts_with_the_state() -> None:
    assert faults_of(connections["owner"], manifest()) == []


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        ("state_id smallint NOT NULL, id uuid PRIMARY KEY", "broken_pkey starts with id"),
        (
            "state_id smallint NOT NULL, id uuid, number int UNIQUE, PRIMARY KEY (state_id, id)",
            "broken_number_key starts with number",
        ),
        ("state_id smallint, id uuid", "state_id may be null"),
        (
            (
                "state_id smallint NOT NULL, line_id uuid, FOREIGN KEY (line_id, state_id)"
                " REFERENCES queueing_token (id, state_id)"
            ),
            "broken_line_id_state_id_fkey starts with line_id",
        ),
        (
            "state_id smallint NOT NULL, id uuid, account_id uuid REFERENCES identity_account (id)",
            "from sharded to keyed",
        ),
    ],
)
@both_roles
def test_the_lint_reports_a_broken_key(definition: str, fault: str) -> None:
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX ON queueing_token (id, state_id)")
        cursor.execute(f"CREATE TABLE broken ({definition})")
    found = faults_of(owner, {**manifest(), "broken": TableKind.SHARDED})
    assert [line for line in found if line.startswith("broken") and line.endswith(fault)]


@both_roles
def test_the_lint_reports_tables_that_nobody_listed() -> None:
    owner = connections["owner"]
    with owner.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten (id int)")
    assert "forgotten: neither in the manifest nor a library's table" in faults_of(
        owner, manifest()
    )
    assert "absent: in the manifest, but no such table" in faults_of(
        owner, {**manifest(), "absent": TableKind.SHARDED}
    )


@pytest.fixture
def audited(db: None) -> AuditEvent:
    """One row of an insert-only table."""
    return AuditEvent.objects.create(
        state_id=29,
        at="2026-11-23T10:00:00+05:30",
        verb="structure.test",
        actor_kind="system",
        record_type="token",
        record_id=uuid7(),
    )


@pytest.mark.parametrize("table", insert_only_tables())
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET state_id = state_id WHERE state_id = 29",
        "DELETE FROM {table} WHERE state_id = 29",
        "TRUNCATE {table}",
        "SELECT 1 FROM {table} WHERE state_id = 29 FOR UPDATE",
    ],
)
def test_insert_only_tables_refuse_change(audited: AuditEvent, table: str, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table=table))


def test_what_must_never_change_is_insert_only() -> None:
    assert {"foundation_auditevent", "prescription_prescription", "patients_consent"} <= set(
        insert_only_tables()
    )


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "ALTER TABLE foundation_auditevent ADD COLUMN note text",
        "DROP TABLE foundation_auditevent",
        "SET ROLE sanjeevani_owner",
    ],
)
@pytest.mark.django_db
def test_the_serving_role_cannot_lift_its_own_limits(statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.django_db
def test_the_serving_role_cannot_grant_itself_more() -> None:
    with across_states(), connection.cursor() as cursor:
        # PostgreSQL only warns about a GRANT without the right to grant.
        cursor.execute("GRANT UPDATE ON foundation_auditevent TO CURRENT_USER")
        cursor.execute("SELECT has_table_privilege('foundation_auditevent', 'UPDATE')")
        assert cursor.fetchone() == (False,)


@pytest.mark.django_db
class TestStatementHook:
    """A statement that would have to ask every shard fails in every test."""

    def test_refuses_a_condition_without_the_state(self) -> None:
        with pytest.raises(UnscopedStatement, match="queueing_token"):
            Token.objects.filter(id=uuid.uuid4()).exists()

    def test_refuses_an_unscoped_update(self) -> None:
        with pytest.raises(UnscopedStatement):
            Token.objects.filter(subject_id=uuid.uuid4()).update(language="hi")

    def test_refuses_an_unscoped_delete(self) -> None:
        with pytest.raises(UnscopedStatement), connection.cursor() as cursor:
            cursor.execute("DELETE FROM queueing_token WHERE day < '2020-01-01'")

    def test_refuses_a_state_that_is_only_selected(self) -> None:
        with pytest.raises(UnscopedStatement), connection.cursor() as cursor:
            cursor.execute("SELECT state_id FROM queueing_token WHERE number = 1")

    def test_refuses_a_namesake(self) -> None:
        with pytest.raises(UnscopedStatement), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM consultation_consultation WHERE patient_state_id = 29")

    def test_lets_a_scoped_statement_pass(self) -> None:
        assert not Token.objects.filter(state_id=29, id=uuid.uuid4()).exists()

    def test_lets_sweeps_ask_all_states(self) -> None:
        with across_states():
            assert not Token.objects.filter(id=uuid.uuid4()).exists()


@pytest.mark.django_db
def test_a_template_that_asks_the_database_fails() -> None:
    from django.template import engines

    template = engines.all()[0].from_string("{{ token.line.speciality_code }}")
    with pytest.raises(StatementInTemplate):
        template.render({"token": Token(state_id=29, id=uuid7(), line_id=uuid7())})
