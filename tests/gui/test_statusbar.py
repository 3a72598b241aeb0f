"""Facts in the status bar are those of what is on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segviz.core.choices import Device, Equality, Method, Upsampling
from segviz.core.frames import Frame, Lattice
from segviz.core.requests import Exactness
from segviz.core.session import State
from segviz.gui import words
from segviz.gui.scene import Scene
from segviz.gui.statusbar import StatusBar, equality_text, grid_text
from tests.gui import scenes


def test_before_there_are_scores_the_networks_own_grid():
    assert grid_text(Scene(State())) == ""
    assert grid_text(Scene(State(), network=scenes.lenet())) == "grid 17 rows × 25 columns, stride 4"


def test_the_grid_is_that_of_the_newest_scores():
    """A sliding window with a stride of its own: fewer rows than the network would have."""
    scene = scenes.full()
    coarse = replace(scene.prediction, method=Method.SLIDING_WINDOW, lattice=Lattice(5, 7, (15.5, 15.5), (16, 16)))
    assert grid_text(scene) == "grid 17 rows × 25 columns, stride 4"
    assert grid_text(replace(scene, prediction=coarse)) == "grid 5 rows × 7 columns, stride 16"
    odd = replace(coarse, lattice=replace(coarse.lattice, stride=(8, 16)))
    assert grid_text(replace(scene, prediction=odd)) == f"grid 5 rows × 7 columns, stride 8{words.TIMES}16"


@pytest.mark.parametrize("device", [Device.AUTO, Device.CPU])
def test_the_stride_is_in_network_pixels_whatever_the_scale(device):
    """681 rows at half size are 340 and not 340.5: the frame knows, the scale alone does not."""
    scene = scenes.full()
    frame = Frame((681, 1024), (340, 512), (340, 512))
    y, x = scene.network.geometry.laws("last")
    setup = replace(scene.prediction.request.setup, device=device)
    prediction = replace(
        scene.prediction, lattice=frame.lattice(17, 25, y, x), scale=0.5,
        request=replace(scene.prediction.request, setup=setup),
    )  # fmt: skip
    network = replace(scene.network, frame=frame)
    assert grid_text(replace(scene, network=network, prediction=prediction)) == "grid 17 rows × 25 columns, stride 4"


def test_scores_of_an_older_network_keep_their_own_numbers():
    scene = scenes.full()
    assert grid_text(replace(scene, network=scenes.deep())) == "grid 17 rows × 25 columns, stride 4"
    assert grid_text(replace(scene, network=None)) == "grid 17 rows × 25 columns, stride 4"


def test_whether_the_scores_are_the_classifiers_on_windows_is_said(qtbot):
    scene = scenes.full()
    proof = Exactness(Equality.INTERIOR, "a window needs no padding", 6, 1e-6, 16)
    shown = replace(scene, prediction=replace(scene.prediction, exactness=proof))
    assert equality_text(scene) == ""
    assert equality_text(shown) == "units exact in the interior"  # between them it is interpolated
    cells = replace(shown, prediction=replace(shown.prediction, upsampling=Upsampling.NEAREST))
    assert equality_text(cells) == "exact in the interior"
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_scene(shown)
    assert "differs by 1e-06 at most on 16 windows" in bar.grid.toolTip()
