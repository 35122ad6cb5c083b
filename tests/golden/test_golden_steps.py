"""Three training steps of MASLN from a fixed seed: every term's value, as stored in `masln_steps.json`.

Every number that conf/ gives is overridden here, so that tuning it changes nothing; a change of the mathematics does.
After a change that is meant: `python tests/golden/test_golden_steps.py` writes the file anew; look at its diff.
"""

import json
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from msl.commands.searching import build
from msl.commands.settings import sizes
from msl.config import composed, instantiate, resolved
from msl.data.folder import load
from msl.files import write_json
from msl.training.loaders import Batches
from msl.training.module import MethodModule

FILE = Path(__file__).parent / "masln_steps.json"
STEPS, BATCH, SEED = 3, 16, 7
TERMS = {"correlation": 0.7, "reconstruction": 0.3, "adversarial": 1.9, "discriminative": 1.1}
STACKS = {
    "encoder_a": {"hidden": [12], "activation": "relu", "dropout": 0.0},
    "encoder_b": {"hidden": [12], "activation": "relu", "dropout": 0.0},
    "decoders": {"hidden": [10], "activation": "relu", "dropout": 0.0, "shared": True},
    "discriminator": {"hidden": [6], "activation": "relu", "dropout": 0.0},
    "classifier": {"hidden": [], "activation": "relu", "dropout": 0.0},
}
PINNED = {
    "method": {
        "inputs_a": {"per": "feature", "squared_norm": 16.0},
        "inputs_b": {"per": "modality", "squared_norm": 16.0},
        **STACKS,
        "code": {"size": 8, "activation": "none"},
        "adversary": {"strength": 1.0, "gain": 10.0},
        "objective": {"terms": {name: {"weight": weight} for name, weight in TERMS.items()}},
    },
    "optimiser": {"lr": 0.01, "weight_decay": 0.01, "betas": [0.9, 0.999], "fused": True},
}


def leaves(values, path=""):
    """Values by dotted path, without `_target_`, `_partial_` and the method's name."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        elif not key.startswith("_") and key not in ("name", "search"):
            yield f"{path}{key}", value


def configured():
    overrides = [f"{path}={json.dumps(value)}" for path, value in leaves(PINNED)]
    return resolved(composed("train", ["method=masln", "optimiser=adamw", *overrides]))


def stepped(folder):
    """Terms, monitors and total at each step, in float64, by name."""
    from conftest import plant  # found by pytest, and by the script below

    data, values = load(path=str(plant(folder)), name="planted", test_share=0.2, seed=0), configured()
    torch.manual_seed(SEED)
    method = build(values["method"], sizes(data.pairs, data.classes), {}).double()
    method.prepare(data.pairs)
    batches = Batches(data.pairs, data.classes, size=BATCH, seed=SEED, epochs=1)
    module = MethodModule(method, batches, optimiser=instantiate(values["optimiser"]), seed=SEED)
    optimiser = module.configure_optimizers()
    rows = []
    for _, batch in zip(range(STEPS), batches, strict=False):
        optimiser.zero_grad()
        module.training_step(batch, batch.step).backward()
        optimiser.step()
        rows.append(module.means())
    return rows


def test_everything_that_conf_gives_is_pinned_here():
    values = configured()
    found = dict(leaves({group: values[group] for group in PINNED}))
    assert found == dict(leaves(PINNED)), "pin the new key in PINNED"


def test_every_term_has_its_stored_value_at_each_of_three_steps(tmp_path):
    stored = json.loads(FILE.read_text())
    rows = stepped(tmp_path)
    assert len(rows) == STEPS
    for row, wanted in zip(rows, stored, strict=True):
        assert row == pytest.approx(wanted, rel=1e-5)


def test_the_stored_totals_are_the_weighted_sums_of_the_stored_terms():
    for row in json.loads(FILE.read_text()):
        assert row["total"] == pytest.approx(sum(weight * row[name] for name, weight in TERMS.items()), rel=1e-12)


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[1]))
    with tempfile.TemporaryDirectory() as place:
        write_json(FILE, stepped(Path(place)))
    print(f"wrote {FILE.name}")
