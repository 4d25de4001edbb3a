"""What every body of an admin request or reply has in common.

Owns that base class. Refuses to own any one body: each stands beside its route.
"""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A body in which an unknown field is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
