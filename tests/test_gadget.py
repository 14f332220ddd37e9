from itertools import pairwise

import numpy as np
import pytest
import torch
from drawn import random_ticket, weights

from slth.assignment import adaptive, block
from slth.gadget import check_fit, collapse, prune_pair
from slth.laws import Uniform
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.networks.torch_export import to_module
from slth.subset_sum import SubsetSums, any_within
from slth.subset_sum.questions import any_or_nearest, nearest, sparsest_or_nearest

TOLERANCE = 1 << 40


def random_target(widths, biased, seed=0):
    rng = np.random.default_rng(seed)
    matrices = [rng.uniform(-0.4, 0.4, (b, a)) for a, b in pairwise(widths)]
    return Target.from_floats(matrices, [rng.uniform(-0.4, 0.4, b) if biased else None for b in widths[1:]])


def source_for(target, units, seed=0, biased=None, law=Uniform()):
    """A source with the given number of hidden units per channel of every layer."""
    widths = [target.layers[0].inputs]
    for layer in target.layers:
        widths += [units * layer.channels.shape[1], layer.outputs]
    flags = tuple(layer.bias is not None for layer in target.layers) if biased is None else biased
    return Source(seed, tuple(widths), tuple(f for flag in flags for f in (flag, False)), law, trial=3)


def pruned(target, source, nonnegative, assignment=block, question=nearest, **options):
    """A ticket with one report per pair; layers behind a ReLU see non-negative inputs."""
    masks, reports = [], []
    for i, layer in enumerate(target.layers):
        first, second, report = prune_pair(
            layer,
            source,
            i,
            question,
            TOLERANCE,
            nonnegative=nonnegative or i > 0,
            assignment=assignment,
            **options,
        )
        masks += [first, second]
        reports.append(report)
    return Ticket(source, tuple(masks)), reports


def effective(layers, x):
    """(W + E+) x^+ - (W + E-) x^- + b + e through all layers."""
    for i, layer in enumerate(layers):
        x = np.maximum(x, 0) if i else x
        plus, minus = layer.target.matrix + layer.plus, layer.target.matrix + layer.minus
        x = np.maximum(x, 0) @ plus.T - np.maximum(-x, 0) @ minus.T + layer.target.shift + layer.shift
    return x


def slow_collapse(target, ticket):
    """E+, E- and e by Python integers, term by term from the raw random stream."""
    source = ticket.source
    for pair, layer in enumerate(target.layers):
        u, v = (weights(source.seed, source.trial, 2 * pair + k, source.shapes[2 * pair + k]) for k in (0, 1))
        keeps_u, keeps_v = ticket.masks[2 * pair], ticket.masks[2 * pair + 1]
        sums = [[[0, 0] for _ in range(u.shape[1])] for _ in range(layer.outputs)]
        for o in range(layer.outputs):
            for h in range(u.shape[0]):
                for j in range(u.shape[1]):
                    if keeps_u[h, j] and keeps_v[o, h]:
                        sums[o][j][int(u[h, j] < 0)] += int(u[h, j]) * int(v[o, h])
        inputs, w = layer.inputs, layer.weight.tolist()
        yield (
            [[sums[o][j][0] - w[o][j] for j in range(inputs)] for o in range(layer.outputs)],
            [[sums[o][j][1] - w[o][j] for j in range(inputs)] for o in range(layer.outputs)],
            [
                (sums[o][inputs][0] if u.shape[1] > inputs else 0) - (0 if layer.bias is None else int(layer.bias[o]))
                for o in range(layer.outputs)
            ],
        )


def one_input_each(source, seed):
    """Random masks whose hidden units keep at most one incoming weight."""
    rng = np.random.default_rng(seed)
    masks = list(random_ticket(source, seed).masks)
    for i in range(0, len(masks), 2):
        chosen = rng.integers(-1, masks[i].shape[1], len(masks[i]))
        masks[i] = chosen[:, None] == np.arange(masks[i].shape[1])
    return Ticket(source, tuple(masks))


