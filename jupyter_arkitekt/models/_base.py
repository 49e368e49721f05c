"""Base of what services answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class WireModel(BaseModel):
    """A thing that a GraphQL service answers or takes; snake_case here, camelCase on the wire.

    Its fields are also the selection of the query that asks for it (see `transport.selection`). What a newer server
    sends beyond them is ignored.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")
