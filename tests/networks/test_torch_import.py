import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune, weight_norm

from slth.networks.torch_import import from_torch

INPUTS = torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def same(module, target, rtol=1e-12):
    with torch.no_grad():
        expected = module.double()(INPUTS.reshape(6, 2, 2) if isinstance(module[0], nn.Flatten) else INPUTS)
    torch.testing.assert_close(target(INPUTS), expected, rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [False, True])
def test_a_chain_computes_what_the_module_computes(dtype, bias):
    module = nn.Sequential(nn.Linear(4, 5, bias=bias), nn.ReLU(), nn.Linear(5, 3, bias=bias)).to(dtype)
    target = from_torch(module)
    assert [layer.bias is not None for layer in target.layers] == [bias, bias]
    assert target.rounding <= 2.0**-49
    same(module, target)


def test_flatten_identity_and_nesting_are_accepted():
    inner = nn.Sequential(nn.Linear(4, 5), nn.Identity(), nn.ReLU())
    module = nn.Sequential(nn.Flatten(), nn.Sequential(inner, nn.Linear(5, 5)), nn.ReLU(), nn.Linear(5, 2))
    same(module, from_torch(module))


def test_one_relu_object_may_stand_at_several_places():
    relu = nn.ReLU()
    module = nn.Sequential(nn.Linear(4, 5), relu, nn.Linear(5, 5), relu, nn.Linear(5, 2))
    assert from_torch(module).depth == 3
    same(module, from_torch(module))


def test_the_weights_may_be_frozen_and_are_not_shared():
    module = nn.Sequential(nn.Linear(4, 2)).requires_grad_(False)
    target = from_torch(module)
    before = target.layers[0].weight.copy()
    module[0].weight.zero_()
    assert np.array_equal(target.layers[0].weight, before)


def test_a_pruned_module_gives_mask_times_original_even_before_the_next_forward_pass():
    module = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    prune.random_unstructured(module[0], "weight", amount=0.5)
    prune.random_unstructured(module[0], "weight", amount=0.25)
    prune.random_unstructured(module[2], "bias", amount=1)
    with torch.no_grad():
        module[0].weight_orig.mul_(3.0)  # as an optimiser would: module[0].weight is now out of date
    target = from_torch(module)
    assert np.count_nonzero(target.layers[0].weight) == module[0].weight_mask.count_nonzero() <= 8
    same(module, target, rtol=1e-6)


class Scaled(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize(
    ("parts", "fault", "says"),
    [
        ([], ValueError, "no Linear"),
        ([nn.Identity()], ValueError, "no Linear"),
        ([nn.ReLU(), nn.Linear(4, 4)], ValueError, "position 0 is a ReLU without"),
        ([nn.Linear(4, 4), nn.ReLU()], ValueError, "last module is a ReLU"),
        ([nn.Linear(4, 4), nn.Linear(4, 4)], ValueError, "position 1 is a second Linear"),
        (
            [nn.Linear(4, 4), nn.ReLU(), nn.ReLU(), nn.Linear(4, 4)],
            ValueError,
            "position 2 is a ReLU without",
        ),
        ([nn.Linear(4, 3), nn.ReLU(), nn.Linear(4, 2)], ValueError, "do not chain"),
        ([nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)], TypeError, r"position 1 is Tanh\(\): keep only"),
        ([nn.Linear(4, 4), nn.LeakyReLU(), nn.Linear(4, 4)], TypeError, "position 1 is LeakyReLU"),
        ([nn.Linear(4, 4), nn.ReLU6(), nn.Linear(4, 4)], TypeError, "position 1 is ReLU6"),
        ([nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Linear(4, 4)], TypeError, "position 0 is Conv2d"),
        ([nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4)], TypeError, "BatchNorm1d.*fold it"),
        ([nn.Linear(4, 4), nn.Dropout(), nn.ReLU(), nn.Linear(4, 4)], TypeError, "Dropout.*remove it"),
        (
            [nn.Linear(4, 4), nn.Flatten(), nn.ReLU(), nn.Linear(4, 4)],
            TypeError,
            r"only nn.Flatten\(\) before",
        ),
        ([nn.Flatten(0), nn.Linear(4, 4)], TypeError, r"only nn.Flatten\(\) before"),
        ([Scaled(4, 4)], TypeError, r"position 0 is Scaled.*plain nn.Linear"),
        ([nn.Sequential(nn.Linear(4, 4), nn.GELU()), nn.Linear(4, 4)], TypeError, "position 0.1 is GELU"),
        ([nn.LazyLinear(4)], ValueError, "no values yet"),
        ([nn.Linear(4, 4, device="meta")], ValueError, "no values yet"),
        ([nn.Linear(4, 4, dtype=torch.complex64)], TypeError, "must be float16.*complex64"),
    ],
)
def test_other_modules_are_refused_with_position_and_remedy(parts, fault, says):
    with pytest.raises((ValueError, TypeError), match=says) as caught:
        from_torch(nn.Sequential(*parts))
    assert caught.type is fault


@pytest.mark.parametrize("module", [nn.Linear(2, 2), nn.ModuleList([nn.Linear(2, 2)]), None, "model.pt"])
def test_what_is_no_sequential_is_refused(module):
    with pytest.raises(TypeError, match="put the layers in a Sequential"):
        from_torch(module)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("wrap", [weight_norm, parametrizations.weight_norm, nn.utils.spectral_norm])
def test_weights_that_are_computed_are_refused(wrap):
    with pytest.raises(TypeError, match="position 0 computes its weight from"):
        from_torch(nn.Sequential(wrap(nn.Linear(4, 4))))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_bad_values_name_the_position(value):
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    with torch.no_grad():
        module[2].weight[1, 1] = value
    with pytest.raises(ValueError, match="the weight of the Linear at position 2 must"):
        from_torch(module)
