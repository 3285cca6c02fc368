"""The decoders a job can name, and the options each of them takes."""

import difflib
import textwrap
import warnings
from dataclasses import dataclass
from typing import Any

import segmentation_models_pytorch as smp
from torch import Tensor, nn

from core.errors import BadInput
from core.job import Network
from core.networks.daformer import DAFormer
from core.networks.deeplabv2 import DeepLabV2
from core.networks.outputs import Outputs


@dataclass(frozen=True)
class Decoder:
    """`widths`: smp's keyword of each entry of `decoder_channels`, or the one keyword of the whole list
    for a decoder that has as many stages as the encoder (`stages` of them unless the job says otherwise).
    `strides`: the output strides it asks of a dilated encoder; none: it takes the encoder as it is.
    `least_cells`: deepest features below this size make it fail.
    """

    widths: tuple[str, ...] = ()
    stages: int = 0
    strides: tuple[int, ...] = ()
    least_cells: int = 1


DECODERS = {
    "unet": Decoder(("decoder_channels",), stages=5),
    "unetplusplus": Decoder(("decoder_channels",), stages=5),
    "manet": Decoder(("decoder_channels",), stages=5),
    "linknet": Decoder(),
    "fpn": Decoder(("decoder_pyramid_channels", "decoder_segmentation_channels")),
    "pspnet": Decoder(("psp_out_channels",)),
    # Its attention pools the deepest features three times by two.
    "pan": Decoder(("decoder_channels",), strides=(16,), least_cells=8),
    "deeplabv3": Decoder(("decoder_channels",), strides=(8, 16)),
    "deeplabv3plus": Decoder(("decoder_channels",), strides=(8, 16)),
    "upernet": Decoder(("decoder_channels",)),
    "segformer": Decoder(("decoder_segmentation_channels",)),
    "dpt": Decoder(("decoder_intermediate_channels",), stages=4),
    "deeplabv2": Decoder(strides=(8,)),
    "daformer": Decoder(("width",)),
}
_ASPP = Network.model_fields["aspp_dilations"].default
_UNET_WIDTHS = (256, 128, 64, 32, 16)


