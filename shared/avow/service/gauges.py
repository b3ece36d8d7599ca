"""What a service tells Prometheus of its parts, read off them when it is asked for."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from avow.service.service import Service

Sample = tuple[Iterable[str], float]


class Gauges(Collector):
    """The log, its relays, imports, projections and reactions, and what is laid aside."""

    def __init__(self, service: "Service") -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Everything, as it was seen last."""
        yield from self._of_the_log()
        yield from self._of_the_parts()
        yield from self._of_relays()
        yield from self._of_imports()
        service = self._service
        yield self._counter(
            "avow_reactions",
            "Reactions carried out, failed, or put off for what passes by itself.",
            ("reaction", "outcome"),
            ((labels, count) for labels, count in service.reactions.carried_out.items()),
        )
        yield self._counter(
            "avow_chores",
            "Rounds in which it was looked for reactions to carry out, by whether they failed altogether.",
            ("chore", "outcome"),
            (
                ((chore, outcome), count)
                for chore, at in service.chores.items()
                for outcome, count in (("done", at.rounds), ("failed", at.failures))
            ),
        )
        yield self._gauge(
            "avow_dead_letters_open",
            "How often something came to be a dead letter that waits for a person.",
            ("org", "kind"),
            ((labels, count) for labels, count in service.progress.letters.items()),
        )
        still = service.progress.standing_still(asyncio.get_running_loop().time())
        yield self._gauge("avow_ready", "1 where every part of this process does its work.", (), [((), not still)])

    def _of_the_log(self) -> Iterator[Metric]:
        heads = self._service.progress.heads
        yield self._counter(
            "avow_log_events",
            "Events in the log of an organisation.",
            ("org",),
            (((org,), head.position) for org, head in heads.items()),
        )
        yield self._counter(
            "avow_log_public_events",
            "Public events in the log of an organisation.",
            ("org",),
            (((org,), head.sequence) for org, head in heads.items()),
        )
        appender = self._service.appender
        yield self._counter("avow_appends", "Requests to append that were granted.", (), [((), appender.granted)])
        yield self._counter("avow_append_batches", "Batches they were written in.", (), [((), appender.batches)])

    def _of_the_parts(self) -> Iterator[Metric]:
        labels = ("kind", "name", "org")
        seen = self._service.progress.seen.values()
        yield self._gauge(
            "avow_position",
            "How far a part is.",
            labels,
            (((p.kind, p.name, p.org or ""), p.reached) for p in seen),
        )
        yield self._gauge(
            "avow_lag",
            "How much a part has not taken in.",
            labels,
            (((p.kind, p.name, p.org or ""), p.lag) for p in seen),
        )
        yield self._gauge(
            "avow_state",
            "1 for the state a part is in.",
            (*labels, "state"),
            (((p.kind, p.name, p.org or "", p.state), 1) for p in seen),
        )

    def _of_relays(self) -> Iterator[Metric]:
        relays = self._service.relays.items()
        yield self._counter(
            "avow_relay_published",
            "The last sequence the broker has.",
            ("org",),
            (((org,), relay.status.confirmed) for org, relay in relays),
        )
        yield self._counter(
            "avow_relay_unrouted",
            "Events that no queue wanted.",
            ("org",),
            (((org,), relay.status.unrouted) for org, relay in relays),
        )

    def _of_imports(self) -> Iterator[Metric]:
        yield self._counter(
            "avow_import_lines",
            "Lines offered to the inbox, by what became of them.",
            ("org", "outcome"),
            (
                ((org, outcome), count)
                for org, follower in self._service.followers.items()
                for outcome, count in follower.taken.items()
            ),
        )

    def _counter(self, name: str, told: str, labels: Iterable[str], samples: Iterable[Sample]) -> Metric:
        family = CounterMetricFamily(name, told, labels=("service", *labels))
        for values, value in samples:
            family.add_metric((self._service.name, *values), value)
        return family

    def _gauge(self, name: str, told: str, labels: Iterable[str], samples: Iterable[Sample]) -> Metric:
        family = GaugeMetricFamily(name, told, labels=("service", *labels))
        for values, value in samples:
            family.add_metric((self._service.name, *values), value)
        return family
