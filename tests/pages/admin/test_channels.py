"""Notices: who wants none."""

from tests.factories.webapp import Portal


def test_only_a_telephone_number_is_stopped(portal: Portal) -> None:
    supervisor = portal.browser("supervisor")
    page = supervisor.post("/admin/channels/opt-out", phone="no number")
    assert page.status == 422
    assert page.problems == []
    assert "这不是电话号码" in page.said
    assert page.tree.one("input", name="phone").attrs["value"] == "no number"
    done = supervisor.post("/admin/channels/opt-out", phone="+86 130 0000 0421")
    assert "已停止向该号码发送" in supervisor.follow(done).said
