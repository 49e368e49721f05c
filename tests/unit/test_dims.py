"""From arrays as people have them to c, t, z, y, x, and what labels say."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from jupyter_arkitekt.errors import ArgumentError, DimsError
from jupyter_arkitekt.mikro._dims import five_d
from jupyter_arkitekt.mikro._layout import plan_layout
from jupyter_arkitekt.mikro._metadata import channels_from, times_from, transformation_from
from jupyter_arkitekt.mikro._source import source_of
from jupyter_arkitekt.models.mikro import PartialChannelViewInput, micrometres, seconds


@pytest.mark.parametrize(
    ("dims", "shape"),
    [
        (("y", "x"), (1, 1, 1, 4, 5)),
        (("x", "y"), (1, 1, 1, 5, 4)),
        (("y", "x", "c"), (6, 1, 1, 4, 5)),
        (("z", "c", "x", "y"), (5, 1, 4, 7, 6)),
    ],
)
def test_named_dimensions_are_taken_at_their_word(dims: tuple[str, ...], shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod([4, 5, 6, 7][: len(dims)])).reshape([4, 5, 6, 7][: len(dims)])
    array = xr.DataArray(values, dims=dims)
    found = five_d(array)
    assert found.shape == shape
    at = dict.fromkeys(dims, 2)
    expected = int(array.isel(at))
    assert found.pixels[tuple(at.get(dim, 0) for dim in "ctzyx")] == expected
    assert np.shares_memory(found.pixels, values)


def test_bare_arrays_get_the_last_names() -> None:
    assert five_d(np.zeros((4, 5))).shape == (1, 1, 1, 4, 5)
    assert five_d(np.zeros((3, 4, 5))).shape == (1, 1, 3, 4, 5)
    assert five_d([[1, 2], [3, 4]]).shape == (1, 1, 1, 2, 2)
    lazy = five_d(da.zeros((2, 3, 40, 50)))
    assert lazy.shape == (1, 2, 3, 40, 50)
    assert hasattr(lazy.pixels, "dask")


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((512, 512, 3)), 'z (512) would be longer than x (3).*("y", "x", "c")'),
        (np.zeros(5), "has 1 dimensions"),
        (np.zeros((2,) * 6), "has 6 dimensions"),
        (xr.DataArray(np.zeros((2, 2)), dims=("Y", "X")), "'Y' is none of.*Did you mean 'y'"),
        (xr.DataArray(np.zeros((2, 2)), dims=("z", "y")), "'x' is missing"),
        (xr.Dataset({"raw": (("y", "x"), np.zeros((2, 2)))}), "Dataset of several arrays.*raw"),
        (np.array([[object()]]), "dtype object"),
        (np.zeros((2, 2), dtype="c8"), "complex"),
        (np.zeros((2, 2), dtype="M8[s]"), "dates"),
        (np.zeros((0, 2)), "'y' is of length 0"),
        (np.array([["a"]]), "text"),
    ],
)
def test_what_is_no_image_is_refused_with_the_axis_and_the_fix(array: Any, words: str) -> None:
    first, _, second = words.partition(".*")
    with pytest.raises(DimsError) as caught:
        five_d(array)
    assert first in str(caught.value)
    assert second in str(caught.value)


def test_foreign_byte_order_becomes_native() -> None:
    found = five_d(np.arange(6, dtype=">u2").reshape(2, 3))
    assert found.pixels.dtype.isnative
    np.testing.assert_array_equal(found.pixels[0, 0, 0], [[0, 1, 2], [3, 4, 5]])


def test_coordinates_with_units_become_pixel_size_times_and_channels() -> None:
    array = xr.DataArray(
        np.zeros((2, 3, 4, 5)),
        dims=("c", "t", "y", "x"),
        coords={
            "c": ["DAPI", "GFP"],
            "t": ("t", [0, 500, 1500], {"units": "ms"}),
            "y": ("y", np.arange(4) * 65.0, {"units": "nm"}),
            "x": ("x", 1 + np.arange(5) * 0.13, {"units": "micrometers"}),
            "emission_wavelength": ("c", [461.0, np.nan], {"units": "nm"}),
        },
    )
    view = transformation_from(array, None, (2, 3, 1, 4, 5))
    assert view is not None
    matrix = np.array(view.affine_matrix)
    np.testing.assert_allclose(np.diag(matrix), [0.13, 0.065, 1, 1])
    np.testing.assert_allclose(matrix[:3, 3], [1, 0, 0])
    channels = channels_from(array, None, 2)
    assert channels is not None
    assert [(view.name, view.c_min, view.emission_wavelength) for view in channels] == [
        ("DAPI", 0, "461 nm"),
        ("GFP", 1, None),
    ]
    times = times_from(array, 3)
    assert times is not None
    assert [view.time_since_start for view in times] == ["0 s", "0.5 s", "1.5 s"]


@pytest.mark.parametrize(
    "x",
    [
        ("x", np.arange(5) * 0.1),
        ("x", np.arange(5) * 0.1, {"units": "pixels"}),
        ("x", [0.0, 0.1, 0.3, 0.4, 0.5], {"units": "µm"}),
        ("x", -np.arange(5) * 0.1, {"units": "µm"}),
    ],
)
def test_coordinates_that_could_mean_something_else_are_no_pixel_size(x: Any) -> None:
    array = xr.DataArray(np.zeros((4, 5)), dims=("y", "x"), coords={"x": x, "y": ("y", np.arange(4), {"units": "µm"})})
    assert transformation_from(array, None, (1, 1, 1, 4, 5)) is None
    assert channels_from(array, None, 1) is None


def test_keywords_win_and_nonsense_is_refused() -> None:
    view = transformation_from(None, {"x": 0.1, "y": "65 nm", "z": 0.5}, (1, 1, 9, 4, 5))
    assert view is not None
    np.testing.assert_allclose(np.diag(np.array(view.affine_matrix))[:3], [0.1, 0.065, 0.5])
    for wrong, shape, words in [
        ({"x": 0.1}, (1, 1, 1, 4, 5), "has to name x and y"),
        ({"x": 0.1, "y": -1}, (1, 1, 1, 4, 5), "-1 for 'y'"),
        (0.1, (1, 1, 9, 4, 5), "names no z"),
    ]:
        with pytest.raises(ArgumentError, match=words):
            transformation_from(None, wrong, shape)  # type: ignore[arg-type]  # wrong on purpose
    given = ["DAPI", {"name": "GFP", "emission_wavelength": 525}, PartialChannelViewInput(name="Cy5")]
    channels = channels_from(None, given, 3)
    assert channels is not None
    assert [(view.name, view.c_min, view.c_max) for view in channels] == [("DAPI", 0, 1), ("GFP", 1, 2), ("Cy5", 2, 3)]
    for wrong_channels in (["one"], "DAPI", [1, 2, 3], [{"nome": "x"}] * 3):
        with pytest.raises(ArgumentError):
            channels_from(None, wrong_channels, 3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("488 nm", 0.488),
        ("6.5 µm", 6.5),
        ("6.5μm", 6.5),
        ("1e-3 mm", 1.0),
        (488, 0.488),
        ("nm", None),
        ("3 parsec", None),
    ],
)
def test_lengths_are_read_as_the_wire_writes_them(text: Any, value: float | None) -> None:
    assert micrometres(text, bare="nm") == (None if value is None else pytest.approx(value))
    assert seconds("20 ms", bare="ms") == pytest.approx(0.02)
    assert seconds(20, bare="ms") == pytest.approx(0.02)
    assert seconds(True, bare="ms") is None


def test_each_block_of_a_dask_array_is_computed_once_whatever_its_chunks() -> None:
    counts: dict[tuple[int, ...], int] = {}

    def count(block: Any, block_info: Any = None) -> Any:
        where = tuple(block_info[0]["chunk-location"])
        counts[where] = counts.get(where, 0) + 1
        return block

    rng = np.random.default_rng(2)
    for chunks in [(1, 1, 1, 300, 300), (1, 1, 3, 700, 900), (1, 2, 1, 128, 4000), (2, 1, 1, 513, 511)]:
        counts.clear()
        whole = rng.integers(0, 255, (2, 2, 3, 700, 2300), dtype="u1")
        lazy = da.from_array(whole, chunks=chunks)  # type: ignore[no-untyped-call]  # dask has no types here
        lazy = lazy.map_blocks(count, dtype="u1", meta=np.empty((0,) * 5, "u1"))
        source = source_of(lazy)
        unit = plan_layout(whole.shape, 1, source.chunks).unit
        for index in np.ndindex(*(-(-size // step) for size, step in zip(whole.shape, unit, strict=True))):
            region = tuple(
                slice(at * step, min((at + 1) * step, size))
                for at, step, size in zip(index, unit, whole.shape, strict=True)
            )
            np.testing.assert_array_equal(source.read(region), whole[region])
        assert set(counts.values()) == {1}


def test_shards_are_made_of_whole_chunks_and_units_halve() -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        shape = (*(int(size) for size in rng.integers(1, 6, 3)), *(int(size) for size in rng.integers(1, 9000, 2)))
        chunks = tuple(int(rng.integers(1, size + 1)) for size in shape) if rng.random() < 0.7 else None
        layout = plan_layout(shape, int(rng.choice([1, 2, 4, 8])), chunks)
        assert all(edge % 2 == 0 for edge in layout.unit[-2:])
        for plane in (shape[-2:], (shape[-2] // 2 + 1, shape[-1] // 2 + 1)):
            chunk, shard = layout.of_level((plane[0], plane[1]))
            assert all(whole % part == 0 for whole, part in zip(shard, chunk, strict=True))
            assert np.prod(shard) * 8 < 1 << 28
