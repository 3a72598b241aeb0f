"""The panels of the window. PANELS is the one table of them: a new panel is a class and a row here."""

from __future__ import annotations

from segviz.gui.panels.card import CardPanel
from segviz.gui.panels.convolution import ConvolutionPanel
from segviz.gui.panels.feature_maps import FeatureMapsPanel
from segviz.gui.panels.heatmaps import HeatmapsPanel
from segviz.gui.panels.inspector import InspectorPanel
from segviz.gui.panels.network import NetworkPanel
from segviz.gui.panels.race import RacePanel
from segviz.gui.panels.scores import ScoresPanel
from segviz.gui.panels.training import TrainingPanel
from segviz.gui.panels.upsampling import UpsamplingPanel

PANELS = (
    NetworkPanel,
    CardPanel,
    InspectorPanel,
    FeatureMapsPanel,
    HeatmapsPanel,
    RacePanel,
    UpsamplingPanel,
    ConvolutionPanel,
    TrainingPanel,
    ScoresPanel,
)
