"""The licences of what is installed."""

from app.licences import libraries, licence_text


def test_what_isthmus_needs_is_listed_with_what_that_needs() -> None:
    found = {library.name.lower(): library for library in libraries()}
    assert found["numpy"].licence.startswith("BSD-3-Clause")
    assert "MIT" in found["pydantic_core"].licence  # needed by pydantic alone
    assert "isthmus" not in found
    assert "pytest" not in found  # an extra, for development
    assert all(library.version and library.licence for library in found.values())
    assert list(found) == sorted(found)


def test_a_licence_can_be_read_whole() -> None:
    assert "Redistribution and use in source and binary forms" in licence_text("numpy")
