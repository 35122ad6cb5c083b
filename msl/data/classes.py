"""Classes and their embeddings: the side information that carries meaning from seen to unseen classes."""

from dataclasses import dataclass

import numpy as np

from msl.types import Floats, InputError, Ints


@dataclass(frozen=True)
class Classes:
    """Class `names`, in label order, and their embeddings `vectors` (classes, size); of size 0 where there are none."""

    names: tuple[str, ...]
    vectors: Floats

    def __post_init__(self) -> None:
        double = next((name for name in self.names if self.names.count(name) > 1), None)
        if double is not None:
            raise InputError(
                f"the class name {double!r} stands twice in the class list; give each class a name of its own"
            )
        if len(self.names) != len(self.vectors):
            raise InputError(
                f"there are {len(self.names)} class names but {len(self.vectors)} class vectors; give one vector per class"
            )
        lacking = [
            name for name, vector in zip(self.names, self.vectors, strict=True) if vector.size and not np.any(vector)
        ]
        if lacking:
            raise InputError(
                f"class {lacking[0]!r} has no vector (all zeros; {len(lacking)} such classes); give it one or rename it"
            )

    def __len__(self) -> int:
        return len(self.names)

    def take(self, indices: Ints) -> "Classes":
        """The classes at these positions, in this order."""
        return Classes(tuple(self.names[index] for index in indices), self.vectors[indices])
