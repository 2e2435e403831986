"""What the process is told by its environment."""

import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

RESERVED_FILES = 256
"""File descriptors kept for everything that is not a client."""


class SettingError(Exception):
    """A variable is missing or senseless; the text is one line for the operator."""


@dataclass(frozen=True)
class Settings:
    """One gateway process."""

    host: str
    port: int
    nats_url: str
    live_secret: str
    public_origin: str
    """The one origin whose pages may listen: scheme, host and port."""
    internal_url: str
    """Where Django takes reports of calls; empty when nobody wants them."""
    max_connections: int


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingError(f"{name} must be set.")
    return value


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    given = environment.get(name) or str(default)
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise SettingError(f"{name} must be a number from 1 to {most}, not {given!r}.")
    return int(given)


def open_files() -> int:
    """Raise the soft limit of open files to the hard one and return it."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings. Raises `SettingError`."""
    public = urlsplit(_required(environment, "SANJEEVANI_PUBLIC_URL"))
    if public.scheme not in {"http", "https"} or not public.netloc:
        raise SettingError("SANJEEVANI_PUBLIC_URL must look like https://host or http://host:port.")
    secret = _required(environment, "SANJEEVANI_LIVE_SECRET")
    if len(secret) < 32:
        raise SettingError("SANJEEVANI_LIVE_SECRET must have at least 32 characters.")
    wanted = _number(environment, "SANJEEVANI_GATEWAY_MAX_CONNECTIONS", 20_000, 1_000_000)
    return Settings(
        host=environment.get("SANJEEVANI_GATEWAY_HOST") or "0.0.0.0",  # noqa: S104 - phones connect from outside
        port=_number(environment, "SANJEEVANI_GATEWAY_PORT", 8001, 65_535),
        nats_url=_required(environment, "SANJEEVANI_NATS_URL"),
        live_secret=secret,
        public_origin=f"{public.scheme}://{public.netloc}",
        internal_url=environment.get("SANJEEVANI_INTERNAL_URL", "").rstrip("/"),
        max_connections=max(1, min(wanted, open_files() - RESERVED_FILES)),
    )
