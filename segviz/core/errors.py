"""What went wrong, said to people: every message names the value and the remedy."""

from __future__ import annotations

import os
import unicodedata

LONGEST_MESSAGE = 280  # characters; what is longer belongs into `details`


class SegvizError(Exception):
    """A failure that a person can act on; `str(error)` is shown as it is, as plain text.

    `details` holds what helps to report it (a traceback, a list of tensors) and is one click away.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(shorten(clean(message)))
        self.details = details


class UsageError(SegvizError):
    """The words of the call are wrong, not the data: the command line ends with status 2."""


def clean(text: str) -> str:
    """`text` without control and direction-changing characters: file names come from strangers."""
    return "".join(c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else "�" for c in text)


def named(path: str | os.PathLike[str]) -> str:
    """The name of a file for a message: one line, cleaned, at most 80 characters, so that the reason still fits."""
    return shorten(clean(os.path.basename(os.fspath(path)) or os.fspath(path)).replace("\n", "�"), 80)  # noqa: PTH119


def shorten(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """`text` cut in its middle to at most `longest` characters, so that both its ends stay readable."""
    if len(text) <= longest:
        return text
    head = (longest - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (longest - 1 - head) :]}"
