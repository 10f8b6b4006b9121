"""What members are told about why: every reason has its words."""

from __future__ import annotations

from locales.member_reasons import REASONS
from membership.errors import Reason


def test_the_table_has_no_reason_that_there_is_not() -> None:
    assert not set(REASONS) - {reason.value for reason in Reason}