NETWORKS = [((1, 1), False), ((1, 1), True), ((3, 4, 2), False), ((3, 1, 4, 2), True), ((5, 3), True)]


@pytest.mark.parametrize("assignment", [block, adaptive])
@pytest.mark.parametrize("nonnegative", [False, True])
@pytest.mark.parametrize(("widths", "biased"), NETWORKS)
def test_the_pruned_module_computes_the_effective_layers(widths, biased, nonnegative, assignment):
    target = random_target(widths, biased)
    ticket, _ = pruned(target, source_for(target, 12), nonnegative, assignment)
    x = np.random.default_rng(1).normal(size=(50, widths[0]))
    expected = effective(collapse(target, ticket), x)  # holds for inputs of any sign, whatever was promised
    found = to_module(ticket)(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("assignment", [block, adaptive])
@pytest.mark.parametrize(("widths", "biased"), NETWORKS)
def test_many_candidates_bring_the_ticket_close_to_the_target(widths, biased, assignment):
    target = random_target(widths, biased)
    ticket, reports = pruned(target, source_for(target, 60), False, assignment, any_or_nearest)
    assert [report.failed for report in reports] == [0] * target.depth
    for layer in collapse(target, ticket)[:1]:
        assert max(np.abs(layer.positive).max(), np.abs(layer.negative).max(), np.abs(layer.bias).max()) <= TOLERANCE
    x = torch.randn(20, widths[0], dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(to_module(ticket)(x), target(x), rtol=0, atol=0.2)


@pytest.mark.parametrize("biased_source", [False, True])
@pytest.mark.parametrize(("widths", "biased"), NETWORKS)
def test_collapse_equals_the_slow_sums_of_any_masks(widths, biased, biased_source):
    target = random_target(widths, biased)
    flags = tuple(biased or biased_source for _ in target.layers)
    ticket = one_input_each(source_for(target, 5, seed=2**64 - 1, biased=flags), 4)
    for layer, (positive, negative, bias) in zip(collapse(target, ticket), slow_collapse(target, ticket), strict=True):
        assert layer.positive.tolist() == positive
        assert layer.negative.tolist() == negative
        assert layer.bias.tolist() == bias


def test_collapse_of_empty_masks_is_minus_the_target():
    target = random_target((3, 4, 2), True)
    ticket = random_ticket(source_for(target, 2), 0, density=0.0)
    for layer in collapse(target, ticket):
        assert np.array_equal(layer.positive, -layer.target.weight)
        assert np.array_equal(layer.negative, -layer.target.weight)
        assert np.array_equal(layer.bias, -layer.target.bias)


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("nonnegative", [False, True])
def test_there_is_one_instance_per_weight_and_sign_and_one_per_bias(biased, nonnegative):
    layer = random_target((5, 3), biased).layers[0]
    source = source_for(Target((layer,)), 10)
    solved = []
    first, second, report = prune_pair(
        layer, source, 0, nearest, TOLERANCE, nonnegative=nonnegative, advance=solved.append
    )
    assert report.count == sum(solved) == (1 if nonnegative else 2) * 5 * 3 + (3 if biased else 0)
    assert report.sizes == np.count_nonzero(second)
    assert first.sum(axis=1).max() <= 1


@pytest.mark.parametrize("assignment", [block, adaptive])
@pytest.mark.parametrize("nonnegative", [False, True])
def test_the_report_agrees_with_the_effective_errors(nonnegative, assignment):
    target = random_target((5, 3), True)
    ticket, (report,) = pruned(target, source_for(target, 8), nonnegative, assignment)
    (layer,) = collapse(target, ticket)
    errors = [layer.positive, layer.bias] + ([] if nonnegative else [layer.negative])
    missed = np.abs(np.concatenate([error.ravel() for error in errors]))
    assert len(missed) == report.count
    assert report.worst == missed.max()
    assert report.failed == np.count_nonzero(missed > TOLERANCE)
    assert 0 < report.failed < report.count
    assert report.fewest <= report.most <= 8


@pytest.mark.parametrize("assignment", [block, adaptive])
@pytest.mark.parametrize("nonnegative", [False, True])
def test_no_weight_is_kept_that_plays_no_part(nonnegative, assignment):
    target = random_target((4, 3, 2), True)
    ticket, _ = pruned(target, source_for(target, 9), nonnegative, assignment, sparsest_or_nearest)
    for i in (0, 2):
        first, second = ticket.masks[i : i + 2]
        assert np.array_equal(first.any(axis=1), second.any(axis=0))
        kept = ticket.weights(i)
        assert (kept[:, target.layers[i // 2].inputs :] >= 0).all()  # a negative bias of a unit does nothing
        if nonnegative or i == 2:
            assert (kept >= 0).all()


def test_a_zero_weight_keeps_nothing():
    layer = Dense.from_floats([[0.0, 0.3], [0.0, -0.2]], [0.0, 0.0])
    first, second, report = prune_pair(
        layer, source_for(Target((layer,)), 30), 0, sparsest_or_nearest, 1 << 36, nonnegative=False
    )
    assert report.failed == 0
    assert not first[:, [0, 2]].any()
    assert not second[:, :30].any()
    assert not second[:, 60:].any()
    assert second[:, 30:60].any(axis=1).all()


def test_a_side_without_units_is_counted_as_it_is():
    layer = Dense.from_floats([[0.25]])
    source = source_for(Target((layer,)), 1)
    _, _, report = prune_pair(layer, source, 0, nearest, TOLERANCE, nonnegative=False)
    assert (report.count, report.fewest, report.most) == (2, 0, 1)
    assert report.worst >= 2**46


@pytest.mark.parametrize("assignment", [block, adaptive])
@pytest.mark.parametrize("question", [nearest, any_or_nearest])
def test_small_pieces_give_the_same_masks(assignment, question):
    target = random_target((4, 7, 3), True)
    source = source_for(target, 9)
    whole, reports = pruned(target, source, False, assignment, question)
    pieces, piecewise = pruned(target, source, False, assignment, question, max_bytes=1)
    assert all(np.array_equal(a, b) for a, b in zip(whole.masks, pieces.masks, strict=True))
    assert [vars(report) for report in reports] == [vars(report) for report in piecewise]


def test_every_subset_is_what_the_question_answers_alone():
    layer = random_target((3, 4), True).layers[0]
    source = source_for(Target((layer,)), 11)
    _, second, _ = prune_pair(layer, source, 0, any_or_nearest, TOLERANCE, nonnegative=False)
    u, v = (weights(source.seed, source.trial, i, source.shapes[i]) for i in (0, 1))
    for o in range(4):
        for j in range(4):
            units = np.arange(11 * j, 11 * j + 11)
            for sign in (1, -1) if j < 3 else (1,):
                own = units[np.sign(u[units, j]) == sign]
                problem = SubsetSums((u[own, j] * v[o, own])[None], layer.channels[o, j : j + 1])
                assert np.array_equal(any_or_nearest(problem, TOLERANCE).chosen[0], second[o, own])


def test_further_outputs_change_nothing_for_the_first_ones():
    layer = random_target((4, 6), False).layers[0]
    some = Dense(layer.weight[:2])
    source, smaller = source_for(Target((layer,)), 10), source_for(Target((some,)), 10)
    for assignment in (block, adaptive):
        _, all_rows, _ = prune_pair(layer, source, 0, nearest, 0, nonnegative=False, assignment=assignment)
        _, two_rows, _ = prune_pair(some, smaller, 0, nearest, 0, nonnegative=False, assignment=assignment)
        assert np.array_equal(all_rows[:2], two_rows)


def test_the_smaller_error_of_the_nearest_subset_needs_the_right_candidates():
    target = random_target((6, 5), False)
    by_block, _ = pruned(target, source_for(target, 20), True, block)
    by_signs, _ = pruned(target, source_for(target, 20), True, adaptive)
    error = [np.median(np.abs(collapse(target, ticket)[0].positive)) for ticket in (by_block, by_signs)]
    assert error[1] < error[0] / 20  # 20 candidates against about 10: theory says about 2^10 / sqrt(2)


def test_a_one_signed_law_leaves_the_other_side_empty():
    layer = Dense.from_floats([[0.3, 0.2]])
    source = source_for(Target((layer,)), 6, law=Uniform(0.0, 1.0))
    for assignment in (block, adaptive):
        _, _, report = prune_pair(layer, source, 0, nearest, TOLERANCE, nonnegative=False, assignment=assignment)
        assert (report.count, report.fewest) == (4, 0)
        assert report.worst == layer.weight.max()


def test_targets_that_do_not_fit_the_source_are_refused():
    target = random_target((3, 4, 2), False)
    source = source_for(target, 5)
    check_fit(target, source)
    ticket = one_input_each(source, 0)
    for other in (random_target((3, 4, 3), False), random_target((3, 4), False)):
        with pytest.raises(ValueError, match="make the source for this target"):
            collapse(other, ticket)
    with pytest.raises(ValueError, match="layer 1 of the target has biases"):
        collapse(random_target((3, 4, 2), True), ticket)


def test_a_unit_with_several_incoming_weights_is_refused():
    target = random_target((3, 4, 2), False)
    ticket = one_input_each(source_for(target, 5), 0)
    ticket.masks[2][7, :2] = True
    with pytest.raises(ValueError, match=r"hidden unit 7 of pair 2 keeps [23] incoming"):
        collapse(target, ticket)


def test_a_unit_with_exactly_two_incoming_weights_is_refused():
    source = source_for(random_target((3, 4), False), 5)
    masks = tuple(np.zeros(shape, dtype=bool) for shape in source.shapes)
    masks[0][7, :2] = True
    with pytest.raises(ValueError, match="hidden unit 7 of pair 1 keeps 2 incoming"):
        collapse(random_target((3, 4), False), Ticket(source, masks))


@pytest.mark.parametrize("max_bytes", [8, 40, 200])
def test_collapse_does_not_depend_on_how_the_matrices_are_cut(monkeypatch, max_bytes):
    target = random_target((3, 4, 2), True)
    ticket = one_input_each(source_for(target, 5), 6)
    whole, chunks = collapse(target, ticket), Source.chunks
    monkeypatch.setattr(Source, "chunks", lambda self, matrix: chunks(self, matrix, max_bytes))
    for layer, again in zip(whole, collapse(target, ticket), strict=True):
        for part in ("positive", "negative", "bias"):
            assert np.array_equal(getattr(layer, part), getattr(again, part))


def test_collapse_of_fewer_hidden_units_than_inputs_equals_the_slow_sums():
    target = random_target((3, 4), False)
    ticket = one_input_each(Source(0, (3, 2, 4), trial=3), 7)
    (layer,), ((positive, negative, _),) = collapse(target, ticket), slow_collapse(target, ticket)
    assert layer.positive.tolist() == positive
    assert layer.negative.tolist() == negative


def test_the_smallest_weights_count_with_their_sign():
    class Smallest:
        def weights(self, bits):
            return np.array([-1, 1])

    ticket = Ticket(
        Source(0, (1, 2, 1), law=Smallest()), (np.ones((2, 1), dtype=bool), np.array([[True, False]]))
    )  # the first unit alone: u = -1, v = -1
    (layer,) = collapse(Target((Dense.from_floats([[0.0]]),)), ticket)
    assert (layer.positive.item(), layer.negative.item()) == (0, 1)


def test_an_input_whose_units_are_all_negative_counts():
    class Negative:
        def weights(self, bits):
            return np.full(len(bits), -3)

    ones = np.ones((2, 1), dtype=bool)
    (layer,) = collapse(
        Target((Dense.from_floats([[0.0]]),)), Ticket(Source(0, (1, 2, 1), law=Negative()), (ones, ones.T))
    )
    assert (layer.positive.item(), layer.negative.item()) == (0, 18)


def test_more_products_than_int64_can_add_are_refused():
    target = Target.from_floats([[[0.5]]])
    source = source_for(target, 1 << 14, law=Uniform(0.0, 1.0))
    with pytest.raises(ValueError, match="beyond exact int64"):
        collapse(target, Ticket(source, (np.ones((1 << 14, 1), dtype=bool), np.ones((1, 1 << 14), dtype=bool))))


@pytest.mark.parametrize(
    ("widths", "biased"),
    [((3, 16, 2), True), ((3, 15, 3), True), ((3, 16, 2), False), ((4, 16, 2), False), ((4, 16, 2), True)],
)
def test_a_source_that_does_not_fit_the_layer_is_refused(widths, biased):
    layer = Dense.from_floats(np.full((2, 3), 0.1), np.zeros(2))
    if widths == (3, 16, 2) and biased:
        prune_pair(layer, Source(0, widths, (True, False)), 0, nearest, 0, nonnegative=True)
        return
    with pytest.raises(ValueError, match="does not fit"):
        prune_pair(layer, Source(0, widths, (biased, False)), 0, nearest, 0, nonnegative=True)


def test_a_residual_of_exactly_the_tolerance_is_no_failure():
    layer = Dense.from_floats([[0.3]])
    source = source_for(Target((layer,)), 9)
    worst = prune_pair(layer, source, 0, nearest, 0, nonnegative=False)[2].worst
    failed = [prune_pair(layer, source, 0, nearest, t, nonnegative=False)[2].failed for t in (worst, worst - 1)]
    assert failed == [0, 1]


def test_answers_that_miss_are_kept_as_they_are_and_counted():
    layer = Dense.from_floats([[0.9]])
    source = source_for(Target((layer,)), 4)

    def nothing(problem, tolerance):
        return any_within(problem, 0)

    first, second, report = prune_pair(layer, source, 0, nothing, 5, nonnegative=False)
    assert (report.count, report.failed, report.sizes, report.worst) == (2, 2, 0, layer.weight.item())
    assert not first.any()
    assert not second.any()


def test_two_units_realise_one_weight_for_both_signs():
    # u = (1/2, -1/2), v = (1, -1) on the grid of odd integers: both products are a half up to 2^-23
    class Fixed:
        low, high = -1.0, 1.0

        def weights(self, bits):
            half, one = 2**23 + 1, 2**24 - 1
            return np.array([half, -half] if len(bits) == 2 and self.first() else [one, -one])

        calls = 0

        def first(self):
            Fixed.calls += 1
            return Fixed.calls == 1

    source = Source(0, (1, 2, 1), law=Fixed())
    ticket = Ticket(source, (np.ones((2, 1), dtype=bool), np.ones((1, 2), dtype=bool)))
    layer = collapse(Target((Dense.from_floats([[0.5]]),)), ticket)[0]
    assert abs(layer.plus.item()) < 2**-23
    assert layer.positive.item() == layer.negative.item()


def test_biases_of_a_second_matrix_are_refused_as_no_weight_of_the_target_stands_for_them():
    target = Target((Dense.from_floats([[0.5]]),))
    source = Source(0, (1, 4, 1), (False, True))
    with pytest.raises(ValueError, match="only the first matrix of a pair"):
        check_fit(target, source)
    twice = Target((Dense.from_floats([[0.5]]), Dense.from_floats([[0.5]])))
    with pytest.raises(ValueError, match="only the first matrix of a pair"):
        check_fit(twice, Source(0, (1, 4, 1, 4, 1), (False, False, False, True)))
