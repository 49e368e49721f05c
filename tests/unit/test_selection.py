"""Selections from models, fitted to a schema."""

from __future__ import annotations

from typing import Annotated, Any

from graphql import build_schema, parse, validate

from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models._selection import Selection
from jupyter_arkitekt.transport._operations import build
from jupyter_arkitekt.transport.selection import select

SCHEMA = build_schema(
    """
    type Query { image(id: ID!): Image!, images(filters: Filter): [Image!]! }
    input Filter { ids: [ID!], name: String }
    interface View { id: ID! }
    type ChannelView implements View { id: ID!, emissionWavelength: String }
    type ScaleView implements View { id: ID!, scaleX: Float! }
    type Image { id: ID!, name: String!, views: [View!]!, origin: Image, events(first: Int): [Event!]! }
    type Event { id: ID!, kind: String! }
    """
)


class ChannelView(WireModel):
    id: str
    emission_wavelength: str | None = None


class ScaleView(WireModel):
    id: str
    scale_x: float


class Event(WireModel):
    kind: str


class Image(WireModel):
    id: str
    name: str
    views: list[ChannelView | ScaleView] = []
    events: Annotated[list[Event], Selection(arguments="(first: 3)")] = []
    invented_later: str | None = None


def test_an_operation_asks_for_what_the_model_has_and_the_deployment_knows() -> None:
    document, variables = build("query", "image", Image, {"id": 12}, SCHEMA)
    assert not validate(SCHEMA, parse(document))
    assert variables == {"id": "12"} or variables == {"id": 12}
    assert "inventedLater" not in document
    assert "emissionWavelength" in document
    assert "events(first: 3)" in document
    assert "ScaleView" in document


def test_arguments_take_their_types_from_the_schema_and_none_means_absent() -> None:
    document, variables = build("query", "images", list[Image], {"filters": {"ids": ["1"], "name": None}}, SCHEMA)
    assert not validate(SCHEMA, parse(document))
    assert "Filter" in document
    given: Any = variables["filters"]
    assert given["ids"] == ["1"]
    document, variables = build("query", "images", list[Image], {"filters": None}, SCHEMA)
    assert variables == {}


def test_without_a_schema_everything_is_asked_for() -> None:
    assert "inventedLater" in select(Image, None)
