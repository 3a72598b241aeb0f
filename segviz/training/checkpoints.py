"""A run that was stopped, as a file: all that decides its next numbers. Only data are read from it."""

from __future__ import annotations

import pickle
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from segviz.core import export
from segviz.core.errors import SegvizError, named
from segviz.core.learning import TrainRequest

FORM = "segviz training 2"
APART = ("out", "checkpoint", "finish")  # what of a request may differ: it decides no number

State = dict[str, Any]


def write(path: Path, request: TrainRequest, state: State) -> None:
    """Put `state` (tensors, numbers, text, lists and dictionaries of these) at `path` in one step."""
    whole = {"form": FORM, "request": deciding(request), "state": state}
    export.replace_file(path, lambda place: torch.save(whole, place))


def read(path: Path, request: TrainRequest) -> State:
    """The state of a run of the same request. Raises SegvizError where it is of another, or no checkpoint."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        raise SegvizError(f"{named(path)}: not a checkpoint of a training; begin without it", str(error)) from error
    if not isinstance(found, dict) or found.get("form") != FORM:
        raise SegvizError(f"{named(path)}: not a checkpoint of segviz; begin without it")
    theirs, ours = found["request"], deciding(request)
    different = [
        f"{name} is {_said(theirs.get(name))} there and {_said(ours[name])} here"
        for name in ours
        if theirs.get(name) != ours[name]
    ]
    if different:
        raise SegvizError(f"{named(path)}: belongs to another training ({'; '.join(different)}); ask for the same")
    state: State = found["state"]
    return state


def _said(value: object) -> object:
    return "the recipe's" if value is None else value


def deciding(request: TrainRequest) -> State:
    """What of a request decides the numbers."""
    words = {name: value for name, value in asdict(request).items() if name not in APART}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in words.items()}
