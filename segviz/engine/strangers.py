"""What can be found out about a network that nobody has described: sizes, classes, task, geometry.

Nearly all of it comes from tracing, which computes nothing: a size of images that the network runs on, what its
answer looks like there, which other sizes it takes. What is guessed is said in a note. Then it runs once, on noise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from segviz.core import file_notes
from segviz.core.choices import Task
from segviz.core.entries import IMAGENET, Entry, Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.overrides import adapted
from segviz.core.specs import Spec
from segviz.engine.comparison import compared
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.recording import record

Size = tuple[int, int, int]  # channels, height, width

USUAL = (224, 64, 32, 28, 256, 299, 227, 96, 128, 48, 160, 192, 240, 320, 384, 512)  # sides of inputs, in that order
BATCH = 3  # images at once, to see whether there may be several
UNSAID_SIZE = "nothing says which it was made for, and at another its answers may be wrong; ?input=CxHxW says it"
AS_FOR_IMAGENET = "unless ?mean= and ?std= say others, pixels are scaled as for ImageNet, which is a guess"
DIVIDED = "unless ?mean= and ?std= say others, pixels are divided by 255, which is a guess"
GUESSED_PIXELS = (AS_FOR_IMAGENET, DIVIDED)
MOST_CHANNELS = 16  # of an image; the satellites with most bands have 13
MULTIPLES = (1, 2, 4, 8, 16, 32, 64)  # what sides of images may have to be divisible by


@dataclass(frozen=True)
class Known:
    """What the source of a network says of it: `size` (C, H, W) of the image it is for, None where it does not say.

    `note` is what segviz wrote into a file that it saved itself: channels, mean, std, classes.
    """

    title: str
    size: Size | None = None
    summary: str = ""
    note: Mapping[str, Any] = field(default_factory=dict)


def entry_of(network: nn.Module, spec: Spec, known: Known) -> tuple[Entry, tuple[str, ...]]:
    """The entry of a network, as far as tracing can tell, and notes on what had to be guessed.

    Raises SegvizError where it runs on no size that was tried, with the reason for the most likely one, and where
    what was recorded of it does not compute what it computes itself.
    """
    traced, size, notes = _run(network, spec, known)
    grid, classes = _answer(traced)
    per_pixel = traced.answers_maps and grid == size[1:]
    law = traced.geometry.laws("last")[0]
    multiple, told = _sizes(network, size) if per_pixel else (1, "")
    preprocessing, guess = _preprocessing(size[0], known.note)
    doubt = compared(network, traced)
    entry = Entry(
        name=str(spec.opening),
        title=known.title,
        task=Task.SEGMENTATION if per_pixel else Task.CLASSIFICATION,
        builder="",
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        input_size=size,
        class_count=max(2, classes),
        class_list=_names(classes, known.note),
        stride=max(1, round(law.stride)),
        receptive_field=_field(traced),
        weights=known.title,
        licence="unknown",
        preprocessing=preprocessing,
        summary=known.summary,
        sigmoid=classes == 1,
        longest_side=max(size[1:]) if per_pixel and known.size else None,
        multiple=multiple,
    )
    return entry, tuple(note for note in (*notes, guess, told, doubt) if note)


def takes_batches(network: nn.Module, size: Size) -> bool:
    """Whether a network answers several images of `size` at once, each for itself, as far as shapes tell."""
    tensors = (*network.named_parameters(), *network.named_buffers())
    with torch.inference_mode():
        state = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors}
        try:
            images = torch.empty((BATCH, *size), device="meta")
            answer = first_tensor(torch.func.functional_call(network, state, (images,)))
        # A stranger's operations refuse a batch with any of these, which answers what was asked; it is then given
        # one image after the other. What it refuses on a single image is told when it is traced.
        except (RuntimeError, ValueError, IndexError, AssertionError, TypeError, SegvizError):
            return False
    return answer.dim() > 0 and answer.shape[0] == BATCH


def one_at_a_time(network: nn.Module) -> None:
    """Let `network`, whose program is for one image, answer several one after the other."""
    run = network.forward

    def forward(images: Tensor) -> Any:
        if images.shape[0] == 1:
            return run(images)
        return torch.cat([first_tensor(run(images[k : k + 1])) for k in range(images.shape[0])])

    network.forward = forward


def _run(network: nn.Module, spec: Spec, known: Known) -> tuple[Trace, Size, tuple[str, ...]]:
    """A trace on the first size that the network runs on."""
    given = spec.option("input")
    if given is not None:
        size = _given_size(spec)
        return _traced(network, size), size, ()
    if known.size is not None:
        return _traced(network, known.size), known.size, ()
    refusal: SegvizError | None = None
    for size in _usual(network):
        try:
            traced = _traced(network, size)
        except SegvizError as error:
            refusal = refusal or error
            continue
        shown = "x".join(map(str, size))
        guess = f"input size {shown} is a guess, the first usual one that it runs on: {UNSAID_SIZE}"
        return traced, size, (guess,)
    raise SegvizError(f"{known.title} runs on no usual size of images: say which with ?input=CxHxW ({refusal})")


def _traced(network: nn.Module, size: Size) -> Trace:
    """A trace; whatever other people's code raises on a size becomes one message."""
    try:
        return record(network, size)
    except SegvizError:
        raise
    except Exception as error:  # the edge: a network of a stranger may raise anything
        shown, reason = "x".join(map(str, size)), str(error).strip().split("\n")[0]
        raise SegvizError(f"the network does not run on {shown}: {type(error).__name__}: {reason}") from error


