"""Mikro's resolvers over a database of their own: what two organisations, a reader and a count of statements show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, insert, select

from jupyter_arkitekt.server.app import build_app
from jupyter_arkitekt.server.db import identity as tables
from jupyter_arkitekt.server.graphql import Context, Service
from jupyter_arkitekt.server.identity import Caller
from jupyter_arkitekt.server.mikro import service
from jupyter_arkitekt.server.platform import Platform
from jupyter_arkitekt.server.settings import Settings

MAKE = "mutation ($i: FromArrayLikeInput!) { fromArrayLike(input: $i) { id } }"

ARRAY = {
    "zarr_format": 3,
    "node_type": "array",
    "shape": [2, 1, 1, 8, 8],
    "data_type": "uint8",
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2, 1, 1, 8, 8]}},
    "chunk_key_encoding": {"name": "default"},
    "fill_value": 0,
    "codecs": [{"name": "bytes"}],
    "dimension_names": ["c", "t", "z", "y", "x"],
}


@dataclass
class Mikro:
    """The service, and somebody who asks it."""

    platform: Platform
    service: Service
    caller: Caller

    def as_(self, **who: Any) -> Mikro:
        """Return the same service, asked by somebody else."""
        return Mikro(self.platform, self.service, replace(self.caller, **who))

    async def answer(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return the whole answer."""
        context = Context(self.caller, self.platform, {"host": "127.0.0.1:1"})
        prepared = await self.service.executor.prepare(query, None)
        return await self.service.executor.run(prepared, variables, context)

    async def ok(self, query: str, **variables: Any) -> Any:
        """Return the first field of an answer without errors."""
        answer = await self.answer(query, **variables)
        assert "errors" not in answer, answer["errors"]
        return next(iter(answer["data"].values()))

    async def code(self, query: str, **variables: Any) -> str:
        """Return the code of a refusal."""
        answer = await self.answer(query, **variables)
        code: str = answer["errors"][0]["extensions"]["code"]
        return code

    async def uploaded(self, kind: str = "Zarr", content: bytes = b"words") -> str:
        """Return the id of a store with something in it."""
        name = "" if kind in ("Zarr", "Parquet") else 'originalFileName: "a.png"'
        grant = await self.ok(f"mutation {{ request{kind}Upload(input: {{{name}}}) {{ store bucket key }} }}")
        if kind == "Zarr":
            self.platform.storage.put("zarr", f"{grant['key']}/zarr.json", json.dumps(ARRAY).encode())
        else:
            self.platform.storage.put(grant["bucket"], grant["key"], content)
        store: str = grant["store"]
        return store

    async def image(self, **more: Any) -> str:
        """Make an image and return its id."""
        made = await self.ok(MAKE, i={"array": await self.uploaded(), "name": f"image {uuid4()}", **more})
        key: str = made["id"]
        return key


@pytest.fixture
def mikro(tmp_path: Path) -> Iterator[Mikro]:
    """Mikro on an empty platform, asked by its owner."""
    platform: Platform = build_app(Settings(data_dir=tmp_path)).state.platform
    with platform.db.begin() as connection:
        user = connection.execute(select(tables.users)).one()
    caller = Caller(
        user_id=user.id, sub=str(user.id), username=user.username, client_id="c", organisation="o",
        organisation_id=user.organisation_id, app="a", release="1", device=None, scopes=(), roles=("admin",),
    )  # fmt: skip
    yield Mikro(platform, service(), caller)
    platform.db.close()


def _stranger(mikro: Mikro) -> Mikro:
    with mikro.platform.db.begin() as connection:
        place = {"slug": "elsewhere", "name": "Elsewhere", "created_at": 0.0}
        organisation = connection.execute(insert(tables.organisations).values(place)).inserted_primary_key
        assert organisation is not None
        person = {"username": "stranger", "organisation_id": organisation[0], "roles": ["admin"], "created_at": 0.0}
        user = connection.execute(insert(tables.users).values(person)).inserted_primary_key
        assert user is not None
    return mikro.as_(user_id=user[0], organisation_id=organisation[0])


