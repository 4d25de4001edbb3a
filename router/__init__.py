"""Which skill, in which form, for this state. See README.md for the file table."""

from .errors import RouterError, StaleRouter
from .fit_types import DevFigures, DevState, RoutedSkill
from .forms import Evidence, Formed, choose_form
from .router import Router
from .types import Choice, Form, Message, Route, Selector, State

__all__ = [
    "Choice",
    "DevFigures",
    "DevState",
    "Evidence",
    "Form",
    "Formed",
    "Message",
    "Route",
    "RoutedSkill",
    "Router",
    "RouterError",
    "Selector",
    "StaleRouter",
    "State",
    "choose_form",
]
