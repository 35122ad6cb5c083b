"""t-SNE of codes."""

import numpy as np
import pytest

from msl.report.run.code_space import tsne


def test_tsne_keeps_groups_together_whatever_their_length_and_repeats_itself():
    rng = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], 15)
    codes = (np.eye(3)[group] + 0.05 * rng.standard_normal((45, 3))) * rng.uniform(0.2, 5, (45, 1))
    places = tsne(codes, perplexity=10.0, seed=0)
    distances = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (group[distances.argmin(axis=1)] == group).all()
    assert np.array_equal(places, tsne(codes, perplexity=10.0, seed=0))


@pytest.mark.parametrize("codes", [np.ones((6, 3)), np.zeros((5, 4)), np.ones((4, 1)), np.eye(2)], ids=str)
def test_tsne_places_codes_that_hardly_differ(codes):
    places = tsne(codes, perplexity=30.0, seed=0)
    assert places.shape == (len(codes), 2)
    assert np.isfinite(places).all()
