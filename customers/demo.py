"""The demo town's customers: plainly invented people and firms, one at every point."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from customers import demo_applications
from customers.archive.actions import open_account
from customers.archive.queries import supply_cards
from customers.archive.types import Category
from foundation import clock
from foundation.actor import Actor, Scope
from metering.api.devices import search_meters
from metering.api.network import area_by_no, area_places
from metering.api.types import AreaPlace, MeterCard, Supply

SURNAMES = "林王周陈赵李吴孙郑冯钱刘韩何许沈朱秦尤吕施张孔曹严华金魏陶姜"
TERMS = (
    "立春", "雨水", "惊蛰", "春分", "清明", "谷雨", "立夏", "小满", "芒种", "夏至", "小暑", "大暑",
    "立秋", "处暑", "白露", "秋分", "寒露", "霜降", "立冬", "小雪", "大雪", "冬至", "小寒", "大寒",
)  # fmt: skip
SHOPS = ("洗衣", "面包", "便利店", "药房", "饭馆", "书店", "五金", "水果", "理发", "文具")
WORKS = ("冷链", "机械", "印刷", "食品", "包装", "电子", "纺织", "模具", "饲料", "家具")
LIFE_SUPPORT = {"M-0701-0003", "M-0501-0005"}
IMPORTANT = {"M-1404-0001": 2}
HOSPITAL, SECOND_AREA = "M-1404-0001", "TG-0701"
PV_KWP = {"M-0502-0003": Decimal("8.50"), "M-0701-0007": Decimal("20.00")}
"""Customers with a solar plant of their own [kW]."""


def build(session: Session, actor: Actor) -> None:
    """Open an account at every point that has none, then take the applications in."""
    meters = search_meters(session, Scope.everything(), limit=5000)
    areas = area_places(session, {meter.area_id for meter in meters})
    second = area_by_no(session, SECOND_AREA).area_id
    taken = supply_cards(session, {meter.point_id for meter in meters})
    for number, meter, name in _named(meters):
        if meter.point_id in taken:
            continue
        serial = int(meter.meter_no[-4:])
        open_account(
            session,
            actor,
            f"9900{number:06d}",
            customer_name=name,
            contact_name=_person(number),
            phone=f"1300000{number:04d}",
            id_no=f"1100000000000{number:04d}X",
            address=_address(areas[meter.area_id], meter, serial),
            point_id=meter.point_id,
            category=_category(meter, name),
            life_support_until=clock.business_date() + timedelta(days=300)
            if meter.meter_no in LIFE_SUPPORT
            else None,
            important_grade=IMPORTANT.get(meter.meter_no),
            second_area_id=second if meter.meter_no == HOSPITAL else None,
            pv_kwp=PV_KWP.get(meter.meter_no),
        )
    demo_applications.build(session, actor)


def _named(meters: list[MeterCard]) -> Iterator[tuple[int, MeterCard, str]]:
    for number, meter in enumerate(meters, start=1):
        if meter.meter_no == HOSPITAL:
            yield number, meter, "青禾示范医院"
        elif meter.multiplier >= 10 or meter.supply is Supply.THREE_10KV:
            yield number, meter, f"青禾示范{WORKS[number % len(WORKS)]}有限公司"
        elif _is_shop(meter):
            yield number, meter, f"示例{SHOPS[number % len(SHOPS)]} {meter.meter_no[2:6]} 店"
        else:
            yield number, meter, _person(number)


def _is_shop(meter: MeterCard) -> bool:
    serial = int(meter.meter_no[-4:])
    return meter.supply is Supply.THREE_380 and serial not in {6, 7}


def _person(number: int) -> str:
    return SURNAMES[(number // len(TERMS)) % len(SURNAMES)] + TERMS[number % len(TERMS)]


def _category(meter: MeterCard, name: str) -> Category:
    if name.endswith("公司"):
        return Category.INDUSTRIAL
    return Category.COMMERCIAL if _is_shop(meter) or name.endswith("医院") else Category.RESIDENTIAL


def _address(area: AreaPlace, meter: MeterCard, serial: int) -> str:
    if area.area_name.endswith("专变"):
        return f"云川市青禾区{area.area_name.removesuffix('专变')}".replace(" ", "")
    estate, index, _ = area.area_name.split(" ", 2)
    if _is_shop(meter):
        return f"云川市青禾区{estate}小区 {index} 幢 {serial} 号商铺"
    floor, door = divmod(serial - 1, 4)
    return f"云川市青禾区{estate}小区 {index} 幢 {floor // 6 + 1} 单元 {floor % 6 + 1}0{door + 1}"
