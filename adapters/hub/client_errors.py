"""The errors of `huggingface_hub` in our own words; one table for all that we ask of it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import Conflict, HubError, NotFound, SkillweaveError, UsageError

_MAX_CHARS = 4_000
SENT_AGAIN = "check HF_ENDPOINT and the network, then repeat: what was sent is not sent again"
FETCHED_AGAIN = "check HF_ENDPOINT and the network, then repeat: what was fetched is kept"


@contextmanager
def asking(what: str, endpoint: str, *, remedy: str = FETCHED_AGAIN) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        what: what we are doing, such as "listing ada/sql"; begins every message.
        remedy: what to do where the hub cannot be reached.

    Raises:
        NotFound, Conflict, UsageError, HubError: see the tree in `adapters/errors.py`.
    """
    import httpx2
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        with silenced("huggingface_hub.utils._http", "thrown while requesting", "Retrying in"):
            yield
    except SkillweaveError:
        raise
    except RepositoryNotFoundError as err:
        raise NotFound(
            f"{what}: {endpoint} has no such repository, or your token does not see it "
            "(HF_TOKEN, or hf auth login)"
        ) from err
    except (RevisionNotFoundError, EntryNotFoundError) as err:
        raise NotFound(f"{what}: {words(err)}") from err
    except HFValidationError as err:
        raise UsageError(f"{what}: {words(err)}") from err
    except HfHubHTTPError as err:
        status = err.response.status_code
        kind = Conflict if status in {409, 412} else HubError
        raise kind(f"{what}: {endpoint} answers {status}: {words(err)}") from err
    except OfflineModeIsEnabled as err:
        raise UsageError(f"{what}: HF_HUB_OFFLINE=1 forbids asking the hub: unset it") from err
    except (httpx2.HTTPError, ConnectionError) as err:
        raise HubError(unreachable(what, endpoint, err, remedy=remedy)) from err
    except RuntimeError as err:  # how the client reports a transfer that failed in a thread
        if err.__cause__ is None:
            raise
        raise HubError(f"{what}: {err} {words(err.__cause__)}; repeat it") from err


def unreachable(
    what: str, endpoint: str, err: BaseException | None, *, remedy: str = FETCHED_AGAIN
) -> str:
    """The sentence for a hub that does not answer."""
    why = f" ({type(err).__name__}: {err})" if err is not None else ""
    return f"{what}: {endpoint} cannot be reached{why}; {remedy}"


@contextmanager
def silenced(logger: str, *remarks: str) -> Iterator[None]:
    """Hide what one of the client's loggers says with these words: we say it ourselves."""

    def other(record: logging.LogRecord) -> bool:
        return not any(remark in record.getMessage() for remark in remarks)

    found = logging.getLogger(logger)
    found.addFilter(other)
    try:
        yield
    finally:
        found.removeFilter(other)


def words(err: BaseException) -> str:
    """What the hub itself said: the last paragraph of the client's message."""
    text = getattr(err, "server_message", None) or str(err)
    lines = [line for line in str(text).splitlines() if line.strip()]
    return "\n".join(dict.fromkeys(lines))[:_MAX_CHARS]
