"""What the window says of a pixel's projective field, against what the engine says changes when the pixel does."""

from __future__ import annotations

import numpy as np

from segviz.core.export import save_picture
from segviz.core.occlusion import OcclusionRequest
from segviz.core.requests import DescribeRequest, Setup
from segviz.core.session import State
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from segviz.gui.scene import Scene
from segviz.gui.sight_layers import reached
from segviz.gui.sighting import influence

ENLARGED = "fcn8s-digits"  # its input is padded to whole strides


def test_what_a_pixel_reaches_and_what_it_changes_count_the_same_units(tmp_path):
    """Rows and columns over padding are in no answer: a pixel that reaches all of them reaches no more."""
    engine, path = Engine(), tmp_path / "odd.png"
    save_picture(path, np.random.default_rng(1).integers(0, 255, (90, 118, 3)).astype(np.uint8))  # padded to multiples
    setup = Setup(ENLARGED, str(path))
    network = finished(engine.run(DescribeRequest(setup)))
    assert network.frame.outer > network.frame.inner
    scene = Scene(
        State(image=str(path), model=ENLARGED, layer=network.geometry.last), engine.store.picture(str(path)), network
    )
    answer = finished(engine.run(OcclusionRequest(setup, 60.0, 41.0, 1)))
    found = influence(scene, (60, 41))
    rows, columns = found.region.shape
    assert 0 < answer.changed.sum() <= rows * columns <= answer.change.size
    inside = answer.changed[found.region.y.lo : found.region.y.hi + 1, found.region.x.lo : found.region.x.hi + 1]
    assert inside.sum() == answer.changed.sum()
    low = influence(scene, (117, 89))  # the last pixel reaches what is padded behind it
    assert low.padded[0] > 0
    assert low.padded[1] > 0
    assert low.region.y.hi == answer.lattice.rows - 1
    assert low.region.x.hi == answer.lattice.columns - 1
    assert low.box.right <= 118
    assert low.box.bottom <= 90
    assert reached(low).endswith(" of padding")
