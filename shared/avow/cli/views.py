"""What the commands about views share: which view is meant, in which service and book, and how far a fold is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from avow.cli.databases import has_a_log
from avow.cli.output import err, fail
from avow.eventlog import reading
from avow.eventlog.database import Database
from avow.kernel.refusal import Refusal
from avow.projections.projection import Projection
from avow.service.hosting import collect_seldom, installed
from avow.service.service import Blueprint
from avow.web.catalogue import SHARED, Catalogue

Service = Annotated[str | None, typer.Option(help="哪个服务的视图 / whose view: pledge, evaluation")]
Org = Annotated[str | None, typer.Option(help="哪个组织 / which organisation")]


@dataclass(frozen=True)
class Chosen:
    """A view of a service."""

    service: str
    blueprint: Blueprint
    projection: Projection


def chosen(name: str, service: str | None) -> Chosen:
    """The view of this name; ends the command where there is none, or more than one, and says which there are."""
    views = [
        Chosen(known, entry.blueprint, projection)
        for known, entry in installed().items()
        for projection in entry.blueprint.projections
    ]
    found = [view for view in views if view.projection.name == name and service in (None, view.service)]
    if not found:
        known = "；".join(f"{view.service}: {view.projection.name}" for view in views)
        fail(f"没有视图 {name}。现有：{known}。", f"There is no view {name}. There are: {known.replace('；', '; ')}.")
    if len(found) > 1:
        both = [view.service for view in found]
        fail(
            f"{'、'.join(both)} 都有视图 {name}，请用 --service 指明。",
            f"{' and '.join(both)} both have a view {name}. Say which with --service.",
        )
    return found[0]


async def books(database: Database) -> Sequence[str]:
    """The organisations with a book here; ends the command where there is none."""
    orgs = await database.read(reading.organisations) if await database.read(has_a_log) else []
    if not orgs:
        fail("这里没有账本。", "There is no book here. Check --data, or AVOW_DATA.")
    return orgs


async def one_book(database: Database, org: str | None) -> str:
    """The organisation meant; ends the command where it has no book here, or where there are several to choose from."""
    orgs = await books(database)
    known = ", ".join(orgs)
    if org is None and len(orgs) > 1:
        fail(f"有几个组织：{known}。请用 --org 指明。", f"There are several organisations: {known}. Choose with --org.")
    if org not in (None, *orgs):
        fail(f"没有组织 {org} 的账本。现有：{known}。", f"There is no book of {org}. There are: {known}.")
    return org or orgs[0]


def refused(refusal: Refusal) -> NoReturn:
    """Say a refusal in both languages and end."""
    message = Catalogue.load(SHARED).message(refusal.code, refusal.params)
    fail(f"{message.zh}{message.todo_zh}", f"{message.en} {message.todo_en}")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


class Bar:
    """A bar for each thing that goes along the log, with positions and events a second."""

    def __init__(self, doing: str) -> None:
        columns = (TextColumn(f"{doing} {{task.description}}"), BarColumn(), MofNCompleteColumn(), _Rate())
        self._bar = Progress(*columns, console=err, transient=True)
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> "Bar":
        collect_seldom()
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=of)
        self._bar.update(self._tasks[what], completed=done, total=of)  # type: ignore[arg-type]
