"""What holds for every panel in every scene."""

from __future__ import annotations

import subprocess
import sys

import pytest
from PySide6.QtWidgets import QAbstractButton, QLineEdit

from segviz.core.choices import Theme
from segviz.gui import theme
from segviz.gui.panels import PANELS
from segviz.gui.panels.base import Area
from segviz.gui.scene import Scene
from tests.gui import scenes

SIZES = {Area.LEFT: (300, 600), Area.RIGHT: (280, 600), Area.WORKBENCH: (1390, 190)}
EVERYTHING = scenes.everything()


@pytest.mark.parametrize("make", PANELS, ids=lambda panel: panel.id)
def test_survives_every_scene_after_every_other(make, shown):
    """Also jumps: each scene follows the last without the steps between, hovered inside and outside."""
    one = shown(make, EVERYTHING["nothing"], SIZES[make.area])
    for name in (*EVERYTHING, "full", "nothing", "thousand classes", "one pixel"):
        one.session.replace(EVERYTHING[name].state)
        one.changes.clear()
        one.show(EVERYTHING[name])
        for point in ((0.0, 0.0), (5000.0, -3.0), None):
            one.panel.hover(point)
        for part in (one.panel.widget, one.panel.stage):
            if part is not None:
                assert not part.grab().isNull()
        assert one.changes == [], f"{name}: showing a scene must change nothing"


@pytest.mark.parametrize("make", PANELS, ids=lambda panel: panel.id)
@pytest.mark.parametrize("name", ["thousand classes", "full", "raced, extrapolated"])
def test_fits_its_place(make, name, shown):
    width, height = SIZES[make.area]
    one = shown(make, EVERYTHING[name], (width, height))
    assert one.panel.widget.minimumSizeHint().width() <= (1270 if make.area is Area.WORKBENCH else 260)
    assert one.panel.widget.minimumSizeHint().height() <= height


@pytest.mark.parametrize("make", PANELS, ids=lambda panel: panel.id)
def test_controls_say_what_they_are(make, shown):
    one = shown(make, EVERYTHING["raced"], SIZES[make.area])
    for root in filter(None, (one.panel.widget, one.panel.stage)):
        for control in (*root.findChildren(QAbstractButton), *root.findChildren(QLineEdit)):
            if not control.isVisibleTo(root) or control.objectName().startswith("qt_"):
                continue
            if control.parent().inherits("QLineEdit") or control.parent().inherits("QTableWidget"):
                continue  # Qt's own: the clearing cross, the table's corner
            assert control.toolTip(), f"{control} in {make.id} has no tooltip"
            assert control.accessibleName() or getattr(control, "text", str)(), f"{control} has no accessible name"


@pytest.mark.parametrize("make", PANELS, ids=lambda panel: panel.id)
def test_follows_the_theme(make, shown, look):
    one = shown(make, EVERYTHING["raced"], SIZES[make.area])
    dark = one.panel.widget.grab().toImage().pixelColor(2, one.panel.widget.height() - 3)
    look.set_theme(Theme.LIGHT)
    light = one.panel.widget.grab().toImage().pixelColor(2, one.panel.widget.height() - 3)
    look.set_theme(Theme.DARK)
    assert (dark.name(), light.name()) == (theme.DARK.panel, theme.LIGHT.panel)


def test_identifiers_are_unique_and_every_place_has_a_panel():
    assert len({panel.id for panel in PANELS}) == len(PANELS)
    assert {panel.area for panel in PANELS} == set(Area)


@pytest.mark.parametrize("make", PANELS, ids=lambda panel: panel.id)
def test_only_a_race_and_the_laboratory_take_the_canvas(make, shown):
    one = shown(make, EVERYTHING["nothing"], SIZES[make.area])
    wanted = set()
    for name, scene in EVERYTHING.items():
        one.session.replace(scene.state)
        one.show(scene)
        if one.panel.wants_stage(scene):
            wanted.add(name)
    upsampling = {name for name in EVERYTHING if name.startswith("upsampling")}
    takes = {
        "race": {"racing", "raced", "raced, extrapolated", "raced, not equal"},
        "upsampling": upsampling - {"upsampling, no depths", "upsampling, image"},
    }
    assert wanted == takes.get(make.id, set())


def test_building_loads_nothing_heavy():
    """The frame of the window is painted before numpy, pyqtgraph or torch are read from the disk."""
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([]);"
        "from segviz.gui.panels import PANELS; from segviz.core.session import Session, State;"
        "from segviz.gui.scene import Scene;"
        "panels = [make(Session(), None) for make in PANELS];"
        "[panel.show(None, Scene(State())) for panel in panels];"
        "print([name for name in ('numpy', 'pyqtgraph', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_scene_without_a_state_change_is_silent(shown):
    for make in PANELS:
        one = shown(make, EVERYTHING["full"], SIZES[make.area])
        one.show(Scene(one.state))
        assert one.changes == []
