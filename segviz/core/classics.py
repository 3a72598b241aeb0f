"""The lecture's networks that come without weights: for what they see, how large they are and how fast.

Part of the catalogue (`core/catalogue`): `CLASSICS` answer once for an image, `PER_PIXEL` for every pixel.
"""

from __future__ import annotations

from typing import Any

from segviz.core.choices import Task
from segviz.core.class_names import CAMVID_NAMES, CIFAR10_NAMES, VOC_NAMES
from segviz.core.entries import IMAGENET, Entry, Preprocessing

_RANDOM: dict[str, Any] = {
    "weights": "",
    "licence": "no weights are shipped",
    "summary": "Random weights: for speed and geometry, not for answers",
    "sample": "castle-maintenon.jpg",
}
_IMAGENET: dict[str, Any] = _RANDOM | {
    "task": Task.CLASSIFICATION,
    "input_size": (3, 224, 224),
    "class_count": 1000,
    "labels": "imagenet.txt",
    "stride": 32,
    "preprocessing": IMAGENET,
    "longest_side": 512,
}
_VGG: dict[str, Any] = _IMAGENET | {
    "source": "Simonyan and Zisserman 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition",
}
_SMALL: dict[str, Any] = _RANDOM | {
    "task": Task.CLASSIFICATION,
    "class_count": 10,
    "class_list": CIFAR10_NAMES,
    "preprocessing": IMAGENET,
    "longest_side": 256,
}

CLASSICS: tuple[Entry, ...] = (
    Entry(
        name="alexnet",
        title="AlexNet",
        builder="segviz.models.alexnet:AlexNet",
        parameters=61_100_840,
        receptive_field=355,
        source="Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks",
        **_IMAGENET,
    ),
    Entry(
        name="vgg11",
        title="VGG11",
        builder="segviz.models.vgg:vgg11",
        parameters=132_863_336,
        receptive_field=342,
        **_VGG,
    ),
    Entry(
        name="vgg13",
        title="VGG13",
        builder="segviz.models.vgg:vgg13",
        parameters=133_047_848,
        receptive_field=348,
        **_VGG,
    ),
    Entry(
        name="vgg16",
        title="VGG16",
        builder="segviz.models.vgg:vgg16",
        parameters=138_357_544,
        receptive_field=404,
        **_VGG,
    ),
    Entry(
        name="vgg19",
        title="VGG19",
        builder="segviz.models.vgg:vgg19",
        parameters=143_667_240,
        receptive_field=460,
        **_VGG,
    ),
    Entry(
        name="vgg_valid",
        title="VGG without padding",
        builder="segviz.models.vgg_valid:VGGValid",
        parameters=879_914,
        input_size=(3, 60, 60),
        stride=8,
        receptive_field=60,
        source="after Simonyan and Zisserman 2015, Very Deep Convolutional Networks for Large-Scale Image Recognition",
        **_SMALL,
    ),
    Entry(
        name="nin",
        title="Network in Network",
        builder="segviz.models.nin:NetworkInNetwork",
        parameters=966_986,
        input_size=(3, 32, 32),
        stride=4,
        receptive_field=27,
        source="Lin et al. 2014, Network In Network",
        **_SMALL,
    ),
    Entry(
        name="allconv",
        title="All-CNN-C",
        builder="segviz.models.allconv:AllConv",
        parameters=1_369_738,
        input_size=(3, 32, 32),
        stride=4,
        receptive_field=27,
        variants={"stride=2": {}, "stride=1": {"stride": 1, "receptive_field": 15}},
        source="Springenberg et al. 2015, Striving for Simplicity: The All Convolutional Net",
        **_SMALL,
    ),
)

_PIXELS: dict[str, Any] = _RANDOM | {"task": Task.SEGMENTATION, "stride": 1}
_FCN: dict[str, Any] = _PIXELS | {
    "input_size": (3, 224, 224),
    "class_count": 21,
    "class_list": VOC_NAMES,
    "preprocessing": IMAGENET,
    "longest_side": 512,
    "source": "Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation",
}

PER_PIXEL: tuple[Entry, ...] = (
    Entry(
        name="fcn32s",
        title="FCN-32s",
        builder="segviz.models.fcn:fcn32s",
        parameters=136_152_917,
        receptive_field=436,
        **_FCN,
    ),
    Entry(
        name="fcn16s",
        title="FCN-16s",
        builder="segviz.models.fcn:fcn16s",
        parameters=134_815_994,
        receptive_field=468,
        **_FCN,
    ),
    Entry(
        name="fcn8s",
        title="FCN-8s",
        builder="segviz.models.fcn:fcn8s",
        parameters=134_489_759,
        receptive_field=468,
        **_FCN,
    ),
    Entry(
        name="unet",
        title="U-Net",
        builder="segviz.models.unet:UNet",
        parameters=31_030_658,
        input_size=(1, 572, 572),
        class_count=2,
        class_list=("background", "cell"),
        preprocessing=Preprocessing(channels="L"),
        receptive_field=204,
        longest_side=256,
        multiple=16,
        remainder=12,
        border=92,
        variants={
            "padding=valid": {},
            "padding=same": {"input_size": (1, 512, 512), "remainder": 0, "border": 0},
        },
        source="Ronneberger et al. 2015, U-Net: Convolutional Networks for Biomedical Image Segmentation",
        **_PIXELS,
    ),
    Entry(
        name="segnet",
        title="SegNet",
        builder="segviz.models.segnet:SegNet",
        parameters=29_449_355,
        input_size=(3, 360, 480),
        class_count=11,
        class_list=CAMVID_NAMES,
        preprocessing=IMAGENET,
        receptive_field=404,
        longest_side=256,
        source="Badrinarayanan et al. 2017, SegNet: A Deep Convolutional Encoder-Decoder Architecture",
        **_PIXELS,
    ),
)
