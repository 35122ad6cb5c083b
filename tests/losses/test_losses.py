import importlib
import inspect
import math
import pkgutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

import msl.losses
from msl.config import instantiate
from msl.files import embedded
from msl.losses.adversarial import adversarial
from msl.losses.correlation import correlation
from msl.losses.reconstruction import branch_reconstruction, reconstruction
from msl.losses.semantic import discriminative, softmax_term

PAIRS, CODE, SIZE_A, SIZE_B, CLASSES = 6, 4, 5, 3, 4
WIDTHS = {
    "code_a": (CODE,), "code_b": (CODE,), "a": (SIZE_A,), "b": (SIZE_B,), "embedding": (CODE,),
    "rebuilt_a": (SIZE_A,), "a_from_a": (SIZE_A,), "a_from_b": (SIZE_A,),
    "rebuilt_b": (SIZE_B,), "b_from_a": (SIZE_B,), "b_from_b": (SIZE_B,),
    "modality_logits_a": (), "modality_logits_b": (),
    "class_logits": (CLASSES,), "class_logits_a": (CLASSES,), "class_logits_b": (CLASSES,),
    "means": (3, CODE), "log_variances": (3, CODE), "specific_means": (2, CODE), "specific_log_variances": (2, CODE),
    "fused_mean": (CODE,), "fused_log_variance": (CODE,), "fused_logits": (CLASSES,), "errors": (3, 3),
    "a_from_fused": (SIZE_A,), "b_from_fused": (SIZE_B,),
    "semantic": (CODE,), "embedding_from_a": (CODE,), "embedding_from_b": (CODE,), "embedding_from_semantic": (CODE,),
    "true_logits_a": (), "made_logits_a": (), "true_logits_b": (), "made_logits_b": (),
    "embedding_logits_a": (), "own_logits_a": (), "other_logits_a": (), "guide": (CODE,),
    "embedding_logits_b": (), "own_logits_b": (), "other_logits_b": (),
}  # fmt: skip
"""Shape per pair of every tensor a loss can ask for by name."""

OF_THE_BATCH = {"class_embeddings": (CLASSES, CODE), "scale": (), "bias": ()}
"""Shape of the tensors that have no row per pair."""

PAPERS = (correlation, branch_reconstruction, reconstruction, adversarial, softmax_term, discriminative)


def public_losses():
    """Every function of `msl.losses` that returns a tensor: a new file is found without being named here."""
    modules = [importlib.import_module(f"msl.losses.{each.name}") for each in pkgutil.iter_modules(msl.losses.__path__)]
    return [
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and inspect.signature(function).return_annotation is torch.Tensor
    ]


def wanted(loss):
    """Names of the tensors a loss asks for."""
    return [p.name for p in inspect.signature(loss).parameters.values() if p.default is p.empty]


def configured(function):
    """The loss with the numbers its YAML gives it, if it has one of its own: what is left to give are tensors."""
    file = embedded("conf") / "loss" / f"{function.__name__}.yaml"
    return instantiate(OmegaConf.load(file)).loss if file.is_file() else function


def name_of(loss):
    return getattr(loss, "func", loss).__name__


LOSSES = [configured(function) for function in public_losses()]
EVERY = pytest.mark.parametrize("loss", LOSSES, ids=name_of)
LABELLED = pytest.mark.parametrize("loss", [loss for loss in LOSSES if "label" in wanted(loss)], ids=name_of)
OF_THE_PAPER = pytest.mark.parametrize("loss", PAPERS, ids=lambda loss: loss.__name__)


def tensor(name, seed, pairs=PAIRS):
    source = torch.Generator().manual_seed(1000 * seed + sum(map(ord, name)))
    if name == "label":
        return torch.randint(CLASSES, (pairs,), generator=source)
    shape = OF_THE_BATCH[name] if name in OF_THE_BATCH else (pairs, *WIDTHS[name])
    return torch.randn(shape, dtype=torch.float64, generator=source)


def arguments(loss, seed=0):
    return {name: tensor(name, seed) for name in wanted(loss)}


def reordered(given_, order):
    return {name: values if name in OF_THE_BATCH else values[list(order)] for name, values in given_.items()}


def squared(x, y):
    return sum((one - other) ** 2 for one, other in zip(x, y, strict=True))


def log_sigmoid(x):
    return -math.log(1 + math.exp(-x))


def log_softmax(logits, y):
    return math.log(math.exp(logits[y]) / sum(math.exp(logit) for logit in logits))


def naive_correlation(code_a, code_b):
    return squared(code_a, code_b)


def naive_branch(a, b, rebuilt_a, rebuilt_b):
    return squared(a, rebuilt_a) + squared(b, rebuilt_b)


def naive_reconstruction(a, b, a_from_a, b_from_a, a_from_b, b_from_b):
    image_branch = squared(a, a_from_a) + squared(b, b_from_a)
    text_branch = squared(a, a_from_b) + squared(b, b_from_b)
    return image_branch + text_branch


