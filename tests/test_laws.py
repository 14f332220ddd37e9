import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad

from slth.laws import Product, Uniform

ALL_BITS = np.array([0, 1, 255, 256, 2**31 - 1, 2**31, 2**32 - 256, 2**32 - 1], dtype=np.uint32)
SYMMETRIC_PRODUCTS = [
    Product(),
    Product(Uniform(0.0, 1.0), Uniform()),
    Product(Uniform(-0.5, 0.5), Uniform(0.25, 0.75)),
    Product(Uniform(-0.25, 1.0), Uniform(-0.8, 0.8)),
]


def test_weights_of_the_whole_interval_are_all_odd_multiples_once():
    every_value = np.arange(0, 2**32, 2**8, dtype=np.uint64).astype(np.uint32)
    weights = Uniform().weights(every_value)
    assert np.array_equal(weights, np.arange(1 - 2**24, 2**24, 2))
    assert np.array_equal(Uniform().weights(every_value | np.uint32(255)), weights)  # the low byte is not used


@pytest.mark.parametrize("ends", [(-1.0, 1.0), (0.0, 1.0), (-0.3, 0.7), (-1.0, -0.5), (0.1, 0.1 + 2**-20)])
def test_weights_are_odd_and_within_their_interval(ends):
    draws = np.concatenate([ALL_BITS, np.random.default_rng(1).integers(0, 2**32, 1000, dtype=np.uint32)])
    weights = Uniform(*ends).weights(draws)
    assert (weights % 2 == 1).all()
    assert weights.min() >= ends[0] * 2**24 - 1
    assert weights.max() <= ends[1] * 2**24 + 1


@pytest.mark.parametrize("end", [1.0, 0.7, 0.3, 0.1])
def test_turning_all_bits_turns_the_sign_of_a_symmetric_law(end):
    draws = np.random.default_rng(3).integers(0, 2**32, 1000, dtype=np.uint32)
    assert np.array_equal(Uniform(-end, end).weights(~draws), -Uniform(-end, end).weights(draws))


def test_the_variance_of_many_weights_is_that_of_the_law():
    draws = np.random.default_rng(2).integers(0, 2**32, 200_000, dtype=np.uint32)
    for law in (Uniform(), Uniform(0.0, 1.0), Uniform(-0.25, 0.5)):
        measured = np.var(law.weights(draws) * 2.0**-24)
        # The relative standard error of a uniform sample variance is sqrt(0.8 / n); six of them.
        assert measured == pytest.approx(law.variance, rel=6 * math.sqrt(0.8 / draws.size))


@pytest.mark.parametrize("ends", [(0.5, 0.5), (0.5, -0.5), (-1.5, 1.0), (0.0, 2.0), (math.nan, 1.0)])
def test_an_interval_that_is_none_is_refused(ends):
    with pytest.raises(ValueError, match="need -1 <= low < high <= 1"):
        Uniform(*ends)


def test_products_are_the_exact_products_of_the_weights():
    left, right = np.random.default_rng(3).integers(0, 2**32, (2, 100), dtype=np.uint32)
    law = Product(Uniform(0.0, 1.0), Uniform())
    products = law.products(left, right)
    pairs = zip(law.left.weights(left).tolist(), law.right.weights(right).tolist(), strict=True)
    assert products.tolist() == [u * v for u, v in pairs]
    with pytest.raises(ValueError, match="one pair of bits per product"):
        law.products(left, right[1:])


def test_the_density_of_a_product_of_two_signs_is_half_the_logarithm():
    assert Product().density(0.5) == pytest.approx(math.log(2) / 2)
    assert Product(Uniform(0.0, 1.0), Uniform()).density([-0.5, 0.5]) == pytest.approx([math.log(2) / 2] * 2)
    assert Product().density(1.5) == 0.0
    assert Product().density(0.0) == math.inf


def test_half_of_the_products_contain_a_uniform_law():
    # Pensia et al. (2020), Corollary 1: the density is at least ln(2)/2 on [-1/2, 1/2]; half of it has weight
    # ln(2)/4.
    inside = np.linspace(-0.5, 0.5, 1001)
    assert Product(Uniform(0.0, 1.0), Uniform()).density(inside).min() / 2 == pytest.approx(0.1732867951)


@pytest.mark.parametrize(
    "law",
    [
        *SYMMETRIC_PRODUCTS,
        Product(Uniform(0.25, 0.5), Uniform(-0.5, 1.0)),
        Product(Uniform(0.2, 0.6), Uniform(0.0, 1.0)),
    ],
)
def test_the_density_integrates_to_one_and_to_the_variance(law):
    knots = sorted({p * q for p in (law.left.low, law.left.high) for q in (law.right.low, law.right.high)} | {0.0})
    pieces = list(itertools.pairwise(knots))
    moments = [sum(quad(lambda x, k=k: x**k * law.density(x), a, b)[0] for a, b in pieces) for k in range(3)]
    assert moments[0] == pytest.approx(1, abs=1e-6)
    assert moments[2] - moments[1] ** 2 == pytest.approx(law.variance, abs=1e-6)


