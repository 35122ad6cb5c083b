"""`msl encode`: a folder of pictures and captions -> features that `msl train data=folder data.path=OUT` reads."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from omegaconf import DictConfig
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from msl.commands.encoding.asked import Encoding, check_captions, check_pair_ids, described
from msl.commands.encoding.assemble import write_arrays, write_duplicates, write_items, write_skipped
from msl.commands.encoding.classes import write_classes
from msl.commands.encoding.decode import Decoder
from msl.commands.encoding.duplicates import straddling
from msl.commands.encoding.kept import Kept
from msl.commands.encoding.partial import Partial
from msl.commands.encoding.place import PREVIEWS, begin, claimed, complete, finish, forget
from msl.commands.encoding.stream import encode_all
from msl.commands.next_command import override, say_next
from msl.config import check, instantiate, resolved, validated
from msl.data.collection.item import Collection
from msl.data.collection.read import read_collection
from msl.data.dataset import TEST
from msl.data.finding.classlists import read_names
from msl.encode.encoders.encoder import Encoder, Kind
from msl.files import write_json
from msl.types import InputError

console = Console(markup=False, highlight=False, soft_wrap=True)


def encode(cfg: DictConfig) -> None:
    """Encode a collection, or go on with it, and say what came of it."""
    values = resolved(cfg)
    wanted = validated(Encoding, values)
    check(values)
    names = None if wanted.class_names is None else read_names(Path(wanted.class_names))
    images = None if wanted.images is None else Path(wanted.images)
    collection = read_collection(
        Path(wanted.path), layout=wanted.layout, columns=wanted.columns, class_names=names, images=images
    )
    for note in collection.notes:
        console.print(f"note: {note}")
    check_captions(collection, wanted.captions)
    check_pair_ids(collection.items, wanted.captions)
    out = Path(wanted.out)
    with claimed((Path(wanted.path), collection.root), out):
        settings = wanted.settled(collection)
        if complete(out, settings, restart=wanted.restart):
            console.print(f"{out} holds all of it already; restart=true encodes it anew")
        else:
            _encode(collection, wanted, out, settings)
    _say_next(out)


def _encode(collection: Collection, wanted: Encoding, out: Path, settings: dict[str, Any]) -> None:
    encoders: dict[str, Encoder] = {kind: instantiate(getattr(wanted, kind))(kind) for kind in get_args(Kind)}
    folder = begin(
        out, settings, {kind: encoder.identity for kind, encoder in encoders.items()}, restart=wanted.restart
    )
    sizes = {kind: encoder.size for kind, encoder in encoders.items()}
    partial = Partial(folder, sizes=sizes, batch=wanted.batch, total=len(collection.items))
    before, started = len(partial.done), time.perf_counter()
    _announce(collection, before, wanted, out)
    decoder = Decoder(root=collection.root, pixels=wanted.pixels, previews=out / PREVIEWS, side=wanted.preview)
    with _progress(len(collection.items), before, shown=wanted.progress) as advance:
        encode_all(collection, encoders, partial, decoder, wanted, advance=advance)
    seconds, new = time.perf_counter() - started, len(collection.items) - before
    kept = _kept(collection, partial, wanted, out)
    _write(out, kept, partial, encoders)
    _conclude(kept, len(collection.items) - len(kept.items), out)
    console.print(f"{new:,} items in {seconds:.1f} s: {new / seconds:,.1f} items/s")


def _announce(collection: Collection, before: int, wanted: Encoding, out: Path) -> None:
    said = f"{len(collection.items):,} items ({collection.layout}) of {collection.root}"
    encoders = ", ".join(f"{kind}s by {getattr(wanted, kind)['name']}" for kind in get_args(Kind))
    console.print(f"{said}: {encoders}")
    console.print(
        f"goes on after {before:,} items in {out}"
        if before
        else f"writes {out}; stopped at any moment, the same command goes on"
    )


def _kept(collection: Collection, partial: Partial, wanted: Encoding, out: Path) -> Kept:
    """The items with features, those without being listed first; an `InputError` where there is none at all."""
    write_skipped(out, collection.items, partial.done)
    kept = Kept.of(collection, partial, wanted)
    if kept.items:
        return kept
    reason = next(reason for each in partial.done for reason in each.skipped)
    if collection.layout in ("manifest", "karpathy") and wanted.images is None:
        reason += "; if they lie elsewhere, give images=FOLDER"
    forget(out)
    raise InputError(
        f"none of the {len(collection.items):,} items of {collection.root} could be encoded ({out / 'skipped.jsonl'}); the first: "
        f"{reason}"
    )


def _write(out: Path, kept: Kept, partial: Partial, encoders: dict[str, Encoder]) -> None:
    write_arrays(out, kept, partial)
    write_items(out, kept)
    write_duplicates(out, kept)
    maker, note = write_classes(out, kept.class_names, encoders["text"]) if kept.class_names else (None, "")
    if note:
        console.print(note)
    nodes = {"image": kept.wanted.image, "text": kept.wanted.text}
    write_json(out / "encoders.json", described(nodes, encoders))
    finish(out, maker)


def _conclude(kept: Kept, lacking: int, out: Path) -> None:
    captions = sum(len(done.skipped) for done in kept.done)
    single = f", and {captions:,} captions" if captions else ""
    where = " (skipped.jsonl)" if lacking or captions else ""
    console.print(f"{len(kept.items):,} items encoded, {lacking:,} skipped{single}{where}")
    if kept.same:
        pictures = sum(same.kind == "picture" for same in kept.same)
        parted = straddling(kept.same, kept.part)
        why = (
            "the parts that the data give" if kept.parted else "training and test: too many items of a class share them"
        )
        said = f"; {parted:,} of these straddle {why}" if parted else ""
        console.print(
            f"{pictures:,} pictures and {len(kept.same) - pictures:,} texts belong to several items (duplicates.jsonl){said}"
        )
    tested = int((kept.part[kept.source] == TEST).sum())
    console.print(
        f"{len(kept.source):,} pairs of {len(kept.class_names):,} classes in {out}, {tested:,} of them to test with"
    )
    if not tested and (kept.parted or kept.wanted.test_share):
        remedy = "write test for some" if kept.parted else "give a test_share of which a class has at least one item"
        console.print(f"note: nothing can be measured without a test item; {remedy}, and restart=true")


def _say_next(out: Path) -> None:
    if (out / "class_names.json").is_file():
        named = [] if (out / "class_vectors.npy").is_file() else ["embedding=onehot"]
        say_next(
            "msl", "train", "data=folder", override("data.path", str(out)), override("data.name", out.name), *named
        )
    else:
        say_next("msl", "index", "run=RUN", override("add", str(out)))


@contextmanager
def _progress(total: int, before: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal of messages, where there is one; gives what advances it."""
    errors = Console(stderr=True)
    columns = (TextColumn("encoding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not (shown and sys.stderr.isatty())) as bar:
        task = bar.add_task("", total=total, completed=before)
        yield lambda count: bar.advance(task, count)
