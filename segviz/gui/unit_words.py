"""What is said of a unit and its receptive field: the same on the canvas, in the inspector and in the network panel."""

from __future__ import annotations

from collections.abc import Sequence

from segviz.core.field import Status
from segviz.core.requests import Network
from segviz.gui import words
from segviz.gui.scene import Pinned

THROUGH_GATES = "and, through gates that average over it, the whole image"
WORTH = 0.005  # share of a field outside the image that is said
LIMITS = {Status.BOUND: "at most ", Status.DATA: "at most ", Status.MEASURED: "at least "}
POOLED = "the whole image, which it averages over"


def averages(grid: Sequence[int]) -> bool:
    """Whether the units of a layer with this grid that reach the whole image are global averages themselves.

    Where a grid is left, only gates on the way look at the whole image, and each unit has a field of its own.
    """
    return all(side == 1 for side in grid)


def class_of_map(network: Network | None, layer: str, channel: int) -> str:
    """The class that a map of the network's last layer scores; '' for every other layer."""
    if network is None or layer != network.geometry.last:
        return ""
    found = network.layer(layer)
    if found is None or found.maps[0] != len(network.classes) or channel >= len(network.classes):
        return ""
    return network.classes[channel]


def captioned(channel: int, name: str) -> str:
    """A map's number with its class, once where the class is called by that number: '483 castle', '3'."""
    return f"{channel} {name}" if name and name != str(channel) else str(channel)


def quoted(name: str) -> str:
    """A class's name; a class that is called by a number in quotes, so that it is not read as a value."""
    return f"“{name}”" if name.replace(".", "").isdigit() else name


def chip(unit: Pinned, network: Network | None) -> str:
    """The label above a field: layer, map, size, how much of it lies outside the image."""
    name = class_of_map(network, unit.layer, unit.channel)
    return " · ".join((unit.layer, f"map {captioned(unit.channel, name)}", *_field(unit, network)))


def _field(unit: Pinned, network: Network | None) -> tuple[str, ...]:
    if unit.status is Status.UNKNOWN:
        return ("field not known",)
    size = f"field {LIMITS.get(unit.status, '')}{field_size(unit, network)}"
    if unit.status is Status.WHOLE:
        pooled = network is not None and averages(network.geometry.grid(unit.layer))
        return ("field: the whole image" if pooled else f"{size} + whole image",)
    return (size, f"{words.share(unit.outside)} outside") if unit.outside >= WORTH else (size,)


def outside(unit: Pinned, network: Network | None) -> str:
    """What is said in the part of a field that lies outside the image; '' where there is none worth a word."""
    if not unit.status.holds or unit.status is Status.WHOLE or unit.outside < WORTH:
        return ""
    return f"{words.share(unit.outside)} of this field is {beyond(network)}"


def beyond(network: Network | None) -> str:
    """What a network sees outside the image."""
    return "the image mirrored" if mirrors(network) else "padding"


def mirrors(network: Network | None) -> bool:
    """Whether the image goes on as its own mirror image, as a U-Net sees it."""
    return network is not None and network.entry.mirrors


def field_size(unit: Pinned, network: Network | None) -> str:
    """The field's size in image pixels, named so where the network sees the image at another scale."""
    if unit.status is Status.UNKNOWN:
        return "not known"
    scaled = network is not None and network.frame.image != network.frame.inner
    least = LIMITS[unit.status] if unit.status is Status.MEASURED else ""
    return f"{least}{words.size(unit.field.width, unit.field.height)} {'image ' if scaled else ''}px"


def field_hint(unit: Pinned, network: Network | None) -> str:
    """What the size counts: image pixels, and how many of the network's these are."""
    if network is None or unit.status is Status.UNKNOWN or network.frame.image == network.frame.inner:
        return "Width × height of the receptive field in image pixels"
    y, x = network.frame.zoom
    own = words.size(round(unit.field.width * x, 3), round(unit.field.height * y, 3))
    return (
        f"Width × height of the receptive field in image pixels; {own} in pixels of the network's input, "
        "which the Network panel counts in"
    )


def remark(unit: Pinned, network: Network | None) -> str:
    """What size and box do not say of a field; '' where they say it all."""
    if unit.status is Status.UNKNOWN:
        return f"Field not known: {unit.reason}" if unit.reason else "Field not known"
    if unit.status is Status.WHOLE:
        if network is not None and averages(network.geometry.grid(unit.layer)):
            return f"Sees {POOLED}"
        return f"Sees this field {THROUGH_GATES}"
    if unit.status is Status.MEASURED:
        return f"Sees at least this field, measured: {unit.reason}"
    if unit.status in (Status.BOUND, Status.DATA):
        return f"Sees at most this field ({unit.status.value}): {unit.reason}"
    return ""
