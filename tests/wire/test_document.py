"""docs/amazon-location.md says what the tests show."""

from service.location.model import MODEL
from tests.amazon import ALL
from tests.wire.calls import CALLS
from tests.wire.document import DOCUMENT, document, shown


def test_the_document_is_made_of_the_tests() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run `python -m tests.wire.document`"


def test_every_operation_is_called_and_marks_name_operations() -> None:
    assert set(CALLS) == set(MODEL.operations)
    assert {name for each in shown() for name in each.operations} <= {ALL, *MODEL.operations}
