"""The packaged flows, forms and promises of tickets, checked once."""

from functools import cache
from importlib import resources

from callcenter.tickets.rules import Promises
from foundation.datafiles import build, load_toml
from foundation.flow.definition import Flows, load_flows
from foundation.flow.forms import FormBook, load_forms

EFFECTS = frozenset(
    {
        "ask_the_meter",
        "begin_new_round",
        "close_by_hand",
        "close_with_finding",
        "follow_master",
        "give_back_alert",
        "give_to_crew",
        "note_closed",
        "note_on_site",
        "note_restored",
        "take_from_crew",
        "tell_on_the_way",
    }
)
"""What a move of a ticket may bring about; the functions stand in `effects`."""


@cache
def forms() -> FormBook:
    """Give the forms of tickets."""
    return load_forms(resources.files("callcenter.tickets") / "forms.toml")


@cache
def flows() -> Flows:
    """Give all versions of the flows of tickets."""
    folder = resources.files("callcenter.tickets") / "flows"
    return load_flows(folder, forms=forms().forms, effects=EFFECTS)


@cache
def promises() -> Promises:
    """Give what is promised, as packaged."""
    file = resources.files("callcenter.tickets") / "promises.toml"
    return build(Promises, load_toml(file), where="promises.toml")
