"""Pinning while nobody knows yet which class a pixel has: the unit's channel follows with the prediction."""

from __future__ import annotations

from segviz.core.session import Session, Unit
from segviz.gui import gestures
from segviz.gui.scene import Scene


class Pinning:
    """Pins in the session, and remembers which unit waits for its label."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waits: Unit | None = None

    def click(self, scene: Scene, x: float, y: float) -> None:
        """Pin what sits at (x, y) in image pixels."""
        self._session.update(**gestures.pin(scene, x, y))
        self._wait(scene)

    def described(self, scene: Scene) -> None:
        """The network is open: what was pinned before is a unit now. One that was there keeps its channel."""
        pinned = scene.state.unit is not None
        self._session.update(**gestures.settle_layer(scene))
        if not pinned:
            self._wait(scene)

    def predicted(self, scene: Scene) -> None:
        """There is a label at each pixel: the unit that waits takes it, unless another is pinned by now."""
        unit, self._waits = self._waits, None
        if unit is not None and unit == scene.state.unit:
            self._session.update(**gestures.settle_layer(scene))

    def _wait(self, scene: Scene) -> None:
        self._waits = self._session.state.unit if scene.answer is None else None