def test_the_density_refuses_nan():
    with pytest.raises(ValueError, match="finite x"):
        Product().density([0.5, math.nan])


def drift_by_quadrature(density, window):
    """E[|X|; |X| <= R] / R + P(R < |X| <= 2 R) / 2, from the density on x > 0 of a symmetric law."""
    near = quad(lambda x: x * density(x), 0, window, points=[0.05, 0.2], limit=200)[0]
    far = quad(density, window, 2 * window, points=[min(1.0, 1.5 * window)], limit=200)[0]
    return 2 * near / window + far


@pytest.mark.parametrize("window", [0.1, 0.3, 0.389, 0.5, 0.6, 1.0, 1.7])
def test_closed_drift_constants_agree_with_quadrature(window):
    for law in SYMMETRIC_PRODUCTS:
        assert law.drift(window) == pytest.approx(drift_by_quadrature(law.density, window), rel=1e-4)
    for half in (0.25, 1.0):
        density = lambda x, half=half: 0.5 / half if abs(x) <= half else 0.0  # noqa: E731
        assert Uniform(-half, half).drift(window) == pytest.approx(drift_by_quadrature(density, window), rel=1e-2)


def test_the_drift_constants_that_the_theorems_use():
    assert [Uniform().drift(window) for window in (0.5, 0.75, 1.0)] == [0.5, 0.5, 0.5]
    for law in (Product(), Product(Uniform(0.0, 1.0), Uniform()), Product(Uniform(), Uniform(-1.0, 0.0))):
        assert law.drift(1.0) == 0.25
        assert law.drift(0.5) == 0.375
        assert law.drift(math.exp(-0.25) / 2) == pytest.approx(0.3894004, abs=1e-7)  # its largest value
        assert max(law.drift(window) for window in np.linspace(0.05, 2, 400)) <= 0.3894004


def test_drift_constants_scale_with_the_law():
    assert Uniform(-0.5, 0.5).drift(0.35) == pytest.approx(Uniform().drift(0.7))
    assert Product(Uniform(-0.5, 0.5), Uniform()).drift(0.1) == pytest.approx(Product().drift(0.2))


def new_cover(second_integral, window, cells):
    """E of the new measure for every union of cells of the window, and its share, from F with F'' the
    density."""
    width = 2 * window / cells
    distance = np.arange(cells) * width
    pair = second_integral(distance + width) - 2 * second_integral(distance) + second_integral(abs(distance - width))
    weights = pair[np.abs(np.subtract.outer(np.arange(cells), np.arange(cells)))]
    covered = np.array(list(itertools.product([0, 1], repeat=cells)))
    return ((covered @ weights) * (1 - covered)).sum(axis=1), covered.mean(axis=1)


def uniform_twice(x):
    return np.where(x <= 1, x**2 / 4, 0.25 + (x - 1) / 2)


def product_twice(x):
    inner = (3 * x**2 - 2 * x**2 * np.log(np.maximum(x, 1e-300))) / 8
    return np.where(x <= 1, inner, 3 / 8 + (x - 1) / 2)


@pytest.mark.parametrize("window", [0.3, 0.5, 0.8, 1.0, 1.5])
@pytest.mark.parametrize(("law", "twice"), [(Uniform(), uniform_twice), (Product(), product_twice)])
def test_no_union_of_cells_grows_more_slowly_than_the_drift_constant(law, twice, window):
    fresh, share = new_cover(twice, window, cells=10)
    claimed = law.drift(window) * share * (1 - share) * 2 * window
    assert (fresh >= claimed * (1 - 1e-12)).all()


def test_the_drift_constant_of_the_uniform_law_is_attained():
    for window in (0.5, 1.0):
        fresh, share = new_cover(uniform_twice, window, cells=10)
        partly = (share > 0) & (share < 1)
        growth = fresh[partly] / (share * (1 - share) * 2 * window)[partly]
        assert growth.min() == pytest.approx(0.5, rel=1e-9)


def test_drift_constants_are_refused_where_none_is_proved():
    with pytest.raises(ValueError, match="known for symmetric laws"):
        Uniform(0.0, 1.0).drift(1.0)
    with pytest.raises(ValueError, match="a factor is symmetric"):
        Product(Uniform(0.0, 1.0), Uniform(0.0, 1.0)).drift(1.0)
    for window in (0.0, -1.0, math.inf, math.nan):
        for law in (Uniform(), Product()):
            with pytest.raises(ValueError, match="positive finite R"):
                law.drift(window)


def test_a_law_says_itself_in_words():
    assert str(Uniform()) == "U[-1, 1]"
    assert str(Product(Uniform(0.0, 1.0))) == "U[0, 1] times U[-1, 1]"
