"""`msl.load`: a model for notebooks and programs, from a run's folder, one that was given away, or the hub."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from msl.commands.encoders import rebuilt
from msl.commands.loading import load_method
from msl.commands.recipe import Encoder, Recipe, builder, read_recipe
from msl.commands.retrieval import Reader, load_retriever, readers
from msl.commands.sharing import share_run
from msl.files import sha256
from msl.methods.method import Method
from msl.serve.items import Items
from msl.serve.model import Model
from msl.serve.retriever import Retriever
from msl.serve.share import hub
from msl.serve.share.packed import PREVIEWS, open_packed
from msl.serve.share.shared import CARD, CONFIG, INDEX, WEIGHTS, Shared
from msl.serve.share.thumbnails import of_file, packed
from msl.types import InputError, Modality

LICENSE = "other"
"""What a model card says where nobody said anything."""


def load(path: str | Path, *, files: Mapping[str, str | Path] | None = None) -> Model:
    """A trained method, to encode and to search with.

    Args:
        path: the folder of a run, or one that `msl export` or `Model.save_pretrained` wrote; and if there is no such
            folder ``user/model`` on the Hugging Face hub.
        files: of a model that was given away, by ``"image"`` or ``"text"`` the file that its encoder reads, if it is one
            of those that read one: weights, or word vectors.

    Raises:
        InputError: there is no such model, it is damaged, or it says more than a configuration may.
    """
    folder = Path(path).expanduser()
    if not folder.exists() and hub.is_name(str(path)):
        folder = hub.fetch(str(path))
    if (folder / "card.json").is_file():
        return of_run(folder, license=LICENSE)
    if (folder / CONFIG).is_file():
        return _given(folder, files or {})
    raise InputError(
        f"{path} is neither the folder of a run nor one that msl export wrote (it has no card.json and no {CONFIG}); give one of these, "
        "or user/model on the hub"
    )


def of_run(run: Path, *, license: str) -> Model:
    """The model of a run, with its index if it has one; `license` is for its card when it is given away."""
    share = functools.partial(share_run, run, license=license)
    if (run / "index" / "current").is_file():
        return Model(load_retriever(run), share=share, previews=of_file)
    method, card, settings = load_method(run)
    retriever = Retriever(
        method=method,
        modalities=card.modalities,
        readers=readers(run, card, settings),
        indexes={},
        items=Items(run / "index" / "items.sqlite"),  # never asked: there is no index
        trained=frozenset(card.classes),
    )
    return Model(retriever, share=share, previews=of_file)


def _given(folder: Path, files: Mapping[str, str | Path]) -> Model:
    """The model of a folder that was given away; whatever it holds, nothing of it is run."""
    wanted = read_recipe(folder / CONFIG)
    retriever = Retriever(
        method=_with_weights(wanted, folder),
        modalities=(wanted.modalities[0], wanted.modalities[1]),
        readers=_readers(wanted, folder, files),
        indexes={},
        items=Items(folder / INDEX / "items.sqlite"),  # never asked: there is no index
        trained=frozenset(wanted.classes),
    )
    found = open_packed(folder / INDEX, weights=sha256(folder / WEIGHTS)) if (folder / INDEX).is_dir() else None

    def share() -> Shared:
        card = folder / CARD
        text = card.read_text(encoding="utf-8") if card.is_file() else ""
        return Shared(config=wanted.model_dump(), card=text, index=found.content if found else None)

    indexed = found.searched_by(retriever) if found else retriever
    return Model(indexed, share=share, previews=packed(folder / INDEX / PREVIEWS))


def _with_weights(wanted: Recipe, folder: Path) -> Method:
    """The method with its weights; an `InputError` if they do not fit, told before memory is taken for them."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file

    file, build = folder / WEIGHTS, builder(wanted, folder / CONFIG)
    with torch.device("meta"):
        shapes = {name: list(value.shape) for name, value in build().state_dict().items()}
    try:
        with safe_open(file, framework="pt") as stored:
            found = {name: stored.get_slice(name).get_shape() for name in stored.keys()}  # noqa: SIM118
        if found != shapes:
            name = min(name for name in found.keys() | shapes.keys() if found.get(name) != shapes.get(name))
            raise ValueError(f"{name} is {found.get(name)}, wanted {shapes.get(name)}")
        method = build()
        method.load_state_dict(load_file(file))
        return method
    except Exception as error:  # safetensors has an error of its own for whatever is wrong
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(f"{file} does not fit {CONFIG} beside it ({reason}); get the folder again") from None


def _readers(wanted: Recipe, folder: Path, files: Mapping[str, str | Path]) -> dict[Modality, Reader]:
    unknown = files.keys() - wanted.encoders.keys()
    if unknown:
        raise InputError(f"files={{{min(unknown)!r}: ...}}: the model has no such encoder; leave it out")
    return {
        modality: _reader(wanted.encoders[kind], kind, folder / CONFIG, files.get(kind))
        for modality, kind in zip(get_args(Modality), wanted.modalities, strict=True)
        if kind in wanted.encoders
    }


def _reader(encoder: Encoder, kind: Any, where: Path, file: str | Path | None) -> Reader:
    """Raw items -> features; nothing is loaded before it is first called, and then it must be the very same encoder."""

    @functools.cache
    def built() -> Callable[..., Any]:
        settings = dict(encoder.settings)
        if encoder.file:
            if file is None:
                raise InputError(
                    f"the {kind} encoder {settings['name']} reads a file that is not given away with a model; get it and give it: "
                    f"msl.load(..., files={{{kind!r}: FILE}})"
                )
            settings[encoder.file] = str(file)
        return rebuilt({"settings": settings, "identity": encoder.identity}, kind, where=where).encode

    return lambda raw: built()(raw)
