"""Which part of an electorate a credential votes in; for decisions only, never shown (R-41).

Promises: only the credentials issued last for a part are in force; no row holds a roll's entry beside a credential's
hash, because no roll is folded at all.
"""

from avow.eventlog.records import Recorded
from avow.projections.projection import KeyValue, Projection, Row, key, number, on, table, text
from avow_evaluation.domain.review_round import CredentialsIssued

credentials = table(
    "credential", key("round_id"), key("hash"), text("unit_id"), text("rater_class"), number("generation")
)
in_force = table("credential_part", key("round_id"), key("unit_id"), key("rater_class"), number("generation"))


def _hashes(event: CredentialsIssued, recorded: Recorded) -> list[KeyValue]:
    return [(event.round_id, hash_) for hash_ in event.hashes]


class Credentials(Projection):
    """The credentials of every round."""

    name, version = "credentials", 1
    tables = (credentials, in_force)

    @on(CredentialsIssued, rows=credentials.each(_hashes), part=in_force.at("round_id", "unit_id", "rater_class"))
    def issued(self, event: CredentialsIssued, recorded: Recorded, rows: list[Row], part: Row) -> None:
        part["generation"] = event.generation
        for row in rows:
            row.update(unit_id=event.unit_id, rater_class=event.rater_class, generation=event.generation)
