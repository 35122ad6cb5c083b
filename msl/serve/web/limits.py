"""What one request to the server may ask for."""

from pydantic import BaseModel, ConfigDict

from msl.types import Count


class Limits(BaseModel):
    """The `limits` group of `conf/serve.yaml`: the most there may be of each."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    k: Count
    """Finds."""
    text: Count
    """Characters of a query."""
    body: Count
    """Bytes of a request without a picture."""
    upload: Count
    """Bytes of a request with a picture."""
    pixels: Count
    preview: Count
    """Pixels of the longer side of a preview."""
    seconds: Count
    """For a request's headers to arrive, and again for its body."""
