"""What torch says of shapes that do not go together, in words that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Callable

# What a message of torch holds -> what it means. The first two are one error, without values and with them.
WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"a and b must have same reduction dim, but got \[\d+, (\d+)\] X \[(\d+), \d+\]"),
        lambda found: _dense(found[1], found[2]),
    ),
    (
        re.compile(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)"),
        lambda found: _dense(found[1], found[2]),
    ),
    (
        re.compile(r"expected input\[.*\] to have (\d+) channels, but got (\d+) channels"),
        lambda found: f"a convolution takes {int(found[1]):,} channels and gets {int(found[2]):,}",
    ),
    (
        re.compile(r"Invalid channel dimensions"),
        lambda found: "a convolution gets another number of channels than it takes",
    ),
)


def reason_of(error: Exception) -> str:
    """Why a network does not run, in one line: torch's own where there are no better words."""
    said = str(error).strip().partition("\n")[0]
    for pattern, words in WORDS:
        found = pattern.search(said)
        if found is not None:
            return words(found)
    return f"{type(error).__name__}: {said}" if isinstance(error, LookupError | AttributeError) else said


def _dense(gets: str, takes: str) -> str:
    return f"a dense layer takes {int(takes):,} numbers and gets {int(gets):,}"
