"""Profiles: written in the page, checked, kept, tried on a device that really answers."""

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from ipaddress import ip_network
from pathlib import Path

import pytest

from foundation.audit import entries
from foundation.postgres import EmbeddedServer
from foundation.settings import settings
from metering.polling.plans import Plans
from metering.profiles import actions
from tests.factories import metering
from tests.factories.databases import own_database
from tests.factories.simulated import Simulated, simulated, unit
from tests.factories.webapp import Browser, Page, Portal, Town, fit
from tests.pages.conftest import TOWN

Change = Callable[[str], str]


@pytest.fixture(scope="module")
def portal(
    server: EmbeddedServer, town: Town, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """Open a portal with a shelf of its own."""
    with own_database(server, TOWN) as addresses:
        folder = tmp_path_factory.mktemp("office")
        opened = Portal(addresses, town, replace(settings(), data_dir=folder))
        yield opened
        opened.close()


@pytest.fixture
def admin(portal: Portal) -> Browser:
    return portal.browser("admin")


@pytest.fixture(scope="module")
def device() -> Iterator[Simulated]:
    with simulated(unit(1, "eastron_sdm630")) as running:
        yield running


def shelf(portal: Portal) -> Path:
    return portal.settings.data_dir / "profiles"


def field(page: Page, name: str) -> str:
    return page.tree.all("input", name=name)[0].attrs["value"]


def begun(admin: Browser, name: str, copy_of: str = "eastron_sdm630") -> str:
    """Give the text of a copy under a new name."""
    text = raw_text(admin.get(f"/profiles/new?copy={copy_of}"))
    return re.sub(r'(?m)^name = ".*"$', f'name = "{name}"', text)


def raw_text(page: Page) -> str:
    """Give the text area's content as a browser would send it back."""
    found = re.search(r"<textarea[^>]*id=\"f-text\"[^>]*>\n?(.*?)</textarea>", page.html, re.DOTALL)
    assert found, page.said[:300]
    return unescape(found[1])


def put(admin: Browser, name: str) -> None:
    page = admin.post("/profiles/new", text=begun(admin, name))
    assert page.status == 302, page.said[:600]


def look(browser: Browser, device: Simulated, text: str, name: str = "", **more: str) -> Page:
    where = {"host": "127.0.0.1", "port": str(device.port), "unit": "1"}
    return browser.post("/profiles/try", name=name, text=text, **(where | more))


def test_the_shelf_lists_packaged_and_own_profiles_with_their_terminals(
    portal: Portal, admin: Browser
) -> None:
    put(admin, "ninth_model")
    with portal.work() as session:
        fit(session, portal.town.area, profile="ninth_model")
    rows = admin.get("/profiles").row_texts()
    assert "ninth_model" in rows[0]
    assert "自编" in rows[0]
    assert any("acrel_adl400" in row and "内置" in row for row in rows)
    assert "1" in rows[0]


def test_a_ninth_model_is_taken_up_by_a_running_poller(portal: Portal, admin: Browser) -> None:
    plans = Plans(portal.settings.data_dir)
    put(admin, "taken_up")
    assert plans.refresh() == {"taken_up"}
    assert plans.get("taken_up") is not None


def test_a_wrong_text_says_the_line_and_writes_nothing(portal: Portal, admin: Browser) -> None:
    good = begun(admin, "broken_one")
    line = next(n for n, one in enumerate(good.split("\n"), 1) if 'quantity = "u_b"' in one)
    wrong = good.replace('quantity = "u_b"', 'quantity = "u_x"')
    page = admin.post("/profiles/new", text=wrong)
    assert page.status == 422
    assert f"第 {line} 行" in page.said
    assert "没有这个量" in page.said
    assert "u_x" in raw_text(page)
    assert not (shelf(portal) / "broken_one.toml").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("points = [", "points = "), "不是合法的值"),
        (lambda text: text + "\ncolour = 1\n", "没有“colour”这个键"),
        (lambda text: re.sub(r"(?m)^maker.*$", "", text), "缺少“maker”"),
        (lambda text: re.sub(r"(?m)^source.*$", "", text, count=1), "没有写明来源"),
        (lambda text: text.replace('"V"', '"Volt"', 1), "未知单位"),
        (lambda text: text.replace("name =", "name = 'X/../y' #", 1), "小写字母"),
        (lambda text: text.replace('name = "odd"', 'name = "try"', 1), "小写字母"),
    ],
)
def test_each_fault_has_a_sentence(
    portal: Portal, admin: Browser, change: Change, said: str
) -> None:
    before = sorted(shelf(portal).rglob("*"))
    page = admin.post("/profiles/new", text=change(begun(admin, "odd")))
    assert page.status == 422
    assert said in page.said, page.said[:800]
    assert sorted(shelf(portal).rglob("*")) == before


