"""Keys that tell objects apart by identity."""

from __future__ import annotations

import ast
import gc
from dataclasses import replace
from pathlib import Path

import numpy as np

import segviz.gui
from segviz.core.convolution_lab import Page
from segviz.core.images import Picture
from segviz.gui.identity import Same
from segviz.gui.panels.convolution_matrix import MatrixPage
from tests.gui.convolution_scenes import laboratory
from tests.gui.panels.conftest import Recorder

TRIES = 500  # pictures in whose place one that is gone may be found again


def picture(level: int) -> Picture:
    return Picture("grey.png", np.full((64, 64, 3), level, np.uint8), "png")


def test_only_the_same_object_is_the_same():
    one, other = [1], [1]
    assert one == other
    assert Same(one) == Same(one)
    assert Same(one) != Same(other)
    assert Same(None) != Same(0)
    assert len({Same(one), Same(one), Same(other)}) == 2


def test_a_page_does_not_take_a_new_picture_for_one_that_is_gone(qtbot):
    scene = laboratory(Page.MATRIX, side=4)
    page = MatrixPage(lambda **changes: None, Recorder())
    qtbot.addWidget(page.stage)
    qtbot.addWidget(page.settings)

    def level(of: Picture) -> float:
        page.show(replace(scene, picture=of))
        return float(page.maps.tiles[1].main.values.max())

    first = picture(10)
    dark, place = level(first), id(first)
    del first
    gc.collect()
    kept = []
    while len(kept) < TRIES and (not kept or id(kept[-1]) != place):
        kept.append(picture(200))
    assert level(kept[-1]) > dark * 10


def test_the_window_compares_no_mere_ids():
    """An object's `id` is of use only while the object is held: `Same` does both."""
    for path in Path(segviz.gui.__file__).parent.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        found = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "id"]
        assert not found or path.name == "identity.py", f"{path}, lines {found}: compare by `identity.Same`"
