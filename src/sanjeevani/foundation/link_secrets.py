"""Secrets of links made by a program that may ask again."""

import base64
import uuid

from django.utils.crypto import salted_hmac


def secret_from(purpose: str, of: uuid.UUID, request_key: uuid.UUID) -> str:
    """Return the secret of a link to `of`, made with a key: as hard to guess as SECRET_KEY.

    So it need not be kept for retries, and who reads the tables cannot open the link.
    """
    made = salted_hmac(purpose, f"{of} {request_key}", algorithm="sha256")
    return base64.urlsafe_b64encode(made.digest()).decode().rstrip("=")
