"""Mikro's GraphQL, asked as any client of the wire asks it."""

from __future__ import annotations

from typing import Any

import numpy as np
import obstore
import pytest
import zarr
from zarr.storage import ObjectStore

from jupyter_arkitekt.testing import Served, SignedIn, sign_in
from jupyter_arkitekt.transport.objects import store as object_store

REQUEST = "mutation { requestZarrUpload(input: {}) { accessKey secretKey sessionToken bucket key store } }"
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


def _place(app: SignedIn) -> tuple[str, Any]:
    grant = _ok(app, REQUEST)
    keys = {
        "access_key_id": grant["accessKey"],
        "secret_access_key": grant["secretKey"],
        "token": grant["sessionToken"],
        "expires_at": None,
    }
    return grant["store"], object_store(app.url, lambda: keys, grant["bucket"], grant["key"])  # type: ignore[arg-type]  # what obstore calls a credential is a plain dict


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
    assert "did not finish" in _refused(app_, MAKE, i={"array": store, "name": "half"})
    assert _ok(app_, 'query { images(filters: {name: {exact: "half"}}) { id } }') == []


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
