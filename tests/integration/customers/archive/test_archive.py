"""The archive: accounts are opened once, found in four ways, and keep what is private sealed."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from customers.archive.actions import open_account
from customers.archive.queries import account_card, contact_at, points_of_search, supply_cards
from customers.archive.types import Category
from foundation.audit import entries
from foundation.db import keyed_hash
from tests.factories.customers import account
from tests.factories.foundation import SYSTEM
from tests.factories.metering import area, meter


def open_at(session: Session, account_no: str, point_id: int, **more: object) -> int:
    facts: dict[str, object] = {
        "customer_name": "云川面粉厂",
        "contact_name": "何经理",
        "phone": "0871-6512 3456",
        "id_no": "91530100MA6K",
        "address": "工业路 8 号",
        "category": Category.INDUSTRIAL,
    }
    return open_account(session, SYSTEM, account_no, point_id=point_id, **facts | more)  # type: ignore[arg-type]


def test_an_account_says_who_is_supplied_where(session: Session) -> None:
    point = meter(session).point_id
    open_at(session, "9200000001", point, important_grade=2)
    card = supply_cards(session, [point])[point]
    assert (card.account_no, card.customer_name, card.category, card.address) == (
        "9200000001",
        "云川面粉厂",
        Category.INDUSTRIAL,
        "工业路 8 号",
    )
    assert card.is_sensitive


def test_a_point_without_an_account_is_absent(session: Session) -> None:
    point = meter(session).point_id
    assert supply_cards(session, [point]) == {}
    assert contact_at(session, point) is None


def test_opening_an_account_again_leaves_it_alone(session: Session) -> None:
    point = meter(session).point_id
    first = open_at(session, "9200000001", point)
    again = open_at(session, "9200000001", point, customer_name="另一家")
    assert again == first
    assert supply_cards(session, [point])[point].customer_name == "云川面粉厂"
    assert len(entries(session, act="account.opened", subject_no="9200000001")) == 1


def test_two_accounts_cannot_be_supplied_at_one_point(session: Session) -> None:
    point = meter(session).point_id
    open_at(session, "9200000001", point)
    with pytest.raises(IntegrityError):
        open_at(session, "9200000002", point)


def test_two_accounts_at_one_address_share_the_premises(session: Session) -> None:
    for number in (1, 2):
        open_at(session, f"920000000{number}", meter(session).point_id)
    count = session.execute(text("SELECT count(*) FROM customers.premises")).scalar_one()
    assert count == 1


def test_phone_and_identity_are_sealed_at_rest_and_found_by_their_keyed_hash(
    session: Session,
) -> None:
    point = meter(session).point_id
    open_at(session, "9200000001", point)
    row = session.execute(
        text("SELECT phone, id_no, phone_hash, id_no_hash FROM customers.customer")
    ).one()
    for sealed in (row.phone, row.id_no):
        assert b"6512" not in bytes(sealed)
        assert b"91530100" not in bytes(sealed)
    assert bytes(row.phone_hash) == keyed_hash("087165123456")
    assert bytes(row.id_no_hash) == keyed_hash("91530100ma6k")
    contact = contact_at(session, point)
    assert contact is not None
    assert (contact.name, contact.phone) == ("何经理", "0871-6512 3456")


def test_a_customer_may_leave_no_phone(session: Session) -> None:
    point = meter(session).point_id
    account(session, point, phone=None)
    contact = contact_at(session, point)
    assert contact is not None
    assert contact.phone is None


@pytest.mark.parametrize("search", ["92000 00001", "920000", "面粉", "工业路"])
def test_points_are_found_by_account_customer_and_address(session: Session, search: str) -> None:
    point = meter(session).point_id
    open_at(session, "9200000001", point)
    account(session, meter(session).point_id, name="别家", address="别处", life_support_until=None)
    assert points_of_search(session, search) == [point]


@pytest.mark.parametrize("search", ["%", "_", "无此人", "2000000"])
def test_signs_of_patterns_and_the_middle_of_a_number_find_nothing(
    session: Session, search: str
) -> None:
    open_at(session, "9200000001", meter(session).point_id)
    assert points_of_search(session, search) == []


def test_a_search_gives_no_more_than_asked_for_in_the_order_of_accounts(session: Session) -> None:
    points = [meter(session).point_id for _ in range(3)]
    for number, point in zip((3, 1, 2), points, strict=True):
        open_at(session, f"920000000{number}", point)
    assert points_of_search(session, "920000", limit=2) == [points[1], points[2]]


def test_life_support_is_known_until_a_day(session: Session) -> None:
    point = meter(session).point_id
    account(session, point, life_support_until=date(2027, 3, 1))
    assert supply_cards(session, [point])[point].life_support_until == date(2027, 3, 1)


def test_a_second_supply_and_panels_are_known_in_the_archive(session: Session) -> None:
    second = area(session)[0]
    more = {"second_area_id": second, "pv_kwp": Decimal(12)}
    open_at(session, "9900009001", meter(session).point_id, **more)
    card = account_card(session, "9900009001")
    assert (card.second_area_id, card.pv_kwp) == (second, Decimal(12))
