"""AlexNet in torchvision's form: 61,100,840 parameters, names of layers and tensors as there.

Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
2012, in one column instead of two: Krizhevsky, "One weird trick for parallelizing convolutional
neural networks", 2014. Without local response normalisation.
"""

from __future__ import annotations

from torch import Tensor, nn

LAST_SIDE = 6  # rows and columns of the map that the first dense layer flattens


class AlexNet(nn.Module):
    """1,000 classes: (N, 3, 224, 224), scaled by ImageNet's mean and deviation, to logits (N, 1000).

    `avgpool` changes nothing at that size; it lets other sizes fit the dense layers.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(LAST_SIDE)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(256 * LAST_SIDE**2, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))  # (N, 256, 6, 6)
        logits: Tensor = self.classifier(self.flatten(x))  # (N, classes)
        return logits
