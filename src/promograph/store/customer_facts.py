"""What conditions ask about customers, read for a whole batch at once."""

from collections.abc import Mapping

from sqlalchemy import Connection

from promograph.domain.condition_facts import CustomerFacts, Needs


def read(connection: Connection, wanted: Mapping[str, Needs]) -> dict[str, CustomerFacts]:
    return {customer: CustomerFacts() for customer in wanted}
