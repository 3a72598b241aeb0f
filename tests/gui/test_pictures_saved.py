"""Qt's images become files whole or not at all, and a disk that is full is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from segviz.core import folders
from segviz.core.errors import SegvizError
from segviz.gui.exports import EXPORTS
from segviz.gui.pictures import save_png

resource = pytest.importorskip("resource", reason="files can be limited on POSIX only")
LIMIT = 2048  # bytes that a file may have by then


@contextmanager
def full_disk() -> Iterator[None]:
    """No file of this process grows beyond LIMIT bytes: what a full disk is to whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(side: int) -> QImage:
    """A picture that PNG cannot make smaller."""
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    return QImage(pixels.tobytes(), side, side, 3 * side, QImage.Format.Format_RGB888).copy()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_picture_is_saved_over_an_older_one(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    assert save_png(noise(40), path) == path
    assert QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888) == noise(40)
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("side", [40, 27, 400], ids=["just too large", "only its end", "far too large"])
def test_a_full_disk_leaves_the_old_picture_and_says_so(tmp_path, side):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")
    with full_disk(), pytest.raises(SegvizError, match=r"^a\.png: cannot be saved \(.+\); choose another folder"):
        save_png(noise(side), path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.png"]


def test_what_is_no_picture_is_not_saved(tmp_path):
    with pytest.raises(SegvizError, match="cannot be saved"):
        save_png(QImage(), tmp_path / "a.png")
    assert names(tmp_path) == []


@pytest.mark.parametrize("way", ["view", "window", "panel"])
def test_the_window_says_that_a_picture_could_not_be_saved(bench, tmp_path, monkeypatch, way):
    """From the export dialog and from a panel's button: the old file stays, and nobody hears 'Saved'."""
    one = bench()
    path = tmp_path / "old.png"
    path.write_bytes(b"old")
    said: list[str] = []
    one.desk.said.connect(lambda text: said.append(text))
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: path)
    with full_disk():
        if way == "panel":
            one.desk.save_image(noise(400), "unit")
        else:
            one.window.export(next(export for export in EXPORTS if export.id == way), 4.0)
        one.qtbot.waitUntil(lambda: one.scene.message is not None or bool(said))
    assert said == []
    assert one.scene.message.text.startswith("old.png: cannot be saved")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["old.png"]


def test_a_pasted_picture_that_cannot_be_kept_is_a_message_and_no_torn_file(bench, tmp_path, monkeypatch):
    one = bench()
    before = one.state
    monkeypatch.setattr(folders, "cache", lambda: tmp_path)
    data = QMimeData()
    data.setImageData(noise(40))
    with full_disk():
        one.window.files.drop(data)
    one.turn()
    assert one.state == before
    assert one.scene.message.text.startswith("The picture cannot be kept in")
    assert names(tmp_path / "pasted") == []
