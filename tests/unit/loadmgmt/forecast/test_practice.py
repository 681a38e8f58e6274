"""The packaged practice: every model has its needs, and the live one exists."""

from loadmgmt.forecast.making import MODELS
from loadmgmt.forecast.practice import load_practice


def test_every_model_says_what_it_needs_and_the_live_one_is_one_of_them() -> None:
    practice = load_practice()
    assert set(practice.models) == {model.name for model in MODELS}
    assert practice.live in practice.models
    for needs in practice.models.values():
        assert needs.window_days >= needs.least_days > practice.hold_out_days
