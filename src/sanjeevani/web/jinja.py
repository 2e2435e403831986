"""The Jinja2 environment of every page: loaders, translations, functions and filters."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import jinja2
import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from django.conf import settings
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext, npgettext, pgettext
from markupsafe import Markup

from sanjeevani.web.components import component, draw, error_links, form_open
from sanjeevani.web.icons import MARK, icon
from sanjeevani.web.names import place_of
from sanjeevani.web.spoke.access import tablet_owner
from sanjeevani.web.spoken import Environment


def environment(**options: Any) -> jinja2.Environment:
    """Return the environment that Django's Jinja2 backend asks for; `options` are its own."""
    own = options.pop("loader")
    env = Environment(
        loader=jinja2.ChoiceLoader(
            [
                own,
                jinja2.PrefixLoader(
                    {"govuk_frontend_jinja": jinja2.PackageLoader("govuk_frontend_jinja")}
                ),
            ]
        ),
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        **options,
    )
    env.policies["ext.i18n.trimmed"] = True
    env.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext
    )
    env.globals.update(
        component=component,
        draw=draw,
        error_links=error_links,
        form_open=form_open,
        icon=icon,
        language=get_language,
        languages=languages,
        link_if_served=link_if_served,
        live_safety=settings.LIVE_SAFETY_SECONDS,
        mark=MARK,
        static=static,
        tablet_owner=tablet_owner,
        url=url,
    )
    env.filters.update(
        clock=clock,
        day=day,
        day_of_month=day_of_month,
        duration=duration,
        indian_number=indian_number,
        language_name=language_name,
        phone=phone,
        place=place_of,
        quoted=quoted,
        weekday=weekday,
    )
    return env


def url(name: str, *args: object, **kwargs: object) -> str:
    """Return the address of a named route; raise NoReverseMatch when there is none."""
    return reverse(name, args=args or None, kwargs=kwargs or None)


def link_if_served(name: str) -> str | None:
    """Return the address of a named route without arguments, None when this service has none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def languages() -> list[tuple[str, str]]:
    """Return the (code, name in its own script) of every language that the screens speak."""
    return [(code, language_name(code)) for code, _name in settings.LANGUAGES]


@cache
def language_name(code: str) -> str:
    """Return the name of a language in its own script: `hi` is हिन्दी; the code when unknown."""
    try:
        return str(Locale.parse(code, sep="-").languages[code.split("-", maxsplit=1)[0]])
    except (UnknownLocaleError, KeyError, ValueError):
        return code


def _locale() -> Locale:
    """Return the reader's language as spoken in India."""
    return _locale_of(get_language() or settings.LANGUAGE_CODE)


@cache
def _locale_of(language: str) -> Locale:
    base = language.split("-", maxsplit=1)[0]
    try:
        return Locale.parse(f"{base}_IN")
    except UnknownLocaleError:
        return Locale.parse(base)


def indian_number(value: float | Decimal) -> str:
    """Return a figure grouped as in India, in Latin digits: 12,19,689.

    The pattern is written out because Babel groups some Indian languages the Western way.
    """
    return format_decimal(value, format="#,##,##0.###", locale=_locale(), numbering_system="latn")


def day(value: date | datetime) -> str:
    """Return a day with the month's name: 21 June 2026. A moment is taken in India's time."""
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return format_date(value, "d MMMM y", locale=_locale())


def day_of_month(value: date) -> str:
    """Return a day without its year: 21 June."""
    return format_date(value, "d MMMM", locale=_locale())


def weekday(value: date | datetime) -> str:
    """Return the name of a day of the week: Monday. A moment is taken in India's time."""
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    return format_date(value, "EEEE", locale=_locale())


@cache
def _clock_pattern(locale: Locale) -> str:
    # "4:05 pm" is English: most Indian languages name the part of the day, शाम 4:05.
    names_parts = locale.language != "en" and "Bhm" in locale.datetime_skeletons
    return str(locale.datetime_skeletons["Bhm"]) if names_parts else "h:mm a"


def clock(value: datetime | time) -> str:
    """Return the time of day in India: 4:05 pm, शाम 4:05. The day's last moment is midnight."""
    if isinstance(value, datetime):
        value = (timezone.localtime(value) if timezone.is_aware(value) else value).time()
    if value == time.max:
        value = time.min
    locale = _locale()
    return format_time(value, _clock_pattern(locale), locale=locale)


def duration(value: timedelta | int) -> str:
    """Return a length of time in words; an int is seconds. After a minute, seconds drop."""
    seconds = int(value.total_seconds()) if isinstance(value, timedelta) else value
    if seconds < 60:
        return ngettext("%(num)d second", "%(num)d seconds", seconds) % {"num": seconds}
    hours, minutes = divmod(seconds // 60, 60)
    parts = []
    if hours:
        parts.append(ngettext("%(num)d hour", "%(num)d hours", hours) % {"num": hours})
    if minutes:
        parts.append(ngettext("%(num)d minute", "%(num)d minutes", minutes) % {"num": minutes})
    return " ".join(parts)


def phone(value: str) -> str:
    """Return a number in groups: 98765 43210 for an Indian mobile, +44 20 ... for a foreign one.

    What cannot be read as a number comes back as it is.
    """
    try:
        number = phonenumbers.parse(value, "IN")
    except phonenumbers.NumberParseException:
        return value
    if number.country_code != 91:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL).removeprefix(
        "0"
    )


def quoted(value: str) -> Markup:
    """Return what a person typed, with its line breaks kept and everything else escaped."""
    return Markup("<br>").join(value.splitlines())