def _given_size(spec: Spec) -> Size:
    """The size that the option `input` of a spec names. Raises UsageError where it is none."""
    return adapted(_BLANK, Spec(spec.name, (("input", spec.option("input") or ""),), spec.kind)).input_size


_BLANK = Entry("", "", Task.CLASSIFICATION, "", 0, (3, 224, 224), 0, 1, 0, "", "", Preprocessing(), "")


def _usual(network: nn.Module) -> Iterator[Size]:
    first = next((p for p in network.parameters() if p.dim() == 4), None)
    groups = next((m.groups for m in network.modules() if isinstance(m, nn.Conv2d)), 1)
    likely = int(first.shape[1]) * groups if first is not None else 3
    for channels in dict.fromkeys((likely if likely <= MOST_CHANNELS else 3, 3, 1)):
        for side in USUAL:
            yield channels, side, side


def _answer(traced: Trace) -> tuple[tuple[int, int], int]:
    """Rows and columns of the logits, and how many there are of them."""
    node = traced.geometry.nodes[traced.output]
    return (node.height, node.width), traced.operations[traced.output].elements // (node.height * node.width)


def _names(classes: int, note: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of classes that a note has; a single logit speaks for one class against the rest. Else they have none."""
    return file_notes.names(note, max(2, classes)) or (("background",) if classes == 1 else ())


def _field(traced: Trace) -> int:
    rows, columns = traced.geometry.grid("last")
    box = traced.geometry.field("last", rows // 2, columns // 2).box
    return round(max(box.height, box.width))


def _preprocessing(channels: int, note: Mapping[str, Any]) -> tuple[Preprocessing, str]:
    noted = file_notes.preprocessing(note, channels)
    if noted is not None:
        return noted, ""
    if channels == 3:
        return IMAGENET, AS_FOR_IMAGENET
    return Preprocessing("L" if channels == 1 else "RGB"), DIVIDED


def _sizes(network: nn.Module, size: Size) -> tuple[int, str]:
    """What sides of images must be divisible by for a network that answers per pixel, and a note where few will do."""
    channels, height, width = size
    for step in MULTIPLES:
        rows, columns = (-(-side // step) * step + more * step for side, more in ((height, 1), (width, 2)))
        try:
            traced = _traced(network, (channels, rows, columns))
        except SegvizError:
            continue
        if traced.answers_maps and _answer(traced)[0] == (rows, columns):
            return step, "" if step == 1 else f"takes images whose sides are multiples of {step}"
    alone = f"runs on images of {width}x{height} alone"
    if height == width:
        return height, f"{alone}: others are made as large and padded"
    return 1, alone
