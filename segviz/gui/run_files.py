"""Records of runs that are not finished: what was asked, where it was, and whose it is; beside their checkpoints.

A record is a small JSON file in the data folder. Its lock is held for as long as a window trains by it,
so that another window does not offer what is running here.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile

from segviz.core import folders
from segviz.core.errors import SegvizError
from segviz.core.learning import TrainRequest
from segviz.gui.runs import Left

FORMAT = "segviz training"
LARGEST = 1 << 16  # bytes of a record
COARSE = 0.05  # seconds by which a file system's clock may be behind
READING = 500  # ms that another window may need to read a record
MOST = 1000  # runs of one recipe that may lie about


def folder() -> Path:
    """Where checkpoints and weights of the window's runs are kept."""
    return folders.data() / "training"


class RunFile:
    """The record of one run and the files that belong to it; holds its lock until `release`."""

    def __init__(self, record: Path) -> None:
        self.record = record
        self._lock = QLockFile(str(record.with_suffix(".lock")))
        self._lock.setStaleLockTime(0)  # stale only once its process is gone

    @property
    def checkpoint(self) -> Path:
        return self.record.with_suffix(".checkpoint")

    @property
    def weights(self) -> Path:
        return self.record.with_suffix(".safetensors")

    def claim(self, patience: int = 0) -> bool:
        """Whether the run is this window's from now on; `patience` in ms: another window may only be reading it."""
        return self._lock.tryLock(patience)

    def release(self) -> None:
        self._lock.unlock()

    def saved_since(self, moment: float) -> bool:
        """Whether the checkpoint was written at `moment` (seconds since 1970) or later."""
        try:
            return self.checkpoint.stat().st_mtime >= moment - COARSE
        except OSError:
            return False

    def write(self, name: str, request: TrainRequest, step: int, steps: int) -> None:
        """Say where the run is. Raises SegvizError where that cannot be kept."""
        from segviz.core import export

        data = {"format": FORMAT, "name": name, "request": asdict(request), "step": step, "steps": steps}
        text = json.dumps(data, indent=1)
        export.replace_file(self.record, lambda place: place.write_text(text, encoding="utf-8"))

    def forget(self, weights: bool = False) -> None:
        """Nothing of the run can go on any more; `weights`: those go, too. It must be this window's."""
        for path in (self.record, self.checkpoint, *((self.weights,) if weights else ())):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def fresh(recipe: str) -> RunFile:
    """A record that no other run has, claimed. Raises SegvizError where the folder cannot be written to."""
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SegvizError(f"Checkpoints cannot be kept in {place}: {error.strerror or error}") from error
    for number in range(1, MOST):
        file = RunFile(place / (f"{recipe}.json" if number == 1 else f"{recipe}-{number}.json"))
        taken = (file.record, file.checkpoint, file.weights)
        if any(path.exists() for path in taken) or not file.claim():
            continue
        if not any(path.exists() for path in taken):  # still: another window may have been there in between
            return file
        file.release()
    raise SegvizError(f"{place}: {MOST} runs of {recipe} lie there, or nothing can be written; remove some")


def left() -> tuple[Left, ...]:
    """The runs that can go on and that no other window trains, the newest first. What cannot be read is left out."""
    found = []
    with suppress(OSError):
        for record in sorted(folder().glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
            read = _read(record)
            if read is not None:
                found.append(read)
    return tuple(found)


def _read(record: Path) -> Left | None:
    file = RunFile(record)
    if not file.checkpoint.is_file() or not file.claim():
        return None
    try:
        if record.stat().st_size > LARGEST:
            return None
        data = json.loads(record.read_text(encoding="utf-8"))
        if data["format"] != FORMAT:
            return None
        request = _request(data["request"])
        request = replace(request, checkpoint=str(file.checkpoint), out=str(file.weights))
        return Left(record, str(data["name"]), request, int(data["step"]), int(data["steps"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    finally:
        file.release()


def _request(data: dict[str, Any]) -> TrainRequest:
    known = {field.name for field in fields(TrainRequest)}
    values = {name: value for name, value in data.items() if name in known}
    if values.get("class_weights") is not None:
        values["class_weights"] = tuple(float(weight) for weight in values["class_weights"])
    return TrainRequest(**values)
