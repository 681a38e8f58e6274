"""What a case's page shows: its flow and forms, documents, history, remarks, planned archive."""

from customers.applications.actions.documents import (
    add_document,
    adopt_document,
    promise_document,
    remove_document,
)
from customers.applications.actions.steps import add_note
from customers.applications.books import document_rules, flow_names, flows, forms
from customers.applications.queries.cases import (
    VIEWS,
    application_history,
    application_notes,
    counts,
    of_cases,
)
from customers.applications.queries.papers import document_file, papers
from customers.applications.queries.plan import archive_plan, blockers_of
from customers.applications.rules import spans

__all__ = [
    "VIEWS",
    "add_document",
    "add_note",
    "adopt_document",
    "application_history",
    "application_notes",
    "archive_plan",
    "blockers_of",
    "counts",
    "document_file",
    "document_rules",
    "flow_names",
    "flows",
    "forms",
    "of_cases",
    "papers",
    "promise_document",
    "remove_document",
    "spans",
]
