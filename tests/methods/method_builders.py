"""A small MASLN, pairs whose modalities share a class signal, and batches of them."""

from functools import partial

import numpy as np
import torch

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.losses.adversarial import adversarial
from msl.losses.correlation import correlation
from msl.losses.objective import Objective, Term
from msl.losses.reconstruction import reconstruction
from msl.losses.semantic import discriminative
from msl.methods.adversary import Reversal
from msl.methods.masln import MASLN
from msl.methods.method import Batch, Sizes
from msl.nets.classifier import Classifier
from msl.nets.code import CodeLayer
from msl.nets.decoders import Decoders
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder
from msl.nets.standardise import Standardise

SIZES = Sizes(a=7, b=5, classes=4, embedding=3)
LOSSES = {
    "correlation": correlation,
    "reconstruction": reconstruction,
    "adversarial": adversarial,
    "discriminative": discriminative,
}
WEIGHTS = {"correlation": 0.7, "reconstruction": 0.3, "adversarial": 1.9, "discriminative": 1.1}


def masln(*, terms=WEIGHTS, adversary=None, dropout=0.0, size=6, seed=0, sizes=SIZES):
    torch.manual_seed(seed)
    stack = {"activation": "tanh", "dropout": dropout}
    return MASLN(
        sizes,
        inputs_a=partial(Standardise, per="feature", squared_norm=None),
        inputs_b=partial(Standardise, per="modality", squared_norm=3.0),
        encoder_a=partial(Encoder, hidden=[8], **stack),
        encoder_b=partial(Encoder, hidden=[8], **stack),
        code=partial(CodeLayer, size=size, activation="none"),
        decoders=partial(Decoders, hidden=[8], shared=True, **stack),
        discriminator=partial(Discriminator, hidden=[5], **stack),
        classifier=partial(Classifier, hidden=[], **stack),
        objective=Objective({name: Term(loss=LOSSES[name], weight=weight) for name, weight in terms.items()}),
        adversary=adversary or Reversal(strength=1.0, gain=10.0),
    )


def planted_pairs(*, items=5, sizes=SIZES, seed=0, noise=0.3):
    """`items` pairs of each class, in a random order, and the classes."""
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((sizes.classes, sizes.embedding))
    labels = rng.permutation(np.repeat(np.arange(sizes.classes), items))
    hidden = meaning[labels] + noise * rng.standard_normal((len(labels), sizes.embedding))
    a, b = (
        hidden @ rng.standard_normal((sizes.embedding, width)) + 0.1 * rng.standard_normal((len(labels), width)) + 1
        for width in (sizes.a, sizes.b)
    )
    ids = tuple(f"item {number}" for number in range(len(labels)))
    names = tuple(f"class {number}" for number in range(sizes.classes))
    pairs = Pairs(ids, Features(a.astype(np.float32)), Features(b.astype(np.float32)), labels.astype(np.int64))
    return pairs, Classes(names, meaning.astype(np.float32))


def batch_of(pairs, classes, *, step=0, progress=0.5, dtype=torch.float32):
    label = torch.from_numpy(pairs.labels)
    return Batch(
        a=torch.from_numpy(pairs.a[:]).to(dtype),
        b=torch.from_numpy(pairs.b[:]).to(dtype),
        label=label,
        embedding=torch.from_numpy(classes.vectors).to(dtype)[label],
        class_embeddings=torch.from_numpy(classes.vectors).to(dtype),
        step=step,
        progress=progress,
    )
