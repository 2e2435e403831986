"""Secrets of one installation: from the environment, else made once and kept in its data folder."""

import os
import secrets
import tempfile
from pathlib import Path

import filelock


def read_secret(name: str, data_dir: Path) -> str:
    """Return the secret called `name`.

    The environment wins. Otherwise `<data_dir>/secrets/<name>` holds it, created on first use with
    mode 600; two processes that start together agree on one value.
    """
    if value := os.environ.get(name):
        return value
    path = data_dir / "secrets" / name.lower()
    if not _is_whole(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with filelock.FileLock(path.parent / ".lock", mode=0o600):
            if not _is_whole(path):
                _make(path)
    return path.read_text()


def _is_whole(path: Path) -> bool:
    """Tell whether there is a secret. An empty file, left by a power cut, is none: with it anybody
    could sign what we sign."""
    return path.exists() and path.stat().st_size > 0


def _make(path: Path) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    Path(temporary).rename(path)
