"""What a spec says of a network against what is known of it: input, channels, mean, std, labels, and so on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from segviz.core import places
from segviz.core.choices import Task
from segviz.core.entries import CHANNELS, IMAGENET, Entry, Preprocessing
from segviz.core.errors import SegvizError, UsageError, clean, named
from segviz.core.specs import Spec

PIXELS = ("channels", "mean", "std")  # options of preprocessing
LARGEST_LIST = 1_000_000  # characters of a list of class names


def unopened(spec: Spec) -> Entry:
    """What stands for a network that nobody has opened yet."""
    return Entry(
        name=str(spec.opening),
        title=spec.title,
        task=Task.CLASSIFICATION,
        builder="",
        parameters=0,
        input_size=(3, 224, 224),
        class_count=0,
        stride=1,
        receptive_field=0,
        weights=spec.title,
        licence="unknown",
        preprocessing=IMAGENET,
        summary=spec.kind.hint,
    )


def adapted(found: Entry, spec: Spec) -> Entry:
    """`found` as the viewing options of a spec want it: input, channels, mean, std, labels, multiple, longest, minimum.

    Raises UsageError for a value that cannot be, SegvizError for a list of names that cannot be read.
    """
    given = dict(spec.options)
    changes: dict[str, Any] = {}
    before = found.preprocessing
    if set(PIXELS) & given.keys():
        changes["preprocessing"] = Preprocessing(
            _channels(given.get("channels", before.channels)),
            _numbers(given, "mean", before.mean),
            _numbers(given, "std", before.std),
        )
    if "input" in given:
        changes["input_size"] = _size(given["input"])
    if "labels" in given:
        changes |= {"class_list": _named_classes(given["labels"], found), "labels": ""}
    if "longest" in given:
        changes["longest_side"] = _whole(given, "longest") or None
    if "multiple" in given:
        changes["multiple"] = max(1, _whole(given, "multiple"))
    if "minimum" in given:
        changes["minimum"] = _share(given["minimum"])
    return replace(found, **changes) if changes else found


def viewed(known: Entry, spec: Spec) -> Entry:
    """`adapted`, of a network that is open, so that the preprocessing must fit its channels.

    Grey goes into every channel of a network that takes three. Raises as `adapted` does.
    """
    found = adapted(known, spec)
    return _fitted(found) if any(key in PIXELS for key, _ in spec.options) else found


def _fitted(found: Entry) -> Entry:
    given, planes = found.preprocessing, found.input_size[0]
    if given.channels != "L" and planes == 1:
        raise UsageError(f"channels={given.channels}: the network takes one channel, which is L")
    for key, values in (("mean", given.mean), ("std", given.std)):
        if len(values) not in (1, planes):
            channels, counts = ("channel", "one") if planes == 1 else ("channels", f"one or {planes}")
            raise UsageError(
                f"{key} has {len(values)} numbers, and the network {planes} {channels}: {counts} of them will do"
            )
    if given.channels != "L" or planes == 1:
        return found
    mean, std = (values * planes if len(values) == 1 else values for values in (given.mean, given.std))
    return replace(found, preprocessing=Preprocessing("L", mean, std))


def _named_classes(path: str, found: Entry) -> tuple[str, ...]:
    """The names of a file, which may be fewer than there are classes. Raises SegvizError where they are more."""
    names = read_names(path)
    if found.class_count and len(names) > found.class_count:
        raise SegvizError(f"{named(path)}: {len(names)} names, and {found.title} has {found.class_count} classes")
    return names


def _channels(text: str) -> str:
    if text.upper() not in CHANNELS:
        raise UsageError(f"channels={text}: one of {', '.join(CHANNELS)}")
    return text.upper()


def _numbers(given: Mapping[str, str], key: str, default: tuple[float, ...]) -> tuple[float, ...]:
    if key not in given:
        return default
    try:
        found = tuple(float(part) for part in given[key].split(","))
    except ValueError:
        raise UsageError(f"{key}={given[key]}: numbers with commas between them, for example {key}=127.5") from None
    if not all(math.isfinite(number) for number in found) or (key == "std" and 0 in found):
        raise UsageError(f"{key}={given[key]}: finite numbers{', none of them zero' if key == 'std' else ''}")
    return found


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise UsageError(f"minimum={text}: a probability from 0 to 1, for example minimum=0.8")
    return number


def _whole(given: Mapping[str, str], key: str) -> int:
    if not given[key].isdecimal():
        raise UsageError(f"{key}={given[key]}: a whole number")
    return int(given[key])


def _size(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"input={text}: channels, height and width, for example input=3x224x224")
    channels, height, width = map(int, parts)
    return channels, height, width


def read_names(path: str) -> tuple[str, ...]:
    """Class names from a text file, one a line; empty lines at the end do not count. Raises SegvizError."""
    if places.is_special(path):  # one would wait for a pipe
        raise SegvizError(f"{named(path)}: no file, and so no list of class names")
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  a name of the user's
            text = file.read(LARGEST_LIST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise SegvizError(f"{named(path)}: cannot be read as a list of class names ({reason})") from error
    if len(text) > LARGEST_LIST:
        raise SegvizError(f"{named(path)}: too long for a list of class names; one name a line")
    return tuple(clean(line.strip()) for line in text.rstrip().splitlines())
