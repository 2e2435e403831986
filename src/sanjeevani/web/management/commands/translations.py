"""Collects the words of the screens, and proves that every language has them all."""

import io
import re
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

SOURCE = Path(settings.PACKAGE_DIR)
LOCALE = Path(settings.LOCALE_PATHS[0])
TEMPLATE = LOCALE / "django.pot"
MAPPING = SOURCE.parent.parent / "babel.cfg"
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Dates in the files would change them at every run.
DATE = datetime(2026, 1, 1, tzinfo=UTC)
DOUBLED = re.compile(r"(.{10,})\s*\1", re.DOTALL)
PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sd]|\{\w*\}")


class Command(BaseCommand):
    help = "Update the catalogues of all languages from the sources; --check only compares."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing, fail if behind")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        template = extract()
        files = {TEMPLATE: po_bytes(template)}
        faults: list[str] = []
        for code, _name in settings.LANGUAGES:
            if code == settings.LANGUAGE_CODE:
                continue
            folder = LOCALE / code.replace("-", "_") / "LC_MESSAGES"
            catalog = updated(folder / "django.po", code, template)
            files[folder / "django.po"] = po_bytes(catalog)
            files[folder / "django.mo"] = mo_bytes(catalog)
            faults += [f"{code}: {fault}" for fault in faults_of(catalog)]
        behind = [
            path for path, data in files.items() if not path.exists() or path.read_bytes() != data
        ]
        if not check:
            for path in behind:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(files[path])
                self.stdout.write(f"wrote {path.relative_to(SOURCE)}")
            for fault in faults:
                self.stdout.write(fault)
            return
        faults += [f"{path.relative_to(SOURCE)} is behind the sources" for path in behind]
        if faults:
            raise CommandError(
                "\n".join([*faults, "run `sanjeevani translations`, translate, and run it again"])
            )


def extract() -> Catalog:
    """Return the words of all sources, ordered, without line numbers, so that it changes rarely."""
    mapping = ConfigParser()
    mapping.read(MAPPING, encoding="utf-8")
    methods = []
    options = {}
    for section in mapping.sections():
        method, pattern = (part.strip() for part in section.split(":", 1))
        methods.append((pattern, method))
        options[pattern] = dict(mapping.items(section))
    catalog = new_catalog(None)
    found = extract_from_dir(
        SOURCE, methods, options, KEYWORDS, comment_tags=["Translators:"], strip_comment_tags=True
    )
    for file, _line, message, comments, context in found:
        catalog.add(message, None, [(file, 0)], auto_comments=comments, context=context)
    return catalog


def new_catalog(locale: str | None) -> Catalog:
    """Return an empty catalogue with a header that does not change from run to run."""
    return Catalog(
        locale=locale,
        project="Sanjeevani",
        version="1",
        header_comment="# Words of the screens. Written by `sanjeevani translations`.",
        msgid_bugs_address="",
        creation_date=DATE,
        revision_date=DATE,
        last_translator="Sanjeevani",
        language_team="Sanjeevani",
        fuzzy=False,
    )


def updated(path: Path, code: str, template: Catalog) -> Catalog:
    """Return a language's catalogue with the messages of the sources, no more and no less."""
    catalog = new_catalog(code.replace("-", "_"))
    known = Catalog()
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=catalog.locale)
    for message in messages(template):
        old = known.get(message.id, message.context)
        catalog.add(
            message.id,
            old.string if old else None,
            message.locations,
            flags=message.flags | ({"fuzzy"} if old and old.fuzzy else set()),
            auto_comments=message.auto_comments,
            user_comments=old.user_comments if old else (),
            context=message.context,
        )
    return catalog


def messages(catalog: Catalog) -> Iterator[Message]:
    """Return the messages of a catalogue without its header."""
    return (message for message in catalog if message.id)


def po_bytes(catalog: Catalog) -> bytes:
    """Return the catalogue as text, ordered by message."""
    file = io.BytesIO()
    write_po(file, catalog, width=100, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return file.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """Return the catalogue as gettext reads it; what is missing or fuzzy stays out."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def faults_of(catalog: Catalog) -> Iterator[str]:
    """Return what is missing, unsure, or says something else than the source."""
    for message in messages(catalog):
        sources = forms(message.id)
        translations = forms(message.string)
        if not translations or not all(translations):
            yield f"not translated: {sources[0]!r}"
        elif message.fuzzy:
            yield f"unsure (fuzzy): {sources[0]!r}"
        elif any(placeholders([one]) != placeholders(sources) for one in translations):
            yield f"other placeholders than the source: {sources[0]!r}"
        elif any(DOUBLED.fullmatch(one) for one in translations):
            yield f"stands there twice: {sources[0]!r}"


def forms(text: str | Iterable[str] | None) -> list[str]:
    """Return the singular and plural forms of a message as a list."""
    if text is None:
        return []
    return [text] if isinstance(text, str) else list(text)


def placeholders(texts: Iterable[str]) -> set[str]:
    """Return what is filled in at run time."""
    return {found for text in texts for found in PLACEHOLDER.findall(text)}
