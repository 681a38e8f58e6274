"""Accounts people sign in with, and their sessions, kept on the server."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base, pk, utc


class Account(Base):
    """What a person signs in with."""

    __tablename__ = "account"

    id: Mapped[pk]
    person_id: Mapped[int] = mapped_column(ForeignKey("foundation.person.id"), unique=True)
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str] = mapped_column(comment="Argon2id")
    failures: Mapped[int] = mapped_column(default=0, comment="in a row")
    locked_until: Mapped[utc | None]
    language: Mapped[str] = mapped_column(default="zh-CN")
    theme: Mapped[str] = mapped_column(default="auto")


class SignIn(Base):
    """One signed-in browser; the cookie holds a token of which only the hash is kept."""

    __tablename__ = "sign_in"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[pk]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("webapp.account.id"))
    started_at: Mapped[utc]
    seen_at: Mapped[utc]
    ended_at: Mapped[utc | None]
    address: Mapped[str]
    browser: Mapped[str]
