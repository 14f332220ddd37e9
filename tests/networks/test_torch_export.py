import copy

import numpy as np
import pytest
import torch
from drawn import random_ticket, weights
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.utils import prune

from slth.networks.source import Source
from slth.networks.torch_export import _floats, from_module, to_module

SOURCE = Source(seed=2**64 - 1, widths=(3, 11, 2, 5, 4), biased=(True, False, False, False), trial=9)
TICKET = random_ticket(SOURCE, 0)
INPUTS = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def linears(module):
    return [part for part in module if isinstance(part, nn.Linear)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_exported_weights_are_mask_times_the_seed_bit_for_bit(dtype):
    module = to_module(TICKET, dtype=dtype)
    assert [type(part) for part in module] == [nn.Linear, nn.ReLU] * 3 + [nn.Linear]
    for i, linear in enumerate(linears(module)):
        drawn = np.ldexp(weights(2**64 - 1, 9, i, SOURCE.shapes[i]).astype(float), -24)
        columns = linear.in_features
        assert linear.weight_orig.dtype == linear.weight_mask.dtype == dtype
        assert np.array_equal(linear.weight_orig.double().numpy(), drawn[:, :columns])
        assert np.array_equal(linear.weight_mask.numpy(), TICKET.masks[i][:, :columns])
        assert np.array_equal(linear.weight.double().numpy(), (TICKET.masks[i] * drawn)[:, :columns])
        if i == 0:
            assert np.array_equal(linear.bias_orig.double().numpy(), drawn[:, columns])
            assert np.array_equal(linear.bias.double().numpy(), (TICKET.masks[i] * drawn)[:, columns])
        else:
            assert linear.bias is None


def test_the_module_is_frozen_in_eval_mode_and_draws_nothing():
    torch.manual_seed(5)
    state = torch.get_rng_state()
    module = to_module(TICKET)
    assert torch.equal(torch.get_rng_state(), state)
    assert not module.training
    assert not any(tensor.requires_grad for tensor in module.parameters())
    assert set(module.state_dict()) == {
        *(f"{i}.weight_{part}" for i in (0, 2, 4, 6) for part in ("orig", "mask")),
        "0.bias_orig",
        "0.bias_mask",
    }


def test_the_module_computes_the_pruned_network():
    h = INPUTS.numpy()
    for i, mask in enumerate(TICKET.masks):
        pruned = np.ldexp((mask * weights(2**64 - 1, 9, i, mask.shape)).astype(float), -24)
        h = np.column_stack([h, np.ones(len(h))]) @ pruned.T if i == 0 else h @ pruned.T
        h = np.maximum(h, 0) if i < 3 else h
    np.testing.assert_allclose(to_module(TICKET)(INPUTS).numpy(), h, rtol=1e-13, atol=1e-15)


def test_tickets_are_positively_homogeneous_without_biases():
    module = to_module(random_ticket(Source(1, (3, 6, 2)), 1))
    assert torch.equal(module(4 * INPUTS), 4 * module(INPUTS))


def test_copy_save_load_and_export_keep_the_function(tmp_path):
    module = to_module(TICKET)
    expected = module(INPUTS)
    assert torch.equal(copy.deepcopy(module)(INPUTS), expected)
    save_file(module.state_dict(), tmp_path / "t.safetensors")
    other = to_module(random_ticket(Source(5, SOURCE.widths, SOURCE.biased), 3))
    other.load_state_dict(load_file(tmp_path / "t.safetensors"))
    assert torch.equal(other(INPUTS), expected)
    assert all(np.array_equal(a, b) for a, b in zip(from_module(other, SOURCE).masks, TICKET.masks, strict=True))


@pytest.mark.filterwarnings("ignore")
def test_torch_export_takes_the_module():
    module = to_module(TICKET)
    assert torch.equal(torch.export.export(module, (INPUTS,)).module()(INPUTS), module(INPUTS))


def test_removing_the_pruning_leaves_plain_linears():
    module = to_module(TICKET)
    expected = module(INPUTS)
    for linear in linears(module):
        prune.remove(linear, "weight")
    prune.remove(module[0], "bias")
    assert torch.equal(module(INPUTS), expected)
    with pytest.raises(ValueError, match="pruned by masks alone"):
        from_module(module, SOURCE)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.int32])
