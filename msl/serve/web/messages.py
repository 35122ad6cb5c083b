"""What is said over the network: questions and answers, which are the schema at /openapi.json."""

from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import UploadFile
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from msl.serve.items import Item
from msl.serve.names import Sort
from msl.serve.retriever import Hit, Only, Part, Retriever
from msl.types import Count


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can hold halves of characters, which nothing else can
        raise ValueError("half a character") from None
    return text


Text = Annotated[str, AfterValidator(_whole)]
NAMES: Literal["names"] = "names"
"""What is found besides items: classes and keywords."""


class Strict(BaseModel):
    """A question: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Filter(Strict):
    """Which items may be found; null: any."""

    classes: list[Text] | None = Field(default=None, description="of any of these classes")
    seen: bool | None = Field(default=None, description="true: of classes trained on, false: of unseen ones")
    part: Part | None = None

    def only(self) -> Only:
        """The same for a `Retriever`."""
        return Only(**self.model_dump())


class Wanted(Strict):
    """How much is to be found, and where."""

    k: Count | None = Field(default=None, description="finds; null: as many as the server is set to")
    run: Text | None = Field(default=None, description="one of /api/runs; null: the first")


class Query(Wanted):
    """Exactly one of a text, an item and a class."""

    text: Text | None = None
    item: Text | None = Field(default=None, description="an item of the index, by its id,")
    side: Text | None = Field(default=None, description="in this modality; null: the first it has")
    class_name: Text | None = Field(default=None, alias="class", description="a class by its name, seen or unseen")


Find = Annotated[
    Text | None, Field(default=None, description="a modality, or names; null: the other modality than the query's")
]


class Question(Query):
    """A search."""

    find: Find
    only: Filter = Filter()


class PictureQuestion(Wanted):
    """A search with a picture, as a form."""

    image: UploadFile
    find: Find
    classes: list[Text] | None = None
    seen: bool | None = None
    part: Part | None = None

    def only(self) -> Filter:
        """Which items may be found."""
        return Filter(classes=self.classes or None, seen=self.seen, part=self.part)


class Shown(BaseModel):
    """An item of the index."""

    id: str
    text: str | None
    picture: str | None = Field(
        description="address of its picture; &size=N makes a preview of N pixels a side at most"
    )
    classes: list[str]
    part: str | None
    seen: bool | None = Field(description="whether its classes were trained on; null of an item without classes")


class Found(Shown):
    """An item that was found."""

    cosine: float
    score: float | None = Field(
        description="of held-out pairs of seen classes as similar as this, the share that have a class in common"
    )


class Name(BaseModel):
    """A class or keyword that fits."""

    name: str
    sort: Sort
    seen: bool | None = Field(description="whether the class was trained on; null of a keyword")
    cosine: float
    score: float | None = Field(description="the share of held-out items, as near to a name as this, that bear it")


class Answer(BaseModel):
    """What was found, best first."""

    run: str
    asked: str = Field(description="the query's modality")
    find: str
    item: Shown | None = Field(default=None, description="the item that was asked with")
    hits: list[Found] = []
    names: list[Name] = []


class ClassInfo(BaseModel):
    """A class, whether it was trained on, and how many items of the index it has."""

    name: str
    seen: bool
    items: int


class Run(BaseModel):
    """An indexed run."""

    name: str
    modalities: list[str]
    counts: dict[str, int] = Field(description="codes of each modality in the index")
    reads: list[str] = Field(
        description="modalities that new queries can be of; items of the index can always be asked with"
    )
    names: bool = Field(description="whether names can be found")
    classes: list[ClassInfo]


class Allowed(BaseModel):
    """Limits of a request that a page should know of."""

    k: int
    text: int
    upload: int
    preview: int


class Overview(BaseModel):
    """What there is to search."""

    runs: list[Run]
    k: int
    limits: Allowed


class Health(BaseModel):
    """Whether the server works."""

    status: Literal["ok"] = "ok"


class Failure(BaseModel):
    """Every answer that is no success."""

    error: str = Field(description="one line: what was wanted, what came, what to do")


def shown(item: Item, retriever: Retriever, run: str) -> dict[str, Any]:
    """An item, without where its files lie."""
    address = f"/api/pictures/{quote(item.id, safe='')}?run={quote(run, safe='')}" if item.image else None
    return {
        "id": item.id, "text": item.text, "picture": address, "classes": list(item.classes), "part": item.part,
        "seen": retriever.seen(item),
    }  # fmt: skip


def found(hit: Hit, retriever: Retriever, run: str) -> Found:
    """A find, without where its files lie."""
    return Found(**shown(hit.item, retriever, run), cosine=hit.cosine, score=hit.score)
