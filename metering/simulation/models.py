"""What the simulator replays for each meter of the demo town."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from foundation.db import Base


class SimulatedMeter(Base):
    """What the simulator replays for a meter of the demo town."""

    __tablename__ = "simulated_meter"

    meter_id: Mapped[int] = mapped_column(ForeignKey("metering.meter.id"), primary_key=True)
    curve: Mapped[str] = mapped_column(comment="home, shop or factory")
    seed: Mapped[int]
    peak_w: Mapped[float] = mapped_column(comment="highest load it reaches [W]")


class SimulatedStock(Base):
    """What the simulator replays for a meter of the demo town that still lies in stock."""

    __tablename__ = "simulated_stock"

    stock_id: Mapped[int] = mapped_column(
        ForeignKey("metering.stock_meter.id"), primary_key=True, autoincrement=False
    )
    curve: Mapped[str] = mapped_column(comment="home, shop or factory")
    seed: Mapped[int]
    peak_w: Mapped[float] = mapped_column(comment="highest load it reaches [W]")
