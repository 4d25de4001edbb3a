"""Which text of a state is routed by. Pure."""

from .types import State


def state_text(state: State) -> str:
    """The last user turn; where there is none, the last turn of any kind, else the empty string.

    Earlier turns and the system text are left out: they speak of other tasks more often than of
    this one, and they would drown a short request.
    """
    asked = [message.content for message in state.messages if message.role == "user"]
    if asked:
        return asked[-1]
    return state.messages[-1].content if state.messages else ""
