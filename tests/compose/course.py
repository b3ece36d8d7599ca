"""What the deployment is put through, in order; after each step both services know the same, and all is done.

Promises that hold on the way: events travel over the queue; commands are taken while RabbitMQ is away; who is killed is
started again; what takes everything down and up again loses nothing.
"""

import json
import re
from collections.abc import Callable

from tests.compose.caller import Caller, pledge
from tests.compose.deployment import WEBS, WORKERS, Deployment, Failed, until

_A_FEW = 5
_AT_ONCE = 15.0
"""How long a command may be tried while only RabbitMQ is away."""

Step = tuple[str, Callable[[Deployment, Caller], None]]


def faces(deployment: Deployment, caller: Caller) -> None:
    """Everything that a browser or a probe opens first."""
    for path in ("/health", "/pledge/health", "/evaluation/health"):
        caller.read(path)
    for service in ("pledge", "evaluation"):
        if b"<html" not in caller.read(f"/{service}/docs"):
            raise Failed(f"/{service}/docs")
    wrong = [found for found in deployment.avow("doctor")["findings"] if not found["ok"]]
    if wrong:
        raise Failed(f"doctor: {wrong}")


def story(deployment: Deployment, caller: Caller) -> None:
    """A pledge is made, and comes into the other service's log out of the queue."""
    before = _import_says(deployment)
    pledge(caller)
    caller.register(_A_FEW)
    _settled(deployment, caller)
    *lines, _end = caller.read("/pledge/main/feed?types=pledge.made").splitlines()
    if len(lines) != 1:
        raise Failed(f"pledge.made: {lines}")
    # Had the queue not brought something, the import would have left it for the feed, and said so.
    if _import_says(deployment) != before or before[-1:] != ["live"]:
        raise Failed(f"没有经队列到达 / not over the queue: {_import_says(deployment)}")


def nobody_takes(deployment: Deployment, caller: Caller) -> None:
    """What is published waits in the queue until a worker is there."""
    deployment.compose("stop", "evaluation-worker")
    caller.register(_A_FEW)
    waiting = {"evaluation.inbox.main": _A_FEW}
    until("队列里没有等着的事件 / nothing waits in the queue", lambda: _waiting(deployment) == waiting)
    deployment.compose("start", "evaluation-worker")
    _settled(deployment, caller)


def killed(deployment: Deployment, caller: Caller) -> None:
    """Every process that the containers are there for."""
    for services in (WORKERS, WEBS, ("proxy",), ("postgres",), ("rabbitmq",)):
        deployment.kill(*services)
        caller.register(_A_FEW)
        _settled(deployment, caller)


def without_rabbitmq(deployment: Deployment, caller: Caller) -> None:
    """Commands are taken, and the other service hears of them, before RabbitMQ is there again."""
    deployment.compose("stop", "rabbitmq")
    caller.register(_A_FEW, patience=_AT_ONCE)
    until("没有经事件流到达 / nothing arrives over the feed", caller.arrived)
    deployment.compose("start", "rabbitmq")
    _settled(deployment, caller)


def postgres_restarted(deployment: Deployment, caller: Caller) -> None:
    """The same commands, with the same keys, go through once it is there again."""
    deployment.compose("restart", "postgres")
    caller.register(_A_FEW)
    _settled(deployment, caller)


def two_of_each(deployment: Deployment, caller: Caller) -> None:
    """One of two is killed while commands come in."""
    deployment.up("--no-recreate", *(f"--scale={service}=2" for service in (*WEBS, *WORKERS)))
    deployment.kill(*WEBS, *WORKERS)
    caller.register(_A_FEW)
    _settled(deployment, caller)


def down_and_up(deployment: Deployment, caller: Caller) -> None:
    """With events in the queue that nobody has taken yet."""
    deployment.compose("stop", *WORKERS)
    caller.register(_A_FEW)
    deployment.down()
    deployment.up()
    _settled(deployment, caller)


def subscribed(deployment: Deployment, caller: Caller) -> None:
    """Another team's queue is made, and gone when it leaves."""
    made = deployment.avow("subscriber", "add", "library")["broker"]
    if made["queue"] != "subscriber.library":
        raise Failed(f"subscriber add: {made}")
    deployment.avow("subscriber", "revoke", "library")


def verified(deployment: Deployment, caller: Caller) -> None:
    """Both logs, every view, and each service's copy of the other's log."""
    verdict = deployment.avow("verify")
    if not verdict["ok"]:
        raise Failed(json.dumps(verdict, ensure_ascii=False, indent=2))


STEPS: tuple[Step, ...] = (
    ("页面与体检 / the pages, and doctor", faces),
    ("一份承诺从起草到公布，经队列到达另一服务 / a pledge from draft to public, and over the queue", story),
    ("没有消费者，事件在队列里等 / without a consumer events wait in the queue", nobody_takes),
    ("逐个杀掉主进程 / every main process killed", killed),
    ("停掉 RabbitMQ，照常受理 / commands while RabbitMQ is stopped", without_rabbitmq),
    ("重启 PostgreSQL / PostgreSQL restarted", postgres_restarted),
    ("各两个进程，杀一个 / two processes of each, one killed", two_of_each),
    ("整体停下再起，数据卷保留 / everything down and up again, volumes kept", down_and_up),
    ("登记并吊销一个订阅者 / a subscriber added and revoked", subscribed),
    ("核验 / verify", verified),
)


def _settled(deployment: Deployment, caller: Caller) -> None:
    deployment.recovered()
    until("两个服务所知不同 / the services do not know the same", caller.arrived)
    until("总线没有走完 / something on the bus stands still", lambda: _all_done(deployment))


def _all_done(deployment: Deployment) -> bool:
    told = deployment.avow("bus", "status")
    parts = [part for book in told["books"] for part in book["parts"]]
    consumed = all(queue["consumers"] for queue in told["queues"] if queue["queue"].endswith(".inbox.main"))
    empty = all(queue["messages"] == 0 for queue in told["queues"])
    return bool(told["ok"]) and all(part["lag"] == 0 for part in parts) and consumed and empty


def _waiting(deployment: Deployment) -> dict[str, int]:
    return {
        queue["queue"]: queue["messages"] for queue in deployment.avow("bus", "status")["queues"] if queue["messages"]
    }


def _import_says(deployment: Deployment) -> list[str]:
    """The states that the evaluation service's import of the other's events went through."""
    logged = deployment.compose("logs", "--no-color", "evaluation-worker")
    return re.findall(r'"state": "(\w+)".*"event": "import\.state"', logged)
