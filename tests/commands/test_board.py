"""`msl board` as a user types it, against made-up run folders, a real offline run, and a server on this machine."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from rich.console import Console

from msl.report.tracking.board import Board

KEY = "0123456789" * 4
SAME = (
    "config_hash", "data_hash", "split_hash", "embedding", "split_rule", "gallery_side", "standardise", "similarity",
    "method", "data", "class_split", "split_seed", "seed",
)  # fmt: skip


def run_folder(path, *, state="finished", value=0.25, wandb=("20260102_000000",), synced=False):
    """A folder as `msl train logger=wandb` leaves it, as far as `msl board` reads it."""
    path.mkdir(parents=True)
    (path / "card.json").write_text("{}")
    (path / "split.json").write_text("{}")
    record = {"tracker": "wandb", "name": f"name of {path.name}", "group": "masln-emoji", "state": state}
    (path / "board.json").write_text(json.dumps(record))
    if state == "finished":
        row = dict.fromkeys(SAME, "same") | {"regime": "unseen", "direction": "mean", "metric": "map", "chance": 0.0}
        row |= {"value": value, "lift": value}
        rows = [row | {"regime": "seen"}, row | {"direction": "i2t"}, row]
        rows = [row | {"value": each, "lift": each} for row, each in zip(rows, (0.9, 0.8, value), strict=True)]
        (path / "metrics.json").write_text(json.dumps(rows))
    for when in wandb:
        folder = path / "wandb" / f"offline-run-{when}-abcd"
        folder.mkdir(parents=True)
        (folder / "run-abcd.wandb").write_bytes(b"")
        if synced:
            (folder / "run-abcd.wandb.synced").write_text("")


def trial_folder(path, state="finished"):
    """A folder as a trial of `msl sweep logger=wandb` leaves it."""
    run_folder(path, state=state)
    for name in ("card.json", "split.json", "metrics.json"):
        (path / name).unlink(missing_ok=True)


def line(out, name):
    return next(each for each in out.splitlines() if name in each)


def test_list_shows_folders_states_headlines_and_what_was_sent(run_msl):
    run_folder(Path("runs/one"))
    run_folder(Path("runs/deep/two"), synced=True, value=0.5)
    run_folder(Path("runs/three"), state="failed")
    run_folder(Path("runs/four"), wandb=())
    Path("runs/one/mlflow").mkdir()
    Path("runs/one/mlflow/card.json").write_text("{}")
    status, out, err = run_msl("board", "list")
    assert status == 0, err
    for name, says in {
        "one": ["finished", "unseen map 0.250", "no"],
        "deep/two": ["finished", "unseen map 0.500", "yes"],
        "three": ["failed", "-", "no"],
        "four": ["finished", "unseen map 0.250", "-"],
    }.items():
        assert " ".join(line(out, f"{name} ").split()) == " ".join([name, "wandb", *says])
    assert out.count("masln-emoji") == 1  # the group, over its runs
    assert "mlflow" not in out


def test_trials_of_a_sweep_are_listed_without_a_headline_and_sent(run_msl):
    run_folder(Path("runs/one"))
    for number, state in enumerate(("finished", "failed", "started")):
        trial_folder(Path(f"runs/sweep/trial{number}"), state)
    status, out, err = run_msl("board", "list")
    assert status == 0, err
    assert line(out, "trial0").split() == ["sweep/trial0", "wandb", "finished", "-", "no"]
    assert line(out, "trial1").split() == ["sweep/trial1", "wandb", "failed", "-", "no"]
    assert line(out, "trial2").split() == ["sweep/trial2", "wandb", "started", "-", "no"]
    _, out, _ = run_msl("board", "sync", "dry_run=true")
    assert out.startswith("3 of 4 runs to send:")
    assert "trial0" in out
    assert "1 more have not ended" in out


def test_runs_of_one_name_in_deep_folders_are_told_apart_in_80_columns(run_msl, monkeypatch):
    monkeypatch.setattr("msl.commands.board.console", Console(width=80))
    deep = "2026-11-21/15-07-16-masln-emoji-with-a-long-label,[seed=1]/split"
    for number in (1, 2):
        run_folder(Path(f"runs/{deep}{number}"))
        record = Path(f"runs/{deep}{number}/board.json")
        record.write_text(record.read_text().replace(f"split{number}", "the same"))
    _, out, _ = run_msl("board", "list")
    assert max(map(len, out.splitlines())) <= 80
    firsts = "".join(each.split()[0] for each in out.splitlines()[4:] if each.strip())
    assert firsts == f"{deep}1{deep}2"
    assert out.count("unseen map 0.250") == 2


def test_a_dry_run_lists_the_last_of_a_resumed_run_and_leaves_out_what_has_not_ended(run_msl):
    run_folder(Path("here/resumed"), wandb=("20260101_000000", "20260103_000000", "20260102_000000"))
    run_folder(Path("here/sent"), synced=True)
    run_folder(Path("here/killed"), state="started")
    status, out, err = run_msl("board", "sync", "runs=here", "dry_run=true")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "1 of 3 runs to send:",
        "  here/resumed/wandb/offline-run-20260103_000000-abcd/run-abcd.wandb",
        "1 more have not ended: they run, or were killed (msl train resume=...)",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "wants list or sync"),
        (["send"], "got send"),
        (["list", "runs=nowhere"], "no run below nowhere"),
        (["sync", "run=here"], "run"),
        (["sync", "seconds=0"], "seconds=0"),
        (["sync", "view=team"], "ENTITY/PROJECT"),
        (["sync", "view=team/msl"], "pip install wandb-workspaces"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run_msl, monkeypatch, arguments, says):
    monkeypatch.setitem(sys.modules, "wandb_workspaces", None)
    run_folder(Path("runs/one"))
    status, _, err = run_msl("board", *arguments)
    assert status == 2
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize("content", ["[]", "{", "[1]", "3"])
@pytest.mark.parametrize("name", ["card", "board", "metrics"])
def test_a_damaged_file_is_named_in_one_line(run_msl, name, content):
    run_folder(Path("runs/one"))
    Path(f"runs/one/{name}.json").write_text(content)
    status, _, err = run_msl("board", "list")
    assert status == 2
    assert err.count("\n") == 1
    assert f"runs/one/{name}.json" in err


class Server(BaseHTTPRequestHandler):
    """As much of W&B's server as a sync asks for; `refuse` makes it refuse."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        asked = json.loads(body) if self.path == "/graphql" else {}
        self.server.heard.append(body.decode(errors="replace"))
        answer = json.dumps(self.answer(asked.get("query", ""), asked.get("variables", {}))).encode()
        self.send_response(401 if self.server.refuse else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST

    def answer(self, query, given):
        if self.server.refuse:
            return {"errors": [{"message": "this server takes nothing"}]}
        project = {"id": "p", "name": "msl", "entity": {"id": "e", "name": "team"}}
        if "upsertBucket(" in query:
            bucket = {"id": "b", "name": given["name"], "displayName": "n", "historyLineCount": 0, "project": project}
            return {"data": {"upsertBucket": {"bucket": bucket, "inserted": True}}}
        if "createArtifact(" in query:
            artifact = {"id": "a", "state": "COMMITTED", "artifactSequence": {"latestArtifact": {"id": "a"}}}
            return {"data": {"createArtifact": {"artifact": artifact}}}
        if "createRunFiles(" in query:
            place = f"http://127.0.0.1:{self.server.server_port}/put"
            files = [{"name": name, "uploadUrl": place} for name in given["files"]]
            return {"data": {"createRunFiles": {"runID": "b", "uploadHeaders": [], "files": files}}}
        return {"data": {}}

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    found = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    found.heard, found.refuse = [], False
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def place(tmp_path):
    """A folder with a real run of W&B's, tracked offline."""
    folder = tmp_path / "runs" / "one"
    run_folder(folder, wandb=())
    board = Board.start(
        mode="offline", project="msl", name="name of one", group="g", tags=["t"], config={"seed": 0}, folder=folder
    )
    board.log(1, {"final/total": 0.125})
    board.finish(exit_code=0)
    return tmp_path


def typed(place, *arguments, **environment):
    """What `msl board ...` says in a process of its own: W&B keeps keys for the rest of a process."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_") and name != "NETRC"}
    command = [sys.executable, "-m", "msl", "board", *arguments]
    return subprocess.run(
        command, cwd=place, env=clean | {"HOME": str(place)} | environment, capture_output=True, text=True
    )


def test_sync_sends_once_and_goes_on_where_the_server_refused(place, server):
    address = {"WANDB_BASE_URL": f"http://127.0.0.1:{server.server_port}", "WANDB_API_KEY": KEY}
    server.refuse = True
    refused = typed(place, "sync", **address)
    assert refused.returncode == 1
    assert "1/1  runs/one: not sent: this server takes nothing" in refused.stdout
    assert refused.stderr.count("\n") == 1
    assert "1 of 1 runs were not sent" in refused.stderr
    server.refuse = False
    sent = typed(place, "sync", **address)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert "1/1  runs/one: sent" in sent.stdout
    assert any('\\"final/total\\":0.125' in body for body in server.heard)
    heard = len(server.heard)
    again = typed(place, "sync", **address)
    assert (again.returncode, again.stdout) == (0, "0 of 1 runs to send\n")
    assert len(server.heard) == heard
    assert KEY not in sent.stdout + sent.stderr + refused.stdout + refused.stderr


def test_without_a_key_nothing_is_sent(place, server):
    found = typed(place, "sync", WANDB_BASE_URL=f"http://127.0.0.1:{server.server_port}")
    assert found.returncode == 2
    assert "one" in found.stdout, "what would be sent is listed first"
    assert found.stderr.count("\n") == 1
    assert "WANDB_API_KEY" in found.stderr
    assert not server.heard


def test_one_run_that_fails_does_not_keep_the_next_from_being_sent(run_msl, monkeypatch):
    import msl.commands.board as boarding

    def wandb_sync(command, **options):
        folder = Path(command[-1])
        if "slow" in str(folder):
            raise subprocess.TimeoutExpired(command, options["timeout"])
        (folder / "run-abcd.wandb.synced").write_text("")
        return SimpleNamespace(stdout="", stderr="")

    monkeypatch.setattr(boarding.subprocess, "run", wandb_sync)
    monkeypatch.setattr("msl.report.tracking.wandb_run.has_key", lambda: True)
    for name in ("a", "slow", "z"):
        run_folder(Path("runs") / name)
    status, out, err = run_msl("board", "sync", "seconds=7")
    assert status == 1
    assert [each for each in out.splitlines() if each[1:2] == "/"] == [
        "1/3  runs/a: sent", "2/3  runs/slow: not sent: no end after 7 s", "3/3  runs/z: sent",
    ]  # fmt: skip
    assert "1 of 3 runs were not sent" in err


def test_the_layout_is_saved_as_a_view_of_the_project(run_msl, monkeypatch):
    kinds = ("LinePlot", "BarPlot", "MediaBrowser", "Section", "Workspace")
    made = {kind: [] for kind in kinds}

    def maker(kind):
        def make(**given):
            made[kind].append(SimpleNamespace(**given, save=lambda: SimpleNamespace(url="https://w/team/msl")))
            return made[kind][-1]

        return make

    names = [
        "wandb_workspaces",
        "wandb_workspaces.workspaces",
        "wandb_workspaces.reports",
        "wandb_workspaces.reports.v2",
    ]
    for name in names:
        module = ModuleType(name)
        module.__spec__ = SimpleNamespace(name=name)
        for kind in kinds:
            setattr(module, kind, maker(kind))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr("msl.report.tracking.wandb_run.has_key", lambda: True)
    run_folder(Path("runs/one"), synced=True)
    status, out, err = run_msl("board", "sync", "view=team/msl")
    assert status == 0, err
    assert out.splitlines()[-1] == "view: https://w/team/msl"
    (view,) = made["Workspace"]
    assert (view.entity, view.project, view.name) == ("team", "msl", "msl")
    assert view.sections[0].name == "unseen classes"
    assert view.sections[0].panels[0].metrics == ["unseen/mean/map"]
    assert all(section.panels for section in view.sections)
