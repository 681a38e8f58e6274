"""The demo town's staff: one person in every role, each able to sign in."""

from sqlalchemy.orm import Session

from foundation.actor import Actor, Desk, Role
from foundation.staff.actions import add_person, add_unit, set_desks
from foundation.staff.queries import people, units
from webapp.auth.accounts import has_account, set_password

PASSWORD = "gridhall-demo"  # noqa: S105 - printed by the demo itself, on an office nobody relies on
UNITS = (
    ("云川供电公司", "Yunchuan Power"),
    ("95598 大厅", "95598 hall"),
    ("配网调度", "Distribution dispatch"),
    ("青禾营业厅", "Qinghe service counter"),
    ("青禾供电所", "Qinghe supply station"),
    ("白果坪供电所", "Baiguoping supply station"),
)
DESKS = {
    "95598 大厅": (Desk.ACCEPTANCE,),
    "青禾营业厅": (Desk.ACCEPTANCE, Desk.PLAN_REPLY, Desk.CONTRACT, Desk.ARCHIVE),
    "青禾供电所": (Desk.SURVEY, Desk.METERING),
    "白果坪供电所": (Desk.SURVEY, Desk.METERING),
}
"""Which work of flows each department does."""
STAFF = (
    # sign-in, staff number, name, pinyin, department, roles
    ("dispatcher", "1001", "陈谷雨", "Chen Guyu", "配网调度", (Role.DISPATCHER,)),
    ("dispatcher2", "1002", "李惊蛰", "Li Jingzhe", "配网调度", (Role.DISPATCHER,)),
    ("agent", "2047", "周白露", "Zhou Bailu", "95598 大厅", (Role.AGENT,)),
    ("agent2", "2048", "沈秋分", "Shen Qiufen", "95598 大厅", (Role.AGENT,)),
    ("clerk", "2101", "王立夏", "Wang Lixia", "青禾营业厅", (Role.CLERK,)),
    ("clerk2", "2102", "尤秋分", "You Qiufen", "青禾营业厅", (Role.CLERK,)),
    ("surveyor", "2103", "何清明", "He Qingming", "青禾供电所", (Role.CLERK,)),
    ("surveyor2", "2104", "许雨水", "Xu Yushui", "白果坪供电所", (Role.CLERK,)),
    ("crew", "3001", "刘芒种", "Liu Mangzhong", "青禾供电所", (Role.CREW,)),
    ("crew2", "3002", "孙处暑", "Sun Chushu", "青禾供电所", (Role.CREW,)),
    ("crew3", "3003", "冯小雪", "Feng Xiaoxue", "青禾供电所", (Role.CREW,)),
    ("crew4", "3004", "吴大雪", "Wu Daxue", "白果坪供电所", (Role.CREW,)),
    ("inspector", "4001", "钱大暑", "Qian Dashu", "青禾供电所", (Role.INSPECTOR,)),
    ("inspector2", "4002", "郑立春", "Zheng Lichun", "青禾供电所", (Role.INSPECTOR,)),
    ("supervisor", "1000", "赵霜降", "Zhao Shuangjiang", "95598 大厅", (Role.SUPERVISOR,)),
    ("admin", "0001", "韩寒露", "Han Hanlu", "云川供电公司", (Role.ADMIN,)),
)


def build(session: Session, actor: Actor) -> None:
    """Add departments, persons and accounts that are not there yet."""
    unit_ids = {zh: add_unit(session, name_zh=zh, name_en=en) for zh, en in UNITS}
    for unit in units(session):
        if unit.name_zh in DESKS and not unit.desks:
            set_desks(session, actor, unit.id, DESKS[unit.name_zh])
    known = {person.staff_no: person.id for person in people(session)}
    for username, staff_no, name, pinyin, unit_name, roles in STAFF:
        person_id = known.get(staff_no) or add_person(
            session,
            actor,
            staff_no=staff_no,
            name=name,
            pinyin=pinyin,
            unit_id=unit_ids[unit_name],
            roles=roles,
        )
        if not has_account(session, username):
            set_password(session, actor, person_id, username=username, password=PASSWORD)
