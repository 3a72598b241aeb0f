"""Commands are run in this process, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segviz.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The one object on standard output; NaN and infinity are not JSON."""

        def refuse(word: str) -> float:
            raise AssertionError(f"{word} in the JSON")

        assert self.status == 0, self.err
        value = json.loads(self.out, parse_constant=refuse)
        assert isinstance(value, dict)
        return value


Segviz = Callable[..., Done]


@pytest.fixture
def segviz(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Segviz:
    """Run one command in an empty folder and return what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Done:
        capsys.readouterr()
        status = main([str(word) for word in words])
        printed = capsys.readouterr()
        return Done(status, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small picture with something in it, 64 x 48."""
    rows, columns = np.mgrid[0:48, 0:64]
    pixels = np.stack([rows * 5, columns * 3, (rows * columns) % 251], axis=2).astype(np.uint8)
    place = tmp_path_factory.mktemp("photo") / "small.png"
    Image.fromarray(pixels).save(place)
    return place
