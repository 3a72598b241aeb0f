"""What every test stands on: its own settings and caches, no screen, the same random numbers each time."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, settings
from PIL import Image

# Before anything imports Qt or platformdirs, which look once: a test must never read or change what
# the person at this machine has set.
_HOME = Path(tempfile.mkdtemp(prefix="segviz-tests-"))
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
for _name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"):
    os.environ[_name] = str(_HOME / _name.lower())
    (_HOME / _name.lower()).mkdir()
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the engine does: threads that spin starve each other
os.environ.setdefault("GOMP_SPINCOUNT", "2000")  # the same

from tests.worker.real import engine_client, shared_engine  # noqa: E402, F401  fixtures: one engine for all tests

settings.register_profile(
    "segviz", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("segviz")


@pytest.fixture(scope="session")
def f_shape() -> npt.NDArray[np.uint8]:
    """A white F on black, (24, 16, 3): no turn and no mirror of it is itself."""
    pixels = np.zeros((24, 16, 3), np.uint8)
    pixels[3:21, 3:6] = 255
    pixels[3:6, 3:13] = 255
    pixels[10:13, 3:10] = 255
    return pixels


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory, f_shape: npt.NDArray[np.uint8]) -> dict[str, Path]:
    """Small image files of every kind, by file name; all show the F unless their name says otherwise."""
    folder = tmp_path_factory.mktemp("pictures")
    rgb = Image.fromarray(f_shape)
    grey = rgb.convert("L")
    levels = np.asarray(grey)
    clear = np.dstack([f_shape, np.where(levels > 0, 255, 0).astype(np.uint8)])
    images: dict[str, Image.Image] = {
        "rgb.png": rgb,
        "rgb.bmp": rgb,
        "rgb.tif": rgb,
        "rgb.gif": rgb,
        "rgb.ppm": rgb,
        "rgb.jpg": rgb,
        "rgb.webp": rgb,
        "grey.png": grey,
        "one-bit.png": rgb.convert("1"),
        "palette.png": rgb.quantize(4),
        "alpha.png": Image.fromarray(clear),
        "grey-alpha.png": Image.fromarray(clear[..., 2:]),
        "cmyk.tif": rgb.convert("CMYK"),
        "grey16.png": Image.fromarray(levels.astype(np.uint16) * 257),
        "int32.tif": Image.fromarray(levels.astype(np.int32) * 70_000),
        "float.tif": Image.fromarray(levels.astype(np.float32) / 255),
        "float-bytes.tif": Image.fromarray(levels.astype(np.float32)),
        "float-wide.tif": Image.fromarray(levels.astype(np.float32) * 40 - 1000),
    }
    paths = {}
    for name, image in images.items():
        paths[name] = folder / name
        image.save(paths[name], **({"quality": 100} if name.endswith(".jpg") else {}))
    return paths
