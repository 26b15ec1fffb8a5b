"""What confirms a change, and how long writing stays armed."""

import pytest

from console.guides.risk import Arming, Asks, Risk, confirmation, tightened


@pytest.mark.parametrize(
    ("risk", "asks", "expects"),
    [
        (Risk.R1, Asks.KEY, "y"),
        (Risk.R2, Asks.LETTER, "y"),
        (Risk.R3, Asks.TYPE, "sms-postgres"),
        (Risk.R4, Asks.TYPE, "production sms-postgres"),
    ],
)
def test_the_higher_the_risk_the_more_is_asked(risk: Risk, asks: Asks, expects: str) -> None:
    asked = confirmation(risk, "production", "sms-postgres")

    assert (asked.asks, asked.expects) == (asks, expects)
    assert asked.accepts(expects)


@pytest.mark.parametrize("risk", list(Risk))
@pytest.mark.parametrize("given", ["", " ", "n", "yes", "sms", "Y"])
def test_anything_else_and_a_bare_enter_confirm_nothing(risk: Risk, given: str) -> None:
    assert not confirmation(risk, "production", "sms-postgres").accepts(given)


@pytest.mark.parametrize("environment", [None, ""])
def test_losing_data_is_refused_where_the_environment_is_not_known(environment: str | None) -> None:
    asked = confirmation(Risk.R4, environment, "sms-postgres")

    assert asked.asks is Asks.REFUSED
    assert not asked.accepts("sms-postgres")
    assert not asked.accepts("")


def test_a_target_without_a_name_cannot_be_confirmed() -> None:
    assert confirmation(Risk.R3, "lab", "").asks is Asks.REFUSED


def test_a_guide_tightens_and_never_lowers() -> None:
    assert tightened(Risk.R3, Risk.R1) is Risk.R3
    assert tightened(Risk.R2, Risk.R4) is Risk.R4
    assert tightened(Risk.R2, None) is Risk.R2


def test_writing_disarms_itself_after_ten_minutes() -> None:
    armed = Arming().toggled(1000.0)

    assert armed.is_armed(1599.9)
    assert armed.remaining_s(1300.0) == 300.0
    assert not armed.is_armed(1600.0)
    assert armed.remaining_s(1700.0) == 0.0


def test_the_key_disarms_what_is_armed_and_arms_what_has_run_out() -> None:
    armed = Arming.armed(0.0)

    assert not armed.toggled(10.0).is_armed(10.0)
    assert armed.toggled(700.0).is_armed(700.0)
    assert not Arming().is_armed(0.0)
