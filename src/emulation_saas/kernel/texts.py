"""What a text shows to who reads it."""

from typing import Final
from unicodedata import category

_SEEN: Final = frozenset("LNPS")
"""Letters, numbers, punctuation marks and symbols, of Unicode's categories."""


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text is seen: it is empty, or all spaces, format characters and lone marks."""
    return not any(category(character)[0] in _SEEN for character in text)
