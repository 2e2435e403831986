"""Django's settings, all deployment differences read from the environment.

`sanjeevani run` sets every variable for the embedded services; `docs/running.md` lists them.
"""

import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from sanjeevani.config.secrets import read_secret

PACKAGE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("SANJEEVANI_DATA", ".data")).resolve()
MODE = os.environ.get("SANJEEVANI_MODE", "")
PRODUCTION = MODE == "production"
DEBUG = False

SECRET_KEY = read_secret("SANJEEVANI_SECRET_KEY", DATA_DIR)
LIVE_SECRET = read_secret("SANJEEVANI_LIVE_SECRET", DATA_DIR)
SIGNING_KEYS_DIR = Path(os.environ.get("SANJEEVANI_SIGNING_KEYS", DATA_DIR / "signing"))


def _number(name: str, default: str) -> int:
    """Return a variable that is a number."""
    given = os.environ.get(name) or default
    if not given.isdecimal():
        raise SystemExit(f"sanjeevani: {name} must be a number, not {given!r}.")
    return int(given)


PORT = _number("PORT", "8000")
PUBLIC_URL = os.environ.get("SANJEEVANI_PUBLIC_URL", f"http://localhost:{PORT}")
# In development anybody reads the codes of everybody's sign-in: a service with an address of its
# own, or a mode that is misspelt, does not start on a guess.
if MODE not in ("production", "development") and (MODE or PUBLIC_URL.startswith("https://")):
    raise SystemExit(
        "sanjeevani: set SANJEEVANI_MODE to production, or to development where anybody may read"
        " the messages in the inbox, with the codes by which patients sign in."
    )
GATEWAY_URL = os.environ.get("SANJEEVANI_GATEWAY_URL", f"http://localhost:{PORT + 1}")
LIVE_SAFETY_SECONDS = _number("SANJEEVANI_LIVE_SAFETY_SECONDS", "60")
NATS_URL = os.environ.get("SANJEEVANI_NATS_URL", "nats://127.0.0.1:4222")
_HOSTS = os.environ.get("SANJEEVANI_ALLOWED_HOSTS") or (
    urlsplit(PUBLIC_URL).hostname or "" if PRODUCTION else "*"
)
# The gateway, probes and `sanjeevani run` reach the workers past the proxy: by these names. No
# link is made of what a client gives as the host.
_INTERNAL_HOST = urlsplit(os.environ.get("SANJEEVANI_INTERNAL_URL", "")).hostname
ALLOWED_HOSTS = [
    *(host.strip() for host in _HOSTS.split(",")),
    *("localhost", "127.0.0.1", "[::1]"),
    *([_INTERNAL_HOST] if _INTERNAL_HOST else []),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "sanjeevani.foundation",
    "sanjeevani.messaging",
    "sanjeevani.identity",
    "sanjeevani.documents",
    "sanjeevani.terminology",
    "sanjeevani.directory",
    "sanjeevani.patients",
    "sanjeevani.roster",
    "sanjeevani.calls",
    "sanjeevani.queueing",
    "sanjeevani.intake",
    "sanjeevani.consultation",
    "sanjeevani.prescription",
    "sanjeevani.grievance",
    "sanjeevani.reporting",
    "sanjeevani.notifications",
    "sanjeevani.onboarding",
    "sanjeevani.web",
    "sanjeevani.api",
    "sanjeevani.demo",
    "sanjeevani.jobs",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "sanjeevani.web.middleware.security_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "sanjeevani.web.errors.map_errors",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "sanjeevani.web.live.note_what_is_done",
    "sanjeevani.web.access.authenticate",
]

ROOT_URLCONF = "sanjeevani.config.urls"
WSGI_APPLICATION = "sanjeevani.config.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE_DIR / "web" / "templates"],
        "OPTIONS": {"environment": "sanjeevani.web.jinja.environment"},
    }
]

# Two roles on one database: the serving role cannot change what must never change,
# the owner migrates. Tests and commands that migrate name the alias `owner`.
_DATABASE = {
    "ENGINE": "sanjeevani.foundation.postgresql",
    "NAME": os.environ.get("SANJEEVANI_DB_NAME", "sanjeevani"),
    "HOST": os.environ.get("SANJEEVANI_DB_HOST", ""),
    "PORT": os.environ.get("SANJEEVANI_DB_PORT", ""),
    "CONN_MAX_AGE": None,
    "CONN_HEALTH_CHECKS": True,
    # A statement that was sent twice is prepared: half of PostgreSQL's work was to parse and
    # plan the same ones again. A pgbouncer before 1.21 cannot pass them on: set 0.
    "OPTIONS": {
        "server_side_binding": True,
        "prepare_threshold": _number("SANJEEVANI_DB_PREPARE_AFTER", "2") or None,
    },
}
DATABASES = {
    "default": {
        **_DATABASE,
        "USER": os.environ.get("SANJEEVANI_DB_USER", "sanjeevani"),
        "PASSWORD": os.environ.get("SANJEEVANI_DB_PASSWORD", ""),
        "TEST": {"MIRROR": "owner"},
    },
    "owner": {
        **_DATABASE,
        "USER": os.environ.get("SANJEEVANI_DB_OWNER", "sanjeevani_owner"),
        "PASSWORD": os.environ.get("SANJEEVANI_DB_OWNER_PASSWORD", ""),
        "TEST": {"DEPENDENCIES": []},
    },
}
DATABASE_ROUTERS = ["sanjeevani.foundation.sharding.OwnerMigrates"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "Asia/Kolkata"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("hi", _("Hindi"))]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LOCALE_PATHS = [PACKAGE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("SANJEEVANI_STATIC", DATA_DIR / "static"))
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_DIR / "uploads"},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

