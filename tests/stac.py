"""STAC's own schemas of version 1.1.0, without a network."""

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft7Validator
from pystac.validation.local_validator import get_local_schema_cache
from referencing import Registry, Resource

ITEM = "https://schemas.stacspec.org/v1.1.0/item-spec/json-schema/item.json"


def item_faults(item: Mapping[str, Any]) -> list[str]:
    """What STAC's core schema has against an item."""
    schemas = get_local_schema_cache()
    known = Registry().with_resources((uri, Resource.from_contents(each)) for uri, each in schemas.items())
    return [fault.message for fault in Draft7Validator(schemas[ITEM], registry=known).iter_errors(item)]
