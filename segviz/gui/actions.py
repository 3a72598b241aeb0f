"""Everything that a person can do, in one table: menus, tooltips, shortcut sheet and command palette read it.

An action is a function of the window it acts in; a choice (a method, a palette) is one action for
each of its values, checked while it is in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segviz.core import assets
from segviz.core.choices import (
    Choice,
    ColourMap,
    CompareView,
    Device,
    Method,
    NetworkView,
    Palette,
    Pooling,
    Theme,
    Upsampling,
    View,
)
from segviz.gui import gestures, names
from segviz.gui.action import Action, Do
from segviz.gui.action import gesture as _gesture
from segviz.gui.board import BoardTool
from segviz.gui.compare_actions import COMPARE
from segviz.gui.glow_actions import GLOW
from segviz.gui.network_actions import NETWORK_PICTURE
from segviz.gui.runs import Phase
from segviz.gui.scene import Kind, Scene, Tab
from segviz.gui.sight_actions import SIGHT

if TYPE_CHECKING:
    from segviz.gui.canvas import Canvas
    from segviz.gui.compare_stage import CompareStage
    from segviz.gui.network_stage import NetworkStage
    from segviz.gui.window import MainWindow

SCALES = (25, 50, 75, 100, 150, 200)  # per cent of the image's own size
MENUS = ("File", "Edit", "View", "Network", "Run", "Help")


def _has_image(scene: Scene) -> bool:
    return scene.picture is not None


def _has_network(scene: Scene) -> bool:
    return scene.network is not None


def _has_sample(scene: Scene) -> bool:
    return scene.entry is not None and bool(scene.entry.sample)


def _has_stride(scene: Scene) -> bool:
    return gestures.own_stride(scene.network) is not None


def _has_unit(scene: Scene) -> bool:
    return scene.state.unit is not None


def _has_mark(scene: Scene) -> bool:
    return scene.state.unit is not None or scene.state.window is not None


def _has_board(scene: Scene) -> bool:
    return names.is_board(scene.state.image)


def _has_truth(scene: Scene) -> bool:
    return scene.state.truth is not None


def _has_anything(scene: Scene) -> bool:
    return scene.state.image is not None or bool(scene.state.model)


def _can_run(scene: Scene) -> bool:
    return scene.state.image is not None and bool(scene.state.model)


def _trains(scene: Scene) -> bool:
    return scene.training.phase is not Phase.IDLE


def _canvas(do: Callable[[Canvas | CompareStage | NetworkStage], None]) -> Do:
    """An action that moves the view of the canvas."""
    return lambda window: window.on_canvas(do)


LONG = (Kind.IMAGE, Kind.PREDICTION, Kind.RACE)


def _escape(window: MainWindow) -> None:
    """Stop what takes long, else go back to the image, leave the presenter's view or the full screen.

    Else the newest goes of message, stage, cell of the confusion matrix, comparison, window, square and unit: what
    lies on an image that a stage covers stays until the image is seen.
    Maps of a layer and a network's description come by themselves; stopped, they would leave old ones on the screen.
    """
    if any(job.kind in LONG for job in window.desk.scene.jobs):
        window.desk.stop()
    elif window.stages.network is not None:
        window.desk.session.update(network_view=NetworkView.NONE)
    elif window.presenting:
        window.layouts.set_presenting(False)
    elif window.isFullScreen():
        window.layouts.set_full_screen(False)
    elif window.desk.scene.message is not None or window.notices.hint is not None:
        window.notices.dismiss()
    elif window.stages.covers:
        window.desk.session.update(**window.stages.uncovering())
    elif window.desk.scene.state.cell is not None:
        window.desk.session.update(cell=None)
    elif window.desk.scene.state.compare is not CompareView.NONE:
        window.desk.session.update(compare=CompareView.NONE)
    elif window.desk.scene.state.window is not None:
        window.desk.session.update(window=None)
    elif window.desk.scene.state.sight.square is not None:
        window.do("occlude")
    else:
        window.desk.session.update(**gestures.unpin())


def _method(method: Method) -> Action:
    """One way of answering for the whole image; the sliding window comes with a window to drag."""
    return Action(
        f"method-{method.value}",
        method.title,
        "Network/Method",
        _gesture(gestures.choose_method, method),
        tip=method.hint,
        checked=lambda window: window.desk.session.state.method is method,
        lacks=lambda scene: gestures.no_method(scene, method),
    )


def _board_tool(tool: BoardTool, key: str, icon: str) -> Action:
    return Action(
        f"board-{tool.value}",
        tool.title,
        "Edit/Whiteboard",
        lambda window: window.board.set_tool(tool),
        (key,),
        icon,
        f"On a whiteboard: {tool.hint}",
        checked=lambda window: window.board.tool is tool,
        enabled=_has_board,
    )


def _pen_width(identifier: str, text: str, key: str, step: int) -> Action:
    return Action(
        identifier,
        text,
        "Edit/Whiteboard",
        lambda window: window.board.set_width(window.board.pen.width + step),
        (key,),
        "plus" if step > 0 else "minus",
        f"Draw with a {text.lower()}",
        enabled=_has_board,
    )


def _overlay(field: str, step: float) -> Do:
    """More or less of `opacity` or `minimum`: of the heatmap while it is shown, else of the labels."""

    def do(window: MainWindow) -> None:
        state = window.desk.session.state
        name = f"heat_{field}" if state.view is View.HEATMAP else field
        wanted = round(getattr(state, name) + step, 2)
        window.desk.session.update(**{name: max(0.0, min(1.0, wanted))})

    return do


def _scale(text: str, scale: float | None) -> Action:
    """One size of the image that the network sees; None: automatic."""
    return Action(
        f"scale-{'auto' if scale is None else f'{scale * 100:.0f}'}",
        text,
        "Network/Scale",
        lambda window: window.desk.session.update(scale=scale),
        tip="The size of the image that the network sees: an object's size decides what it finds",
        checked=lambda window: window.desk.session.state.scale == scale,
    )


def _own_sample(window: MainWindow) -> None:
    """The network on its own sample, as its card on the start page shows it."""
    state, entry = window.desk.session.state, window.desk.scene.entry
    if entry is not None and entry.sample:
        sample = str(assets.sample(entry.sample))  # of a file the spec alone does not know it
        changes = gestures.use_network(replace(state, image=sample), state.model) | {"image": sample}
        window.desk.session.update(**changes)


def _stride(step: int) -> Action:
    """Windows every `step` strides of the network."""

    def checked(window: MainWindow) -> bool:
        scene = window.desk.scene
        return gestures.grid_stride(scene, step) == {"grid_stride": scene.state.grid_stride}

    return Action(
        f"grid-stride-{step}",
        f"{step} × the network's stride" if step > 1 else "The network's own stride",
        "Run/Grid stride",
        _gesture(gestures.grid_stride, step),
        tip="How far apart windows lie, in a race and in the sliding window: a larger step means fewer outputs",
        checked=checked,
        enabled=_has_network if step == 1 else _has_stride,
    )


def _tab(number: int, tab: Tab, text: str) -> Action:
    return Action(
        f"tab-{tab.value}",
        text,
        "View/Workbench tab",
        lambda window: window.bring_tab(tab.value),
        (f"Ctrl+{number}",),
        tip=f"Bring {text} to the front",
        checked=lambda window: window.desk.session.state.tab == tab.value,
    )


def _view(view: View, key: str) -> Action:
    return Action(
        f"view-{view.value}",
        view.title,
        "View",
        lambda window: window.desk.session.update(**gestures.choose_view(view)),
        (key,),
        tip=view.hint,
        checked=lambda window: window.desk.session.state.view is view,
    )


def _choices(
    field: str, menu: str, values: type[Choice], keys: dict[Choice, str] | None = None, **options: Any
) -> tuple[Action, ...]:
    """One action for each value of a field of the State."""
    return tuple(
        Action(
            f"{field.replace('_', '-')}-{value.value}",
            value.title,
            menu,
            lambda window, v=value: window.desk.session.update(**{field: v}),  # type: ignore[misc]
            keys=((keys or {})[value],) if value in (keys or {}) else (),
            tip=value.hint,
            checked=lambda window, v=value: getattr(window.desk.session.state, field) is v,  # type: ignore[misc]
            **options,
        )
        for value in values
    )


FILE = (
    Action("whiteboard", "New whiteboard…", "File", lambda w: w.dialogs.whiteboard(), ("Ctrl+N",), "plus",
           "Draw digits and watch the network read them"),
    Action("open", "Open image…", "File", lambda w: w.files.open_image_dialog(), ("Ctrl+O",), "folder-open",
           "Open a photograph of your own"),
    Action("next-image", "Next image", "File", lambda w: w.files.step(1), ("Alt+Right",), "arrow-right",
           "The next image of the same folder", enabled=_has_image),
    Action("previous-image", "Previous image", "File", lambda w: w.files.step(-1), ("Alt+Left",), "arrow-left",
           "The previous image of the same folder", enabled=_has_image),
    Action("open-network", "Open network…", "File", lambda w: w.files.open_network_dialog(), ("Ctrl+Shift+N",),
           "folder-open", "Open weights or a program: .safetensors, .pth, .pt, .pt2, .onnx, .py", separator=True),
    Action("network-by-name", "Open network by name…", "File", lambda w: w.dialogs.spec(), (), "search",
           "A network of torchvision, timm or your own code, or one of the catalogue with options"),
    Action("open-truth", "Open ground truth…", "File", lambda w: w.open_truth(), ("Ctrl+Shift+M",), "tags",
           "The mask of this image: labels are scored against it", enabled=_has_image, separator=True),
    Action("remove-truth", "Remove ground truth", "File", lambda w: w.desk.session.update(
               truth=None, errors=False, cell=None), (), "x", "Score no longer", enabled=_has_truth),
    Action("open-session", "Open session…", "File", lambda w: w.files.open_session_dialog(), ("Ctrl+Shift+O",),
           "file-import", "Show what a session file describes", separator=True),
    Action("save-session", "Save session…", "File", lambda w: w.save_session(), ("Ctrl+S",), "device-floppy",
           "Keep what is shown as a small file that opens again"),
    Action("export", "Export…", "File", lambda w: w.dialogs.export(), ("Ctrl+E",), "download",
           "Save the view, labels, probabilities, tables or an animation", enabled=_has_image),
    Action("start-page", "Start page", "File", lambda w: w.desk.session.update(image=None, model=""), (), "layout",
           "Close image and network, and choose among the ones that segviz brings", enabled=_has_anything),
    Action("quit", "Quit", "File", lambda w: w.leave(), ("Ctrl+Q",), "logout", "Close segviz", separator=True),
)  # fmt: skip

EDIT = (
    Action("undo", "Undo", "Edit", lambda w: w.board.undo(), ("Ctrl+Z",), "arrow-back-up",
           "Take the last stroke on the whiteboard back", enabled=_has_board),
    Action("redo", "Redo", "Edit", lambda w: w.board.redo(), ("Ctrl+Shift+Z",), "arrow-forward-up",
           "Draw again what was taken back", enabled=_has_board),
    _board_tool(BoardTool.PEN, "P", "pencil"),
    _board_tool(BoardTool.ERASER, "E", "eraser"),
    _board_tool(BoardTool.INSPECT, "V", "pointer"),
    _pen_width("pen-wider", "Wider pen", ".", 1),
    _pen_width("pen-thinner", "Thinner pen", ",", -1),
    Action("board-clear", "Clear the whiteboard", "Edit/Whiteboard", lambda w: w.board.clear(), ("Ctrl+Backspace",),
           "trash", "Take everything off; can be undone", enabled=_has_board),
    Action("board-size", "Other size…", "Edit/Whiteboard", lambda w: w.dialogs.board_size(), (), "maximize",
           "More or less paper below the drawing; can be undone", enabled=_has_board),
    Action("copy", "Copy view", "Edit", lambda w: w.copy_view(), ("Ctrl+C",), "copy",
           "Put the view on the clipboard as a picture", enabled=_has_image, separator=True),
    Action("paste", "Paste image", "Edit", lambda w: w.files.paste(), ("Ctrl+V",), "clipboard",
           "Open the picture on the clipboard"),
    Action("unpin", "Unpin the unit", "Edit", _gesture(lambda scene: gestures.unpin()), (), "pinned-off",
           "Remove the box and the cursor", enabled=_has_unit, separator=True),
    Action("unit-up", "Unit above", "Edit", _gesture(gestures.step, -1, 0), ("Up",), "arrow-up",
           "Pin the unit above; a window to drag goes one step of its grid", enabled=_has_mark, canvas=True),
    Action("unit-down", "Unit below", "Edit", _gesture(gestures.step, 1, 0), ("Down",), "arrow-down",
           "Pin the unit below; a window to drag goes one step of its grid", enabled=_has_mark, canvas=True),
    Action("unit-left", "Unit to the left", "Edit", _gesture(gestures.step, 0, -1), ("Left",), "arrow-left",
           "Pin the unit to the left; a window to drag goes one step of its grid", enabled=_has_mark, canvas=True),
    Action("unit-right", "Unit to the right", "Edit", _gesture(gestures.step, 0, 1), ("Right",), "arrow-right",
           "Pin the unit to the right; a window to drag goes one step of its grid", enabled=_has_mark, canvas=True),
    Action("palette", "Find an action…", "Edit", lambda w: w.dialogs.palette(), ("Ctrl+K",), "search",
           "Every action, image, network and class by its name", separator=True),
)  # fmt: skip

VIEW = (
    *(_view(*row) for row in ((View.LABELS, "L"), (View.HEATMAP, "H"), (View.IMAGE, "I"))),
    Action("errors", "Show errors", "View", lambda w: w.desk.session.update(
               **gestures.show_errors(not w.desk.session.state.errors)), ("X",), "flag",
           "Right and wrong pixels over the image, where there is ground truth",
           checked=lambda w: w.desk.session.state.errors, enabled=_has_truth),
    Action("fit", "Fit", "View", _canvas(lambda canvas: canvas.fit()), ("F",), "maximize", "Show the whole image",
           enabled=_has_image, separator=True),
    Action("zoom-one", "Actual size", "View", _canvas(lambda canvas: canvas.zoom_one()), ("1",), "zoom-scan",
           "One pixel of the image on one of the screen", enabled=_has_image),
    Action("zoom-in", "Zoom in", "View", _canvas(lambda canvas: canvas.zoom(1.25)), ("Ctrl++", "Ctrl+="), "zoom-in",
           "Larger", enabled=_has_image),
    Action("zoom-out", "Zoom out", "View", _canvas(lambda canvas: canvas.zoom(0.8)), ("Ctrl+-",), "zoom-out", "Smaller",
           enabled=_has_image),
    Action("opacity-more", "More opacity", "View/Overlay", _overlay("opacity", 0.1), ("O",), "plus",
           "Cover the image more strongly, by 10 %", enabled=_has_image),
    Action("opacity-less", "Less opacity", "View/Overlay", _overlay("opacity", -0.1), ("Shift+O",), "minus",
           "Let more of the image through, by 10 %", enabled=_has_image),
    Action("minimum-more", "Higher minimum", "View/Overlay", _overlay("minimum", 0.1), ("M",), "plus",
           "Paint only where the network is surer, by 10 %", enabled=_has_image, separator=True),
    Action("minimum-less", "Lower minimum", "View/Overlay", _overlay("minimum", -0.1), ("Shift+M",), "minus",
           "Paint also where the network is less sure, by 10 %", enabled=_has_image),
    *COMPARE,
    *SIGHT,
    *GLOW,
    *NETWORK_PICTURE,
    *_choices("palette", "View/Class colours", Palette, separator=False),
    *_choices("colour_map", "View/Colour map", ColourMap),
    *(
        Action(f"theme-{value.value}", value.title, "View/Theme", lambda w, v=value: w.set_theme(v),  # type: ignore[misc]
               tip=value.hint, checked=lambda w, v=value: w.theme is v)  # type: ignore[misc]
        for value in Theme
    ),
    _tab(1, Tab.FEATURE_MAPS, "Feature maps"),
    _tab(2, Tab.HEATMAPS, "Heatmaps"),
    _tab(3, Tab.RACE, "Race tab"),
    _tab(4, Tab.UPSAMPLING, "Upsampling"),
    _tab(5, Tab.CONVOLUTION, "Convolution"),
    _tab(6, Tab.TRAINING, "Training tab"),
    _tab(7, Tab.SCORES, "Scores"),
    Action("present", "Presenter's view", "View", lambda w: w.layouts.set_presenting(not w.presenting), ("F5",),
           "presentation", "Large type and nothing but the canvas, on the whole screen",
           checked=lambda w: w.presenting, separator=True),
    Action("full-screen", "Full screen", "View", lambda w: w.layouts.set_full_screen(not w.isFullScreen()), ("F11",),
           "arrows-maximize", "The window without its frame", checked=lambda w: w.isFullScreen()),
    Action("reset-layout", "Reset layout", "View", lambda w: w.layouts.reset(), (), "layout",
           "Put every panel where it was at first"),
)  # fmt: skip

NETWORK = (
    Action("next-layer", "Next layer", "Network", _gesture(gestures.next_layer, 1), ("]",), "chevron-down",
           "One layer deeper: the field grows", enabled=_has_network),
    Action("previous-layer", "Previous layer", "Network", _gesture(gestures.next_layer, -1), ("[",), "chevron-up",
           "One layer back towards the image", enabled=_has_network),
    *(_method(method) for method in Method),
    Action("next-field", "Next larger field", "Network", _gesture(gestures.next_field, 1), ("Ctrl+]",), "chevron-down",
           "On to the next layer whose field differs: several layers may share one", enabled=_has_network),
    Action("previous-field", "Next smaller field", "Network", _gesture(gestures.next_field, -1), ("Ctrl+[",),
           "chevron-up", "Back to the last layer whose field differs", enabled=_has_network),
    *_choices("upsampling", "Network/Upsampling", Upsampling),
    Action("refine", "Refine at edges", "Network",
           lambda w: w.desk.session.update(refine=not w.desk.session.state.refine), ("R",), "wand",
           "Move labels to the edges of the image by a dense conditional random field",
           checked=lambda w: w.desk.session.state.refine),
    *_choices("pooling", "Network/Pooling", Pooling),
    Action("own-sample", "Show a fitting sample", "Network", _own_sample, (), "photo",
           "Show the network on the sample image that suits it", enabled=_has_sample),
    Action("model-card", "Model card", "Network", lambda w: w.bring_panel("card"), ("Ctrl+I",), "info-circle",
           "What the network is, what can be done with it, and how images go into it"),
    _scale("Automatic", None),
    *(_scale(f"{percent} %", percent / 100) for percent in SCALES),
    Action("scale", "Another scale…", "Network/Scale", lambda w: w.toolbar.show_scale(),
           tip="Move the slider of the scale"),
    *_choices("device", "Network/Device", Device),
    Action("fast", "Fast arithmetic", "Network", lambda w: w.desk.session.update(fast=not w.desk.session.state.fast),
           tip="Winograd's convolutions: up to twice as fast for networks such as VGG, equal only to about 1e-5",
           checked=lambda w: w.desk.session.state.fast),
)  # fmt: skip

RUN = (
    Action("run", "Run again", "Run", lambda w: w.desk.run(), ("F9",), "player-play",
           "Read the image again and compute everything anew", enabled=_can_run),
    Action("stop", "Stop", "Run", lambda w: w.desk.stop(), ("Ctrl+.",), "player-stop",
           "Stop what is being computed; what is shown stays"),
    Action("escape", "Stop, leave or unpin", "Run", _escape, ("Esc",), "x",
           "Stop what runs; else back to the image, or out of the full screen; else close message, comparison, window "
           "or square; else unpin"),
    Action("race", "Race", "Run", lambda w: w.race(), ("Ctrl+R",), "flag",
           "Sliding window against fully convolutional network", enabled=_can_run, separator=True),
    *(_stride(step) for step in gestures.GRID_STEPS),
    Action("training-pause", "Pause or go on with training", "Run", lambda w: w.desk.training.toggle(), ("Ctrl+T",),
           "player-play", "Pause the training that runs, with a checkpoint, or go on with it", enabled=_trains),
    Action("drag-window", "Drag the window", "Run", lambda w: w.drag_window(), ("W",), "drag-drop",
           "A box of the network's native size to drag over the image: its five best classes follow",
           checked=lambda w: w.desk.session.state.window is not None, enabled=_can_run),
)  # fmt: skip

HELP = (
    Action("shortcuts", "Keyboard shortcuts", "Help", lambda w: w.dialogs.shortcuts(), ("F1", "?"), "keyboard",
           "Every key on one page"),
    Action("log", "Show the log", "Help", lambda w: w.dialogs.log(), (), "file-text", "What segviz has noted"),
    Action("about", "About segviz", "Help", lambda w: w.dialogs.about(), (), "info-circle",
           "Version, sources and licences", separator=True),
)  # fmt: skip

ACTIONS: tuple[Action, ...] = (*FILE, *EDIT, *VIEW, *NETWORK, *RUN, *HELP)


def find(identifier: str) -> Action:
    """The action of that id; KeyError where there is none."""
    for action in ACTIONS:
        if action.id == identifier:
            return action
    raise KeyError(identifier)


def tooltip(action: Action) -> str:
    """What the action does, with its key."""
    words = action.tip or action.text.rstrip("…")
    return f"{words}  ({action.keys[0]})" if action.keys else words
