"""Signed statements that anyone can check without us: JWS with Ed25519 (RFC 7515, 8037, 9864).

The keys are files in `settings.SIGNING_KEYS_DIR`, one JWK each (RFC 7517), named by the time of
their making. The newest private key signs; every key there verifies and is published. Retiring a
key means replacing its file by the public half; removing the file makes its signatures invalid.
"""

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from filelock import FileLock
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from sanjeevani.foundation import clock
from sanjeevani.foundation.errors import DomainError

ALGORITHM = "Ed25519"
LONGEST_STATEMENT = 20_000


class SignatureInvalid(DomainError):
    """The statement was not signed by this service, or was changed since."""

    status = 422
    message = _("This code was not issued by us, or it was changed.")


def sign_statement(statement: Mapping[str, Any]) -> str:
    """Return the statement as a compact JWS; the newest key signs, its `kid` is in the header."""
    key = _signing_key()
    payload = json.dumps(statement, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    header = {"alg": ALGORITHM, "kid": key.thumbprint()}
    return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])


def verify_statement(token: str) -> dict[str, Any]:
    """Return what was signed. Raises SignatureInvalid for anything that our keys did not sign."""
    if len(token) > LONGEST_STATEMENT:
        raise SignatureInvalid
    try:
        signed = jws.deserialize_compact(token, KeySet([*_keys()]), algorithms=[ALGORITHM])
        statement = json.loads(signed.payload)
    # Hostile tokens fail in the decoding of base64, UTF-8 or JSON as often as in the signature.
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SignatureInvalid from None
    if not isinstance(statement, dict):
        raise SignatureInvalid
    return statement


def public_keys() -> dict[str, list[dict[str, Any]]]:
    """Return the JSON Web Key Set to publish: what a verifier needs, and nothing private."""
    return {
        "keys": [{**key.as_dict(private=False), "alg": ALGORITHM, "use": "sig"} for key in _keys()]
    }


def rotate_signing_key() -> str:
    """Make a new key that signs from now on; return its `kid` (RFC 7638 thumbprint).

    Older ones go on verifying.
    """
    directory = _directory()
    with FileLock(directory / ".lock"):
        return _make_key(directory).thumbprint()


def _signing_key() -> OKPKey:
    private = [key for key in _keys() if key.is_private]
    if private:
        return private[-1]
    directory = _directory()
    with FileLock(directory / ".lock"):
        # Another process may have made the first key while this one waited for the lock.
        private = [key for key in _keys() if key.is_private]
        return private[-1] if private else _make_key(directory)


def _make_key(directory: Path) -> OKPKey:
    key = OKPKey.generate_key("Ed25519", private=True, auto_kid=True)
    stamp = clock.now().strftime("%Y%m%dT%H%M%S%fZ")
    name = directory / f"{stamp}-{key.thumbprint()[:8]}.json"
    half_written = name.with_suffix(".new")
    descriptor = os.open(half_written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(key.as_dict(private=True), file)
        file.flush()
        os.fsync(file.fileno())
    half_written.rename(name)
    return key


def _directory() -> Path:
    directory = Path(settings.SIGNING_KEYS_DIR)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def _keys() -> list[OKPKey]:
    """Return every key, the oldest first."""
    directory = _directory()
    return _read_keys(directory, directory.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_keys(directory: Path, changed: int) -> list[OKPKey]:
    """Read the key files; `changed` makes the cache forget when a key came or went."""
    keys = []
    for path in sorted(directory.glob("*.json")):
        key = OKPKey.import_key(json.loads(path.read_text(encoding="ascii")))
        key.ensure_kid()
        keys.append(key)
    return keys
