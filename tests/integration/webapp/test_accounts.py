"""Accounts: dear hashes, tokens nobody can read back, sessions that end."""

from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from foundation import clock
from foundation.actor import Actor, Role
from foundation.errors import NotFound
from tests.factories.foundation import SYSTEM, person
from webapp.auth import accounts
from webapp.auth.models import Account, SignIn
from webapp.auth.types import (
    AccountLocked,
    PasswordTooWeak,
    SignInRefused,
    UsernameTaken,
)

WORD = "long-enough-one"


@pytest.fixture
def agent(session: Session) -> Actor:
    """Give an agent who signs in as `li`."""
    one = person(session, Role.AGENT)
    accounts.set_password(session, SYSTEM, one.id or 0, username="li", password=WORD)
    return one


def sign_in(session: Session, password: str = WORD, username: str = "li") -> object:
    return accounts.sign_in(
        session, username=username, password=password, address="127.0.0.1", browser="x" * 999
    )


def account(session: Session) -> Account:
    return session.scalars(select(Account).where(Account.username == "li")).one()


def test_a_token_says_who_holds_it_until_they_sign_out(session: Session, agent: Actor) -> None:
    token = sign_in(session, username=" li ")
    assert isinstance(token, str)
    held = accounts.who_is(session, token)
    assert held is not None
    assert held.actor == agent
    accounts.sign_out(session, agent, held.sign_in_id)
    assert accounts.who_is(session, token) is None


def test_of_a_token_only_the_hash_is_kept(session: Session, agent: Actor) -> None:
    token = sign_in(session)
    assert agent
    row = session.scalars(select(SignIn)).one()
    assert str(token).encode() not in bytes(row.token_hash)
    assert len(row.browser) == 200


@pytest.mark.usefixtures("agent")
def test_a_password_is_hashed_dearly_enough(session: Session) -> None:
    found = extract_parameters(account(session).password_hash)
    assert found.type.name == "ID"
    assert found.memory_cost >= 19 * 1024
    assert found.time_cost >= 2
    assert WORD not in account(session).password_hash


def test_nobody_is_told_apart_from_somebody_by_the_price_of_the_check() -> None:
    assert extract_parameters(accounts._NOBODY) == extract_parameters(accounts._hasher.hash("x"))


@pytest.mark.usefixtures("agent")
def test_a_hash_that_is_too_cheap_by_now_is_renewed_at_the_next_sign_in(session: Session) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    account(session).password_hash = cheap.hash(WORD)
    assert isinstance(sign_in(session), str)
    assert extract_parameters(account(session).password_hash).memory_cost > 64


@pytest.mark.usefixtures("agent")
def test_the_fifth_failure_locks_and_says_until_when(session: Session) -> None:
    account(session).failures = 3
    assert isinstance(sign_in(session, "wrong-wrong"), SignInRefused)
    locked = sign_in(session, "wrong-wrong")
    assert isinstance(locked, AccountLocked)
    until = locked.facts["until"]
    assert until == account(session).locked_until
    assert isinstance(sign_in(session), AccountLocked)
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert isinstance(sign_in(session), str)
    assert account(session).locked_until is None


def test_a_name_nobody_has_is_locked_like_one_that_somebody_has(session: Session) -> None:
    for _ in range(4):
        assert isinstance(sign_in(session, username="nobody" * 500), SignInRefused)
    for _ in range(2):
        locked = sign_in(session, username="nobody" * 500)
        assert isinstance(locked, AccountLocked)
        assert clock.now() < locked.facts["until"] <= clock.now() + timedelta(minutes=15)
    assert isinstance(sign_in(session, username="somebody else"), SignInRefused)
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert isinstance(sign_in(session, username="nobody" * 500), SignInRefused)
    audited = text("SELECT count(*) FROM foundation.audit_entry WHERE act = 'auth.failed'")
    assert session.execute(audited).scalar_one() == 0


def test_a_session_that_is_used_lives_on_and_is_noted_once_a_minute(
    session: Session, agent: Actor
) -> None:
    token = str(sign_in(session))
    assert agent
    seen = session.scalars(select(SignIn.seen_at)).one()
    start = clock.now()
    for seconds, moved in ((30, False), (90, True)):
        with clock.frozen(start + timedelta(seconds=seconds)):
            assert accounts.who_is(session, token)
        session.expire_all()
        assert (session.scalars(select(SignIn.seen_at)).one() > seen) is moved


def test_a_session_nobody_used_for_long_has_ended(session: Session, agent: Actor) -> None:
    token = str(sign_in(session))
    assert agent
    with clock.frozen(clock.now() + timedelta(hours=12, seconds=1)):
        assert accounts.who_is(session, token) is None


def test_a_token_nobody_was_given_is_nobodys(session: Session) -> None:
    assert accounts.who_is(session, "made-up") is None


def test_a_name_belongs_to_one_person(session: Session, agent: Actor) -> None:
    assert agent
    other = person(session, Role.CREW)
    with pytest.raises(UsernameTaken) as refused:
        accounts.set_password(session, SYSTEM, other.id or 0, username="li", password=WORD)
    assert refused.value.facts == {"username": "li"}


def test_a_short_password_is_refused_with_the_least_length(session: Session) -> None:
    with pytest.raises(PasswordTooWeak) as refused:
        accounts.set_password(session, SYSTEM, 1, username="x", password="x" * 9)
    assert refused.value.facts == {"least": 10}


def test_a_new_password_unlocks_and_ends_what_is_open(session: Session, agent: Actor) -> None:
    token = str(sign_in(session))
    account(session).locked_until = clock.now() + timedelta(minutes=5)
    accounts.set_password(session, SYSTEM, agent.id or 0, username="li2", password=WORD + "!")
    assert accounts.who_is(session, token) is None
    assert isinstance(sign_in(session, WORD + "!", "li2"), str)
    assert accounts.has_account(session, "li2")
    assert not accounts.has_account(session, "li")


def test_language_and_theme_are_kept_one_without_the_other(session: Session, agent: Actor) -> None:
    assert agent
    number = account(session).id
    accounts.choose(session, number, language="en")
    accounts.choose(session, number, theme="dark")
    assert (account(session).language, account(session).theme) == ("en", "dark")
    with pytest.raises(NotFound):
        accounts.choose(session, -1, theme="dark")


def test_accounts_of_several_persons_come_at_once(session: Session, agent: Actor) -> None:
    other = person(session, Role.CREW)
    cards = accounts.account_cards(session, [agent.id or 0, other.id or 0])
    assert {number: card.username for number, card in cards.items()} == {agent.id: "li"}
