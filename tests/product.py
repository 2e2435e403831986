"""The whole product on scratch data, as an operator starts it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import httpx
import psutil

SANJEEVANI = Path(sys.executable).with_name("sanjeevani")


def free_ports(number: int) -> int:
    """Return the first of `number` neighbouring ports that nobody listens on."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        try:
            for port in range(first, first + number):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first


class Product:
    """`sanjeevani run` as a context: ready inside the block, stopped after it.

    `data_dir` is kept by whoever gives it; without one, a scratch folder is made and removed.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        port: int | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        if data_dir is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="sanjeevani-run-")
            data_dir = Path(self._scratch.name)
            data_dir.chmod(0o711)
        self.data_dir = data_dir
        self.port = port or free_ports(3)
        self.url = f"http://localhost:{self.port}"
        self.lines: list[str] = []
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SANJEEVANI_", "PYTEST_", "DJANGO_"))
        }
        self.environment = {
            **inherited,
            "SANJEEVANI_DATA": str(data_dir),
            "PORT": str(self.port),
            **(variables or {}),
        }

    def start(self) -> Self:
        """Start without waiting."""
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", SANJEEVANI, "run"],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip("\n"))

    def ended(self, seconds: float = 45) -> int:
        """Wait for the end; return the exit status."""
        status = self.process.wait(seconds)
        self._reader.join(5)
        return status

    def wait_until_ready(self, seconds: float = 300) -> None:
        """Wait for the line that tells the address."""
        deadline = time.monotonic() + seconds
        while not any(line.startswith("Ready: ") for line in self.lines):
            assert self.process.poll() is None, self.lines
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal the command and wait; return the exit status."""
        self.process.send_signal(number)
        return self.ended()

    @property
    def owner_dsn(self) -> str:
        """How its database is reached as its owner, past all verbs."""
        return f"host={self.data_dir / 'run' / 'postgres'} dbname=sanjeevani user=sanjeevani_owner"

    def processes(self) -> list[psutil.Process]:
        """List what runs for this installation, whoever its parent is."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                mark = process.environ().get("SANJEEVANI_SUPERVISED")
                if mark == str(self.data_dir) or str(self.data_dir) in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def process_ids(self) -> set[int]:
        """Return the process ids of all that runs for this installation."""
        return {process.pid for process in self.processes()}

    def child(self, name: str) -> int | None:
        """Return the process id of the program whose command line has `name`, while it runs."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                parent = process.parent()
                if (
                    name in " ".join(process.cmdline())
                    and parent
                    and "supervisord" in " ".join(parent.cmdline())
                ):
                    return process.pid
        return None

    def ready(self) -> bool:
        """Ask the product whether it can serve."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self._reader.join(5)
        if self._scratch:
            self._scratch.cleanup()