async def test_another_organisation_sees_nothing_and_reaches_nothing(mikro: Mikro) -> None:
    store = await mikro.uploaded()
    image = await mikro.image()
    snapshot = "mutation ($i: SnapshotInput!) { createSnapshot(input: $i) { id } }"
    stranger = _stranger(mikro)
    assert await stranger.ok("{ images { id } }") == []
    assert await stranger.code("query ($i: ID!) { image(id: $i) { id } }", i=image) == "NOT_FOUND"
    assert await stranger.code("{ randomImage { id } }") == "NOT_FOUND"
    assert await stranger.code("mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=image) == "NOT_FOUND"
    assert await stranger.code(MAKE, i={"array": store, "name": "stolen"}) == "NOT_FOUND"
    own = await stranger.uploaded("Media")
    assert await stranger.code(snapshot, i={"file": own, "image": image}) == "NOT_FOUND"
    access = "mutation ($s: String!) { requestZarrAccess(input: {storeId: $s}) { key } }"
    assert await stranger.code(access, s=store) == "NOT_FOUND"
    derived = {"array": await stranger.uploaded(), "name": "derived", "derivedViews": [{"originImage": image}]}
    assert await stranger.code(MAKE, i=derived) == "NOT_FOUND"
    assert await stranger.ok("{ images { id } }") == []


async def test_who_has_no_role_reads_and_does_not_write(mikro: Mikro) -> None:
    image = await mikro.image()
    reader = mikro.as_(roles=("viewer",))
    assert await reader.ok("{ images { id } }") == [{"id": image}]
    assert await reader.code("mutation { requestZarrUpload(input: {}) { store } }") == "FORBIDDEN"
    assert await reader.code("mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=image) == "FORBIDDEN"
    colleague = mikro.as_(user_id=mikro.caller.user_id + 1)
    assert await colleague.code("mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=image) == "FORBIDDEN"


async def test_a_page_takes_as_many_statements_for_one_image_as_for_many(mikro: Mikro) -> None:
    views = {
        "channelViews": [{"name": "DAPI", "cMin": 0, "cMax": 1}, {"name": "GFP", "cMin": 1, "cMax": 2}],
        "timepointViews": [{"msSinceStart": 5}],
        "transformationViews": [{"affineMatrix": [[0.1, 0, 0, 0], [0, 0.1, 0, 0], [0, 0, 0.3, 0], [0, 0, 0, 1]]}],
    }
    for _ in range(12):
        await mikro.image(**views)
    page = """query ($n: Int) { images(pagination: {limit: $n}) { name pinned store { key shape } dataset { name }
        creator { sub } channels { label } rgbContexts { views { name contexts { name } } }
        views { __typename image { id } ... on TimepointView { era { name } }
                ... on AffineTransformationView { pixelSizeX stage { name } } } } }"""
    counts = []
    for limit in (1, 12):
        statements: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any, seen: list[str] = statements) -> None:
            seen.append(statement)

        event.listen(mikro.platform.db.engine, "before_cursor_execute", note)
        images = await mikro.ok(page, n=limit)
        event.remove(mikro.platform.db.engine, "before_cursor_execute", note)
        assert len(images) == limit
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert [channel["label"] for channel in images[-1]["channels"]] == ["DAPI", "GFP"]
    assert {view["__typename"] for view in images[-1]["views"]} == {
        "ChannelView", "TimepointView", "AffineTransformationView", "RGBView",
    }  # fmt: skip


async def test_views_are_found_from_what_they_name(mikro: Mikro) -> None:
    make = "mutation ($n: String!) { ensure%s(input: {serialNumber: $n}) { id } }"
    camera = await mikro.ok(make % "Camera", n="C-1")
    assert await mikro.ok(make % "Camera", n="C-1") == camera
    plate = await mikro.ok('mutation { createMultiWellPlate(input: {name: "P", rows: 8}) { id } }')
    collection = await mikro.ok('mutation { createViewCollection(input: {name: "all"}) { id } }')
    image = await mikro.image(
        opticsViews=[{"camera": camera["id"]}],
        channelViews=[{"name": "GFP", "collection": collection["id"]}],
    )
    well = "mutation ($i: WellPositionViewInput!) { createWellPositionView(input: $i) { well { rows } row } }"
    assert await mikro.ok(well, i={"image": image, "well": plate["id"], "row": 3}) == {"well": {"rows": 8}, "row": 3}
    of_camera = "query ($i: ID!) { camera(id: $i) { views { image { id } } } }"
    assert (await mikro.ok(of_camera, i=camera["id"]))["views"] == [{"image": {"id": image}}]
    of_plate = "query ($i: ID!) { multiWellPlate(id: $i) { views(filters: {row: 3}) { row } } }"
    assert (await mikro.ok(of_plate, i=plate["id"]))["views"] == [{"row": 3}]
    of_image = """query ($i: ID!) { image(id: $i) { views(types: [CHANNEL, WELL_POSITION], filters: {isGlobal: true})
        { __typename } } }"""
    kinds = [view["__typename"] for view in (await mikro.ok(of_image, i=image))["views"]]
    assert kinds == ["ChannelView", "WellPositionView"]


async def test_lineage_leads_both_ways(mikro: Mikro) -> None:
    origin = await mikro.image()
    reference = await mikro.ok(
        "mutation ($i: ID!) { createReferenceView(input: {image: $i, cMin: 0, cMax: 1}) { id } }", i=origin
    )
    mask = await mikro.image(
        instanceMaskViews=[{"referenceView": reference["id"], "labels": await mikro.uploaded("Parquet")}],
        derivedViews=[{"originImage": origin}],
    )
    small = await mikro.image(scaleViews=[{"parent": origin, "scaleX": 2, "scaleY": 2}])
    found = await mikro.ok(
        """query ($i: ID!) { image(id: $i) { derivedScaleViews { scaleX scaleZ image { id } }
        derivedFromViews { image { id } } derivedInstanceMaskViews { image { id } labels { bucket } } } }""",
        i=origin,
    )
    assert found["derivedScaleViews"] == [{"scaleX": 2.0, "scaleZ": 1.0, "image": {"id": small}}]
    assert found["derivedFromViews"] == [{"image": {"id": mask}}]
    assert found["derivedInstanceMaskViews"] == [{"image": {"id": mask}, "labels": {"bucket": "parquet"}}]
    originals = await mikro.ok("{ images(filters: {notDerived: true}) { id } }")
    assert originals == [{"id": origin}]
    await mikro.ok("mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=mask)
    assert list(mikro.platform.storage.list("parquet")) == []


async def test_a_mask_without_what_it_masks_is_refused_and_makes_no_image(mikro: Mikro) -> None:
    half = {"array": await mikro.uploaded(), "name": "half", "maskViews": [{}]}
    assert await mikro.code(MAKE, i=half) == "BAD_INPUT"
    assert await mikro.ok("{ images { id } }") == []


async def test_pins_are_of_one_person(mikro: Mikro) -> None:
    first, second = await mikro.image(), await mikro.image()
    pin = "mutation ($i: ID!, $p: Boolean!) { pinImage(input: {id: $i, pin: $p}) { pinned } }"
    assert await mikro.ok(pin, i=second, p=True) == {"pinned": True}
    assert await mikro.ok("{ images(filters: {pinned: true}) { id } }") == [{"id": second}]
    assert await mikro.ok("{ images { id pinned } }") == [
        {"id": first, "pinned": False}, {"id": second, "pinned": True},
    ]  # fmt: skip
    colleague = mikro.as_(user_id=mikro.caller.user_id + 1)
    assert await colleague.ok("{ images(filters: {pinned: true}) { id } }") == []
    assert await mikro.ok(pin, i=second, p=False) == {"pinned": False}


async def test_what_is_in_use_is_not_deleted(mikro: Mikro) -> None:
    stage = await mikro.ok('mutation { createStage(input: {name: "S"}) { id } }')
    identity = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    image = await mikro.image(transformationViews=[{"stage": stage["id"], "affineMatrix": identity}])
    delete = "mutation ($i: ID!) { deleteStage(input: {id: $i}) }"
    assert await mikro.code(delete, i=stage["id"]) == "IN_USE"
    await mikro.ok("mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=image)
    assert await mikro.ok(delete, i=stage["id"]) == stage["id"]


async def test_names_are_searched_in_any_case_and_looked_up_exactly(mikro: Mikro) -> None:
    for name in ("Zelle Ä1", "zelle ä2", "100% _x"):
        await mikro.ok(MAKE, i={"array": await mikro.uploaded(), "name": name})

    async def named(filters: dict[str, Any]) -> list[str]:
        found = await mikro.ok("query ($f: ImageFilter) { images(filters: $f) { name } }", f=filters)
        return [image["name"] for image in found]

    assert await named({"search": "ZELLE ä"}) == ["Zelle Ä1", "zelle ä2"]
    assert await named({"name": {"contains": "Zelle"}}) == ["Zelle Ä1"]
    assert await named({"name": {"iStartsWith": "zelle ä"}}) == ["Zelle Ä1", "zelle ä2"]
    assert await named({"name": {"endsWith": "2"}}) == ["zelle ä2"]
    assert await named({"name": {"contains": "% _"}}) == ["100% _x"]
    assert await named({"name": {"exact": "Zelle Ä1"}, "OR": {"search": "100%"}}) == ["Zelle Ä1", "100% _x"]
    assert await named({"NOT": {"search": "zelle"}, "search": None, "ids": None}) == ["100% _x"]


async def test_every_member_of_a_filter_and_an_order_is_served(mikro: Mikro) -> None:
    """A lookup that the SDL promises must not turn out to be missing when somebody uses it."""
    schema = mikro.service.executor.schema
    assert schema.query_type is not None
    values = {
        "ID": "1", "String": "x", "Boolean": True, "Int": 1, "Float": 1.0, "DateTime": "2026-01-01T00:00:00Z",
    }  # fmt: skip

    def example(type_: Any, depth: int) -> Any:
        while hasattr(type_, "of_type"):
            if type(type_).__name__ == "GraphQLList":
                return [example(type_.of_type, depth)] * 2
            type_ = type_.of_type
        if hasattr(type_, "values"):
            return next(iter(type_.values))
        if not hasattr(type_, "fields"):
            return values[type_.name]
        members = type_.fields.items()
        return {name: example(member.type, depth - 1) for name, member in members if depth or not _nests(member.type)}

    for name, field in schema.query_type.fields.items():
        if "filters" not in field.args:
            continue
        filters = field.args["filters"].type
        await mikro.ok(f"query ($f: {filters}) {{ {name}(filters: $f) {{ id }} }}", f=example(filters, 2))
        if "ordering" in field.args:
            order: Any = field.args["ordering"].type
            while hasattr(order, "of_type"):
                order = order.of_type
            each = [{member: "DESC_NULLS_LAST"} for member in order.fields]
            await mikro.ok(f"query ($o: [{order}!]!) {{ {name}(ordering: $o) {{ id }} }}", o=each)


def _nests(type_: Any) -> bool:
    while hasattr(type_, "of_type"):
        type_ = type_.of_type
    return hasattr(type_, "fields")
