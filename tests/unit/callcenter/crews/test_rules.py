"""Whom to send: the area's own first, then the least loaded, nobody off shift."""

from hypothesis import given
from hypothesis import strategies as st

from callcenter.crews.rules import in_order_of_fitness
from callcenter.crews.types import CrewCard, CrewKind

cards = st.lists(
    st.builds(
        CrewCard,
        id=st.integers(1, 99),
        name=st.text(min_size=1, max_size=3),
        kind=st.sampled_from(CrewKind),
        unit_id=st.integers(1, 3),
        on_shift=st.booleans(),
        open_tickets=st.integers(0, 5),
    )
)


def crew(number: int, unit_id: int, load: int) -> CrewCard:
    return CrewCard(number, f"抢修 {number} 班", CrewKind.REPAIR, unit_id, True, load)


def test_the_areas_own_crew_goes_before_a_less_loaded_stranger() -> None:
    order = in_order_of_fitness(
        [crew(1, 9, 0), crew(2, 5, 3), crew(3, 5, 1)], kind=CrewKind.REPAIR, unit_id=5
    )
    assert [one.id for one in order] == [3, 2, 1]


@given(cards, st.sampled_from(CrewKind), st.none() | st.integers(1, 3))
def test_only_crews_of_the_kind_on_shift_are_offered_each_once(
    crews: list[CrewCard], kind: CrewKind, unit_id: int | None
) -> None:
    order = in_order_of_fitness(crews, kind=kind, unit_id=unit_id)
    fit = [one for one in crews if one.kind is kind and one.on_shift]
    assert sorted(map(id, order)) == sorted(map(id, fit))
    keys = [(one.unit_id != unit_id, one.open_tickets, one.name) for one in order]
    assert keys == sorted(keys)
