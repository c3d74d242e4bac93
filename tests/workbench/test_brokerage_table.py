"""docs/brokerages.md shows the table that the code decides by."""

import pytest

from atomic.brokerages import TABLE
from workbench.brokerage_table import DOCUMENT, renewed


def test_the_document_shows_the_table_of_the_code():
    """Regenerating changes nothing: python -m workbench.brokerage_table."""
    text = DOCUMENT.read_text("utf-8")

    assert renewed(text) == text
    assert all(f"| {model} |" in text for model in TABLE)


def test_a_document_without_its_marks_is_refused():
    """The cure names the lines to put back."""
    with pytest.raises(ValueError, match="put both back"):
        renewed("# nothing here")