def test_a_name_is_taken_once(admin: Browser) -> None:
    put(admin, "taken_once")
    assert admin.post("/profiles/new", text=begun(admin, "taken_once")).status == 409
    page = admin.post("/profiles/new", text=begun(admin, "acrel_adl400"))
    assert page.status == 409
    assert "已有规约叫 acrel_adl400" in page.said


def test_the_text_before_is_kept_and_the_audit_has_both(portal: Portal, admin: Browser) -> None:
    put(admin, "kept_one")
    page = admin.get("/profiles/kept_one")
    before = raw_text(page)
    after = before.replace("min_gap_ms", "min_gap_ms", 1) + "\n# verified\n"
    saved = admin.post(
        "/profiles/kept_one",
        text=after.replace("\n", "\r\n"),
        seen=field(page, "seen"),
        note="现场核实",
    )
    assert saved.status == 302
    assert (shelf(portal) / "versions" / "kept_one.0001.toml").read_text() == before
    assert "# verified" in (shelf(portal) / "kept_one.toml").read_text()
    assert not list(shelf(portal).rglob("*.draft"))
    with portal.work() as session:
        newest = entries(session, act="profile.saved", subject_no="kept_one")[0]
    assert newest.facts["version"] == 2
    assert newest.facts["before"] == before
    assert newest.facts["note"] == "现场核实"


def test_an_earlier_text_is_looked_at_and_put_back(portal: Portal, admin: Browser) -> None:
    put(admin, "put_back")
    page = admin.get("/profiles/put_back")
    first = raw_text(page)
    worse = {"text": first + "# worse\n", "seen": field(page, "seen"), "note": "现场核实"}
    assert admin.post("/profiles/put_back", **worse).status == 302
    page = admin.get("/profiles/put_back")
    (link,) = page.tree.all("a", href="/profiles/put_back?version=1")
    assert "第 1 版" in link.text
    old = admin.get("/profiles/put_back?version=1")
    assert raw_text(old) == first
    assert "不是现行文本" in old.said
    assert "尚未保存" in old.said
    again = {"text": raw_text(old), "seen": field(old, "seen"), "note": "退回"}
    assert admin.post("/profiles/put_back", **again).status == 302
    assert (shelf(portal) / "put_back.toml").read_text() == first
    listed = admin.get("/profiles/put_back").said
    assert "第 2 版" in listed
    assert "现场核实" in listed
    assert admin.get("/profiles/put_back?version=9").status == 404
    read_only = portal.browser("supervisor").get("/profiles/put_back?version=2")
    assert "# worse" in raw_text(read_only)
    assert "保存后即恢复" not in read_only.said


def test_two_who_write_one_profile_lose_nothing(portal: Portal, admin: Browser) -> None:
    put(admin, "raced")
    page = admin.get("/profiles/raced")
    text, seen = raw_text(page), field(page, "seen")
    assert admin.post("/profiles/raced", text=text + "# one\n", seen=seen).status == 302
    lost = admin.post("/profiles/raced", text=text + "# two\n", seen=seen)
    assert lost.status == 409
    assert "保存了本规约" in lost.said
    assert "# two" in raw_text(lost)
    assert "# one" in (shelf(portal) / "raced.toml").read_text()


def test_a_packaged_profile_is_not_changed(admin: Browser) -> None:
    page = admin.get("/profiles/acrel_adl400")
    assert page.tree.one("textarea", id="f-text").attrs.get("readonly") is not None
    assert admin.post("/profiles/acrel_adl400", text=raw_text(page), seen="").status == 409


def test_only_an_administrator_writes(portal: Portal) -> None:
    supervisor = portal.browser("supervisor")
    assert supervisor.get("/profiles/acrel_adl400").status == 200
    assert supervisor.get("/profiles/new").status == 403
    assert supervisor.post("/profiles/try", host="127.0.0.1").status == 403