def naive_adversarial(modality_logits_a, modality_logits_b):
    def f_cross(x, p):
        return p * log_sigmoid(x) + (1 - p) * log_sigmoid(-x)  # 1 - sigmoid(x) = sigmoid(-x)

    return -(f_cross(modality_logits_a, 1) + f_cross(modality_logits_b, 0)) / 2


def naive_softmax(class_logits, label):
    return -sum((label == k) * log_softmax(class_logits, k) for k in range(CLASSES))


def naive_discriminative(class_logits_a, class_logits_b, label):
    return naive_softmax(class_logits_a, label) + naive_softmax(class_logits_b, label)


@pytest.mark.parametrize(
    ("loss", "naive"),
    [
        pytest.param(correlation, naive_correlation, marks=pytest.mark.equation(1)),
        pytest.param(reconstruction, naive_reconstruction, marks=pytest.mark.equation(2)),
        pytest.param(branch_reconstruction, naive_branch, marks=pytest.mark.equation(3)),
        pytest.param(adversarial, naive_adversarial, marks=pytest.mark.equation(4)),
        pytest.param(discriminative, naive_discriminative, marks=pytest.mark.equation(5)),
        pytest.param(softmax_term, naive_softmax, marks=pytest.mark.equation(6)),
    ],
)
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_loss_is_the_formula_written_as_a_loop(loss, naive, seed):
    given_ = arguments(loss, seed)
    expected = [naive(**{name: values[i].tolist() for name, values in given_.items()}) for i in range(PAIRS)]
    assert loss(**given_).tolist() == pytest.approx(expected, abs=1e-12, rel=1e-12)


@EVERY
def test_loss_gives_one_value_per_pair(loss):
    values = loss(**arguments(loss))
    assert values.shape == (PAIRS,)
    assert values.dtype == torch.float64
    assert values.isfinite().all()


@EVERY
def test_gradient_of_the_loss_is_that_of_finite_differences(loss):
    given_ = arguments(loss)
    real = {name: values.requires_grad_() for name, values in given_.items() if values.is_floating_point()}
    whole = {name: values for name, values in given_.items() if name not in real}
    assert torch.autograd.gradcheck(
        lambda *values: loss(**dict(zip(real, values, strict=True)), **whole), tuple(real.values())
    )


@EVERY
@given(order=st.permutations(range(PAIRS)), seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_permuting_the_pairs_permutes_the_values(loss, order, seed):
    given_ = arguments(loss, seed)
    permuted = loss(**reordered(given_, order))
    torch.testing.assert_close(permuted, loss(**given_)[list(order)], atol=1e-12, rtol=1e-12)


@LABELLED
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=10)
def test_a_class_is_a_distribution_with_all_weight_on_it(loss, seed):
    given_ = arguments(loss, seed)
    certain = torch.nn.functional.one_hot(given_["label"], CLASSES).double()
    torch.testing.assert_close(loss(**given_ | {"label": certain}), loss(**given_), atol=1e-12, rtol=1e-12)


@OF_THE_PAPER
def test_a_pairs_value_depends_on_no_other_pair(loss):
    given_ = arguments(loss)
    alone = torch.cat([loss(**{name: values[[i]] for name, values in given_.items()}) for i in range(PAIRS)])
    torch.testing.assert_close(alone, loss(**given_), atol=1e-12, rtol=1e-12)


@OF_THE_PAPER
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_the_papers_losses_are_never_negative(loss, seed):
    assert (loss(**arguments(loss, seed)) >= 0).all()


@pytest.mark.equation(1)
def test_equal_codes_cost_nothing():
    code = tensor("code_a", 0)
    assert torch.equal(correlation(code, code.clone()), torch.zeros(PAIRS, dtype=torch.float64))


@pytest.mark.equation(1)
def test_codes_three_and_four_apart_on_two_axes_cost_twenty_five():
    assert correlation(torch.tensor([[1.0, 1.0]]), torch.tensor([[4.0, -3.0]])).tolist() == [25]


@pytest.mark.equation(1)
def test_correlation_is_symmetric_in_the_modalities():
    a, b = tensor("code_a", 0), tensor("code_b", 0)
    assert torch.equal(correlation(a, b), correlation(b, a))


@pytest.mark.equation(2)
def test_perfect_reconstruction_costs_nothing():
    a, b = tensor("a", 0), tensor("b", 0)
    assert not reconstruction(a, b, a_from_a=a, b_from_a=b, a_from_b=a, b_from_b=b).any()


@pytest.mark.equation(2)
@pytest.mark.parametrize("broken", ["a_from_a", "b_from_a", "a_from_b", "b_from_b"])
def test_each_of_the_four_reconstructions_counts_once(broken):
    a, b = tensor("a", 0), tensor("b", 0)
    rebuilt = {"a_from_a": a, "b_from_a": b, "a_from_b": a, "b_from_b": b}
    rebuilt[broken] = rebuilt[broken] + 2.0
    width = SIZE_A if broken.startswith("a") else SIZE_B
    assert reconstruction(a, b, **rebuilt).tolist() == pytest.approx([4.0 * width] * PAIRS)


