#!/usr/bin/env python3
# ruff: noqa: T201 - a command speaks by printing
"""Check a prescription's QR code without a network, and without trusting the paper.

    python3 verify_prescription.py keys.json 'https://.../verify?s=eyJ...'
    scanner | python3 verify_prescription.py keys.json -

`keys.json` is the service's published key set (JWKS), fetched once from
`/.well-known/prescription-keys.json` and kept. The second argument is the text that a scanner
reads from the code: an address that ends in the signed statement, or the statement alone.

Prints what was signed; compare it with the paper. Exit status: 0 genuine, 1 not genuine,
2 unusable input. A genuine code does not say whether the prescription was replaced or cancelled
since: only the service knows that.

Needs Python 3.9 and the package `cryptography`; nothing else of this product.
"""

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

STATEMENT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\s*$")
ALGORITHMS = {"Ed25519", "EdDSA"}


class NotGenuine(Exception):
    """The code was not signed by any of the keys, or was changed."""


def decode(part: str) -> bytes:
    """Decode URL-safe base64 without padding."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def verify(keys: dict[str, Any], scanned: str) -> dict[str, Any]:
    """Return the signed statement. Raises NotGenuine."""
    found = STATEMENT.search(scanned)
    if not found:
        raise NotGenuine("there is no signed statement in this code")
    header_part, payload_part, signature_part = found.groups()
    try:
        header = json.loads(decode(header_part))
        by_kid = {key["kid"]: key for key in keys["keys"] if key.get("crv") == "Ed25519"}
        if header["alg"] not in ALGORITHMS or header["kid"] not in by_kid:
            raise NotGenuine("signed by a key that is not in the key set; is the set up to date?")
        key = Ed25519PublicKey.from_public_bytes(decode(by_kid[header["kid"]]["x"]))
        key.verify(decode(signature_part), f"{header_part}.{payload_part}".encode())
        statement = json.loads(decode(payload_part))
    except InvalidSignature:
        raise NotGenuine("the statement was changed after it was signed") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotGenuine("the code is damaged or was not made by the service") from None
    return dict(statement)


def main(arguments: list[str]) -> int:
    """Run the command; return the exit status."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    keys_file, scanned = arguments
    try:
        keys = json.loads(Path(keys_file).read_text(encoding="utf-8"))
        scanned = sys.stdin.read() if scanned == "-" else scanned
        statement = verify(keys, scanned.strip())
    except NotGenuine as reason:
        print(f"NOT GENUINE: {reason}")
        return 1
    except (OSError, ValueError) as problem:
        print(f"cannot read the keys: {problem}", file=sys.stderr)
        return 2
    print("GENUINE: signed by the service. Compare with the paper:")
    for name, value in statement.items():
        lines = value if isinstance(value, list) else [value]
        print(
            f"  {name}: "
            + "\n    ".join(["", *map(str, lines)] if len(lines) > 1 else map(str, lines))
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
