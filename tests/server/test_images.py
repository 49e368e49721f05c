"""Images against a real platform: up, down to the bit, found, refused, undone."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from dask.base import compute

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.app import App, easy
from jupyter_arkitekt.errors import (
    ArgumentError,
    DimsError,
    ImageError,
    NotConnectedError,
    NotFoundError,
    ServerError,
    UploadError,
)
from jupyter_arkitekt.imaging import reduce_block
from jupyter_arkitekt.mikro import (
    Image,
    PartialDerivedViewInput,
    PartialInstanceMaskViewInput,
    PartialReferenceViewInput,
    PartialScaleViewInput,
    _picture,
    aget_image,
    aimages,
    create_dataset,
    from_array_like,
    from_xarray,
    get_dataset,
    get_image,
    get_random_image,
    images,
)
from jupyter_arkitekt.models._base import WireModel
from jupyter_arkitekt.models.mikro import ZarrUploadGrant
from jupyter_arkitekt.testing import Served
from jupyter_arkitekt.transport import store

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


@pytest.fixture(scope="module")
def signed_in(platform: Served) -> Iterator[App]:
    """Sign an app in to the shared platform."""
    with easy("image-tests", url=platform.url, redeem_token=platform.redeem_token()) as app:
        yield app


@pytest.fixture(autouse=True)
def _everywhere(signed_in: App) -> Iterator[None]:
    with context.use(signed_in):
        yield


def noise(shape: tuple[int, ...], dtype: str = "u2", seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    values = rng.normal(0, 100, shape)
    return values > 0 if dtype == "?" else values.astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_pixels_come_back_to_the_bit(dtype: str) -> None:
    array = noise((2, 1, 3, 70, 50), dtype)
    if np.dtype(dtype).kind == "f":
        array[0, 0, 0, :2, :2] = [[np.nan, np.inf], [-np.inf, -0.0]]
        array[1, 0, 2] = -0.0
    image = from_xarray(xr.DataArray(array, dims=list("ctzyx")), name=f"all of {dtype}")
    found = image.data
    assert found.dims == ("c", "t", "z", "y", "x")
    assert found.dtype == array.dtype
    assert found.values.tobytes() == array.tobytes()
    assert get_image(image.id).data.values.tobytes() == array.tobytes()
    assert image._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")


def test_a_large_dask_array_goes_up_block_by_block_with_its_pyramid() -> None:
    whole = np.random.default_rng(3).integers(0, 99, (2, 1, 1, 2300, 3001), dtype="u2")
    lazy = da.from_array(whole, chunks=(1, 1, 1, 1000, 900))  # type: ignore[no-untyped-call]  # dask has no types here
    image = from_xarray(xr.DataArray(lazy, dims=list("ctzyx")), name="large")
    assert image.levels == [(2, 1, 1, 2300, 3001), (2, 1, 1, 1150, 1501), (2, 1, 1, 575, 751), (2, 1, 1, 288, 376)]
    expected = whole
    for level in range(4):
        found = image.level(level)
        np.testing.assert_array_equal(found.values, expected)
        expected = reduce_block(expected, (2, 2))
    corner = image.data.isel(c=1, z=0, y=slice(1990, 2101), x=slice(0, 7))
    np.testing.assert_array_equal(corner.values, whole[1, :, 0, 1990:2101, :7])
    with pytest.raises(IndexError, match="levels 0 to 3"):
        image.level(4)


def test_the_thumbnail_reads_the_smallest_level_that_serves_and_counts_every_byte(platform: Served) -> None:
    image = from_array_like(np.random.default_rng(1).poisson(100, (1, 1, 1, 2500, 2500)).astype("u2"), "plane")
    picture = image.picture()
    assert (picture.level, picture.plane) == (3, (313, 313))
    prefix = platform.data_dir
    files = [path for path in prefix.rglob("*") if path.is_file() and image.store.key in str(path)]
    smallest = [path.stat().st_size for path in files if "pyramid/3/" in path.as_posix()]
    root = [path.stat().st_size for path in files if path.as_posix().endswith(f"{image.store.key}/zarr.json")]
    assert smallest
    assert picture.bytes_read == sum(smallest) + sum(root)
    assert picture.bytes_read < 100_000
    assert image.thumbnail() == picture.png
    assert "level 3 (313 × 313)" in image._repr_mimebundle_()["text/plain"]


def test_what_labels_say_comes_back_as_coordinates() -> None:
    array = xr.DataArray(
        noise((2, 3, 4, 20, 30), "u1"),
        dims=list("ctzyx"),
        coords={"t": ("t", [0.0, 0.5, 2.0], {"units": "s"})},
    )
    image = from_xarray(
        array,
        name="labelled",
        pixel_size={"x": 0.1, "y": "200 nm", "z": 1},
        channels=[{"name": "DAPI", "emission_wavelength": "461 nm"}, "GFP"],
    )
    found = image.data
    assert found.c.values.tolist() == ["DAPI", "GFP"]
    assert found.t.values.tolist() == [0.0, 0.5, 2.0]
    assert found.x.attrs["units"] == "µm"
    np.testing.assert_allclose(found.x.values[:3], [0, 0.1, 0.2])
    np.testing.assert_allclose(found.y.values[:3], [0, 0.2, 0.4])
    assert found.emission_wavelength.values[0] == 461
    # A result that keeps its labels carries them on, with no word said.
    again = from_xarray(found + 1, name="labelled again")
    assert again.data.c.values.tolist() == ["DAPI", "GFP"]
    xr.testing.assert_allclose(again.data.coords.to_dataset(), found.coords.to_dataset())


def test_a_smaller_level_lies_where_the_image_lies() -> None:
    image = from_xarray(xr.DataArray(noise((600, 600), "u1"), dims=("y", "x")), name="two levels", pixel_size=0.5)
    small = image.level(1)
    assert small.sizes["x"] == 300
    np.testing.assert_allclose(small.x.values[:2], [0.25, 1.25])


def test_an_image_is_found_by_id_name_dataset_and_tag() -> None:
    dataset = create_dataset("a folder")
    image = from_array_like(noise((30, 30), "u1"), "Needle <b>7</b>", dataset=dataset, tags=["sharp"])
    other = from_array_like(
        noise((30, 30), "u1"), "hay", derived_views=[PartialDerivedViewInput(origin_image=image.id)]
    )
    assert get_image(int(image.id)).name == "Needle <b>7</b>"
    assert [found.id for found in images("needle <B>")] == [image.id]
    assert [found.id for found in images(dataset=dataset.id)] == [image.id]
    assert [found.id for found in images(tags="sharp")] == [image.id]
    assert {found.id for found in images(ids=[image.id, other.id])} == {image.id, other.id}
    first, second = images(limit=1), images(limit=1, offset=1)
    assert first[0].id == other.id
    assert second[0].id == image.id
    assert get_dataset(dataset.id).name == "a folder"
    assert get_random_image().id
    text = other._repr_mimebundle_()["text/plain"]
    assert f"Needle <b>7</b> (image {image.id})" in text
    html = images()._repr_mimebundle_()["text/html"]
    assert "Needle &lt;b&gt;7" in html
    assert "<b>7" not in html


async def test_the_doors_have_async_twins() -> None:
    made = await aimages(limit=1)
    assert (await aget_image(made[0].id)).id == made[0].id
    assert (await made[0].athumbnail()).startswith(b"\x89PNG")


def test_a_subclass_asks_for_more() -> None:
    class Wanted(Image):
        pinned: bool

    image = from_array_like(noise((9, 9), "u1"), "subclass")
    assert get_image(image.id, model=Wanted).pinned is False
    assert isinstance(images(limit=1, model=Wanted)[0], Wanted)


@pytest.mark.parametrize("id", [999_999, "999999", "no-such-id", "-1", "1; drop"])
def test_an_id_that_does_not_exist_is_a_lookup_error_with_a_hint(id: str | int) -> None:
    with pytest.raises(NotFoundError, match=r"There is no image .*images\(search") as caught:
        get_image(id)
    assert isinstance(caught.value, LookupError)


def test_what_is_no_image_is_refused_before_anything_is_sent(platform: Served) -> None:
    before = len(images(limit=None))
    for wrong in (np.zeros((512, 512, 3)), np.array([[None]]), np.zeros((3, 3), "c16")):
        with pytest.raises(DimsError):
            from_array_like(wrong, "wrong")
    with pytest.raises(ArgumentError, match="not empty"):
        from_array_like(np.zeros((3, 3)), " ")
    with pytest.raises(ArgumentError, match="chanel_views"):
        from_array_like(np.zeros((3, 3)), "typo", chanel_views=[])  # type: ignore[call-arg]  # wrong on purpose
    assert len(images(limit=None)) == before


def test_an_upload_whose_source_fails_leaves_nothing_behind(platform: Served) -> None:
    def fail(block: Any, block_info: Any = None) -> Any:
        if block_info[0]["chunk-location"] == (1, 1):
            raise RuntimeError("the camera was unplugged")
        return block

    lazy = da.ones((1200, 1200), chunks=600, dtype="u1").map_blocks(fail, dtype="u1", meta=np.empty((0, 0), "u1"))
    before, files = len(images(limit=None)), stored(platform)
    with pytest.raises(UploadError, match=r"the camera was unplugged.*No image was made"):
        from_array_like(lazy, "half-made")
    assert len(images(limit=None)) == before
    assert stored(platform) == files


def test_a_refused_image_gives_its_place_back(platform: Served) -> None:
    files = stored(platform)
    with pytest.raises(ServerError):
        from_array_like(noise((9, 9)), "nowhere", dataset="987654")
    assert stored(platform) == files


def stored(platform: Served) -> set[str]:
    return {path.name for path in platform.data_dir.rglob("zarr.json")} | {
        path.as_posix() for path in platform.data_dir.rglob("zarr.json")
    }


def test_an_upload_that_was_never_finished_is_not_listed(signed_in: App) -> None:
    before = [image.id for image in images(limit=None)]
    grant = bridge.sync(signed_in.service("mikro").mutate("requestZarrUpload", ZarrUploadGrant, input={}))
    assert [image.id for image in images(limit=None)] == before
    assert grant.secret_key not in repr(grant)


def test_the_graph_pickles_and_computes_in_another_process(platform: Served) -> None:
    array = noise((1, 1, 2, 300, 200))
    image = from_array_like(array, "travels")
    data = image.data
    again = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(again.isel(z=1).values[0, 0], array[0, 0, 1])
    script = "import pickle, sys; print(int(pickle.load(sys.stdin.buffer).sum().values))"
    ran = subprocess.run([sys.executable, "-c", script], input=pickle.dumps(data), capture_output=True, timeout=120)
    assert ran.returncode == 0, ran.stderr.decode()
    assert int(ran.stdout) == int(array.sum(dtype="i8"))
    other = pickle.loads(pickle.dumps(image))
    assert other.levels == image.levels
    first, second = compute(data.mean(), again.mean())  # type: ignore[no-untyped-call]  # dask has no types here
    assert first == second


def test_credentials_are_asked_for_again_when_they_end(signed_in: App, monkeypatch: pytest.MonkeyPatch) -> None:
    image = from_array_like(noise((40, 40)), "renewed")
    _, place = image._way()
    asked: list[str] = []
    mikro = signed_in.service("mikro")
    mutate = mikro.mutate

    async def counting(field: str, *args: Any, **values: Any) -> Any:
        asked.append(field)
        grant = await mutate(field, *args, **values)
        return grant.model_copy(update={"expires_in": 0})  # spent at once

    monkeypatch.setattr(mikro, "mutate", counting)
    np.testing.assert_array_equal(image.data.values, image.data.values)
    assert asked.count("requestZarrAccess") >= 2
    assert "secret" not in repr(place)


def test_a_face_without_an_app_or_without_pixels_says_why(platform: Served, signed_in: App) -> None:
    image = from_array_like(noise((40, 41)), "lonely")
    stranger = pickle.loads(pickle.dumps(image))
    with context.use(None):  # type: ignore[arg-type]  # nobody is signed in
        context.set_current(None)
        with pytest.raises(NotConnectedError):
            stranger.thumbnail()
        assert "No app is signed in here" in stranger._repr_mimebundle_()["text/plain"]
    for path in platform.data_dir.rglob("zarr.json"):
        if image.store.key in path.as_posix():
            path.unlink()
    bundle = image._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "There is no zarr version 3 array" in bundle["text/plain"]
    with pytest.raises(ImageError, match="Were its objects deleted"):
        get_image(image.id).level(0)


class Reference(WireModel):
    """A reference view, by its id."""

    id: str


def test_labels_get_a_pyramid_without_new_labels(signed_in: App) -> None:
    source = from_array_like(noise((600, 600), "u1"), "source", reference_views=[PartialReferenceViewInput()])
    reference = bridge.sync(
        signed_in.service("mikro").mutate("createReferenceView", Reference, input={"image": source.id})
    )
    labels = np.repeat(np.repeat(noise((200, 200), "u2"), 3, axis=0), 3, axis=1)
    mask = PartialInstanceMaskViewInput(reference_view=reference.id)
    image = from_array_like(labels, "labels", instance_mask_views=[mask])
    assert set(np.unique(image.level(1).values)) <= set(np.unique(labels))


def test_metadata_that_was_changed_after_the_upload_is_not_believed(platform: Served) -> None:
    image = from_array_like(noise((64, 64), "u1"), "changed")
    [path] = [path for path in platform.data_dir.rglob("zarr.json") if image.store.key in path.as_posix()]
    text = path.read_text(encoding="utf-8")
    for old, new, words in [
        ('"uint8"', '"uint16"', "changed after the upload"),
        ('64,\n    64\n  ],\n  "data_type"', '64,\n    6400\n  ],\n  "data_type"', "changed after the upload"),
        ('"name": "zstd"', '"name": "sleep"', "describes no array that can be read"),
    ]:
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ImageError, match=words):
            get_image(image.id).level(0)


def test_pyramids_of_others_are_read_through_scale_views(signed_in: App) -> None:
    plane = noise((1, 1, 1, 600, 600), "u1")
    image = upload_as_upstream(signed_in, plane, "no pyramid", (1, 1, 1, 600, 600))
    assert image.picture().level == 0
    small = plane[..., ::2, ::2]
    scaled = PartialScaleViewInput(parent=image.id, scale_x=2, scale_y=2)
    upload_as_upstream(signed_in, small, "half", (1, 1, 1, 300, 300), scaleViews=[scaled])
    again = get_image(image.id)
    assert again.levels == [(1, 1, 1, 600, 600), (1, 1, 1, 300, 300)]
    np.testing.assert_array_equal(again.level(1).values, small)


def test_a_large_plane_without_a_small_level_shows_its_middle_and_says_so(
    signed_in: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_picture, "BUDGET", 200_000)
    plane = np.zeros((1, 1, 1, 1000, 1000), "u1")
    plane[..., 400:600, 400:600] = 200
    image = upload_as_upstream(signed_in, plane, "huge", (1, 1, 1, 200, 200))
    bundle = image._repr_mimebundle_()
    assert "the middle only, it has no small level" in bundle["text/plain"]
    assert image.picture().bytes_read < 200_000
    one_chunk = upload_as_upstream(signed_in, plane, "one chunk", (1, 1, 1, 1000, 1000))
    with pytest.raises(ImageError, match="no small level, and one plane takes 1 MB"):
        one_chunk.thumbnail()
    assert "too much to read for a preview" in one_chunk._repr_mimebundle_()["text/html"]


def upload_as_upstream(app: App, array: Any, name: str, chunks: tuple[int, ...], **views: Any) -> Image:
    """Make an image as released clients do: one zarr array, nothing below it."""
    import zarr
    from zarr.storage import ObjectStore

    mikro = app.service("mikro")
    grant = bridge.sync(mikro.mutate("requestZarrUpload", ZarrUploadGrant, input={}))

    async def keys() -> Any:
        return {
            "access_key_id": grant.access_key,
            "secret_access_key": grant.secret_key,
            "token": grant.session_token,
            "expires_at": None,
        }

    objects = ObjectStore(store(app.endpoint("s3"), keys, grant.bucket, grant.key))
    written = zarr.create_array(
        objects, shape=array.shape, dtype=array.dtype, chunks=chunks, dimension_names=list("ctzyx")
    )
    written[...] = array
    image: Image = bridge.sync(
        mikro.mutate("fromArrayLike", Image, input={"array": grant.store, "name": name, **views})
    )
    return image
