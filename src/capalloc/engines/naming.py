"""Names for rows and columns that people can read and every solver's file format can hold."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

# Formats for models allow 255 characters; the rest is left for an ending.
_LONGEST = 200


def readable_names(labels: Sequence[str]) -> list[str]:
    """Return one name a label, all different: letters of any language, digits and single underscores.

    Labels that come out alike, or empty, get their position behind two underscores, which no other name has.

    Examples
    --------
    >>> readable_names(["Cầu Nậm Na [2024]", "road-1", "road 1"])
    ['Cầu_Nậm_Na_2024', 'road_1__1', 'road_1__2']
    """
    names = [_clean(label) for label in labels]
    times = Counter(names)
    return [f"{name}__{place}" if times[name] > 1 else name for place, name in enumerate(names)]


def _clean(label: str) -> str:
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", label))
    name = "_".join(words)[:_LONGEST].rstrip("_")
    # Files of the LP format read a name that begins with a digit, or with e and a digit, as a number.
    return name if re.match(r"(?!e\d)[^\W\d]", name, re.IGNORECASE) else f"n_{name}".rstrip("_")
