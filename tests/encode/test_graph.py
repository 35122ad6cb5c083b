import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msl.encode.graph import Graph, read_graph
from msl.types import InputError

EDGES = [
    ("dog", "mammal"), ("cat", "mammal"), ("mammal", "animal"), ("trout", "animal"), ("animal", "thing"),
    ("car", "vehicle"), ("bus", "vehicle"), ("vehicle", "thing"),
]  # fmt: skip


def cosines(graph, names, size=99):
    vectors = graph.vectors([[graph.rows[name]] for name in names], size=size).astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1)
    return vectors @ vectors.T / np.outer(lengths, lengths)


def naive(edges, names):
    """Cosines by the formula: the information of common ancestors over the root of the product of each one's own."""
    nodes = {node for edge in edges for node in edge}
    above = {node: {node} for node in nodes}
    for _ in nodes:
        for child, parent in edges:
            above[child] |= above[parent]
    below = {node: sum(node in above[other] for other in nodes) for node in nodes}
    content = {node: 1 - np.log(below[node]) / np.log(1 + len(nodes)) for node in nodes}
    carried = [[sum(content[node] for node in above[a] & above[b]) for b in names] for a in names]
    own = np.sqrt(np.diag(carried))
    return np.array(carried) / np.outer(own, own)


def test_cosines_are_those_of_the_formula():
    names = ["dog", "cat", "trout", "car", "animal", "thing"]
    np.testing.assert_allclose(cosines(Graph.of_edges(EDGES), names), naive(EDGES, names), atol=1e-6)


NODES = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(NODES, NODES), min_size=1, max_size=14))
def test_any_graph_with_cycles_loops_and_islands_gives_finite_vectors_of_the_formula(edges):
    names = sorted({node for edge in edges for node in edge})
    graph = Graph.of_edges(edges)
    vectors = graph.vectors([[graph.rows[name]] for name in names], size=99)
    assert vectors.dtype == np.float32
    assert vectors.shape[0] == len(names) >= vectors.shape[1]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(cosines(graph, names), naive(edges, names), atol=1e-5)


def test_kin_are_nearer_and_a_class_apart_is_at_right_angles():
    graph = Graph.of_edges([*EDGES, ("ghost", "spirit")])
    dog = cosines(graph, ["dog", "cat", "trout", "car", "ghost"])[0]
    assert dog[1] > dog[2] > dog[3] > dog[4]
    assert dog[4] == pytest.approx(0, abs=1e-6)


def test_order_of_the_edges_changes_no_cosine_and_the_same_edges_give_the_same_vectors():
    names = ["dog", "cat", "car", "bus"]
    forth, back = Graph.of_edges(EDGES), Graph.of_edges(EDGES[::-1])
    np.testing.assert_allclose(cosines(forth, names), cosines(back, names), atol=1e-6)
    rows = [[forth.rows[name]] for name in names]
    np.testing.assert_array_equal(forth.vectors(rows, size=3), Graph.of_edges(EDGES).vectors(rows, size=3))


def test_size_keeps_the_strongest_axes():
    graph = Graph.of_edges(EDGES)
    rows = [[graph.rows[name]] for name in ("dog", "cat", "trout", "car", "bus")]
    whole, two = graph.vectors(rows, size=99), graph.vectors(rows, size=2)
    assert whole.shape == (5, 5)
    np.testing.assert_array_equal(two, whole[:, :2])
    strengths = np.linalg.norm(whole, axis=0)
    assert (np.diff(strengths) <= 0).all()


def test_a_name_of_two_nodes_lies_between_them():
    graph = Graph.of_edges(EDGES)
    rows = [[graph.rows["dog"]], [graph.rows["car"]], [graph.rows["dog"], graph.rows["car"]]]
    dog, car, both = graph.vectors(rows, size=9)
    assert both @ dog == pytest.approx(both @ car)
    assert both @ dog > dog @ car


@pytest.mark.parametrize("separator", ["\t", ",", ", "])
def test_edges_are_read_from_a_file(tmp_path, separator):
    lines = "".join(f"{child}{separator}{parent}\n" for child, parent in EDGES)
    (tmp_path / "edges").write_text(f"\ufeff# kinds\n\n{lines}", encoding="utf-8")
    assert read_graph(tmp_path / "edges").words == Graph.of_edges(EDGES).words


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no edge"),
        (b"# nothing\n\n", "has no edge"),
        (b"dog,mammal\ncat\n", "line 2: wanted child, a tab or a comma, parent, but got 'cat'"),
        (b"dog,is,mammal\n", "line 1: wanted child"),
        (b"dog,\n", "line 1: wanted child"),
        (b"\xff\xfe", "cannot read the graph"),
        (None, "No such file"),
    ],
)  # fmt: skip
def test_bad_edge_lists_are_named(tmp_path, content, message):
    path = tmp_path / "edges.tsv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_graph(path)
    assert str(path) in str(caught.value)


@pytest.fixture(scope="module")
def wordnet():
    return Graph.wordnet()


def test_wordnet_hangs_together_and_reaches_one_root(wordnet):
    tops = [word for word, parents in zip(wordnet.words, wordnet.parents, strict=True) if not parents]
    assert tops == ["entity"]
    assert len(wordnet.words) > 30_000


def test_wordnet_knows_that_a_dog_is_nearer_to_a_cat_than_to_a_car(wordnet):
    dog = cosines(wordnet, ["dog", "cat", "car"])[0]
    assert dog[1] > 0.5 > dog[2]


@pytest.mark.parametrize(
    ("word", "kind"), [("dog", "canid"), ("potted", "pot"), ("children", "child"), ("media", "medium")]
)
def test_wordnet_words_lie_below(wordnet, word, kind):
    assert wordnet.words[wordnet.parents[wordnet.rows[word]][0]] == kind
