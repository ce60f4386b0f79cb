"""Every fault of the matrix has a test, and the page that lists them is that of today's tests."""

from __future__ import annotations

import fault_table


def test_every_fault_has_a_test_and_every_test_that_is_named_exists() -> None:
    found = fault_table.by_fault()
    assert list(found) == list(range(1, 53))
    assert [fault for fault, modules in found.items() if not modules] == []
    for modules in found.values():
        for module, names in modules.items():
            assert set(names) <= set(fault_table.tests_of(fault_table.ROOT / module))


def test_the_page_is_that_of_todays_tests() -> None:
    assert fault_table.PAGE.read_text("utf-8") == fault_table.page(), "python tests/faults/fault_table.py"
