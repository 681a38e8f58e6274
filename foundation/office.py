"""What a process of the office works with: settings, database addresses, engines."""

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine

from foundation.db import connect
from foundation.settings import Settings


@dataclass(frozen=True)
class Office:
    """Handed to commands and residents; nothing in it is a global.

    Attributes:
        url: address of the account this process works with.
        process: name shown in the database's list of connections and in the log.
    """

    settings: Settings
    url: str
    process: str = "gridhall"
    pool: int = 5

    @cached_property
    def engine(self) -> Engine:
        """Open the engine at first use."""
        return connect(self.url, pool=self.pool, application=f"gridhall-{self.process}")

    def secret(self, name: str) -> str:
        """Give a secret the office made for itself."""
        return self.settings.kept(name)

    def close(self) -> None:
        """Give the connections back."""
        if "engine" in self.__dict__:
            self.engine.dispose()
