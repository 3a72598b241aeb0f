"""What a person can do about kept results: rows of the table of actions."""

from __future__ import annotations

from segviz.core.choices import CompareView
from segviz.gui import comparing
from segviz.gui.action import Action, gesture
from segviz.gui.scene import Scene


def _has_answer(scene: Scene) -> bool:
    return scene.answer is not None


def _has_kept(scene: Scene) -> bool:
    return bool(scene.state.kept)


COMPARE_KEYS = {CompareView.SIDE_BY_SIDE: "S", CompareView.CURTAIN: "C", CompareView.DIFFERENCE: "D"}


def _compare(view: CompareView) -> Action:
    """One way of comparing; its key takes it back, too."""
    return Action(
        f"compare-{view.value}",
        view.title if view is not CompareView.NONE else "Newest result alone",
        "View/Compare",
        lambda window: window.comparison.toggle(view),
        (COMPARE_KEYS[view],) if view in COMPARE_KEYS else (),
        tip=f"Compare: {view.hint}",
        checked=lambda window: window.desk.session.state.compare is view,
        enabled=_has_answer,
    )


COMPARE = (
    Action("keep-result", "Keep this result for comparison", "View/Compare", lambda w: w.comparison.keep(),
           ("Ctrl+Shift+K",), "stack", "Put the newest result on a shelf, to compare others with it",
           enabled=_has_answer),
    *(_compare(view) for view in CompareView),
    Action("curtain-left", "Curtain to the left", "View/Compare", gesture(comparing.draw_curtain, -1), ("Shift+Left",),
           "arrow-left", "Move the curtain by 2 % of the image", enabled=_has_kept, separator=True),
    Action("curtain-right", "Curtain to the right", "View/Compare", gesture(comparing.draw_curtain, 1),
           ("Shift+Right",), "arrow-right", "Move the curtain by 2 % of the image", enabled=_has_kept),
    Action("kept-next", "Next kept result", "View/Compare", gesture(comparing.choose, 1), ("K",), "chevron-right",
           "Compare with the next result on the shelf", enabled=_has_kept),
    Action("kept-restore", "Go back to the kept result", "View/Compare", gesture(comparing.restore), (),
           "arrow-back-up", "Network, method and all else as they were when it was kept", enabled=_has_kept),
    Action("kept-rename", "Rename the kept result…", "View/Compare", lambda w: w.comparison.rename(), ("F2",), "pencil",
           "Call it as you like; an empty name says what differs", enabled=_has_kept),
    Action("kept-remove", "Remove the kept result", "View/Compare", gesture(comparing.remove), ("Shift+Delete",),
           "trash", "Take it off the shelf", enabled=_has_kept),
)  # fmt: skip
