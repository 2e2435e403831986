"""Secrets of one installation: from the environment, else made once and kept in its data folder."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path


def read_secret(name: str, data_dir: Path) -> str:
    """Return the secret called `name`.

    The environment wins. Otherwise `<data_dir>/secrets/<name>` holds it, created on first use with
    mode 600; two processes that start together agree on one value.
    """
    if value := os.environ.get(name):
        return value
    path = data_dir / "secrets" / name.lower()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        # Linking, unlike renaming, fails when another process was first: both then read one value.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        Path(temporary).unlink()
    return path.read_text()
