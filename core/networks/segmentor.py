"""The segmentation network that every method trains: any size and any bands in, Outputs out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.errors import BadInput
from core.job import Network
from core.networks.decoders import build_body, check_decoder, impossible
from core.networks.deeplabv2 import DeepLabV2
from core.networks.encoders import Survey, adapt_pretrained, adapt_random, check_encoder, seeded, survey
from core.networks.multi_resolution import MultiResolutionBody, build_multi_resolution
from core.networks.outputs import Detail, Outputs
from core.networks.weights import WeightReport, load_encoder

__all__ = ["Segmentor", "WeightReport", "build_segmentor", "count_parameters"]

LEAST_PX = 32


def encoder_of(body: nn.Module) -> Any:
    """The encoder of a body: an nn.Module with smp's `out_channels` and `output_stride`."""
    return body.get_submodule("encoder")


def maps_of(returned: Any) -> Sequence[Tensor]:
    """The feature maps of what an encoder returns: plain vision transformers give class tokens beside."""
    maps: Sequence[Tensor] = returned[0] if isinstance(returned, tuple) else returned
    return maps


class Segmentor(nn.Module):
    """(b, c, h, w) float -> Outputs with float32 logits (b, k, h, w), for any h, w of at least 32 px.

    `body` takes multiples of `multiple_px` of at least `least_px`: the image is continued at the
    bottom and the right by reflection, and the logits are cut back. `features` cover the continued image.
    `precision` is what the body computes in; None is full precision.
    """

    def __init__(
        self, body: nn.Module, bands: Sequence[str], classes: int, multiple_px: int, least_px: int
    ) -> None:
        super().__init__()
        self.body = body
        self.bands, self.classes = tuple(bands), classes
        self.multiple_px, self.least_px = multiple_px, least_px
        self.feature_channels = int(encoder_of(body).out_channels[-1])
        self.precision: torch.dtype | None = None

    def forward(self, image: Tensor) -> Outputs:
        """Raises ValueError below 32 px, BadInput where batch norm is left with one value to train on."""
        height, width = image.shape[-2:]
        if min(height, width) < LEAST_PX:
            raise ValueError(f"a segmentor needs images of at least 32 x 32 px, got {height} x {width}")
        try:
            with self._autocast(image):
                out: Outputs = self.body(self._continued(image))
        except ValueError as fault:
            if "more than 1 value per channel" not in str(fault):
                raise
            problem = "is too small: a batch norm is left with one value a channel"
            raise BadInput("sampling.batch", problem, "take at least 2, or larger crops") from fault

        def cut(logits: Tensor, h: int = height, w: int = width) -> Tensor:
            return logits[..., :h, :w].float()

        detail = out.detail
        if detail:
            top, left, h, w = detail.box
            h, w = max(min(h, height - top), 0), max(min(w, width - left), 0)
            detail = Detail(cut(detail.logits, h, w), (top, left, h, w), detail.weight)
        return Outputs(cut(out.logits), [cut(each) for each in out.heads], out.features, out.stages, detail)

    def stages(self, image: Tensor) -> Sequence[Tensor]:
        """(b, c, h, w) -> the encoder's features, finest first, as in `Outputs`, without the rest."""
        return self.encoded(self.seen(image))

    def seen(self, image: Tensor) -> Tensor:
        """(b, c, h, w) -> the image as its encoder sees it: continued, and of two views the far one."""
        image = self._continued(image)
        return self.body.whole(image) if isinstance(self.body, MultiResolutionBody) else image

    def encoded(self, seen: Tensor) -> Sequence[Tensor]:
        """What `seen` gives -> the encoder's features, finest first."""
        with self._autocast(seen):
            return maps_of(encoder_of(self.body)(seen))

    def features(self, image: Tensor) -> Tensor:
        """(b, c, h, w) -> the encoder's last features (b, f, h', w'), as in `Outputs`, without the rest."""
        return self.stages(image)[-1]

    def encoder_parameters(self) -> list[nn.Parameter]:
        """The trainable parameters of the encoder."""
        return [p for p in encoder_of(self.body).parameters() if p.requires_grad]

    def head_parameters(self) -> list[nn.Parameter]:
        """Every other trainable parameter: the decoder's and the heads'."""
        encoder = set(self.encoder_parameters())
        return [p for p in self.parameters() if p.requires_grad and p not in encoder]

    def _autocast(self, image: Tensor) -> torch.autocast:
        return torch.autocast(image.device.type, self.precision, enabled=self.precision is not None)

    def _continued(self, image: Tensor) -> Tensor:
        below, right = (
            max(-(-size // self.multiple_px) * self.multiple_px, self.least_px) - size
            for size in image.shape[-2:]
        )
        if not (below or right):
            return image
        mirrored = below < image.shape[-2] and right < image.shape[-1]
        return F.pad(image, (0, right, 0, below), mode="reflect" if mirrored else "replicate")


def build_segmentor(
    network: Network,
    bands: Sequence[str],
    classes: int,
    weights_folder: Path | None = None,
    seed: int = 0,
) -> tuple[Segmentor, WeightReport]:
    """The network of a job for images of `bands`, and what became of its encoder's weights.

    What is not loaded depends on `seed` alone. Raises BadInput for options that are unknown or do not
    fit each other, and for weights that cannot be used.
    """
    decoder = check_decoder(network)
    check_encoder(network.encoder)
    with seeded(seed):
        body = build_body(network, classes)
        encoder = encoder_of(body)
        stride = int(encoder.output_stride)
        # A plain ViT has one stride, but DPT halves it once more.
        multiple, least = 2 * stride if network.decoder == "dpt" else stride, decoder.least_cells * stride
        known = _survey(network, encoder, multiple)
        report, filled = load_encoder(
            encoder,
            known.used,
            network,
            weights_folder,
            lambda: encoder_of(build_body(network, classes, pretrained=True)),
        )
        for name, conv in known.stem.items():
            adapt = adapt_pretrained if f"{name}.weight" in filled else adapt_random
            adapt(conv, bands)
        _freeze(body, known)
        if options := network.multi_resolution:
            # After all else, so that what is within begins with the weights that it has alone.
            body = build_multi_resolution(body, options, len(bands), classes, multiple, least)
            multiple, least = body.multiple_px, options.scale * least
    segmentor = Segmentor(body, bands, classes, multiple, least)
    _probe(network, segmentor)
    return segmentor, report


def count_parameters(network: Network, classes: int) -> int:
    """Numbers in the state of a job's network over three bands. Raises BadInput as `build_segmentor` does."""
    segmentor, _ = build_segmentor(network.without_weights(), ["red", "green", "blue"], classes)
    return sum(values.numel() for values in segmentor.state_dict().values())


def _survey(network: Network, encoder: nn.Module, multiple_px: int) -> Survey:
    try:
        known = survey(encoder, max(2 * multiple_px, 64))
    # timm's models fail in their own ways on sizes that they were not made for.
    except Exception as fault:
        raise impossible(network, fault) from fault
    if not known.stem:
        problem = f"{network.encoder} does not begin with a convolution, which is needed to adapt it to bands"
        raise BadInput("network.encoder", problem, "take tu-pvt_v2_b2 or resnet50")
    return known


def _freeze(body: nn.Module, known: Survey) -> None:
    """Parameters without any effect on the features are not trained, nor is DeepLabV2's affine batch norm."""
    for name, parameter in encoder_of(body).named_parameters():
        if name not in known.used:
            parameter.requires_grad_(False)
    if isinstance(body, DeepLabV2):
        body.freeze_affine()


def _probe(network: Network, segmentor: Segmentor) -> None:
    """Raises BadInput where a forward pass does not work, or gives logits of another size."""
    size = max(segmentor.multiple_px * 2, segmentor.least_px, 64)
    segmentor.eval()
    try:
        with torch.no_grad():
            out = segmentor.body(torch.zeros(1, len(segmentor.bands), size, size))
    except Exception as fault:
        raise impossible(network, fault) from fault
    segmentor.train()
    if out.logits.shape[-2:] != (size, size):
        raise impossible(network, f"logits of {tuple(out.logits.shape[-2:])} px for {size} px")
