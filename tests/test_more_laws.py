"""The laws beside uniform ones: exact values, moments within sampling error, and the same bits everywhere."""

import hashlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.laws import Dyadic, LogUniform, Signs, Thinned, Uniform
from slth.randomness import bits

DRAWN = bits(5, 0, 0, 200_000)
LAWS = (Signs(), Dyadic(0), Dyadic(3), Dyadic(12), Thinned(0.1), Thinned(0.5, 0.0, 0.5), LogUniform(1), LogUniform(12))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_the_sample_variance_is_within_six_standard_errors_of_the_law(law):
    # a miss of six standard errors has probability below 1e-8 for each law
    x = law.weights(DRAWN) / 2**24
    spread = (x - x.mean()) ** 2
    assert abs(spread.mean() - law.variance) < 6 * spread.std() / math.sqrt(x.size) + 1e-6


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_weights_stay_in_the_unit_interval_and_are_exact_in_float32(law):
    weights = law.weights(np.concatenate([DRAWN, np.array([0, 2**31 - 1, 2**31, 2**32 - 1], dtype=np.uint32)]))
    assert np.abs(weights).max() <= 2**24
    assert np.array_equal(weights.astype(np.float32).astype(np.int64), weights)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_a_symmetric_law_has_as_many_positive_as_negative_weights(law):
    signs = np.sign(law.weights(DRAWN))
    used = np.count_nonzero(signs)
    assert law.symmetric == (abs(int(signs.sum())) < 6 * math.sqrt(used))


@pytest.mark.parametrize("precision", [0, 1, 5, 12])
def test_a_dyadic_weight_takes_each_of_its_values_equally_often(precision):
    law = Dyadic(precision)
    # evenly spaced bit patterns hit every value the same number of times, up to one
    count = 2 * law.largest + 1
    patterns = (np.arange(16 * count, dtype=np.uint64) * 2**32 // (16 * count)).astype(np.uint32)
    values, times = np.unique(law.weights(patterns), return_counts=True)
    assert np.array_equal(values, np.arange(-law.largest, law.largest + 1) << (24 - precision))
    assert times.max() - times.min() <= 2


@given(st.integers(1, 24), st.integers(0, 2**31 - 1))
def test_a_log_uniform_weight_is_the_rounded_power(octaves, pattern):
    found = int(LogUniform(octaves).weights(np.array([pattern + 2**31], dtype=np.uint32))[0])
    exact = 2.0 ** (24 - octaves * pattern / 2**31)
    assert found >= 1
    assert abs(found - exact) <= 0.5 + exact * 2.0**-28


def test_log_uniform_weights_have_the_same_bits_on_every_machine():
    drawn = LogUniform(16).weights(bits(1, 2, 0, 10_000))
    digest = hashlib.sha256(drawn.astype("<i8").tobytes()).hexdigest()
    assert digest == "6ab9a5dd7f87935e3e0365c02c00dd572fee0fae2b55f8f60bb2fa4a9b46e125"


def test_the_octaves_of_a_log_uniform_weight_are_equally_likely():
    octave = np.floor(-np.log2(np.abs(LogUniform(8).weights(DRAWN)) / 2**24 * (1 - 1e-12)))
    times = np.bincount(octave.astype(int), minlength=8)[:8]
    expected = DRAWN.size / 8
    assert ((times - expected) ** 2 / expected).sum() < 40  # chi^2 with 7 degrees: exceeded with probability 1e-6


@given(st.floats(2.0**-20, 1))
def test_a_thinned_weight_is_present_for_its_share_of_the_bits(density):
    law, threshold = Thinned(density), round(density * 2**32)
    edge = np.array([threshold - 1, min(threshold, 2**32 - 1)], dtype=np.uint64).astype(np.uint32)
    inside, outside = law.weights(edge)
    assert inside > 2**24 - 2**16
    assert (outside == 0) == (threshold < 2**32)


def test_a_fully_dense_law_is_the_uniform_law():
    assert np.array_equal(Thinned(1.0).weights(DRAWN), Uniform().weights(DRAWN))


def test_thinning_multiplies_the_drift():
    assert Thinned(0.3).drift(0.5) == 0.3 * Uniform().drift(0.5)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Dyadic(13), "from 0 to 12"),
        (lambda: Dyadic(True), "from 0 to 12"),
        (lambda: Dyadic(2.0), "from 0 to 12"),
        (lambda: LogUniform(0), "from 1 to 24"),
        (lambda: LogUniform(1.5), "from 1 to 24"),
        (lambda: Thinned(0.0), "share of edges"),
        (lambda: Thinned(float("nan")), "share of edges"),
        (lambda: Thinned(0.5, 1.0, 0.0), "low < high"),
    ],
)
def test_impossible_parameters_are_refused(build, says):
    with pytest.raises(ValueError, match=says):
        build()
