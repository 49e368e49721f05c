"""Levels and block means, against arithmetic done another way."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from jupyter_arkitekt.imaging import choose_level, choose_within, factors, pyramid_levels, reduce_block

DTYPES = ["?", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]


def test_levels_halve_until_the_longer_side_would_fall_below_256() -> None:
    stack = pyramid_levels((2, 1, 30, 2048, 2048))
    assert [level.shape for level in stack] == [
        (2, 1, 30, 2048, 2048),
        (2, 1, 30, 1024, 1024),
        (2, 1, 30, 512, 512),
        (2, 1, 30, 256, 256),
    ]
    assert stack[3].scale == {"y": 8, "x": 8}
    plane = pyramid_levels((1, 1, 1, 20000, 20000))
    assert [level.plane[0] for level in plane] == [20000, 10000, 5000, 2500, 1250, 625, 313]
    assert len(pyramid_levels((1, 1, 1, 300, 300))) == 1


def test_an_axis_of_one_pixel_is_not_halved_any_more() -> None:
    levels = pyramid_levels((1, 1, 1, 3, 4096))
    assert [level.plane for level in levels] == [(3, 4096), (2, 2048), (1, 1024), (1, 512), (1, 256)]
    assert levels[-1].scale == {"y": 4, "x": 16}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_block_is_the_mean_of_the_pixels_that_are_there(dtype: str) -> None:
    rng = np.random.default_rng(7)
    kind = np.dtype(dtype).kind
    if kind in "iu":
        info = np.iinfo(dtype)
        block = rng.integers(info.min, info.max, (2, 7, 5), dtype=dtype, endpoint=True)
        block[0, :2, :2] = info.max  # the sum of these four has no room in the dtype
    else:
        block = (rng.random((2, 7, 5)) * 100 > 50).astype(dtype) if kind == "b" else rng.random((2, 7, 5)).astype(dtype)
    before = block.copy()
    reduced = reduce_block(block, (2, 2))
    assert reduced.shape == (2, 4, 3)
    assert reduced.dtype == block.dtype
    np.testing.assert_array_equal(block, before)
    for index in np.ndindex(reduced.shape):
        layer, y, x = index
        there = block[layer, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2].reshape(-1)
        if kind == "f":
            assert float(reduced[index]) == pytest.approx(float(np.mean(there.astype("f8"))), rel=2e-3)
        else:
            exact = Fraction(sum(int(value) for value in there), there.size)
            expected = int(exact * 2 >= 1) if kind == "b" else round(exact)  # Fraction rounds half to even
            assert int(reduced[index]) == expected


def test_rounding_does_not_brighten_a_picture_over_many_levels() -> None:
    noise = np.random.default_rng(1).poisson(100, (1024, 1024)).astype("u2")
    reduced: NDArray[Any] = noise
    for _ in range(6):
        reduced = reduce_block(reduced, (2, 2))
    assert abs(float(reduced.mean()) - float(noise.mean())) < 0.1


def test_nan_is_left_out_where_a_number_is_beside_it() -> None:
    block = np.array([[1.0, np.nan, np.nan, np.nan], [3.0, np.nan, np.nan, np.nan]], dtype="f4")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        reduced = reduce_block(block, (2, 2))
        huge = reduce_block(np.full((2, 2), np.finfo("f4").max, dtype="f4"), (2, 2))
    assert reduced[0, 0] == 2.0
    assert math.isnan(reduced[0, 1])
    assert huge[0, 0] == np.finfo("f4").max


def test_nearest_invents_no_new_labels() -> None:
    labels = np.array([[1, 1, 7], [9, 9, 7], [4, 4, 4]], dtype="u2")
    np.testing.assert_array_equal(reduce_block(labels, (2, 2), "nearest"), [[1, 7], [4, 4]])


def test_reducing_tile_by_tile_is_reducing_the_whole() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        height, width = (int(value) for value in rng.integers(1, 40, 2))
        whole = rng.integers(0, 1000, (height, width), dtype="u2")
        tile = 2 * int(rng.integers(1, 8))
        expected = reduce_block(whole, (2, 2))
        found = np.zeros_like(expected)
        for y in range(0, height, tile):
            for x in range(0, width, tile):
                part = reduce_block(whole[y : y + tile, x : x + tile], (2, 2))
                found[y // 2 : y // 2 + part.shape[0], x // 2 : x // 2 + part.shape[1]] = part
        np.testing.assert_array_equal(found, expected)


def test_the_smallest_level_that_serves_is_chosen() -> None:
    planes = [level.plane for level in pyramid_levels((1, 1, 1, 20000, 20000))]
    assert choose_level(planes, 256) == 6
    assert choose_level(planes, 1000) == 4
    assert choose_level(planes, 50000) == 0
    assert choose_within(planes, 2_000_000) == 4
    assert choose_within(planes, 10) == 6
    assert factors((1, 9)) == (1, 2)
    with pytest.raises(ValueError, match="no levels"):
        choose_level([], 256)
