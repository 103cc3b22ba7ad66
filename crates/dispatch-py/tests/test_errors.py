"""One exception class per error."""

import pytest

import callsteer
from callsteer import CallsteerError

# `ParseError` has a code per line that cannot be read.
CLASSES = [one for one in CallsteerError.__subclasses__() if one is not callsteer.ParseError]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_a_class_has_the_name_and_the_meaning_of_its_code(error: type[CallsteerError]) -> None:
    assert error.code is not None
    assert error.__name__ == "".join(word.capitalize() for word in error.code.split("_"))
    assert error.__module__ == "callsteer"
    assert getattr(callsteer, error.__name__) is error
    assert error.__name__ in callsteer.__all__
    assert error.__doc__
    about_a_value = error.code.startswith(("invalid", "unreadable", "incomplete")) or "snapshot" in error.code
    assert issubclass(error, ValueError) == about_a_value


def test_there_are_as_many_as_before() -> None:
    assert len(CLASSES) >= 25


def test_a_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(callsteer.ParseError) as error:
        callsteer.parse_list("1 sip:10.0.0.1\n1 sip:10.0.0.2 8junk\n")
    assert (error.value.line, error.value.column, error.value.code) == (2, 16, "invalid_flags")
    assert str(error.value).startswith("line 2, column 16: ")
