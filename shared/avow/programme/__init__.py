"""Programme templates: what an organisation's programme is made of, as data (R-75)."""

from avow.programme.errors import Problem, TemplateError, UnknownKey, UnknownTemplate
from avow.programme.shipped import available, from_data, load, parse
from avow.programme.template import ProgrammeTemplate

__all__ = [
    "Problem",
    "ProgrammeTemplate",
    "TemplateError",
    "UnknownKey",
    "UnknownTemplate",
    "available",
    "from_data",
    "load",
    "parse",
]