def test_dtypes_that_would_round_are_refused(dtype):
    with pytest.raises(ValueError, match="24 bits"):
        to_module(TICKET, dtype=dtype)


def test_a_weight_that_float32_would_round_is_refused():
    rows = np.array([[2**24 + 1]])
    assert _floats(rows, np.dtype(np.float64)) == 1 + 2.0**-24
    with pytest.raises(ValueError, match="more than 24 bits"):
        _floats(rows, np.dtype(np.float32))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_audit_returns_the_ticket(dtype):
    found = from_module(to_module(TICKET, dtype=dtype), SOURCE)
    assert found.source == SOURCE
    assert all(np.array_equal(a, b) for a, b in zip(found.masks, TICKET.masks, strict=True))


def _last_bit(module):
    module[2].weight_orig[1, 10] = torch.nextafter(module[2].weight_orig[1, 10], torch.tensor(2.0).double())


def _pruned_weight(module):
    i, j = np.argwhere(~TICKET.masks[2])[0]
    module[4].weight_orig[i, j] = 0.0


def _bias(module):
    module[0].bias_orig[3] = -module[0].bias_orig[3]


def _nan(module):
    module[6].weight_orig[0, 0] = float("nan")


def _scaling_mask(module):
    module[2].weight_mask[0, 0] = 0.5


def _nan_mask(module):
    module[0].bias_mask[0] = float("nan")


def _extra_bias(module):
    module[2].bias = nn.Parameter(torch.ones(2).double())


def _extra_hook(module):
    module[2].register_forward_pre_hook(lambda part, args: (2 * args[0],))


def _lost_hook(module):
    module[2]._forward_pre_hooks.clear()


def _other_activation(module):
    module[1] = nn.Tanh()


def _exchanged(module):
    module[2], module[6] = module[6], module[2]


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (_last_bit, "row 1 of the Linear at position 2 differs"),
        (_pruned_weight, "position 4 differs"),
        (_bias, "row 3 of the Linear at position 0 differs"),
        (_nan, "row 0 of the Linear at position 6 differs"),
        (_scaling_mask, "masks of the Linear at position 2 must be 0 or 1"),
        (_nan_mask, "masks of the Linear at position 0 must be 0 or 1"),
        (_extra_bias, "pruned by masks alone"),
        (_extra_hook, "pruned by masks alone"),
        (_lost_hook, "pruned by masks alone"),
        (_other_activation, "with a ReLU between"),
        (_exchanged, "matrix 1 of the source is"),
    ],
)
def test_the_audit_finds_every_change(fault, says):
    module = to_module(TICKET)
    with torch.no_grad():
        fault(module)
    with pytest.raises(ValueError, match=says):
        from_module(module, SOURCE)


@pytest.mark.parametrize(
    "source",
    [
        Source(2**64 - 2, SOURCE.widths, SOURCE.biased, trial=9),
        Source(2**64 - 1, SOURCE.widths, SOURCE.biased, trial=8),
        Source(2**64 - 1, SOURCE.widths, trial=9),
        Source(2**64 - 1, SOURCE.widths[:3], (True, False), trial=9),
        Source(2**64 - 1, (3, 11, 2, 5, 3), SOURCE.biased, trial=9),
    ],
)
def test_the_audit_refuses_another_source(source):
    with pytest.raises(ValueError):
        from_module(to_module(TICKET), source)


def test_the_audit_refuses_what_is_no_sequential():
    with pytest.raises(ValueError, match="got Linear of"):
        from_module(nn.Linear(2, 2), SOURCE)
