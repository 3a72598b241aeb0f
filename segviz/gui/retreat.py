"""What the State goes back to where an image or a network cannot be opened, or a picture cannot be made."""

from __future__ import annotations

from segviz.core import planning
from segviz.core.cams import USUAL
from segviz.core.choices import Heat
from segviz.core.session import Session, State
from segviz.gui import plan
from segviz.gui.scene import Scene


class Retreat:
    """Remembers what was good, and brings it back in the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._undo = plan.first_image(session.state)  # what takes back an image that cannot be opened
        self._good_network = plan.only(State(), plan.NETWORK_FIELDS)
        self._heatmaps = plan.only(State(), plan.HEATMAP_FIELDS)  # before others were chosen

    def follow(self, scene: Scene, old: State, new: State) -> None:
        """The State has become `new`, while `scene` still shows the old one."""
        network = scene.network
        if old.model != new.model and network is not None and network.request.setup.model == old.model:
            self._good_network = plan.only(old, plan.NETWORK_FIELDS)
        if old.cams.heat is not new.cams.heat:
            self._heatmaps = plan.only(old, plan.HEATMAP_FIELDS)
        if old.image != new.image:
            self._undo = plan.merged(self._undo, plan.difference(old, new))

    def image_is_good(self) -> None:
        """The image is open, or there is none: nothing is to be taken back."""
        self._undo = {}

    def from_image(self) -> None:
        """Take back what led to an image that cannot be opened."""
        undo, self._undo = self._undo, {}
        self._session.update(**plan.taken_back(undo, self._session.state))
        self._undo = {}  # going back is no change to go back from

    def from_network(self) -> bool:
        """Choose the network of before again, if there is one; False where there is none."""
        if self._good_network["model"] in ("", self._session.state.model):
            return False
        self._session.update(**self._good_network)
        return True

    def from_heatmaps(self, scene: Scene) -> bool:
        """Choose the heatmaps of before again, in their view; False where some of those that are chosen are there."""
        heat = self._session.state.cams.heat
        if heat is Heat.PROBABILITY or scene.shown_cams is not None:
            return False
        again = self._heatmaps["cams"].heat is heat  # they were not there either
        self._session.update(**({"cams": USUAL} if again else self._heatmaps))
        return True

    def from_picture(self, scene: Scene) -> bool:
        """Choose again what the picture of the scene was made with, if there is one; whether that changes the ask."""
        if scene.answer is None:
            return False
        failed = planning.plan_prediction(self._session.state)
        self._session.update(**plan.made_with(scene.answer.request))
        return planning.plan_prediction(self._session.state) != failed
