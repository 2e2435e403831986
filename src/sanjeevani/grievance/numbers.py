"""Numbers by which a grievance is followed up: hard to guess, easy to read out."""

import re
import secrets

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0, 1, I, L, O and U, which are misread."""

_WRITTEN = re.compile(
    rf"([0-9]{{1,2}})-?([{LETTERS}]{{4}})-?([{LETTERS}]{{4}})-?([{LETTERS}]{{4}})"
)


def new_number(state_id: int) -> str:
    """Return a number of a tenant, like 28-K7TM-9WQR-2XD4: nearly 59 random bits."""
    groups = ("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join([str(state_id), *groups])


def read_number(text: str) -> tuple[int, str] | None:
    """Return (tenant, number as stored) of what somebody typed, None when it is no number."""
    written = _WRITTEN.fullmatch(re.sub(r"[\s‐‑–]+", "-", text.strip().upper()).strip("-"))
    if written is None:
        return None
    state_id = int(written[1])
    return state_id, "-".join([str(state_id), *written.groups()[1:]])
