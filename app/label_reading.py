"""The values that a project's label files hold, to make a legend from. No Qt; not for the window's thread."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import BadInput
from geo_io.legend import Value, value_key
from geo_io.vector_facts import VECTOR_SUFFIXES, vector_layers

if TYPE_CHECKING:
    from geo_io.label_values import LabelValues

MOST_FILES = 40


def read_labels(labels: Sequence[Mapping[str, Any]]) -> "LabelValues":
    """The values in the files of `labels` (entries of a job file) together; of very many, of some.

    Shares are means over the files. Raises BadInput where a file cannot be read, or which attribute holds
    the class is not known.
    """
    from geo_io.label_values import LabelValue, LabelValues

    if not labels:
        raise BadInput("the source", "has no labels to read", "choose a label file for one of its images")
    step = -(-len(labels) // MOST_FILES)
    chosen = labels[::step]
    shares: dict[Value, float] = defaultdict(float)
    first: dict[Value, LabelValue] = {}
    sampled = step > 1
    for each in chosen:
        found = _read(each)
        sampled |= found.sampled
        for value in found.values:
            key = value_key(value.value)
            first.setdefault(key, value)
            shares[key] += value.share / len(chosen)
    merged = (LabelValue(first[key].value, shares[key], first[key].color) for key in first)
    return LabelValues(tuple(sorted(merged, key=_order)), sampled)


def _read(labels: Mapping[str, Any]) -> "LabelValues":
    from geo_io.label_values import raster_values, vector_values

    path = Path(labels["path"])
    if path.suffix.lower() not in VECTOR_SUFFIXES:
        return raster_values(path, int(labels.get("band", 1)))
    layer, attribute = _attribute(path, labels)
    return vector_values(path, attribute, layer)


def _attribute(path: Path, labels: Mapping[str, Any]) -> tuple[str, str]:
    """The layer and attribute that the labels name, else the only ones there are."""
    layers = {layer.name: layer for layer in vector_layers(path)}
    name = labels.get("layer") or next(iter(layers))
    if name not in layers or (len(layers) > 1 and not labels.get("layer")):
        raise BadInput(path, "has several layers", "choose one beside the image's labels")
    attributes = layers[name].attributes
    attribute = labels.get("attribute") or (attributes[0] if len(attributes) == 1 else None)
    if attribute is None:
        raise BadInput(path, f"has {len(attributes)} attributes", "choose one beside the image's labels")
    return name, attribute


def _order(found: Any) -> tuple[bool, int, str]:
    value = found.value
    return isinstance(value, str), value if isinstance(value, int) else 0, str(value).casefold()