def test_a_device_is_read_with_a_text_that_is_not_saved(
    portal: Portal, admin: Browser, device: Simulated
) -> None:
    page = look(admin, device, begun(admin, "not_saved"))
    assert page.status == 200, page.said[:500]
    row = next(text for text in page.row_texts() if text.startswith("u_a"))
    assert "0x0000" in row
    assert " V" in row
    assert "合理" in row
    assert "采用" not in page.said
    assert not (shelf(portal) / "not_saved.toml").exists()
    with portal.work() as session:
        probed = entries(session, act="device.probed")[0]
    assert probed.facts["framing"] == "mbap"
    assert probed.facts["fit_pct"] > 95


@pytest.mark.parametrize(
    ("change", "take"),
    [
        (lambda text: text.replace('type = "f32"', 'type = "f32", order = "CDAB"'), "order:ABCD"),
        (
            lambda text: re.sub(
                r"(address|first|last|factor_at) = 0x([0-9A-Fa-f]+)",
                lambda m: f"{m[1]} = 0x{int(m[2], 16) + 1:04X}",
                text,
            ),
            "shift:-1",
        ),
    ],
)
def test_what_is_found_is_taken_over_into_the_text(
    admin: Browser, device: Simulated, change: Change, take: str
) -> None:
    right = begun(admin, "turned_one")
    wrong = change(right)
    assert wrong != right
    page = look(admin, device, wrong)
    assert page.status == 200, page.said[:500]
    (button,) = page.tree.all("button", name="take")
    assert button.attrs["value"] == take
    taken = admin.post("/profiles/take", name="", text=wrong, take=take)
    assert taken.status == 200, taken.said[:400]
    mended = raw_text(taken)
    assert "尚未保存" in taken.said
    again = look(admin, device, mended)
    assert "采用" not in again.said
    assert "吻合 100%" in again.said or "吻合 9" in again.said


def test_nobody_there_is_said_in_words(admin: Browser) -> None:
    text = begun(admin, "nobody")
    page = admin.post("/profiles/try", name="", text=text, host="127.0.0.1", port="9", unit="1")
    assert page.status == 200
    assert "均无应答" in page.said
    assert "连接不上" in page.said


def test_a_look_that_took_too_long_is_in_the_audit_too(
    portal: Portal, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "WITHIN_S", 0.3)
    text = begun(admin, "mute")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = str(mute.getsockname()[1])
        page = admin.post("/profiles/try", name="", text=text, host="127.0.0.1", port=port)
    assert page.status == 503
    with portal.work() as session:
        newest = entries(session, act="device.probed")[0]
    assert newest.subject_no == f"127.0.0.1:{port}"
    assert newest.facts["fit_pct"] is None


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"host": "8.8.8.8"}, 409, "网段"),
        ({"host": "no such host"}, 422, "找不到"),
        ({"host": "127.0.0.1", "port": "99999"}, 422, "端口"),
        ({"host": "127.0.0.1", "unit": "x"}, 422, "站号"),
        ({"host": "127.0.0.1", "ct": "-1"}, 422, "CT"),
    ],
)
def test_what_is_no_device_is_refused(
    admin: Browser, fields: dict[str, str], status: int, said: str
) -> None:
    page = admin.post("/profiles/try", name="", text=begun(admin, "nowhere"), **fields)
    assert page.status == status
    assert said in page.said


def test_an_office_says_where_devices_stand(
    server: EmbeddedServer, town: Town, device: Simulated, tmp_path: Path
) -> None:
    strict = replace(settings(), data_dir=tmp_path, probe_networks=(ip_network("10.0.0.0/8"),))
    with own_database(server, TOWN) as addresses:
        opened = Portal(addresses, town, strict)
        admin = opened.browser("admin")
        page = look(admin, device, begun(admin, "strict"))
        opened.close()
    assert page.status == 409
    assert "GRIDHALL_PROBE_NETWORKS" in page.said


def test_a_connection_a_poller_owns_is_not_taken_without_a_word(
    portal: Portal, admin: Browser
) -> None:
    with simulated(unit(1, "eastron_sdm630")) as own:
        with portal.work() as session:
            metering.meter(session, place=portal.town.area, profile="eastron_sdm630", port=own.port)
        text = begun(admin, "owned_one")
        page = look(admin, own, text)
        assert page.status == 409
        assert "正由采集程序使用" in page.said
        assert look(admin, own, text, despite_owner="1").status == 200
