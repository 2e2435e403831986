"""Words for searching, cut the same way when a row is stored and when someone types."""

import unicodedata
from collections.abc import Iterable

SEPARATOR = " "
CHANDRABINDU, ANUSVARA, NUKTA = "\u0901", "\u0902", "\u093c"


def search_words(text: str) -> list[str]:
    """Return the distinct words of a text in order: case folded, Latin accents taken off.

    A word is a run of letters, combining signs and digits: Python's own notion of a word would
    cut Devanagari at every vowel sign. Nukta and chandrabindu are written or left out at will
    (ज़ुकाम, जुकाम; खाँसी, खांसी), so both spellings become one.
    """
    kept = []
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    for character in decomposed.replace(CHANDRABINDU, ANUSVARA):
        kind = unicodedata.category(character)
        if character == NUKTA or (unicodedata.combining(character) and character < "\u0900"):
            continue
        kept.append(character if kind[0] in "LMN" else SEPARATOR)
    plain = unicodedata.normalize("NFC", "".join(kept))
    return list(dict.fromkeys(plain.split()))


def words_of(texts: Iterable[str]) -> list[str]:
    """Return the distinct words of several texts, for a `search_words` column."""
    return list(dict.fromkeys(word for text in texts for word in search_words(text)))


def prefix_query(text: str) -> str:
    """Return a PostgreSQL tsquery that asks for every word of the text as a prefix, or ''."""
    return " & ".join(f"'{word}':*" for word in search_words(text))
