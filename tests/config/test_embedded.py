"""The folder of sockets, and PostgreSQL's roles."""

import os
import socket
from pathlib import Path

import psycopg
import pytest

from sanjeevani.config.embedded import (
    OWNER,
    SERVING,
    SYSTEM_USER,
    EmbeddedFailure,
    EmbeddedPostgres,
    runtime_dir,
)

LONG = "a-folder-with-quite-a-long-name"


def deep(tmp_path: Path) -> Path:
    folder = tmp_path / LONG / LONG / LONG
    folder.mkdir(parents=True)
    return folder


def test_sockets_are_in_the_data_folder_when_its_path_is_short(tmp_path: Path) -> None:
    short = Path("/tmp") / tmp_path.name  # noqa: S108
    short.mkdir()
    try:
        assert runtime_dir(short) == short / "run"
    finally:
        (short / "run").rmdir()
        short.rmdir()


def test_sockets_fit_the_kernel_when_the_path_is_long(tmp_path: Path) -> None:
    folder = runtime_dir(deep(tmp_path))
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(folder / "supervisor.sock.1234567"))
        assert runtime_dir(deep(tmp_path / "other")) != folder
    finally:
        (folder / "supervisor.sock.1234567").unlink()
        folder.rmdir()
        runtime_dir(tmp_path / "other" / LONG / LONG / LONG).rmdir()


def test_a_short_folder_that_others_may_write_is_refused(tmp_path: Path) -> None:
    folder = runtime_dir(deep(tmp_path))
    try:
        folder.chmod(0o777)
        with pytest.raises(EmbeddedFailure, match="belongs to somebody else"):
            runtime_dir(tmp_path / LONG / LONG / LONG)
    finally:
        folder.rmdir()


@pytest.fixture
def postgres() -> EmbeddedPostgres:
    """The cluster of this test run."""
    return EmbeddedPostgres(Path(os.environ["SANJEEVANI_DATA"]), durable=False)


def test_neither_role_is_more_than_it_needs(postgres: EmbeddedPostgres) -> None:
    with postgres.connect(SERVING) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = ANY(%s)",
            [[OWNER, SERVING]],
        ).fetchall()
        assert sorted(rows) == [(SERVING, False, False), (OWNER, False, False)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE public.mine (id int)")


def test_nobody_else_may_connect(postgres: EmbeddedPostgres) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can act as somebody else")
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        try:
            postgres.connect(SERVING).close()
        except psycopg.OperationalError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_the_cluster_is_made_once(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    postgres = EmbeddedPostgres(tmp_path, durable=False)
    (tmp_path / "postgres.unfinished").mkdir()
    postgres.prepare()
    (tmp_path / "postgres.unfinished").mkdir(exist_ok=True)
    made = (postgres.directory / "PG_VERSION").stat().st_mtime_ns
    postgres.prepare()
    assert (postgres.directory / "PG_VERSION").stat().st_mtime_ns == made


def test_lock_files_that_a_power_cut_left_empty_do_not_keep_it_from_starting(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o711)
    cluster = EmbeddedPostgres(tmp_path, durable=False)
    cluster.prepare()
    for lock in (cluster.directory / "postmaster.pid", cluster.socket_dir / ".s.PGSQL.5432.lock"):
        lock.touch()
    cluster.clear_leftover()
    with cluster.running():
        assert cluster.answers()


def test_files_of_another_version_are_refused_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    cluster = EmbeddedPostgres(tmp_path, durable=False)
    cluster.prepare()
    (cluster.directory / "PG_VERSION").write_text("17\n")
    with pytest.raises(EmbeddedFailure, match=r"^.* PostgreSQL 17, .*$"):
        cluster.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_files_that_a_copy_gave_to_another_user_are_refused_with_the_way_out(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o711)
    cluster = EmbeddedPostgres(tmp_path, durable=False)
    cluster.prepare()
    os.chown(cluster.directory, 0, 0)
    with pytest.raises(EmbeddedFailure, match=f"chown -R {SYSTEM_USER}: {cluster.directory}"):
        cluster.prepare()
