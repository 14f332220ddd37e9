"""Products of quantised weights: the drift of their subset sums step by step, and what rejection cannot do."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg

from slth.confidence import excess_p_value
from slth.laws import Dyadic
from slth.subset_sum import samples_for_all
from slth.theorems import kumar2025_quantised as kumar
from slth.theorems import kumar2026_discrete as discrete
from slth.theorems.dyadic_products import drift, product_changes, product_counts


def row_samples(bits, draws, n, seed=0):
    """Samples of n rows of a source: u v where u > 0, else 0; (draws, n)."""
    size = Dyadic(bits).largest
    rng = np.random.default_rng([bits, n, seed])
    u, v = rng.integers(-size, size + 1, (2, draws, n))
    return np.where(u > 0, u * v, 0)


def some_sets(largest, seed=0):
    """Sets of the integers from -M^2 to M^2 that a drift might dislike: intervals, residues, steps, random ones."""
    window, rng = largest**2, np.random.default_rng([largest, seed])
    x = np.arange(-window, window + 1)
    yield from (x < cut for cut in (-window + 1, -window // 2, 0, window // 2, window))
    yield from (np.abs(x) < cut for cut in (1, largest, window // 2))
    yield from (x % max(2, m) == 0 for m in (2, 3, largest - 1, largest, largest + 1))
    yield from (x % m < m // 2 for m in (largest + 1, 2 * largest, window // 2 + 2))
    yield from (rng.random(x.size) < share for share in (0.05, 0.5, 0.95))
    yield np.isin(x, np.multiply.outer(np.arange(-largest, largest + 1), np.arange(1, largest + 1)))


def changes(members, h):
    return int((members[h:] != members[:-h]).sum()) if h else 0


# The eigenvalue: b up to 6 --------------------------------------------------------------------------------------------


def sector_matrices(largest):
    """M (2 M + 1) times the Laplacian of the graph x -- x + u v on the integers from -M^2 to M^2, on odd and on even
    functions. The constants are taken out of the even ones by a positive rank-one term."""
    window = largest**2
    weights = np.zeros(2 * window + 1)
    weights[: window + 1] = product_counts(largest)
    reached = np.cumsum(weights)
    x = np.arange(window + 1)
    degrees = reached[np.minimum(window - x, 2 * window)] + reached[window + x]
    near, far = weights[np.abs(x[:, None] - x)], weights[x[:, None] + x]
    odd = (np.diag(degrees) - near + far)[1:, 1:]
    even = np.diag(degrees) - near - far
    scale = np.where(x == 0, 1 / np.sqrt(2), 1.0)
    even *= np.multiply.outer(scale, scale)  # basis: e_0 and (e_x + e_-x) / sqrt 2, where e_0 has one place, not two
    even[0, 0] = degrees[0]
    constant = np.where(x == 0, 1.0, np.sqrt(2))
    return odd, even + np.multiply.outer(constant, constant) * (largest * (2 * largest + 1) / (2 * window + 1))


def positive_definite(matrix, shift):
    """Whether matrix - shift I is proved positive definite: a Cholesky factorisation with room for its rounding."""
    size = len(matrix)
    room = 4 * (size + 2) * 2.0**-53 * np.trace(matrix)
    matrix[np.diag_indices(size)] -= shift + room
    try:
        scipy.linalg.cholesky(matrix, lower=True, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError:
        return False
    return True


BITS = [0, 1, 2, 3, 4, 5, pytest.param(6, marks=pytest.mark.slow)]


@pytest.mark.parametrize("bits", BITS)
def test_the_drift_is_below_the_second_eigenvalue_of_the_graph_of_products(bits):
    size = Dyadic(bits).largest
    # The random values have probabilities floor(2^32 / (2 M + 1)) / 2^32 at least.
    least = Fraction((2**32 // (2 * size + 1)) * (2 * size + 1), 2**32) ** 2
    given_positive = drift(bits) * Fraction(2 * size + 1, size) / least
    shift = float(given_positive * size * (2 * size + 1)) * (1 + 1e-9)
    for matrix in sector_matrices(size):
        assert positive_definite(matrix, shift)


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_the_drift_is_within_one_percent_of_that_eigenvalue(bits):
    size = Dyadic(bits).largest
    least = min(np.linalg.eigvalsh(m)[0] for m in sector_matrices(size)) / (size * (2 * size + 1))
    assert 0.99 * least <= float(drift(bits)) * (2 * size + 1) / size <= least


def test_the_two_sectors_have_the_eigenvalues_of_the_whole_graph():
    window = 4
    counts = np.zeros(2 * window + 1)
    counts[: window + 1] = product_counts(2)
    x = np.arange(2 * window + 1)
    weights = counts[np.abs(x[:, None] - x)]
    whole = np.linalg.eigvalsh(np.diag(weights.sum(axis=1)) - weights)
    parts = np.sort(np.concatenate([np.linalg.eigvalsh(m) for m in sector_matrices(2)]))
    # the eigenvalue 0 of the constants has become M (2 M + 1)
    assert parts == pytest.approx(np.sort(np.append(whole[1:], 2 * 5)), abs=1e-12)


@pytest.mark.parametrize("bits", [0, 1])
def test_for_every_set_the_expected_growth_is_at_least_the_drift(bits):
    size = Dyadic(bits).largest
    places = 2 * size**2 + 1
    for word in range(1, (1 << places) - 1):
        members = (word >> np.arange(places) & 1).astype(bool)
        share = Fraction(int(members.sum()), places)
        growth = Fraction(product_changes(members, size), (2 * size + 1) ** 2 * places)
        assert growth >= drift(bits) * share * (1 - share)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_product_changes_over_the_table_are_the_expected_number_of_new_integers(size):
    window = size**2
    for members in some_sets(size):
        expected = Fraction(0)
        for u, v in itertools.product(range(1, size + 1), range(-size, size + 1)):
            h, moved = u * v, np.zeros_like(members)
            moved[max(0, h) : 2 * window + 1 + min(0, h)] = members[max(0, -h) : 2 * window + 1 - max(0, h)]
            expected += int((moved & ~members).sum())
        assert expected == product_changes(members, size)


# The multiplication table: b of 2 and more ----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [4, 8])
def test_changes_at_a_sum_are_at_most_those_at_its_parts(size):
    for members in some_sets(size):
        by_distance = [changes(members, h) for h in range(2 * size**2 + 1)]
        for a, b in itertools.combinations_with_replacement(range(1, size**2 + 1), 2):
            assert by_distance[a + b] <= by_distance[a] + by_distance[b]


@pytest.mark.parametrize("size", [4, 8, 16])
def test_changes_at_a_short_distance_are_seen_by_two_neighbours_of_its_column(size):
    for members in some_sets(size):
        by_distance = [changes(members, h) for h in range(size**2 + 1)]
        for u, r in itertools.product(range(1, size + 1), repeat=2):
            assert by_distance[r] <= 2 * (by_distance[u * r] + by_distance[(u - 1) * r])
        short = size * sum(by_distance[r] for r in range(1, size + 1))
        assert short <= 4 * product_changes(members, size)


@pytest.mark.parametrize("size", [4, 8, 16])
def test_changes_up_to_three_quarters_of_the_window_are_at_most_eight_times_those_at_products(size):
    for members in some_sets(size):
        by_distance = [changes(members, h) for h in range(size**2 + 1)]
        table = product_changes(members, size)
        for m in range(3 * size // 4 + 1, size + 1):
            total = sum(by_distance[1 : 3 * size**2 // 4 + 1])
            along = m * sum(by_distance[q * m] for q in range(1, size + 1))
            assert total <= along + size * sum(by_distance[r] for r in range(1, m))
        assert total <= 8 * table


@pytest.mark.parametrize("size", [4, 8, 32])
def test_products_see_nine_of_128_changes_and_grow_by_the_drift_of_the_table(size):
    places = 2 * size**2 + 1
    for members in some_sets(size):
        table, share = product_changes(members, size), Fraction(int(members.sum()), places)
        assert 128 * table >= 9 * discrete.near_changes(members, size**2)
        rate = Fraction(9, 256) * Fraction(places, (2 * size + 1) ** 2)
        assert Fraction(table, (2 * size + 1) ** 2 * places) >= rate * share * (1 - share)


def test_beyond_six_bits_the_drift_of_the_table_holds_for_structured_sets():
    size = 128
    places = 2 * size**2 + 1
    for members in itertools.islice(some_sets(size), 0, None, 4):
        share = Fraction(int(members.sum()), places)
        growth = Fraction(product_changes(members, size), (2 * size + 1) ** 2 * places)
        assert growth >= drift(7) * share * (1 - share)


def test_counting_one_more_factor_leaves_room_for_the_probabilities_of_32_bits():
    # M / 4 + 1 values of m instead of M / 4 make the 8 a little smaller, by more than the square of a probability loses
    for bits in range(7, 13):
        size = 2**bits
        sharper = (Fraction(size, size // 4 + 1) + 4) / 8
        least = Fraction((2**32 // (2 * size + 1)) * (2 * size + 1), 2**32) ** 2
        assert sharper <= least


# The chance -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 6])
def test_the_exact_failure_probability_of_signs_and_zeros_is_below_the_bound(n):
    # b = 0: u v is 0 in 7 of 9 cases, else a sign
    total = Fraction(0)
    for sample in itertools.product((-1, 0, 1), repeat=n):
        if not (1 in sample and -1 in sample):
            total += math.prod(Fraction(7, 9) if x == 0 else Fraction(1, 9) for x in sample)
    assert total <= discrete.failure(n, 1, drift=drift(0))


@pytest.mark.parametrize("bits", [0, 1, 2, 3, 4])
def test_the_rows_that_reach_all_products_lie_between_counting_and_the_bound(bits):
    size = Dyadic(bits).largest
    bound = math.ceil(kumar.ROWS.evaluate(M=size, I=1, delta=0.1, m=drift(bits)))
    needed = samples_for_all(row_samples(bits, 200, bound), size**2)
    failures = int(np.count_nonzero(needed < 0))
    assert excess_p_value(failures, 200, 0.1) > 1e-6  # false alarm: at most 1e-6
    measured = np.sort(np.where(needed < 0, bound + 1, needed))[179]  # 180 of 200 succeed
    assert discrete.COUNTING.evaluate(M=size**2, Delta=0) <= measured <= bound
    assert measured <= bound / 2  # a fit: the bound is far from sharp


def test_the_drift_is_at_most_one_third_of_the_positive_rows_and_at_least_one_sixtieth():
    values = [drift(bits) for bits in range(13)]
    assert all(Fraction(1, 60) < value <= Fraction(1, 9) for value in values)
    assert values[7] < values[6]  # the table of eigenvalues ends


# Lemma 5 --------------------------------------------------------------------------------------------------------------

HIT = {1: ".78", 2: ".58", 3: ".47", 4: ".38", 5: ".35"}


@pytest.mark.parametrize("bits", HIT)
def test_most_of_the_fine_grid_is_no_product_so_rejection_cannot_make_it_uniform(bits):
    size = 2**bits
    products = {a * b for a in range(-size, size + 1) for b in range(-size, size + 1)}
    share = Fraction(len(products), 2 * size**2 + 1)
    assert f"{float(share):.2f}".lstrip("0") == HIT[bits]
    # Uniform on the grid with acceptance c needs c <= (2 M^2 + 1) P(u v = z) for every z; a missed z leaves c = 0.
    missing = set(range(-(size**2), size**2 + 1)) - products
    assert size**2 - 1 in missing


@pytest.mark.parametrize("bits", range(1, 9))
def test_multiples_of_the_coarse_grid_come_up_with_a_chance_of_order_k_over_2_to_the_k(bits):
    size = 2**bits
    values = np.arange(-size, size + 1)
    chance = (np.multiply.outer(values, values) % size == 0).mean()
    assert bits / 2 * 2.0**-bits < chance < (bits + 2) * 2.0**-bits


@pytest.mark.parametrize(("bits", "message"), [(-1, "precision b"), (13, "precision b")])
def test_a_precision_out_of_range_is_refused(bits, message):
    with pytest.raises(ValueError, match=message):
        drift(bits)


def test_members_of_another_window_are_refused():
    with pytest.raises(ValueError, match=r"members must be bool \(9,\)"):
        product_changes(np.zeros(5, dtype=bool), 2)
