"""Contrast, colours, scale bars and PNG."""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from jupyter_arkitekt.imaging import (
    ChannelLook,
    composite,
    contrast_limits,
    default_colour,
    draw_scale_bar,
    encode_png,
    enlarge,
    format_length,
    is_true_colour,
    lookup_table,
    scale_bar,
    shrink,
    stretch,
    swatch,
    true_colour,
)

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


def ramp(dtype: str) -> NDArray[Any]:
    return (np.arange(64 * 64).reshape(64, 64) % 120).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_becomes_a_picture_from_dark_to_bright(dtype: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = composite([ramp(dtype)], [ChannelLook(0)])
    assert picture.shape == (64, 64, 3)
    assert picture.dtype == np.uint8
    assert picture.min() == 0
    assert picture.max() == 255
    decoded = np.asarray(Image.open(io.BytesIO(encode_png(picture))).convert("RGB"))
    np.testing.assert_array_equal(decoded, picture)


def test_nan_and_infinities_do_not_spoil_the_contrast() -> None:
    plane = np.linspace(0, 10, 10_000, dtype="f4").reshape(100, 100)
    plane[0, :3] = np.nan, np.inf, -np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = contrast_limits(plane)
        out = stretch(plane, low, high)
        nothing = composite([np.full((4, 4), np.nan)], [ChannelLook(0)])
    assert 0 <= low < 0.1
    assert 9.9 < high <= 10
    assert out[0, :3].tolist() == [0.0, 1.0, 0.0]
    assert nothing.max() == 0


def test_stored_limits_win_and_hot_pixels_do_not() -> None:
    plane = np.full((100, 100), 100, dtype="u2")
    plane[:50] = 200
    plane[0, 0] = 65535
    assert contrast_limits(plane) == (100.0, 200.0)
    assert contrast_limits(plane, low=0, high=1000) == (0, 1000)
    assert contrast_limits(plane, low=50)[0] == 50
    low, high = contrast_limits(plane, low=7, high=7)
    assert low < high


def test_few_bright_spots_on_black_are_seen_and_one_value_is_no_division_by_zero() -> None:
    spots = np.zeros((200, 200), dtype="u1")
    spots[5, 5] = 90
    assert contrast_limits(spots) == (0.0, 90.0)
    assert contrast_limits(np.zeros((3, 3), dtype="u1")) == (0.0, 1.0)
    assert contrast_limits(np.full((3, 3), 9, dtype="u1")) == (0.0, 9.0)
    assert contrast_limits(np.zeros((0, 3), dtype="u1")) == (0.0, 1.0)


def test_channels_add_up_in_their_colours() -> None:
    left = np.array([[255, 0]], dtype="u1")
    right = np.array([[255, 255]], dtype="u1")
    looks = [ChannelLook(0, "GREEN", low=0, high=255), ChannelLook(1, "MAGENTA", low=0, high=255)]
    np.testing.assert_array_equal(composite([left, right], looks), [[[255, 255, 255], [255, 0, 255]]])
    orange = ChannelLook(0, "INTENSITY", base=(250, 120, 10), low=0, high=255)
    np.testing.assert_array_equal(composite([left], [orange])[0, 0], [250, 120, 10])
    with pytest.raises(ValueError, match="do not make a picture"):
        composite([left], [])


def test_a_colour_photograph_is_shown_as_it_is() -> None:
    planes = [np.full((2, 2), value, dtype="u1") for value in (10, 20, 30)]
    looks = [ChannelLook(index, name) for index, name in enumerate(("RED", "GREEN", "BLUE"))]
    assert is_true_colour(np.dtype("u1"), looks)
    assert not is_true_colour(np.dtype("u2"), looks)
    assert not is_true_colour(np.dtype("u1"), [*looks[:2], ChannelLook(2, "BLUE", high=9)])
    assert true_colour(planes)[0, 0].tolist() == [10, 20, 30]


def test_every_colour_map_of_the_wire_has_a_table() -> None:
    names = (
        *("VIRIDIS", "PLASMA", "INFERNO", "MAGMA", "RED", "GREEN", "BLUE", "INTENSITY", "CYAN", "MAGENTA", "YELLOW"),
        *("BLACK", "WHITE", "ORANGE", "PURPLE", "PINK", "BROWN", "GREY", "RAINBOW", "SPECTRAL", "COOL", "WARM"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tables = {name: lookup_table(name) for name in names}
    assert all(table.shape == (256, 3) and len(np.unique(table, axis=0)) > 30 for table in tables.values())
    assert swatch("RED") == (255, 0, 0)
    np.testing.assert_array_equal(lookup_table("FROM_THE_FUTURE"), lookup_table("GREY"))
    assert default_colour(0, 1) == "GREY"
    assert [default_colour(index, 2) for index in range(2)] == ["GREEN", "MAGENTA"]
    assert default_colour(0, 2, emission_nm=461) == "BLUE"
    assert default_colour(0, 1, emission_nm=519) == "GREEN"


@pytest.mark.parametrize(
    ("width", "pixel_size", "label", "pixels"),
    [(256, 0.65, "50 µm", 77), (256, 5.2, "200 µm", 38), (512, 0.01, "1 µm", 100), (313, 100.0, "10 mm", 100)],
)
def test_a_scale_bar_is_as_long_as_it_says(width: int, pixel_size: float, label: str, pixels: int) -> None:
    bar = scale_bar(width, pixel_size)
    assert bar is not None
    assert bar.label == label
    assert bar.pixels == pixels
    assert bar.pixels * pixel_size == pytest.approx(bar.micrometres, abs=pixel_size)


def test_bars_follow_one_two_five_at_every_size() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        width, size = int(rng.integers(64, 4000)), float(10 ** rng.uniform(-6, 5))
        bar = scale_bar(width, size)
        assert bar is not None
        digit = bar.micrometres / 10 ** math.floor(math.log10(bar.micrometres) + 1e-9)
        assert min(abs(digit - wanted) for wanted in (1, 2, 5)) < 1e-6
        assert 0.1 * width < bar.micrometres / size <= 0.33 * width


def test_there_is_no_bar_where_nothing_is_known() -> None:
    assert scale_bar(20, 0.1) is None
    assert all(scale_bar(256, size) is None for size in (0.0, -1.0, math.nan, math.inf))


def test_the_bar_in_the_picture_has_its_length() -> None:
    bar = scale_bar(256, 0.65)
    assert bar is not None
    for ground in (0, 128, 200):
        picture = draw_scale_bar(np.full((256, 256, 3), ground, dtype=np.uint8), bar)
        white = (picture == 255).all(axis=2)
        runs = ["".join("#" if pixel else "." for pixel in row).split(".") for row in white]
        assert max(len(run) for row in runs for run in row) == bar.pixels
        assert (picture[:200] == ground).all()
    assert (draw_scale_bar(np.zeros((10, 256, 3), dtype=np.uint8), bar) == 0).all()


@pytest.mark.parametrize(
    ("micrometres", "text"),
    [(0.65, "650 nm"), (20, "20 µm"), (1000, "1 mm"), (1500, "1.5 mm"), (0.0005, "500 pm"), (2e6, "2 m"), (0, "0 µm")],
)
def test_lengths_are_written_with_the_unit_that_fits(micrometres: float, text: str) -> None:
    assert format_length(micrometres) == text


def test_small_pictures_grow_by_whole_pixels_and_large_ones_shrink() -> None:
    picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    grown, factor = enlarge(picture, 7)
    assert factor == 3
    np.testing.assert_array_equal(grown[::3, ::3], picture)
    assert shrink(np.zeros((100, 50, 3), dtype=np.uint8), 20).shape == (20, 10, 3)
    assert enlarge(np.zeros((300, 2, 3), dtype=np.uint8), 256)[1] == 1