@pytest.mark.equation(2)
def test_reconstruction_is_symmetric_in_the_modalities():
    given_ = arguments(reconstruction)
    a, b, a_from_a, b_from_a, a_from_b, b_from_b = given_.values()
    swapped = reconstruction(a=b, b=a, a_from_a=b_from_b, b_from_a=a_from_b, a_from_b=b_from_a, b_from_b=a_from_a)
    torch.testing.assert_close(swapped, reconstruction(**given_), atol=1e-12, rtol=1e-12)


@pytest.mark.equation(3)
def test_a_branch_that_rebuilds_both_modalities_costs_nothing_and_one_that_rebuilds_the_mean_costs_the_variance():
    a, b = tensor("a", 0), tensor("b", 0)
    assert not branch_reconstruction(a, b, a, b).any()
    values = branch_reconstruction(a, b, a.mean(0).expand_as(a), b.mean(0).expand_as(b))
    variance = a.var(0, correction=0).sum() + b.var(0, correction=0).sum()
    torch.testing.assert_close(values.mean(), variance, atol=1e-12, rtol=1e-12)


@pytest.mark.equation(3)
def test_a_branch_is_symmetric_in_the_modalities():
    a, b, rebuilt_a, rebuilt_b = arguments(branch_reconstruction).values()
    torch.testing.assert_close(
        branch_reconstruction(b, a, rebuilt_b, rebuilt_a), branch_reconstruction(a, b, rebuilt_a, rebuilt_b)
    )


@pytest.mark.equation(4)
def test_a_blind_discriminator_costs_log_two():
    blind = torch.zeros(PAIRS, dtype=torch.float64)
    assert adversarial(blind, blind).tolist() == pytest.approx([math.log(2)] * PAIRS, abs=1e-15)


@pytest.mark.equation(4)
def test_no_constant_verdict_costs_less_than_log_two():
    for logit in (-3.0, -0.1, 0.1, 3.0):
        constant = torch.full((1,), logit, dtype=torch.float64)
        assert adversarial(constant, constant).item() > math.log(2)


@pytest.mark.equation(4)
def test_a_sure_discriminator_costs_nothing_when_right_and_its_logit_when_wrong():
    sure = torch.full((1,), 800.0, dtype=torch.float64)
    assert adversarial(sure, -sure).item() == 0
    assert adversarial(-sure, sure).item() == 800


@pytest.mark.equation(4)
def test_swapping_the_modalities_and_the_sign_of_the_verdict_changes_nothing():
    a, b = tensor("modality_logits_a", 0), tensor("modality_logits_b", 0)
    torch.testing.assert_close(adversarial(-b, -a), adversarial(a, b), atol=1e-12, rtol=1e-12)
    assert not torch.allclose(adversarial(b, a), adversarial(a, b))


@pytest.mark.equation(5)
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_uniform_classifier_costs_log_of_the_classes_for_each_modality(classes):
    logits, label = torch.full((3, classes), 0.7, dtype=torch.float64), torch.tensor([0, 1, classes - 1])
    assert discriminative(logits, logits, label).tolist() == pytest.approx([2 * math.log(classes)] * 3, abs=1e-14)


@pytest.mark.equation(5)
def test_discriminative_is_symmetric_in_the_modalities():
    a, b, label = arguments(discriminative).values()
    assert torch.equal(discriminative(a, b, label), discriminative(b, a, label))


@pytest.mark.equation(5)
@pytest.mark.equation(6)
@given(order=st.permutations(range(CLASSES)), seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_relabelling_the_classes_changes_nothing(order, seed):
    a, b, label = arguments(discriminative, seed).values()
    new_label = torch.tensor([order.index(y) for y in label.tolist()])  # class order[k] becomes class k
    torch.testing.assert_close(softmax_term(a[:, list(order)], new_label), softmax_term(a, label))
    torch.testing.assert_close(
        discriminative(a[:, list(order)], b[:, list(order)], new_label), discriminative(a, b, label)
    )


@pytest.mark.equation(6)
@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_uniform_softmax_costs_log_of_the_classes(classes):
    label = torch.arange(classes)
    values = softmax_term(torch.full((classes, classes), -1.3, dtype=torch.float64), label)
    assert values.tolist() == pytest.approx([math.log(classes)] * classes, abs=1e-14)


@pytest.mark.equation(6)
def test_only_the_differences_of_the_logits_count():
    logits, label = tensor("class_logits", 0), tensor("label", 0)
    torch.testing.assert_close(softmax_term(logits + 50, label), softmax_term(logits, label), atol=1e-12, rtol=1e-12)


@pytest.mark.equation(6)
def test_softmax_of_huge_logits_stays_finite():
    logits = torch.tensor([[1000.0, 0.0], [0.0, 1000.0]], dtype=torch.float64)
    assert softmax_term(logits, torch.tensor([0, 0])).tolist() == [0, 1000]
