"""What a job names, held against what there is, as a run does: method, options, network. No image is read."""

from collections.abc import Iterator

from core.checks.findings import Finding
from core.errors import BadInput
from core.execution.stages import stage_order
from core.job import Job
from core.networks.decoders import check_decoder
from core.networks.encoders import RGB, check_encoder
from core.networks.segmentor import build_segmentor


def check_choices(job: Job) -> None:
    """Raises BadInput for a method, an option, a decoder or an encoder that a run would refuse."""
    stage_order(job)
    check_decoder(job.network)
    check_encoder(job.network.encoder)


def wrong_choices(job: Job) -> Iterator[Finding]:
    """The same and more, none raised: the network is built too, with its weights where they are a file."""
    for look in (stage_order, _build):
        try:
            look(job)
        except BadInput as fault:
            yield Finding.of(fault)


def _build(job: Job) -> None:
    network = job.network
    if network.weights == "imagenet":  # may have to be fetched
        network = network.without_weights()
    build_segmentor(network, [str(band) for band in range(RGB)], len(job.legend.classes))
