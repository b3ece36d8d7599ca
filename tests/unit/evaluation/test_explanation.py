"""A score explained down to its events, over HTTP and on the command line; a figure that was altered is found out."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from sqlalchemy import Connection
from typer.testing import CliRunner, Result

from avow.audit.explanation import EventRef, Explanation, Step
from avow.cli import app
from avow.cli.explain import tree_of
from avow.contracts.values import Label
from avow_evaluation.domain.assessment import AssessmentCalculated
from avow_evaluation.projections.assessments import Assessments
from avow_evaluation.reading import explanation as explaining
from avow_evaluation.reading.explanation import explain_score
from tests.kit.logs import identity
from tests.unit.evaluation.builders import UNIT
from tests.unit.evaluation.college import ORG, Evaluation, Refused, an_evaluation
from tests.unit.evaluation.scoring import UNITS, a_unit_round, publish, the_units_records


@pytest.fixture
async def evaluation(engine_url: str) -> AsyncIterator[Evaluation]:
    async with an_evaluation(engine_url) as running:
        await publish(running)
        await the_units_records(running)
        await a_unit_round(running)
        await running.ask("assessments", UNITS)
        await running.service.runner.reach(ORG, running.position, [Assessments.name])
        yield running


async def the_assessment(evaluation: Evaluation) -> dict[str, Any]:
    (found,) = (await evaluation.read("assessments", **UNITS, unit_id=UNIT))["items"]
    return dict(found)


def steps_of(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for below in step["steps"]:
        yield from steps_of(below)


async def test_a_score_walks_to_every_event_behind_it(evaluation: Evaluation) -> None:
    """R-49"""
    assessed = await the_assessment(evaluation)
    explained = await evaluation.read(f"assessments/{assessed['assessment_id']}/explanation")
    assert explained["agrees"] is True
    assert explained["tree"]["stored"] == assessed["total"]
    assert explained["tree"]["event"]["event_id"] == assessed["event_ref"]
    told = [step["event"]["type"] for step in steps_of(explained["tree"]) if step["event"] is not None]
    assert {name: told.count(name) for name in told} == {
        "assessment.calculated": 1,
        "obligation.assessed": 3,
        "obligation.reassessed": 1,
        "obligation.waived": 1,
        "pledge.made": 1,
        "pledge.item_verified": 1,
        "pledge.withdrawn": 1,
        "comment.recorded": 2,
        "review.tallied": 1,
        "review.spread": 1,
        "scoring_rules.published": 1,
    }
    positions = {str(record.event_id): record.position for record in await evaluation.records()}
    for step in steps_of(explained["tree"]):
        if step["event"] is not None:
            assert positions[step["event"]["event_id"]] == step["event"]["position"]


async def test_an_assessment_there_is_not_is_not_explained(evaluation: Evaluation) -> None:
    with pytest.raises(Refused, match=r"assessment\.unknown"):
        await evaluation.read(f"assessments/{UNIT}/explanation")


@pytest.mark.parametrize(
    ("altered", "at"),
    [
        ({"total": "99.000000000"}, 0),
        ({"work_record": "99.000000000"}, 1),
        ({"rules_version": 7}, 1),
        ({"recognition_weight": "30"}, 0),
    ],
)
async def test_a_figure_that_does_not_follow_is_found_out(
    evaluation: Evaluation, altered: dict[str, Any], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained = await explained_as(evaluation, altered, monkeypatch)
    assert explained.agrees is False
    wrong = explained.tree if at == 0 else next(step for step in explained.tree.steps if not step.agrees)
    assert wrong.stored != wrong.computed


async def test_a_count_its_events_do_not_give_is_found_out(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await the_assessment(evaluation)
    parts = [{**part, "evidence": []} for part in said["parts"]]
    explained = await explained_as(evaluation, {"parts": parts}, monkeypatch)
    wrong = [step.what.en for step in walk(explained.tree) if step.stored != step.computed]
    assert wrong == ["Numerator / denominator"] * 3


def walk(step: Step) -> Iterator[Step]:
    yield step
    for below in step.steps:
        yield from walk(below)


async def explained_as(evaluation: Evaluation, altered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Explanation:
    """The explanation where the assessment's event says something else."""
    decode = explaining._TYPES.decode

    def other(record: Any) -> Any:
        event = decode(record)
        if not isinstance(event, AssessmentCalculated):
            return event
        return AssessmentCalculated.model_validate({**event.model_dump(mode="json"), **altered})

    monkeypatch.setattr(explaining._TYPES, "decode", other)
    assessed = await the_assessment(evaluation)

    def read(connection: Connection) -> Explanation | None:
        return explain_score(connection, ORG, assessed["assessment_id"])

    explained = await evaluation.service.database.read(read)
    assert explained is not None
    return explained


