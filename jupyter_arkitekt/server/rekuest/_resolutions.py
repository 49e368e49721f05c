"""Resolutions: dependencies of an implementation that were filled once and are kept."""

from __future__ import annotations

import time
from typing import Any

from jupyter_arkitekt.server.db import rekuest as db
from jupyter_arkitekt.server.graphql import Context, Resolvers
from jupyter_arkitekt.server.rekuest._actions import implementation_by_id, implementations
from jupyter_arkitekt.server.rekuest._bloks import creator_of
from jupyter_arkitekt.server.rekuest._context import party
from jupyter_arkitekt.server.rekuest._dependencies import resolve
from jupyter_arkitekt.server.rekuest._records import every, make, one, serve_delete, serve_list, serve_one
from jupyter_arkitekt.server.rekuest._rows import Row


def register(resolvers: Resolvers) -> None:
    """Attach what concerns resolutions and declared dependencies."""
    serve_one(resolvers, "resolution", db.resolution, "resolution")
    serve_list(resolvers, "resolutions", db.resolution)
    serve_delete(resolvers, "deleteResolution", db.resolution, "resolution")
    _make(resolvers)
    _fields(resolvers)


def _store(ctx: Context, implementation: Row, key: str, name: str, given: list[dict[str, Any]] | None) -> Row:
    declared = implementation["dependencies"] or []
    return make(
        ctx,
        db.resolution,
        implementation_id=implementation["id"],
        creator_id=party(ctx).id,
        key=key,
        name=name,
        mapping=resolve(ctx.platform, ctx.caller.organisation_id, declared, given),
        resolved_at=time.time(),
    )


def _make(resolvers: Resolvers) -> None:
    @resolvers.mutation("createResolution")
    def _create(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        implementation = implementation_by_id(ctx, input["implementation"])
        return _store(ctx, implementation, input["key"], input["name"], input.get("resolvedDependencies"))

    @resolvers.mutation("autoResolve")
    def _auto(_parent: object, ctx: Context, input: dict[str, Any]) -> Row:  # noqa: A002 - the wire's name
        implementation = implementation_by_id(ctx, input["implementation"])
        declared = implementation["dependencies"] or []
        given = [{"key": each["key"], "mappedAgents": [], "autoResolve": True} for each in declared]
        name = f"Resolution of {implementation['action_name']}"
        return _store(ctx, implementation, implementation["interface"], name, given)

    @resolvers.query("resolvedImplementations")
    def _resolved(
        _parent: object,
        ctx: Context,
        resolution: str,
        dependency_key: str | None = None,
        method_key: str | None = None,
    ) -> list[Row]:
        row = one(ctx, db.resolution, resolution, "resolution")
        there = {each["id"]: each for each in implementations(ctx)}  # an offer may be gone since
        return [
            there[implementation]
            for key, agents in row["mapping"].items()
            for agent in agents
            for method, implementation in agent["actions"].items()
            if dependency_key in (None, key) and method_key in (None, method) and implementation in there
        ]


def _dependency(implementation: Row, declared: Row) -> Row:
    return {
        "id": f"{implementation['id']}:{declared['key']}",
        "implementation": implementation,
        "key": declared["key"],
        "optional": bool(declared.get("optional")),
        "description": declared.get("description"),
        "autoResolvable": bool(declared.get("autoResolvable")),
        "appFilter": declared.get("app"),
        "versionFilter": declared.get("version"),
        "minViableInstances": declared.get("minViableInstances"),
        "maxViableInstances": declared.get("maxViableInstances"),
        "singular": declared.get("maxViableInstances") == 1,
        "actionDependencies": declared.get("actionDependencies") or [],
        "stateDependencies": declared.get("stateDependencies") or [],
    }


def _fields(resolvers: Resolvers) -> None:
    resolvers.field("Resolution", "creator")(creator_of)

    @resolvers.field("Resolution", "implementation")
    def _implementation(row: Row, ctx: Context) -> Row:
        return implementation_by_id(ctx, row["implementation_id"])

    @resolvers.field("Resolution", "organization")
    def _organisation(_row: Row, ctx: Context) -> Row:
        return {"slug": ctx.caller.organisation}

    @resolvers.field("Resolution", "resolvedDependencies")
    def _resolved(row: Row, ctx: Context) -> list[Row]:
        implementation = implementation_by_id(ctx, row["implementation_id"])
        declared = {each["key"]: each for each in implementation["dependencies"] or ()}
        there = {each["id"]: each for each in implementations(ctx)}
        return [
            {
                "id": f"{row['id']}:{key}:{agent['agent']}:{method}",
                "key": method,
                "resolutionKey": row["key"],
                "dependency": _dependency(implementation, declared[key]),
                "implementation": there[chosen],
            }
            for key, agents in row["mapping"].items()
            if key in declared
            for agent in agents
            for method, chosen in agent["actions"].items()
            if chosen in there
        ]

    @resolvers.field("Implementation", "dependencies")
    def _dependencies(row: Row, _ctx: Context) -> list[Row]:
        return [_dependency(row, declared) for declared in row["dependencies"] or ()]

    @resolvers.field("Implementation", "resolutions")
    def _resolutions(row: Row, ctx: Context) -> list[Row]:
        return [each for each in every(ctx, db.resolution) if each["implementation_id"] == row["id"]]
