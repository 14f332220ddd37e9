"""Planted bugs: each spoils the bound code in one place, and the property that is named beside it must fail.

A proof in code can go wrong in two ways: a bound that the truth exceeds, or one that is larger than it has to be. Tests
on coarse random data notice neither a missing pad nor a lost factor 2, so each property here has to show that it fails
for at least one bug, alone. benchmarks/mutate_bounds.py does the same with changes that nobody chose.
"""

from dataclasses import dataclass

import pytest
from changed import passes, replaced


@dataclass(frozen=True)
class Bug:
    """One bug.

    Attributes:
        why: what it makes wrong.
        module: where it is, below slth.
        old: the text that it replaces, which must stand there once.
        new: what stands there instead.
        test: the property that must fail.
    """

    why: str
    module: str
    old: str
    new: str
    test: str


RECURSION, LADDER, OUTWARD = "errors/test_recursion.py", "errors/test_error_ladder.py", "errors/test_outward.py"
ROUNDING, COUPLED, LINES = "errors/test_rounding.py", "errors/test_coupled.py", "errors/test_differential.py"
AVERAGED, SPLITTING = "errors/test_averaged.py", "errors/test_splitting.py"

BUGS = (
    Bug(
        "too small: the error of the units before meets the ticket's weights, which may be larger than the target's",
        "errors.recursion",
        "np.abs(ticket_matrix(layer)), error)",
        "np.abs(layer.target.matrix), error)",
        f"{RECURSION}::test_positive_scalar_chains_are_bounded_tightly",
    ),
    Bug(
        "too small: the same in the scalar recursion",
        "errors.recursion",
        "s * last.error + eta * last.ticket",
        "s * last.error + eta * last.target",
        f"{RECURSION}::test_equal_layers_of_norm_one_give_the_form_of_the_papers",
    ),
    Bug(
        "too small: the error of the biases is forgotten",
        "errors.recursion",
        "error += Fraction(scale.bias_error)",
        "error += 0",
        f"{RECURSION}::test_positive_scalar_chains_with_biases_are_bounded_tightly",
    ),
    Bug(
        "too small: inputs below 0 meet E-, not E+",
        "errors.recursion",
        "spectral_up(np.hstack([layer.plus, -layer.minus]))",
        "spectral_up(layer.plus)",
        f"{RECURSION}::test_both_signs_of_the_first_layer_count_on_a_ball",
    ),
    Bug(
        "too small: the best input may be 0, between the ends of the box",
        "errors.recursion",
        "best[:, around_zero] = np.maximum(best[:, around_zero], 0.0)",
        "pass",
        f"{RECURSION}::test_one_layer_vector_bound_is_the_supremum",
    ),
    Bug(
        "too large: E- plays no part behind a ReLU",
        "errors.recursion",
        "error = matrix_norm(layer.plus) if i else",
        "error = max(matrix_norm(layer.plus), matrix_norm(layer.minus)) if i else",
        f"{RECURSION}::test_negative_inputs_play_no_part_behind_a_relu",
    ),
    Bug(
        "too large: the worse of the two splittings of the difference is taken",
        "errors.recursion",
        "np.abs(ticket_matrix(layer)), error)",
        "np.abs(layer.target.matrix) + np.abs(layer.plus), error)",
        f"{RECURSION}::test_the_better_splitting_wins_where_the_error_cancels_the_weight",
    ),
    Bug(
        "neither: units are paired with weights of others",
        "errors.recursion",
        "error = _first_difference(layers[0], domain)",
        "error = np.sort(_first_difference(layers[0], domain))",
        f"{RECURSION}::test_bounds_do_not_depend_on_the_order_of_hidden_units",
    ),
    Bug(
        "too small: the activations of the target are those of one corner of the box",
        "errors.recursion",
        "affine_range(before.target.matrix, low, high,",
        "affine_range(before.target.matrix, high, high,",
        f"{RECURSION}::test_a_smaller_box_never_gets_a_larger_bound",
    ),
    Bug(
        "too small by rounding: sums without a pad",
        "errors.outward",
        "return total * (1.0 + (roundings + 2) * STEP)",
        "return total * 1.0",
        f"{OUTWARD}::test_inflated_sums_are_not_below_the_exact_sums_although_plain_sums_are",
    ),
    Bug(
        "too small by rounding: sums that cancel without a pad",
        "errors.outward",
        "return total + (roundings + 4) * STEP * magnitude",
        "return total + 0 * magnitude",
        f"{OUTWARD}::test_signed_up_survives_cancellation",
    ),
    Bug(
        "too small by rounding: the nearest float64 instead of the one above",
        "errors.outward",
        "return near if near >= value else up(near)",
        "return near",
        f"{OUTWARD}::test_fraction_up_and_down_are_the_nearest_floats_on_their_side",
    ),
    Bug(
        "too small: products that underflow are lost",
        "errors.outward",
        "bound = inflated(total + columns * TINY, columns + 1)",
        "bound = inflated(total, columns + 1)",
        f"{OUTWARD}::test_matvec_up_keeps_zeros_and_notices_underflow",
    ),
    Bug(
        "too large: an absolute pad that a small domain feels",
        "errors.outward",
        "TINY = 2.0**-960",
        "TINY = 2.0**-30",
        f"{LADDER}::test_bounds_without_biases_scale_with_the_domain",
    ),
    Bug(
        "too large: sums without terms are not 0",
        "errors.outward",
        "return np.where(total > 0, inflated(total + columns * TINY, columns + 1), 0.0)",
        "return inflated(total + columns * TINY, columns + 1)",
        f"{RECURSION}::test_zero_errors_give_exactly_zero",
    ),
    Bug(
        "too small by rounding: a norm from a plain SVD",
        "errors.rounding",
        "_certified_square(wide, energy, square, guess))",
        "float(np.linalg.norm(wide, 2)) ** 2)",
        f"{ROUNDING}::test_spectral_up_holds_on_rank_one_matrices_where_plain_svd_often_fails",
    ),
    Bug(
        "too small: the hint is believed, without a factorisation",
        "errors.rounding",
        "if _has_cholesky(gram):",
        "if True:",
        f"{ROUNDING}::test_spectral_up_is_an_upper_bound_whatever_the_hint",
    ),
    Bug(
        "too small: c I + A A^T is factorised, which always succeeds",
        "errors.rounding",
        "np.negative(gram, out=gram)",
        "diagonal = -diagonal",
        f"{ROUNDING}::test_spectral_up_is_an_upper_bound_whatever_the_hint",
    ),
    Bug(
        "too small by rounding: the terms of the Gram matrix and of the factorisation are left out",
        "errors.rounding",
        "np.asarray(shift + (n + 4) * STEP / 2 * energy + (m + 4) * STEP * trace)",
        "np.asarray(shift)",
        f"{ROUNDING}::test_the_certified_square_carries_its_a_priori_terms",
    ),
    Bug(
        "too small by rounding: the distance of a computed product from the exact one",
        "errors.averaged",
        "rounding = (inner + 2) * STEP * one * two",
        "rounding = 0.0",
        f"{AVERAGED}::test_products_of_matrices_are_known_to_their_stated_distance",
    ),
    Bug(
        "too small: the weights of the cuts do not add up to 1",
        "errors.averaged",
        "2.0 ** (i - j) * averages",
        "2.0 ** (i - j - 1) * averages",
        f"{AVERAGED}::test_chains_are_what_the_sum_over_all_cuts_gives",
    ),
    Bug(
        "too small: what happens at the centre of the domain is forgotten",
        "errors.averaged",
        'if f"v{i}" in segments.parts:',
        "if False:",
        f"{LADDER}::test_upper_ends_exceed_exact_errors_with_biases",
    ),
    Bug(
        "too small: a fall of D lowers relu(z) by no more than z",
        "errors.coupled",
        "np.where(z >= 0, np.maximum(change, -z),",
        "np.where(z >= 0, change,",
        f"{COUPLED}::test_relu_change_is_the_exact_value_rounded_to_its_side",
    ),
    Bug(
        "too small: the largest change of a ReLU is sought at the wrong end of z",
        "errors.coupled",
        "relu_change(np.where(r.most >= 0, r.high, r.low), r.most, np.inf)",
        "relu_change(r.low, r.most, np.inf)",
        f"{LINES}::test_the_relu_of_a_difference_is_exact_and_its_lines_hold_on_a_grid",
    ),
    Bug(
        "too small: the best input is taken for 0 wherever that lies between the ends",
        "errors.coupled",
        "(high >= 0), np.maximum(best, 0.0), best)",
        "(high >= 0), np.minimum(best, 0.0), best)",
        f"{COUPLED}::test_coupled_intervals_of_a_smaller_box_are_never_larger",
    ),
    Bug(
        "too small: over a ball the side below 0 is left out",
        "errors.coupled",
        "slopes = np.maximum(np.maximum(plus, -minus), 0.0)",
        "slopes = np.maximum(plus, 0.0)",
        f"{COUPLED}::test_reaches_are_the_exact_suprema_rounded_up",
    ),
    Bug(
        "too small: the range of the ticket behind the first layer is that of the target",
        "errors.coupled",
        "both(layer.ticket, layer.ticket_minus, layer.ticket_bias)",
        "both(layer.weight, layer.weight, layer.bias)",
        f"{COUPLED}::test_the_ticket_of_signed_inputs_has_the_range_of_its_larger_side",
    ),
    Bug(
        "too small: a chord through the ends lies below the bend",
        "errors.differential",
        "over = np.where((low >= 0) | (high <= 0), 0.0, _above(low, high, h_low, h_high, rise))",
        "over = np.zeros_like(rise)",
        f"{LINES}::test_lines_around_relu_hold_in_rationals",
    ),
    Bug(
        "too small: the constants of the lines around the target's units are lost on the way back",
        "errors.differential",
        "constant, size = constant + c + c2, size + s + s2",
        "constant, size = constant + c, size + s + s2",
        f"{LADDER}::test_upper_ends_exceed_the_rational_truth_without_any_tolerance",
    ),
    Bug(
        "too small: the lower line of a change loses its constant",
        "errors.differential",
        "return Lines(rise, over, slope, under)",
        "return Lines(rise, over, slope, 0 * under)",
        f"{LINES}::test_all_ranges_hold_at_random_points",
    ),
    Bug(
        "too small by rounding: the backward pass without its pad",
        "errors.differential",
        "return Reach(np.nextafter(total + constant + pad, np.inf)",
        "return Reach(np.nextafter(total + constant, np.inf)",
        f"{LINES}::test_roundings_are_covered_where_nearly_all_cancels",
    ),
    Bug(
        "too large: linear bounds that forget the intervals",
        "errors.differential",
        "bounds = np.minimum(found.bounds, np.concatenate([last.most, -last.least], axis=1))",
        "bounds = found.bounds",
        f"{LADDER}::test_linear_bounds_are_never_above_coupled_intervals_nor_averages_of_a_ball_above_the_recursion",
    ),
    Bug(
        "too small: faces of the box that rays leave through are left out",
        "errors.splitting",
        "np.flatnonzero(box.low < 0)",
        "np.flatnonzero(box.low < 0)[:0]",
        f"{SPLITTING}::test_without_biases_only_outer_faces_are_covered",
    ),
    Bug(
        "too small: on a part of the cube a ball is divided by the largest ||x||, not the least",
        "errors.splitting",
        "np.maximum(np.maximum(low, -high), 0.0)",
        "np.maximum(high, -low)",
        f"{SPLITTING}::test_balls_are_split_to_the_truth_in_the_plane",
    ),
    Bug(
        "neither: sums of units with u > 0 and with u < 0 are exchanged",
        "gadget",
        "side = 2 * reads + (entering < 0)",
        "side = 2 * reads + (entering > 0)",
        "test_gadget.py::test_collapse_equals_the_slow_sums_of_any_masks",
    ),
    Bug(
        "neither: the weights depend on how the rows are cut",
        "networks.source",
        "bits(self.seed, stream, start * columns,",
        "bits(self.seed, stream, start,",
        "networks/test_source.py::test_any_block_of_rows_has_the_same_bits",
    ),
    Bug(
        "neither: the high half of a word comes first",
        "randomness",
        'words.astype("<u8", copy=False).view("<u4")',
        'words.astype("<u8", copy=False).view("<u4").reshape(-1, 2)[:, ::-1].ravel()',
        "test_randomness.py::test_bits_are_those_of_the_algorithm_as_published",
    ),
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.module}-{bug.old[:40]}")
def test_every_planted_bug_is_noticed_by_the_property_beside_it(bug):
    name = f"slth.{bug.module}"
    assert not passes(bug.test, replaced(name, bug.old, bug.new))


@pytest.mark.parametrize("test", sorted({bug.test for bug in BUGS}))
def test_every_property_passes_on_copies_without_a_bug(test):
    assert passes(test, {})


def test_there_are_planted_bugs_of_both_directions_and_of_rounding():
    kinds = [bug.why.partition(":")[0] for bug in BUGS]
    assert len({(bug.module, bug.old, bug.new) for bug in BUGS}) == len(BUGS) >= 25
    assert min(kinds.count(kind) for kind in ("too small", "too small by rounding", "too large")) >= 4


def test_a_bug_whose_place_is_gone_is_an_error_and_not_a_success():
    with pytest.raises(ValueError, match="holds 0 times"):
        replaced("slth.errors.outward", "a text that is not there", "")
