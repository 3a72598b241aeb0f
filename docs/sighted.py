"""The card of a pixel for the documents: `docs/pictures.py` makes it with the others."""

from __future__ import annotations

import os
from pathlib import Path

from segviz.core import assets
from segviz.core.images import open_picture
from segviz.core.planning import plan_description, plan_features, plan_prediction
from segviz.core.session import State, Unit
from segviz.engine.flow import finished
from segviz.engine.run import Engine


def card(file: Path) -> None:
    """The card of the unit whose filmstrip is shown beside it."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from segviz.gui import pixel_card, theme
    from segviz.gui.scene import Scene

    QApplication.instance() or QApplication([])
    image = assets.sample("castle-maintenon.jpg")
    state = State(
        image=str(image), model="efficientnet_lite0", layer="blocks.9", unit=Unit(17, 7, 23), cursor=(778, 240)
    )
    engine = Engine()
    described, predicted, maps = (plan(state) for plan in (plan_description, plan_prediction, plan_features))
    assert described is not None
    assert predicted is not None
    assert maps is not None
    scene = Scene(
        state, open_picture(image), finished(engine.run(described)), finished(engine.run(predicted)),
        features=finished(engine.run(maps)),
    )  # fmt: skip
    found = pixel_card.card(scene, theme.LIGHT)
    assert found is not None
    found.save(str(file))


SIGHTED = {"sight-card": card}
