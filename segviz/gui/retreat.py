"""What the State goes back to where an image or a network cannot be opened, or a picture cannot be made."""

from __future__ import annotations

from dataclasses import dataclass, replace

from segviz.core import planning
from segviz.core.choices import Heat, View
from segviz.core.session import Session, State
from segviz.gui import plan
from segviz.gui.scene import Scene


@dataclass(frozen=True, slots=True)
class _Untried:
    """Heatmaps were chosen that have not been there yet: what was before, and the view that they were chosen in."""

    heat: Heat
    view: View
    chosen_in: View


class Retreat:
    """Remembers what was good, and brings it back in the session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._undo = plan.first_image(session.state)  # what takes back an image that cannot be opened
        self._good_network = plan.only(State(), plan.NETWORK_FIELDS)
        self._untried: _Untried | None = None

    def follow(self, scene: Scene, old: State, new: State) -> None:
        """The State has become `new`, while `scene` still shows the old one."""
        network = scene.network
        if old.model != new.model and network is not None and network.request.setup.model == old.model:
            self._good_network = plan.only(old, plan.NETWORK_FIELDS)
        self._follow_heatmaps(old, new)
        if old.image != new.image:
            self._undo = plan.merged(self._undo, plan.difference(old, new))

    def _follow_heatmaps(self, old: State, new: State) -> None:
        before, heat = self._untried, new.cams.heat
        if heat is Heat.PROBABILITY or (before is not None and heat is before.heat):
            self._untried = None
        elif before is None and old.cams.heat is not heat:
            self._untried = _Untried(old.cams.heat, old.view, new.view)
        elif before is None and old.model != new.model:  # which may have none of these
            self._untried = _Untried(Heat.PROBABILITY, new.view, new.view)

    def heatmaps_are_good(self) -> None:
        """Those that are chosen are there: nothing is to be taken back."""
        self._untried = None

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
        """Choose heatmaps again that are there, in their view, so that nothing is asked for.

        False where those that are chosen were there for this network: they stay.
        """
        untried, self._untried, state = self._untried, None, scene.state
        if untried is None or scene.shown_cams is not None:
            return False
        cams = replace(state.cams, heat=untried.heat)
        if replace(scene, state=replace(state, cams=cams)).shown_cams is None:
            cams = replace(cams, heat=Heat.PROBABILITY)
        self._session.update(cams=cams, view=untried.view if state.view is untried.chosen_in else state.view)
        self._untried = None  # going back is no choice
        return True

    def from_picture(self, scene: Scene) -> bool:
        """Choose again what the picture of the scene was made with, if there is one; whether that changes the ask."""
        if scene.answer is None:
            return False
        failed = planning.plan_prediction(self._session.state)
        self._session.update(**plan.made_with(scene.answer.request))
        return planning.plan_prediction(self._session.state) != failed
