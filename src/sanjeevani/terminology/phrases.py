"""The notes of the formulary in other languages: a few phrases, each used by many rows."""

from functools import cache

from sanjeevani.terminology.data_files import read_rows


def phrase_in(phrase: str, language: str) -> str:
    """Return a note of the formulary in a language; as it stands where there is no translation.

    The translations are this service's own, for a clinical lead to confirm.
    """
    return _translations(language).get(phrase) or phrase


@cache
def _translations(language: str) -> dict[str, str]:
    return {row["en"]: row.get(language, "") for row in read_rows("phrases")}
