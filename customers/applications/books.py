"""The packaged flows, forms, documents and promises of applications, checked once."""

from functools import cache
from importlib import resources

from customers.applications.rules import DocumentRule, Documents, Promises
from foundation.datafiles import DataFileRefused, build, load_toml
from foundation.flow.definition import Flow, Flows, load_flows
from foundation.flow.forms import FormBook, load_form_folder

EFFECTS = frozenset(
    {
        "draw_meter",
        "note_first_reading",
        "put_meter_back",
        "set_place",
        "take_intake",
        "write_archive",
    }
)
"""What a move may bring about; the functions stand in `effects`."""


@cache
def forms() -> FormBook:
    """Give the forms of all steps."""
    return load_form_folder(resources.files("customers.applications") / "forms")


@cache
def flows() -> Flows:
    """Give all versions of the flows of applications."""
    folder = resources.files("customers.applications") / "flows"
    return load_flows(folder, forms=forms().forms, effects=EFFECTS)


def flow_names() -> tuple[str, ...]:
    """Give the names of all flows of applications."""
    return tuple(sorted({flow.name for flow in flows().all()}))


@cache
def documents() -> Documents:
    """Give which documents each flow needs.

    Raises:
        DataFileRefused: a document is needed at a step its flow does not have.
    """
    file = resources.files("customers.applications") / "documents.toml"
    book = build(Documents, load_toml(file), where="documents.toml")
    for name, kinds in book.flows.items():
        flow: Flow = flows().current(name)
        for kind, rule in kinds.items():
            for step in filter(None, (rule.needed_at, rule.promised_until)):
                if step not in flow.stages:
                    why = f"{name}.{kind}: step {step!r} is none of its stages"
                    raise DataFileRefused(file="documents.toml", why=why)
    return book


@cache
def promises() -> Promises:
    """Give what is promised, as packaged."""
    file = resources.files("customers.applications") / "promises.toml"
    return build(Promises, load_toml(file), where="promises.toml")


def document_rules(flow: str) -> dict[str, DocumentRule]:
    """Give which documents a flow needs, in the order of the file."""
    return documents().flows.get(flow, {})