SECURE_COOKIES = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "sanjeevani.web.errors.csrf_failure"
LANGUAGE_COOKIE_SECURE = SECURE_COOKIES
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
# How many proxies of ours stand before the web workers; the client's address is read past them.
# With TLS there is one, and were it forgotten, all would share its address and the limits per
# address: the service does not start on a guess.
_PROXIES = os.environ.get("SANJEEVANI_TRUSTED_PROXIES", "")
if not _PROXIES.isdecimal() and (_PROXIES or (PRODUCTION and SECURE_COOKIES)):
    raise SystemExit(
        "sanjeevani: set SANJEEVANI_TRUSTED_PROXIES to how many proxies of yours stand in front of"
        " the web workers: 1 for a proxy with TLS, 0 if browsers reach them directly."
    )
TRUSTED_PROXIES = int(_PROXIES or 0)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
FILE_UPLOAD_HANDLERS = [
    "sanjeevani.documents.uploads.RequestLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# Overrides of identity/limits.py. In development everybody comes from this machine.
_PER_ADDRESS = "0" if PRODUCTION else "1000000"
SIGN_IN_LIMITS = {
    limit: (allowed, seconds)
    for limit, variable, seconds in (
        ("codes_per_address", "SANJEEVANI_CODES_PER_ADDRESS", 600),
        ("passwords_per_address", "SANJEEVANI_PASSWORDS_PER_ADDRESS", 900),
    )
    if (allowed := _number(variable, _PER_ADDRESS))
}

# Messages leave through a port: the development inbox, or an SMS operator's HTTP gateway.
_HTTP_GATEWAY = "sanjeevani.messaging.sms_gateway.HttpGateway"
SMS_BACKEND = os.environ.get(
    "SANJEEVANI_SMS_BACKEND",
    _HTTP_GATEWAY if PRODUCTION else "sanjeevani.messaging.sms.DevelopmentInbox",
)
SMS_GATEWAY_URL = os.environ.get("SANJEEVANI_SMS_GATEWAY_URL", "")
# Without one everything would run, and no patient could sign in.
if SMS_BACKEND == _HTTP_GATEWAY and not SMS_GATEWAY_URL.startswith(("https://", "http://")):
    raise SystemExit(
        "sanjeevani: set SANJEEVANI_SMS_GATEWAY_URL to the address of the operator that sends"
        " messages: without one no patient gets the code to sign in."
    )
SMS_GATEWAY_TOKEN = os.environ.get("SANJEEVANI_SMS_GATEWAY_TOKEN", "")
DEVELOPMENT_INBOX = not PRODUCTION

# Who has it reads how the service is doing; without one nobody does.
METRICS_TOKEN = os.environ.get("SANJEEVANI_METRICS_TOKEN", "")

# Calls go from page to page; where a network forbids that, through relays (coturn), by state.
try:
    TURN_SERVERS: dict[str, list[str]] = json.loads(
        os.environ.get("SANJEEVANI_TURN_SERVERS") or "{}"
    )
except ValueError:
    raise SystemExit(
        'sanjeevani: SANJEEVANI_TURN_SERVERS must be JSON such as {"*": ["turn:..."]}.'
    ) from None
TURN_SECRET = os.environ.get("SANJEEVANI_TURN_SECRET", "")
# Phone call-backs leave through a port too; without a bridge the desk does not offer them.
PHONE_BRIDGE_URL = os.environ.get("SANJEEVANI_PHONE_BRIDGE_URL", "")
PHONE_BRIDGE_TOKEN = os.environ.get("SANJEEVANI_PHONE_BRIDGE_TOKEN", "")
PHONE_BRIDGE = os.environ.get(
    "SANJEEVANI_PHONE_BRIDGE",
    ("sanjeevani.calls.phone_bridge.HttpBridge" if PHONE_BRIDGE_URL else "")
    if PRODUCTION
    else "sanjeevani.calls.phone.DevelopmentBridge",
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "sanjeevani.foundation.logs.Formatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            # Beside logs of PostgreSQL, which are in UTC.
            "datefmt": "%Y-%m-%d %H:%M:%S%z",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "httpx": {"level": "WARNING"},
    },
}
