"""The catalogues' tool: the same files at every run, and no fault passes it."""

from pathlib import Path

from babel.messages.pofile import read_po

from sanjeevani.web.management.commands import translations

HINDI = b"""
msgid ""
msgstr "Language: hi\\n"

msgid "Token %(number)s"
msgstr "\xe0\xa4\x9f\xe0\xa5\x8b\xe0\xa4\x95\xe0\xa4\xa8 %(nummer)s"

#, fuzzy
msgid "Waiting room"
msgstr "?"

msgid "All is said once."
msgstr "Everything is said. Everything is said."

msgid "Gone from the sources"
msgstr "?"
"""


def test_the_sources_give_the_same_words_at_every_run() -> None:
    once, again = translations.extract(), translations.extract()
    assert translations.po_bytes(once) == translations.po_bytes(again)
    words = {message.id for message in translations.messages(once)}
    assert "Skip to main content" in words, "templates are read"
    assert ("%(num)d minute", "%(num)d minutes") in words, "plurals are read"
    assert "Fill in: %(label)s" in words, "lazy words are read"


def test_a_catalogue_follows_the_sources_and_names_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "django.po"
    path.write_bytes(HINDI)
    template = translations.new_catalog(None)
    for words in ("Token %(number)s", "Waiting room", "All is said once.", "New"):
        template.add(words)

    catalog = translations.updated(path, "hi", template)

    assert sorted(translations.faults_of(catalog)) == [
        "not translated: 'New'",
        "other placeholders than the source: 'Token %(number)s'",
        "stands there twice: 'All is said once.'",
        "unsure (fuzzy): 'Waiting room'",
    ]
    path.write_bytes(translations.po_bytes(catalog))
    with path.open("rb") as file:
        assert "Gone from the sources" not in read_po(file)
    assert translations.po_bytes(
        translations.updated(path, "hi", template)
    ) == translations.po_bytes(catalog)
