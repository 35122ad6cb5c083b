"""The searches that the server offers, each for one thread: what is asked of which run, within the limits."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, TypeVar

from fastapi import Form, Header, HTTPException, Response
from fastapi import Query as InAddress

from msl.encode.pictures import on_white, read_picture_bytes
from msl.serve.items import Item
from msl.serve.names import as_text
from msl.serve.retriever import Only, Query, Retriever
from msl.serve.terminal import flat
from msl.serve.web import messages
from msl.serve.web.limits import Limits
from msl.serve.web.live import Live, Snapshot
from msl.serve.web.messages import NAMES, Answer, Filter, Overview, PictureQuestion, Question, Shown, Wanted
from msl.serve.web.webp import Version, as_webp
from msl.types import InputError, Modality

log = logging.getLogger(__name__)
Result = TypeVar("Result")


class Service:
    """Answers questions of every run it has.

    Args:
        runs: by the name they go by.
        k: finds, where a question does not say.
        limits: of a question.
    """

    def __init__(self, runs: Mapping[str, Live], *, k: int, limits: Limits) -> None:
        self.lives = runs
        self.k = k
        self.limits = limits

    def search(self, question: Question) -> Answer:
        """Items or names that fit a text, an item or a class."""
        return self._ask(
            question.run,
            lambda at, run: self._answer(at, run, self._asked(at, question), question.k, question.find, question.only),
            given=_words(question),
        )

    def search_image(self, question: Annotated[PictureQuestion, Form()]) -> Answer:
        """Items or names that fit a picture."""
        content = question.image.file.read()
        raw = on_white(read_picture_bytes(content, name="that was sent", pixels=self.limits.pixels))

        def answer(at: Snapshot, run: str) -> Answer:
            query = Query(modality=at.retriever.modality("image"), raw=raw)
            return self._answer(at, run, query, question.k, question.find, question.only())

        return self._ask(question.run, answer, given=_words(question))

    def annotate(self, question: Annotated[messages.Query, InAddress()]) -> Answer:
        """Classes and keywords that fit a text, an item or a class."""
        return self._ask(
            question.run,
            lambda at, run: self._answer(at, run, self._asked(at, question), question.k, NAMES, Filter()),
            given=_words(question),
        )

    def item(self, id: str, run: str | None = None) -> Shown:
        """An item of the index."""
        return self._ask(run, lambda at, name: _shown(at.retriever, id, name))

    def picture(
        self,
        id: str,
        run: str | None = None,
        size: Annotated[int | None, InAddress(ge=1)] = None,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """The picture of an item, in full or as a preview of at most `size` pixels a side."""
        if size is not None and size > self.limits.preview:
            raise HTTPException(422, f"size={size}: a preview has at most {self.limits.preview} pixels a side")
        file = self._ask(run, lambda at, _: _item(at.retriever, id).picture)
        try:
            if file is None:
                raise FileNotFoundError
            version = Version.of(file, size)
            headers = {"etag": version.tag, "cache-control": "private, no-cache"}
            if if_none_match and version.tag in if_none_match:
                return Response(status_code=304, headers=headers)
            return Response(as_webp(version, pixels=self.limits.pixels), media_type="image/webp", headers=headers)
        except (InputError, OSError):
            raise HTTPException(404, "the item has no picture that could be shown") from None

    def runs(self) -> Overview:
        """What there is to search, and the limits of a question."""
        found = [self._ask(name, _described) for name in self.lives]
        return Overview(runs=found, k=self.k, limits=messages.Allowed(**self.limits.model_dump()))

    async def health(self) -> messages.Health:
        """Whether the server works; said at once, however many searches wait."""
        return messages.Health()

    def _ask(
        self, run: str | None, question: Callable[[Snapshot, str], Result], *, given: Collection[str] = ()
    ) -> Result:
        name = run or next(iter(self.lives))
        if name not in self.lives:
            raise HTTPException(404, f"there is no run of that name; there are {', '.join(self.lives)}")
        try:
            return self.lives[name].ask(lambda at: question(at, name))
        except InputError as error:
            raise _told(str(error), given) from None

    def _asked(self, at: Snapshot, question: messages.Query) -> Query:
        given = [value for value in (question.text, question.item, question.class_name) if value is not None]
        if len(given) != 1 or not given[0].strip():
            raise HTTPException(422, "search with one of a text, an item and a class, and with something in it")
        if len(given[0]) > self.limits.text:
            raise HTTPException(
                422, f"the query has {len(given[0]):,} characters; it may have {self.limits.text:,}; shorten it"
            )
        if question.item is not None:
            return Query(modality=_side(at.retriever, question.item, question.side), item=question.item)
        raw = given[0] if question.text is not None else as_text(given[0])
        return Query(modality=at.retriever.modality("text"), raw=raw)

    def _answer(self, at: Snapshot, run: str, query: Query, k: int | None, find: str | None, allowed: Filter) -> Answer:
        k, retriever = k or self.k, at.retriever
        if k > self.limits.k:
            raise HTTPException(422, f"k={k}: at most {self.limits.k} are found at once")
        item = _shown(retriever, query.item, run) if query.item is not None else None
        answer = Answer(run=run, asked=retriever.name(query.modality), find=NAMES, item=item)
        if find == NAMES:
            if allowed.only() != Only():
                raise HTTPException(
                    422, "only says which items are found, and find=names finds none; leave one of them out"
                )
            labels = [label for sort in retriever.annotate(query, k=k).values() for label in sort]
            return answer.model_copy(update={"names": [messages.Name(**vars(label)) for label in labels]})
        target = retriever.target(find, query)
        hits = retriever.search(query, find=target, k=k, only=allowed.only())
        found = [messages.found(hit, retriever, run) for hit in hits]
        return answer.model_copy(update={"find": retriever.name(target), "hits": found})


def _words(question: Wanted) -> list[str]:
    return [value for value in vars(question).values() if isinstance(value, str)]


def _told(line: str, given: Collection[str]) -> HTTPException:
    """An error for whoever asked; one that names a file, as what was given does not, is only for whoever runs the server."""
    own = line
    for each in given:
        own = own.replace(repr(each), "")
    if not {"/", "\\"} & set(own):
        return HTTPException(422, line)
    log.error("%s", flat(line))
    return HTTPException(500, "the server cannot read something of its own; what is wrong is in what it printed")


def _item(retriever: Retriever, name: str) -> Item:
    item = retriever.items.find([name]).get(name)
    if item is None:
        raise HTTPException(404, "the index has no item of that id; give one that a search has shown")
    return item


def _shown(retriever: Retriever, name: str, run: str) -> Shown:
    return Shown(**messages.shown(_item(retriever, name), retriever, run))


def _side(retriever: Retriever, name: str, side: str | None) -> Modality:
    sides: list[Modality] = ["a", "b"] if side is None else [retriever.modality(side)]
    having = [each for each in sides if name in retriever.indexes[each].store.rows]
    if not having:
        raise HTTPException(404, "the index has no such item of that id; give one that a search has shown")
    return having[0]


def _described(at: Snapshot, run: str) -> messages.Run:
    it = at.retriever
    classes = [messages.ClassInfo(name=name, seen=name in it.trained, items=n) for name, n in at.classes.items()]
    return messages.Run(
        name=run,
        modalities=list(it.modalities),
        counts={it.name(modality): len(index.store) for modality, index in it.indexes.items()},
        reads=[it.name(modality) for modality in it.readers],
        names=bool(it.names),
        classes=classes,
    )
