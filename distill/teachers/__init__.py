"""Teachers asked in roles: validated answers, set error rates, record and replay. See README.md."""

from .answers import (
    Cause,
    Challenge,
    Challenges,
    Draft,
    Drafts,
    Judgement,
    Labels,
    Lesson,
    Lessons,
    Proposal,
    drafted,
)
from .asking import AskedTeacher, Counts
from .errors import MalformedAnswer, ReplayMiss
from .programmatic import Craft, ProgrammaticSource, Rates
from .records import Records
from .roles import PRIVILEGED, ROLES, TRUTH, Payload, Question, Role, RoleName
from .sources import EndpointSource, PolicySource
from .string_world import string_teacher
from .types import Said, Source, Teacher, TeacherBudget

__all__ = [
    "PRIVILEGED",
    "ROLES",
    "TRUTH",
    "AskedTeacher",
    "Cause",
    "Challenge",
    "Challenges",
    "Counts",
    "Craft",
    "Draft",
    "Drafts",
    "EndpointSource",
    "Judgement",
    "Labels",
    "Lesson",
    "Lessons",
    "MalformedAnswer",
    "Payload",
    "PolicySource",
    "ProgrammaticSource",
    "Proposal",
    "Question",
    "Rates",
    "Records",
    "ReplayMiss",
    "Role",
    "RoleName",
    "Said",
    "Source",
    "Teacher",
    "TeacherBudget",
    "drafted",
    "string_teacher",
]