class SmpBody(nn.Module):
    """An smp model taken apart, so that the encoder's features come out beside the logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder: nn.Module = model.encoder
        self.decoder: nn.Module = model.decoder
        self.head: nn.Module = model.segmentation_head

    def forward(self, image: Tensor) -> Outputs:
        stages = self.encoder(image)
        # Plain vision transformers return their features and their class tokens.
        features, *tokens = stages if isinstance(stages, tuple) else (stages,)
        return Outputs(self.head(self.decoder(features, *tokens)), [], features[-1], features)


def check_decoder(network: Network) -> Decoder:
    """The decoder a job asks for. Raises BadInput for an unknown one, or options that it does not take."""
    name = network.decoder
    if name not in DECODERS:
        close = difflib.get_close_matches(name.lower(), DECODERS, n=1, cutoff=0.5)
        remedy = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(DECODERS)}"
        raise BadInput("network.decoder", f"{name!r} is unknown", remedy)
    decoder = DECODERS[name]
    _check_stride(network, decoder)
    _check_widths(network, decoder)
    _check_depth(network)
    _check_dilations(network)
    return decoder


def _check_stride(network: Network, decoder: Decoder) -> None:
    stride = network.output_stride
    if stride is not None and stride not in decoder.strides:
        able = [name for name, known in DECODERS.items() if stride in known.strides]
        problem = f"{network.decoder} cannot have output stride {stride}"
        raise BadInput("network.output_stride", problem, f"leave it out, or take decoder {', '.join(able)}")
    if decoder.strides and network.encoder.startswith("mit_"):
        raise _undilatable(network, "attention and patch embeddings lose their meaning")


def _check_widths(network: Network, decoder: Decoder) -> None:
    widths = network.decoder_channels
    if widths is None:
        return
    count = network.encoder_depth or decoder.stages if decoder.stages else len(decoder.widths)
    if len(widths) != count or min(widths, default=0) < 1:
        problem = f"{network.decoder} takes {count} positive widths, not {widths}"
        raise BadInput("network.decoder_channels", problem, "leave it out for its own")


def _check_depth(network: Network) -> None:
    if network.decoder in ("fpn", "deeplabv2") and network.encoder_depth not in (None, 5):
        raise BadInput(
            "network.encoder_depth", f"{network.decoder} needs all five encoder stages", "leave it out"
        )


def _check_dilations(network: Network) -> None:
    dilations = network.aspp_dilations
    if network.decoder == "deeplabv2":
        if min(dilations, default=0) < 1:
            remedy = "give positive whole numbers such as [6, 12, 18, 24]"
            raise BadInput("network.aspp_dilations", f"{dilations} are no dilations", remedy)
    elif dilations != _ASPP:
        remedy = "leave it out, or take decoder deeplabv2"
        raise BadInput("network.aspp_dilations", f"{network.decoder} has none", remedy)


def build_body(network: Network, classes: int, pretrained: bool = False) -> nn.Module:
    """A network over three bands, Outputs out. `pretrained` fetches the encoder's weights from the hub.

    Raises BadInput for what smp or timm refuse, but lets every fault of fetching through.
    """
    weights: str | bool | None = None
    if pretrained:
        weights = True if network.encoder.startswith("tu-") else "imagenet"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return _build(network, classes, weights)
    # smp and timm refuse a combination with whatever exception comes first.
    except Exception as fault:
        if pretrained:
            raise
        if DECODERS[network.decoder].strides:
            raise _undilatable(network, str(fault)) from fault
        raise impossible(network, fault) from fault


def _build(network: Network, classes: int, weights: str | bool | None) -> nn.Module:
    if network.decoder == "deeplabv2":
        encoder = smp.encoders.get_encoder(network.encoder, weights=weights, output_stride=8)
        return DeepLabV2(encoder, encoder.out_channels, classes, network.aspp_dilations)
    if network.decoder == "daformer":
        encoder = smp.encoders.get_encoder(network.encoder, depth=network.encoder_depth or 5, weights=weights)
        return DAFormer(encoder, encoder.out_channels, classes, *(network.decoder_channels or ()))
    options = _smp_options(network)
    return SmpBody(smp.create_model(network.decoder, network.encoder, weights, 3, classes, **options))


def _smp_options(network: Network) -> dict[str, Any]:
    decoder, depth, widths = DECODERS[network.decoder], network.encoder_depth, network.decoder_channels
    options: dict[str, Any] = {} if depth is None else {"encoder_depth": depth}
    if network.output_stride is not None:
        options["encoder_output_stride"] = network.output_stride
    if widths is not None:
        each = [widths] if decoder.stages else widths
        options |= dict(zip(decoder.widths, each, strict=True))
    elif depth is not None and decoder.stages == len(_UNET_WIDTHS):
        options[decoder.widths[0]] = _UNET_WIDTHS[-depth:]
    if network.decoder == "pspnet":
        options["upsampling"] = 2 ** (depth or 3)
    if network.decoder == "dpt":
        options["dynamic_img_size"] = True
    return options


def impossible(network: Network, fault: object) -> BadInput:
    """What to raise when a decoder does not fit an encoder."""
    problem = f"{network.decoder} does not work on {network.encoder} ({_short(fault)})"
    fitting = (
        "a plain ViT such as tu-vit_small_patch16_dinov3" if network.decoder == "dpt" else "tu-pvt_v2_b2"
    )
    return BadInput("network.decoder", problem, f"take decoder unet, or encoder {fitting}")


def _undilatable(network: Network, reason: str) -> BadInput:
    problem = f"{network.encoder} cannot be dilated, which decoder {network.decoder} needs ({_short(reason)})"
    return BadInput("network.encoder", problem, "take a CNN such as resnet50, or decoder segformer")


def _short(reason: object) -> str:
    return textwrap.shorten(str(reason), 140, placeholder="...")
