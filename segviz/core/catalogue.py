"""The networks that segviz brings: what each is, what it wants to see, where its weights lie.

Torch-free, since menus and cards are needed at the first paint. `builder` is 'module:callable' and
is imported by the engine alone; a test holds every number here against the network itself.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from segviz.core.choices import Task
from segviz.core.classics import CLASSICS, PER_PIXEL
from segviz.core.entries import Entry, Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.overrides import adapted, unopened
from segviz.core.specs import Kind, parse
from segviz.core.taught import DIGITS, TAUGHT

GENERAL = ("weights", "classes", "flatten")  # options of every network, which say what it is built with
_FACE = ("background", "face")
_MTCNN: dict[str, Any] = {
    "task": Task.CLASSIFICATION,
    "class_count": 2,
    "class_list": _FACE,
    "licence": "MIT",
    "preprocessing": Preprocessing(mean=(127.5,), std=(128.0,)),
    "source": "Zhang et al. 2016, Joint Face Detection and Alignment using Multitask Cascaded Convolutional Networks",
}
ENTRIES: tuple[Entry, ...] = (
    Entry(
        name="lenet5",
        title="LeNet-5",
        task=Task.CLASSIFICATION,
        builder="segviz.models.lenet5:LeNet5",
        parameters=61_706,
        input_size=(1, 32, 32),
        class_count=10,
        class_list=DIGITS,
        stride=4,
        receptive_field=32,
        weights="lenet5.safetensors",
        licence="MIT (weights); digits CC-BY-SA-3.0",
        preprocessing=Preprocessing(channels="L"),
        summary="Ten handwritten digits; the lecture's first network",
        minimum=0.8,
        sees="handwritten digits, white on black",
        sample="digits-512x512.png",
        source="LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition",
    ),
    Entry(
        name="efficientnet_lite0",
        title="EfficientNet-Lite0",
        task=Task.CLASSIFICATION,
        builder="segviz.models.efficientnet_lite:EfficientNetLite0",
        parameters=4_652_008,
        input_size=(3, 224, 224),
        class_count=1000,
        labels="imagenet.txt",
        stride=32,
        receptive_field=851,
        weights="efficientnet_lite0_imagenet.safetensors",
        licence="Apache-2.0",
        preprocessing=Preprocessing(mean=(127.0,), std=(128.0,)),
        summary="1,000 classes of ImageNet; its class maps show where",
        longest_side=512,
        sample="castle-maintenon.jpg",
        source="Tan and Le 2019, EfficientNet; Google 2020, EfficientNet-Lite",
    ),
    Entry(
        name="mtcnn_pnet",
        title="MTCNN P-Net",
        builder="segviz.models.mtcnn:PNet",
        parameters=6_632,
        input_size=(3, 12, 12),
        stride=2,
        receptive_field=12,
        weights="mtcnn_pnet.safetensors",
        summary="Faces of 12 pixels; fully convolutional from the start",
        sees="faces of about 12 pixels",
        sample="grace_hopper.jpg",
        sample_scale=0.1,
        **_MTCNN,
    ),
    Entry(
        name="mtcnn_rnet",
        title="MTCNN R-Net",
        builder="segviz.models.mtcnn:RNet",
        parameters=100_178,
        input_size=(3, 24, 24),
        stride=4,
        receptive_field=25,
        weights="mtcnn_rnet.safetensors",
        summary="Faces of 24 pixels; ends in dense layers",
        sees="faces of about 24 pixels",
        variants={"pooling=ceil": {}, "pooling=floor": {"input_size": (3, 25, 25)}},
        sample="astronaut.png",
        sample_scale=0.2,
        **_MTCNN,
    ),
    Entry(
        name="mtcnn_onet",
        title="MTCNN O-Net",
        builder="segviz.models.mtcnn:ONet",
        parameters=389_040,
        input_size=(3, 48, 48),
        stride=8,
        receptive_field=49,
        weights="mtcnn_onet.safetensors",
        summary="Faces of 48 pixels; ends in dense layers",
        sees="faces of about 48 pixels",
        variants={"pooling=ceil": {}, "pooling=floor": {"input_size": (3, 49, 49)}},
        sample="astronaut.png",
        sample_scale=0.45,
        **_MTCNN,
    ),
    Entry(
        name="selfie_general",
        title="Selfie segmentation",
        task=Task.SEGMENTATION,
        builder="segviz.models.selfie:SelfieSegmenter",
        parameters=106_401,
        input_size=(3, 256, 256),
        class_count=2,
        class_list=("background", "person"),
        sigmoid=True,
        stride=1,
        receptive_field=383,
        weights="selfie_general.safetensors",
        licence="Apache-2.0",
        preprocessing=Preprocessing(),
        summary="Person or not, for every pixel",
        longest_side=256,
        multiple=16,
        sample="grace_hopper.jpg",
        source="Google 2021, MediaPipe Selfie Segmentation",
    ),
    *TAUGHT,
    *CLASSICS,
    *PER_PIXEL,
)


def entry(spec: str) -> Entry:
    """What is known of the network of a spec before it is open, its options applied.

    Of the catalogue that is all there is to know; of any other network no more than its name, until
    the engine has opened it and answers with its entry. Raises SegvizError for a name that is not in
    the catalogue or an option that the network does not have, with what there is.
    """
    wanted = parse(spec)
    if wanted.kind is not Kind.CATALOGUE:
        return adapted(unopened(wanted), wanted)
    found = next((e for e in ENTRIES if e.name == wanted.name), None)
    if found is None:
        names = [e.name for e in ENTRIES]
        close = difflib.get_close_matches(wanted.name.lower(), names, 1)
        some = f"there are {', '.join(names[:4])} and {len(names) - 4} more, which 'segviz models' lists"
        hint = f"did you mean {close[0]}?" if close else some
        raise SegvizError(f"no network '{wanted.name}' in the catalogue; {hint}")
    for key, value in wanted.opening.without(*GENERAL).options:
        change = found.variants.get(f"{key}={value}")
        if change is None:
            known = ", ".join(found.variants) or "none"
            raise SegvizError(f"{found.name} has no option '{key}={value}'; its options: {known}")
        found = replace(found, options=(*found.options, (key, value)), **change)
    return adapted(found, wanted)


def background(classes: Sequence[str]) -> int | None:
    """The index of the class that is named background and so never painted; None where there is none."""
    names = [name.strip(" _").lower() for name in classes]
    return names.index("background") if "background" in names else None


def class_index(classes: tuple[str, ...], wanted: str) -> int:
    """The class that a person means: its name in any case, or its number.

    Raises SegvizError with the nearest names.
    """
    lowered = wanted.strip().lower()
    names = [name.lower() for name in classes]
    if lowered in names:
        return names.index(lowered)
    if lowered.isdecimal() and int(lowered) < len(classes):
        return int(lowered)
    close = [classes[i] for i, name in enumerate(names) if lowered and lowered in name][:6]
    if not close:  # a slip of the finger
        close = [classes[names.index(name)] for name in difflib.get_close_matches(lowered, names, 3, 0.75)]
    some = ", ".join(classes[:6]) + (", ..." if len(classes) > 6 else "")
    hint = f"did you mean {', '.join(close)}?" if close else f"the classes are {some}"
    raise SegvizError(f"no class '{wanted}' among {len(classes):,}; {hint}")
