"""Mikro's GraphQL, asked as any client of the wire asks it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np
import obstore
import pytest
import zarr
from websockets.sync.client import connect
from websockets.typing import Subprotocol
from zarr.storage import ObjectStore

from jupyter_arkitekt.testing import Served, SignedIn, sign_in
from jupyter_arkitekt.transport.objects import store as object_store

GRANT = "accessKey secretKey sessionToken bucket key store"
REQUEST = f"mutation {{ requestZarrUpload(input: {{}}) {{ {GRANT} }} }}"
FINISH = "mutation ($s: String!, $v: Boolean!) { finishZarrUpload(input: {storeId: $s, valid: $v}) { id } }"
MAKE = "mutation ($i: FromArrayLikeInput!) { fromArrayLike(input: $i) { id name } }"


@pytest.fixture(scope="module")
def app_(platform: Served) -> SignedIn:
    """An app that knows the wire only."""
    return sign_in(platform.url, platform.redeem_token())


def _ok(app: SignedIn, query: str, **variables: Any) -> Any:
    answer = app.graphql("mikro", query, **variables)
    assert "errors" not in answer, answer["errors"]
    return next(iter(answer["data"].values()))


def _refused(app: SignedIn, query: str, **variables: Any) -> str:
    answer = app.graphql("mikro", query, **variables)
    return str(answer["errors"][0]["message"])


def _keys(grant: dict[str, str]) -> Any:
    return {
        "access_key_id": grant["accessKey"],
        "secret_access_key": grant["secretKey"],
        "token": grant["sessionToken"],
        "expires_at": None,
    }


def _place(app: SignedIn) -> tuple[str, Any]:
    grant = _ok(app, REQUEST)
    return grant["store"], object_store(app.url, lambda: _keys(grant), grant["bucket"], grant["key"])


def _put(app: SignedIn, kind: str, content: bytes, member: str = "") -> str:
    """Upload one object and return the id of its store."""
    grant = _ok(app, f"mutation {{ request{kind}Upload(input: {{{member}}}) {{ {GRANT} }} }}")
    obstore.put(object_store(app.url, lambda: _keys(grant), grant["bucket"]), grant["key"], content)
    return str(grant["store"])


def _uploaded(app: SignedIn, channels: int = 1) -> str:
    store, place = _place(app)
    pixels = np.zeros((channels, 1, 1, 8, 8), np.uint8)
    zarr.create_array(ObjectStore(place), data=pixels, dimension_names=["c", "t", "z", "y", "x"])
    _ok(app, FINISH, s=store, v=True)
    return store


def _image(app: SignedIn, name: str, channels: int = 1, **more: Any) -> str:
    made = _ok(app, MAKE, i={"array": _uploaded(app, channels), "name": name, **more})
    return str(made["id"])


def test_an_upload_that_did_not_finish_makes_no_image(app_: SignedIn) -> None:
    store, _ = _place(app_)
    assert "did not finish" in _refused(app_, MAKE, i={"array": store, "name": "half of an upload"})
    assert _ok(app_, 'query { images(filters: {name: {exact: "half of an upload"}}) { id } }') == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"not json", "cannot be used"),
        (b"[" * 100_000, "cannot be used"),
        (b'{"zarr_format": 2, "node_type": "array"}', "no zarr version 3 array"),
        (b'{"zarr_format": 3, "node_type": "array", "shape": [1,1,1,8,8], "data_type": "object"}', "data type"),
        (b'{"zarr_format": 3, "node_type": "array", "shape": [1e99], "data_type": "uint8"}', "cannot be used"),
        (b"x" * 2_000_000, "too many"),
    ],
)
def test_a_hostile_zarr_document_is_a_clear_refusal_and_no_image(app_: SignedIn, document: bytes, reason: str) -> None:
    store, place = _place(app_)
    obstore.put(place, "zarr.json", document)
    assert reason in _refused(app_, MAKE, i={"array": store, "name": "hostile"})


def test_an_upload_that_is_given_up_is_gone(app_: SignedIn) -> None:
    store, place = _place(app_)
    obstore.put(place, "zarr.json", b"{}")
    _ok(app_, FINISH, s=store, v=False)
    assert "no zarr store" in _refused(app_, MAKE, i={"array": store, "name": "gone"})
    with pytest.raises(FileNotFoundError):
        obstore.get(place, "zarr.json")


def test_how_an_image_is_shown_follows_its_channels(app_: SignedIn) -> None:
    shown = (
        "query ($i: ID!) { image(id: $i) { rgbContexts { name views { colorMap active cMin cMax name fullColour } } } }"
    )
    [rgb] = _ok(app_, shown, i=_image(app_, "three", 3))["rgbContexts"]
    assert rgb["name"] == "RGB"
    assert [v["fullColour"] for v in rgb["views"]] == ["rgb(255,0,0)", "rgb(0,255,0)", "rgb(0,0,255)"]
    origin = _image(
        app_,
        "two",
        2,
        rgbViews=[{"colorMap": "MAGENTA", "cMin": 0, "cMax": 1}, {"colorMap": "GREEN", "cMin": 1, "cMax": 2}],
    )
    derived = _image(app_, "of two", 2, derivedViews=[{"originImage": origin}])
    [copied] = _ok(app_, shown, i=derived)["rgbContexts"]
    assert [v["colorMap"] for v in copied["views"]] == ["MAGENTA", "GREEN"]
    [default] = _ok(app_, shown, i=_image(app_, "plain two", 2))["rgbContexts"]
    assert [(v["name"], v["active"]) for v in default["views"]] == [("viridis (0:1)", True), ("viridis (1:2)", False)]


def test_both_vocabularies_say_the_same_time(app_: SignedIn) -> None:
    image = _image(
        app_, "timed", timepointViews=[{"timeSinceStart": "1.5 s"}], channelViews=[{"emissionWavelength": 525}]
    )
    views = _ok(
        app_,
        """query ($i: ID!) { image(id: $i) { timepointViews { timeSinceStart msSinceStart era { name } }
        channelViews { emissionWavelength isGlobal accessor } } }""",
        i=image,
    )
    [time] = views["timepointViews"]
    assert (time["timeSinceStart"], time["msSinceStart"]) == ("1.5 s", 1500.0)
    assert time["era"]["name"] == "Unknown for timed and 0"
    [channel] = views["channelViews"]
    assert channel == {"emissionWavelength": "525 nm", "isGlobal": True, "accessor": [":"] * 5}
    assert "no unit of time" in _refused(
        app_, MAKE, i={"array": _uploaded(app_), "name": "x", "timepointViews": [{"timeSinceStart": "3 parsecs"}]}
    )


def test_lists_are_filtered_ordered_and_paged(app_: SignedIn) -> None:
    made = [_image(app_, f"paged {i}", tags=["paged"]) for i in range(3)]
    ask = """query ($f: ImageFilter, $p: OffsetPaginationInput, $o: [ImageOrder!]! = []) {
        images(filters: $f, pagination: $p, ordering: $o) { id name } }"""
    mine = {"tags": ["paged"], "ids": made, "search": None}
    assert [i["id"] for i in _ok(app_, ask, f=mine, o=[{"createdAt": "DESC"}])] == made[::-1]
    pages = [_ok(app_, ask, f=mine, p={"offset": n, "limit": 1}) for n in range(4)]
    assert [page[0]["id"] for page in pages[:3]] == made
    assert pages[3] == []
    [one] = _ok(app_, ask, f={"ids": made, "name": {"contains": "paged 1"}, "NOT": {"ids": [made[0]]}})
    assert one["id"] == made[1]
    assert "0 or more" in _refused(app_, ask, p={"offset": -1})


def test_datasets_hold_images_and_cannot_hold_themselves(app_: SignedIn) -> None:
    create = "mutation ($i: CreateDatasetInput!) { createDataset(input: $i) { id parent { id } } }"
    outer = _ok(app_, create, i={"name": "outer"})["id"]
    inner = _ok(app_, create, i={"name": "inner", "parent": outer})
    assert inner["parent"]["id"] == outer
    put = "mutation ($i: AssociateInput!) { putDatasetsInDataset(input: $i) { id } }"
    assert "inside of itself" in _refused(app_, put, i={"selfs": [outer], "other": inner["id"]})
    image = _image(app_, "in a dataset", dataset=inner["id"])
    found = _ok(app_, "query ($d: ID!) { dataset(id: $d) { images { id } } }", d=inner["id"])
    assert [i["id"] for i in found["images"]] == [image]
    default = _ok(app_, "query ($i: ID!) { image(id: $i) { dataset { name isDefault } } }", i=_image(app_, "elsewhere"))
    assert default["dataset"] == {"name": "Default", "isDefault": True}


def test_a_region_keeps_its_numbers_as_they_were_given(app_: SignedIn) -> None:
    image = _image(app_, "with a region")
    vectors = [[0, 0, 0, 1, 1], [0, 0, 0, 5.5, 5]]
    made = _ok(
        app_,
        "mutation ($i: RoiInput!) { createRoi(input: $i) { id vectors name } }",
        i={"image": image, "kind": "RECTANGLE", "vectors": vectors},
    )
    assert made["vectors"] == vectors
    assert made["name"] == "RECTANGLE"
    listed = _ok(app_, "query ($i: ID!) { rois(filters: {image: $i}) { id } }", i=image)
    assert [r["id"] for r in listed] == [made["id"]]
    assert _ok(app_, "mutation ($i: ID!) { deleteRoi(input: {id: $i}) }", i=made["id"]) == made["id"]
    assert "no region of interest" in _refused(app_, "query ($i: ID!) { roi(id: $i) { id } }", i=made["id"])


def test_a_deleted_image_takes_its_pixels_along_and_its_id_is_not_used_again(app_: SignedIn, platform: Served) -> None:
    image = _image(app_, "to be deleted")
    key = _ok(app_, "query ($i: ID!) { image(id: $i) { store { key } } }", i=image)["store"]["key"]
    assert (platform.data_dir / "objects" / "zarr" / key / "zarr.json").exists()
    _ok(app_, "mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=image)
    assert not (platform.data_dir / "objects" / "zarr" / key / "zarr.json").exists()
    assert int(_image(app_, "the next one")) > int(image)


@pytest.mark.parametrize("id_", ["0", "-1", "999999", "99999999999999999999999", "1; drop table", "<b>"])
def test_an_id_that_names_nothing_is_not_found(app_: SignedIn, id_: str) -> None:
    answer = app_.graphql("mikro", "query ($i: ID!) { image(id: $i) { id } }", i=id_)
    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"


def test_a_snapshot_is_fetched_by_its_address_without_a_token(app_: SignedIn) -> None:
    image = _image(app_, "with a snapshot")
    picture = _put(app_, "Media", b"a picture", 'originalFileName: "shot.png"')
    made = _ok(
        app_,
        "mutation ($i: SnapshotInput!) { createSnapshot(input: $i) { id name store { presignedUrl } } }",
        i={"file": picture, "image": image},
    )
    assert made["name"] == "Snapshot"
    address = made["store"]["presignedUrl"]
    assert address.startswith("/media/")
    assert httpx.get(app_.url + address).content == b"a picture"
    assert httpx.get(app_.url + address.replace("Signature=", "Signature=0")).status_code == 403
    latest = _ok(app_, "query ($i: ID!) { image(id: $i) { latestSnapshot { id } } }", i=image)
    assert latest["latestSnapshot"] == {"id": made["id"]}
    listed = _ok(app_, "query ($i: ID!) { snapshots(filters: {image: $i}) { id } }", i=image)
    assert listed == [{"id": made["id"]}]


def test_files_and_tables_name_where_they_come_from(app_: SignedIn) -> None:
    image = _image(app_, "an origin")
    file = _ok(
        app_,
        "mutation ($i: FromFileLike!) { fromFileLike(input: $i) { id name size origins { id } store { bucket } } }",
        i={
            "file": _put(app_, "Bigfile", b"12345", 'originalFileName: "a.czi"'),
            "fileName": "ignored",
            "origins": [image],
        },
    )
    assert file == {
        "id": file["id"],
        "name": "a.czi",
        "size": 5.0,
        "origins": [{"id": image}],
        "store": {"bucket": "bigfile"},
    }
    make_table = "mutation ($i: FromParquetLike!) { fromParquetLike(input: $i) { id name origins { id } } }"
    table = _ok(app_, make_table, i={"dataframe": _put(app_, "Parquet", b"PAR1"), "name": "T", "origins": [image]})
    assert table["origins"] == [{"id": image}]
    empty = _ok(app_, "mutation { requestParquetUpload(input: {}) { store } }")["store"]
    assert "nothing was uploaded" in _refused(app_, make_table, i={"dataframe": empty, "name": "T"})
    assert _ok(app_, "mutation ($i: ID!) { deleteFile(input: {id: $i}) }", i=file["id"]) == file["id"]


def test_who_watches_a_dataset_is_told_what_happens_in_it(app_: SignedIn) -> None:
    dataset = _ok(app_, 'mutation { createDataset(input: {name: "watched"}) { id } }')["id"]
    watch = "subscription ($d: ID) { images(dataset: $d) { create { name } update { name } delete } }"
    address = app_.url.replace("http", "ws", 1) + "/mikro/graphql"
    with connect(address, subprotocols=[Subprotocol("graphql-ws")], open_timeout=60) as socket:

        def say(**frame: Any) -> None:
            socket.send(json.dumps(frame))

        def hear() -> Any:
            return json.loads(socket.recv(timeout=60))

        say(type="connection_init", payload={"token": app_.token})
        assert hear()["type"] == "connection_ack"
        say(type="start", id="1", payload={"query": watch, "variables": {"d": dataset}})
        say(type="start", id="2", payload={"query": "{ __typename }"})
        assert [hear()["id"], hear()["id"]] == ["2", "2"]  # answered after the subscription before it runs
        _image(app_, "not in it")
        image = _image(app_, "in it", dataset=dataset)
        _ok(app_, 'mutation ($i: ID!) { updateImage(input: {id: $i, name: "renamed"}) { id } }', i=image)
        _ok(app_, "mutation ($i: ID!) { deleteImage(input: {id: $i}) }", i=image)
        told = [hear()["payload"]["data"]["images"] for _ in range(3)]
    nothing = {"create": None, "update": None, "delete": None}
    assert told == [
        nothing | {"create": {"name": "in it"}},
        nothing | {"update": {"name": "renamed"}},
        nothing | {"delete": image},
    ]
