"""Who acts, and what they may see: handed to every action and every list, never a global."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is here for; the order decides whose home page opens first."""

    AGENT = "agent"  # 坐席
    DISPATCHER = "dispatcher"  # 调度员
    CLERK = "clerk"  # 业务员
    INSPECTOR = "inspector"  # 用检员
    CREW = "crew"  # 抢修员
    SUPERVISOR = "supervisor"  # 班长
    ADMIN = "admin"  # 管理员
    WALL = "wall"  # 大屏账号


class Desk(StrEnum):
    """A kind of work departments keep (岗位); a step of a flow names the one that does it."""

    ACCEPTANCE = "acceptance"  # 业务受理
    SURVEY = "survey"  # 现场勘查
    PLAN_REPLY = "plan_reply"  # 方案答复
    CONTRACT = "contract"  # 合同签订
    METERING = "metering"  # 装表接电
    ARCHIVE = "archive"  # 信息归档


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or a named part of the system, that does something."""

    id: int | None
    name: str
    roles: frozenset[Role] = frozenset()
    unit_id: int | None = None
    staff_no: str = ""
    desks: frozenset[Desk] = frozenset()

    @classmethod
    def system(cls, name: str) -> "Actor":
        """Give the actor of a job or process; its roles are empty, its moves marked so."""
        return cls(id=None, name=name)

    @property
    def is_system(self) -> bool:
        """Whether nobody in person acts."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an actor may see of a list: everything, or what belongs to some departments."""

    unit_ids: frozenset[int] | None = None

    @classmethod
    def everything(cls) -> "Scope":
        """See all departments."""
        return cls(None)

    @classmethod
    def of_units(cls, *unit_ids: int) -> "Scope":
        """See these departments only."""
        return cls(frozenset(unit_ids))
