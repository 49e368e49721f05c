"""What a model's field says about the query that fills it, where its name and type do not say enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Metadata of a model's field: ``events: Annotated[list[Event], Selection(arguments="(limit: 3)")]``.

    Attributes
    ----------
    field
        Name of the GraphQL field, where it is not the model's own camelCase name, which then becomes the alias in the
        query. Several names are vocabularies of different releases: the first one that the deployment has is asked for.
    arguments
        Arguments in GraphQL's notation, with the parentheses. Those that the deployment's field does not take are left
        out.
    depth
        How often this field may be nested in itself, for models that contain themselves.
    leaf
        The value is a scalar on the wire (JSON) although it is a model here: nothing is selected inside.
    ask
        ``False`` for a field that no query asks for; it needs a default.
    """

    field: str | tuple[str, ...] | None = None
    arguments: str = ""
    depth: int | None = None
    leaf: bool = False
    ask: bool = True
