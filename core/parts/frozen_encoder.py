"""An encoder that learns no more, to describe images by: what translators take content and style from."""

import copy
from typing import Any

from torch import Tensor

from core.bench import Bench
from core.networks.segmentor import encoder_of


class FrozenEncoder:
    """(b, c, h, w) -> its feature maps, finest first, those coarser than the image that it sees.

    It is the job's pretrained encoder; where `network.weights` is null, a copy of the student's as it
    stands, because features at random describe little: make it after a warm start.
    """

    def __init__(self, bench: Bench) -> None:
        pretrained = bench.job.network.weights is not None
        self.network = bench.fresh() if pretrained else copy.deepcopy(bench.segmentor)
        self.network.requires_grad_(False).eval()

    def __call__(self, image: Tensor) -> list[Tensor]:
        seen = self.network.seen(image)
        stages = self.network.encoded(seen)
        # Some encoders begin with what they see itself, transformers with an empty map at half its size.
        return [maps for maps in stages if maps.shape[1] and maps.shape[-1] < seen.shape[-1]]

    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = encoder_of(self.network.body).state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        encoder_of(self.network.body).load_state_dict(state)
