"""The command line: `msl VERB [overrides]`, one line and exit status 2 for what a person got wrong."""

import difflib
import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from msl import __version__
from msl.types import InputError, Interrupted, TrainingError

HELP = """\
msl: zero-shot cross-modal retrieval (find texts with images, images with texts, of classes never seen in training)

  msl train [KEY=VALUE ...]      train on the seen classes of a data set, evaluate, report
  msl train -m KEY=V1,V2 ...     the same for every combination, one table at the end
  msl train resume=FOLDER        go on with a stopped run, to the same bits
  msl evaluate run=FOLDER        measure a finished run again (evaluation.gallery=train, or protocols=true for all at once)
  msl score codes=FILE.npz       every metric for codes that any program saved
  msl table runs=FOLDER          many runs in one table, intervals over class splits
  msl report run=FOLDER          one page of a run: curves, classes, code space, successes and failures
  msl reproduce experiment=NAME  every run behind a table or figure, then its tables, page and verdicts
  msl sweep KEY=interval(A,B)    search settings by the validation mAP, never by test rows
  msl board list|sync            runs tracked offline, and sending them to W&B
  msl encode path=PICS out=OUT   a folder of pictures with captions, made into features to train on and search
  msl index run=FOLDER           the codes of a run's items on disk, exact or FAISS; add=OUT, delete=[ID]
  msl search "A FEW WORDS"       what fits a text, image=FILE, id=ID or class=NAME; find=names describes a picture
  msl serve run=FOLDER           a page and an API to search with; runs=[A,B] puts two runs side by side
  msl export run=FOLDER out=OUT  a model to give away, for msl.load(OUT) and the hub; onnx=true, index=true
  msl data check PATH            what is in features of yours, what is wrong, the command that trains on them
  msl data list|describe|get     data sets, what is in one, fetch one; msl data convert turns pickles into arrays
  msl --version

  msl train --help lists everything that can be set; start with: msl train
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed, 2 wrong usage or input, 128 + n after signal n."""
    verb, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if verb in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if verb == "--version":
        print(f"msl {__version__}")
        return 0
    signal.signal(signal.SIGTERM, _terminate)
    try:
        command = _command(verb)
        if verb != "train" and {"-h", "--help"} & set(rest):
            return _explain(verb)
        command(rest)
    except InputError as error:
        return _say(error, 2)
    except TrainingError as error:
        return _say(error, 1)
    except Interrupted as stop:
        return _say(stop, 128 + stop.signum)
    except KeyboardInterrupt:
        return _say("interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on: `msl ... | head`
        return 1
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return _say(f"{error.strerror}; make room, then the same command goes on, or begins anew", 1)
        if error.filename is None:
            raise
        return _say(f"{error.filename}: {error.strerror}; give another place, or make this one usable", 2)
    return 0


def _explain(verb: str) -> int:
    """What a command takes: its configuration file says it; of `data`, its line above."""
    from msl.files import embedded

    file = embedded("conf") / f"{verb}.yaml"
    said = (
        file.read_text(encoding="utf-8")
        if file.is_file()
        else "\n".join(x for x in HELP.split("\n") if f"msl {verb}" in x)
    )
    print(said.rstrip())
    return 0


def _say(what: object, status: int) -> int:
    print(f"msl: {' '.join(str(what).split())}", file=sys.stderr)
    return status


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)


def _command(verb: str) -> Callable[[list[str]], None]:
    verbs = {
        "train": _train,
        "evaluate": _composed("evaluate"),
        "reproduce": _composed("reproduce"),
        "table": _composed("table"),
        "report": _composed("report"),
        "score": _composed("score"),
        "encode": _composed("encode"),
        "index": _plain("index"),
        "search": _plain("search"),
        "serve": _composed("serve"),
        "export": _plain("export"),
        "sweep": _plain("sweep"),
        "board": _plain("board"),
        "data": _plain("data"),
    }
    if verb not in verbs:
        close = difflib.get_close_matches(verb, verbs, n=1)
        hint = f"did you mean msl {close[0]}?" if close else f"there are {', '.join(verbs)}"
        raise InputError(f"there is no command {verb!r}; {hint}")
    return verbs[verb]


def _train(arguments: list[str]) -> None:
    resumed = [text.removeprefix("resume=") for text in arguments if text.startswith("resume=")]
    with _one_line_errors():
        if resumed and resumed != ["null"]:
            _resume(Path(resumed[0]), [text for text in arguments if not text.startswith("resume=")])
        else:
            _hydra(arguments)


def _resume(folder: Path, others: list[str]) -> None:
    from msl.commands.resume import resume

    if others:
        raise InputError(
            f"resume takes the configuration of {folder} as it was; leave {others[0]!r} out, or start a new run with it"
        )
    resume(folder)


def _hydra(arguments: list[str]) -> None:
    import hydra
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import DictConfig

    import msl.config  # registers what configuration files refer to  # noqa: F401
    from msl.files import embedded

    failures: list[InputError | TrainingError] = []

    def job(cfg: DictConfig) -> None:
        from msl.commands.train import train

        context = HydraConfig.get()
        try:
            train(cfg, Path(context.runtime.output_dir), list(context.overrides.task))
        except Interrupted:
            raise  # nothing comes after it, not even the sweep's next job
        except (InputError, TrainingError) as error:  # kept from Hydra, which would print more than one line
            failures.append(error)

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here as exceptions; they are printed in one line
    sys.argv = ["msl train", *arguments]
    hydra.main(version_base="1.3", config_path=str(embedded("conf")), config_name="train")(job)()
    for further in {str(failure): failure for failure in failures[1:] if str(failure) != str(failures[0])}.values():
        _say(further, 2)
    if failures:
        raise failures[0]


def launch(arguments: list[str]) -> None:
    """Run `conf/cell.yaml` as a Hydra multirun: the jobs of `msl reproduce` under a launcher of Hydra's."""
    import hydra
    from omegaconf import DictConfig

    from msl.files import embedded

    def job(cfg: DictConfig) -> None:
        from msl.commands.reproducing.run_cells import planned

        planned(Path(cfg.plan), cfg.number, Path(cfg.ledger))

    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors come here as exceptions; they are printed in one line
    sys.argv = ["msl reproduce", "-m", *arguments]
    hydra.main(version_base="1.3", config_path=str(embedded("conf")), config_name="cell")(job)()


def _composed(verb: str) -> Callable[[list[str]], None]:
    """A command that takes its configuration, composed from `conf/VERB.yaml`; it is the function VERB of its module."""

    def run(arguments: list[str]) -> None:
        from importlib import import_module

        from msl.config import composed

        with _one_line_errors():
            getattr(import_module(f"msl.commands.{verb}"), verb)(composed(verb, arguments))

    return run


def _plain(verb: str) -> Callable[[list[str]], None]:
    """A command that takes what is typed, as it is."""

    def run(arguments: list[str]) -> None:
        from importlib import import_module

        with _one_line_errors():
            getattr(import_module(f"msl.commands.{verb}"), verb)(arguments)

    return run


class _one_line_errors:
    """Turns what Hydra and OmegaConf say of a wrong key or value into an `InputError`."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, (InputError, TrainingError)):
            return
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException

        from msl.config import one_line

        of_a_group = isinstance(error, ValueError) and "Config group override" in str(error)  # search=null, data=1
        if of_a_group or isinstance(error, (HydraException, OmegaConfBaseException)):
            raise InputError(one_line(error)) from error
