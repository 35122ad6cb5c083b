import json
import signal
import socket
import time
import urllib.request

import pytest


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A run on planted features, whose encoders nobody knows, with an index; trained once."""
    from conftest import plant

    from msl.cli import main

    root = tmp_path_factory.mktemp("indexed")
    data = plant(root / "planted")
    small = [
        "data=folder", f"data.path={data}", "logger=none", "progress=false", "report.queries=0", "trainer.batch=16", "trainer.epochs=1",
        "method.encoder_a.hidden=[8]", "method.encoder_b.hidden=[8]", "method.code.size=4",
    ]  # fmt: skip
    run = root / "deep" / "er" / "run"
    assert main(["train", *small, f"hydra.run.dir={run}"]) == 0
    assert main(["index", f"run={run}"]) == 0
    return run


def ask(address, **question):
    request = urllib.request.Request(
        f"{address}api/search", json.dumps(question).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def test_it_says_where_it_listens_answers_and_ends_when_interrupted(indexed, shell):
    process = shell("serve", f"run={indexed}", "port=0", "k=3")
    said = shell.place / "said.txt"
    while "Ctrl-C" not in said.read_text():
        assert process.poll() is None, said.read_text()
        time.sleep(0.1)
    name, at, address, *_ = said.read_text().split(" ")
    assert (name, at) == ("run", "at")
    assert len(ask(address, item="item 3", find="text")["hits"]) == 3
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 128 + signal.SIGINT
    assert said.read_text().splitlines()[1:] == ["msl: interrupted"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["run=none", "port=0"], "none is not a run folder"),
        ([], "there is no indexed run below runs/"),
        (["run=a", "runs=[a,b]"], "not both"),
        (["runs=[a]"], "runs="),
        (["runs=[a,b,c]"], "runs="),
        (["runs=[a,./a]"], "the same run twice"),
        (["run=a", "port=70000"], "port=70000"),
        (["run=a", "k=500"], "limits.k=200"),
        (["run=a", "limits.pixels=0"], "limits.pixels=0"),
        (["run=a", "limits.surprise=1"], "surprise"),
        (["run=a", "host=no.such.host.invalid", "port=0"], "cannot listen at no.such.host.invalid"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_one_line(run_msl, overrides, said):
    status, out, wrong = run_msl("serve", *overrides)
    assert (status, out) == (2, "")
    assert wrong.count("\n") == 1
    assert said in wrong


def test_a_port_that_is_taken_is_named_with_the_remedy(run_msl, indexed):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, _, wrong = run_msl("serve", f"run={indexed}", f"port={taken.getsockname()[1]}")
    assert status == 2
    assert "Address already in use" in wrong
    assert "port=0" in wrong


def test_without_its_libraries_it_says_what_to_install(run_msl, indexed, monkeypatch):
    from importlib.util import find_spec

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "uvicorn" else find_spec(name))
    assert run_msl("serve", f"run={indexed}") == (
        2,
        "",
        "msl: msl serve needs uvicorn, which is not installed: pip install 'msl[serve]'\n",
    )


def test_help_shows_its_configuration(run_msl):
    status, out, _ = run_msl("serve", "--help")
    assert status == 0
    assert "upload:" in out


def test_runs_go_by_as_much_of_their_path_as_tells_them_apart(tmp_path):
    from msl.commands.serve import Serving, _folders
    from msl.config import composed, resolved, validated

    def named(*folders):
        given = [f"runs=[{','.join(map(str, folders))}]"]
        return list(_folders(validated(Serving, resolved(composed("serve", given)))))

    assert named(tmp_path / "a", tmp_path / "b") == ["a", "b"]
    assert named(tmp_path / "x" / "run", tmp_path / "y" / "run") == ["x/run", "y/run"]


def test_numbers_are_names_too():
    from msl.commands.serve import Serving
    from msl.config import composed, resolved, validated

    wanted = validated(Serving, resolved(composed("serve", ["run=2024", "runs=[1,2]", "names=[1234]", "host=0"])))
    assert (wanted.run, wanted.runs, wanted.names, wanted.host) == ("2024", ["1", "2"], ["1234"], "0")


def test_a_runs_name_is_not_obeyed_by_the_terminal(capsys):
    from msl.commands.serve import Serving, _announce
    from msl.config import composed, resolved, validated

    wanted = validated(Serving, resolved(composed("serve", [])))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _announce(wanted, listener, ["\x1b]0;owned"])
    assert capsys.readouterr().out.startswith(" ]0;owned at http://127.0.0.1:")
