"""What segviz writes into a file of a network that it saves, and what of it is believed when the file is opened.

A note is an object of JSON: in the metadata of safetensors, beside the program of a .pt2. It says how pixels go in and
how the classes are called, so that the file opens the same wherever it is opened, and how it was made. Files come
from strangers: every value is checked, and held against the network that it is said of.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from segviz.core.entries import CHANNELS, GREY, Entry, Preprocessing
from segviz.core.errors import clean, shorten

NAME = "segviz"  # what a note is called among the metadata
LONGEST = 1 << 20  # characters of a note, enough for ten thousand names
LONGEST_NAME = 80  # characters of a class's name
LARGEST_SIDE = 1 << 16  # pixels of an input, less one

Note = Mapping[str, Any]


def of_entry(entry: Entry) -> dict[str, Any]:
    """What a note says of pixels and classes."""
    scaling = entry.preprocessing
    return {
        "channels": scaling.channels,
        "mean": list(scaling.mean),
        "std": list(scaling.std),
        "classes": list(entry.classes),
    }


def read(text: str | bytes) -> Note:
    """The note that `text` is; one that says nothing where it is none, or far too long."""
    if not text or len(text) > LONGEST:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # the latter of brackets in brackets in brackets
        return {}
    return found if isinstance(found, dict) else {}


def names(note: Note, count: int) -> tuple[str, ...]:
    """The names of the classes, if there are `count` of them and each is a text; else none."""
    told = note.get("classes")
    if not isinstance(told, list) or len(told) != count or not all(isinstance(name, str) for name in told):
        return ()
    found = tuple(shorten(clean(" ".join(name.split())), LONGEST_NAME) for name in told)
    return found if all(found) else ()


def preprocessing(note: Note, channels: int) -> Preprocessing | None:
    """How pixels go into a network of so many channels; None where the note does not say so, or of another one."""
    order, mean, std = note.get("channels"), _numbers(note, "mean", channels), _numbers(note, "std", channels)
    if order not in CHANNELS or not mean or not std or 0 in std or (order != GREY and channels != 3):
        return None
    if order == GREY and len(mean) == len(std) == 1:  # grey goes into every channel
        mean, std = mean * channels, std * channels
    return Preprocessing(order, mean, std)


def input_size(note: Note) -> tuple[int, int, int] | None:
    """The native input (C, H, W), where the note says it."""
    told = note.get("input_size")
    if not isinstance(told, list) or len(told) != 3 or not all(type(n) is int and 0 < n < LARGEST_SIDE for n in told):
        return None
    return told[0], told[1], told[2]


def applied(entry: Entry, text: str) -> tuple[Entry, tuple[str, ...]]:
    """`entry` as the note `text` of its file has it, and remarks on what of it does not suit the network."""
    note, remarks = read(text), []
    if text and not note:
        remarks.append(
            "the note of segviz in the file cannot be read: classes and pixels are those of the architecture"
        )
    if "classes" in note:
        found = names(note, entry.class_count)
        if not found:
            remarks.append(f"the file has no names for {entry.class_count:,} classes: its names are left aside")
        elif found != entry.classes:
            entry = entry.taught(found)
    if {"channels", "mean", "std"} & note.keys():
        scaling, planes = preprocessing(note, entry.input_size[0]), entry.input_size[0]
        if scaling is None:
            channels = "1 channel" if planes == 1 else f"{planes} channels"
            remarks.append(f"what the file says of pixels does not suit {channels}: it is left aside")
        else:
            entry = replace(entry, preprocessing=scaling)
    return entry, tuple(remarks)


def _numbers(note: Note, key: str, channels: int) -> tuple[float, ...]:
    """Finite numbers, one or one a channel; none where there are others."""
    told = note.get(key)
    if not isinstance(told, list) or len(told) not in (1, channels):
        return ()
    try:
        found = tuple(float(number) for number in told if type(number) in (int, float))
    except OverflowError:  # a whole number of a thousand digits
        return ()
    return found if len(found) == len(told) and all(map(math.isfinite, found)) else ()
