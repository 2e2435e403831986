"""Texts of the data files in the reader's language."""

from collections.abc import Mapping

Texts = Mapping[str, str]
"""A text by language code; English is always there."""


def text_in(texts: Texts, language: str) -> str:
    """Return the text in a language, in English where there is none."""
    return texts.get(language) or texts["en"]