async def test_every_leaf_says_in_words_what_happened(evaluation: Evaluation) -> None:
    """R-49"""
    assessed = await the_assessment(evaluation)
    explained = await evaluation.read(f"assessments/{assessed['assessment_id']}/explanation")
    leaves = [step["what"] for step in steps_of(explained["tree"]) if step["event"] is not None][1:]
    zh, en = [what["zh"] for what in leaves], [what["en"] for what in leaves]
    assert zh == [
        "每月支委会议 2010-06：按期",
        "每月支委会议 2010-09：未完成",
        "每月支委会议 2010-09：改为逾期完成",
        "每月支委会议 2010-11：未完成",
        "每月支委会议 2010-11：免除",
        "承诺 00000000，共 4 项，2010-11-25 作出",
        "承诺 00000000 第 1 项（带头服务师生）：已核实",
        "承诺 00000000 第 2 项（带头服务师生）：撤回，准予免责",
        "点评 80 分，2010-11-25",
        "点评 91 分，2010-11-25",
        "评议结果《2010 年下半年群众评议》：有效",
        "选票分布《2010 年下半年群众评议》",
        "《党组织考评细则》v1，自 2010-06-01 起",
    ]
    assert en[2].endswith("2010-09: now met late")
    assert "Event" not in en


HERE = ZoneInfo("Asia/Shanghai")
LATE = datetime(2010, 9, 30, 17, 5, tzinfo=UTC)


def a_figure(comments: int, others: int = 0) -> Step:
    """A figure with so many events of two kinds below it."""
    kinds = ["comment.recorded"] * comments + ["review.tallied"] * others
    refs = [
        EventRef(event_id=identity(n), position=n, type=kind, occurred_at=LATE, recorded_at=LATE, source=identity(7))
        for n, kind in enumerate(kinds, start=1)
    ]
    steps = [Step(what=Label(zh="点评", en="Comment"), event=ref) for ref in refs]
    return Step(what=Label(zh="分子", en="Numerator"), steps=steps)


def shown(step: Step, most: int | None, width: int = 240) -> list[str]:
    """The lines of a tree on a screen so wide."""
    screen = Console(file=StringIO(), width=width, highlight=False)
    screen.print(tree_of(step, HERE, most), no_wrap=True, overflow="ellipsis")
    return str(screen.file.getvalue()).splitlines()  # type: ignore[attr-defined]


def test_many_events_of_a_kind_are_counted_and_all_are_shown_to_who_asks() -> None:
    lines = shown(a_figure(53, others=12), 12)
    assert len(lines) == 1 + 12 + 12 + 1
    assert "另有 41 项 and 41 more：--all" in lines[-1]
    assert len(shown(a_figure(53, others=12), None)) == 1 + 53 + 12
    assert not any("more" in line for line in shown(a_figure(12), 12))


def test_an_event_is_one_line_with_short_ids_and_the_time_where_the_campaign_is() -> None:
    (line,) = shown(a_figure(1), 12)[1:]
    assert line.endswith("#1 00000000  2010-10-01 01:05，记录 recorded 2010-10-01 01:05  导入自 from 00000000")
    assert identity(1) not in line
    assert len(shown(a_figure(1), 12, width=30)) == 2


async def avow(*arguments: str) -> Result:
    """The command, in a thread, for it has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_the_command_line_tells_the_same_tree(tmp_path: Path) -> None:
    """R-49"""
    async with an_evaluation(f"sqlite:///{tmp_path}/evaluation.db") as evaluation:
        await publish(evaluation)
        await the_units_records(evaluation)
        await a_unit_round(evaluation)
        await evaluation.ask("assessments", UNITS)
        assessed = await the_assessment(evaluation)
        answer = await evaluation.read(f"assessments/{assessed['assessment_id']}/explanation")
    asked = ["explain", "score", assessed["assessment_id"], "--data", str(tmp_path)]
    told = await avow(*asked, "--json")
    assert (told.exit_code, json.loads(told.stdout)) == (0, answer)
    printed = await avow(*asked)
    assert printed.exit_code == 0
    assert "总分：药学系教工支部" in printed.stdout
    assert "逐步重算一致" in printed.stdout
    assert "2010-09：改为逾期完成" in printed.stdout
    every = await avow(*asked, "--all")
    assert (every.exit_code, every.stdout) == (0, printed.stdout)
    unknown = await avow("explain", "score", UNIT, "--data", str(tmp_path))
    assert unknown.exit_code == 2
    assert "There is no assessment" in unknown.stderr
