"""Who is sensitive to an outage."""

from datetime import date

import pytest

from customers.archive.types import Category, SupplyCard


@pytest.mark.parametrize(
    ("until", "grade", "sensitive"),
    [(None, None, False), (date(2027, 1, 1), None, True), (None, 1, True), (None, 2, True)],
)
def test_life_support_and_important_customers_are_sensitive(
    until: date | None, grade: int | None, *, sensitive: bool
) -> None:
    card = SupplyCard(1, "9100000001", "吴小满", Category.RESIDENTIAL, "青禾镇", until, grade)
    assert card.is_sensitive is sensitive
