"""Whatever goes wrong in a command becomes one line on stderr and the exit code of its kind."""

import re
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from core.errors import BAD_INPUT, DONE, FAILED, STOPPED, BadInput, RunFailed, Stopped


class Guarded(TyperGroup):
    """Turns whatever goes wrong into one line on stderr and the exit code of its kind."""

    def main(self, args: Any = None, *more: Any, **settings: Any) -> Any:
        words = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in words
        words = [word for word in words if word != "--debug"]
        settings["standalone_mode"] = False
        try:
            code = super().main(words or ["--help"], *more, **settings)
        except (Exception, KeyboardInterrupt) as fault:
            if debug:
                raise
            code, line = in_one_line(fault)
            if line:
                print(f"error: {line}", file=sys.stderr)
        sys.exit(code or DONE)

    def get_command(self, *place: Any) -> Any:
        command = super().get_command(*place)
        if command is not None and command.help:
            command.help = _flowing(command.help)
        return command


def _flowing(text: str) -> str:
    """A docstring without the breaks of its lines, which a terminal sets anew; paragraphs stay."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def in_one_line(fault: BaseException) -> tuple[int, str]:
    """Exit code and text of anything raised."""
    if isinstance(fault, Stopped | KeyboardInterrupt | typer.Abort):
        return STOPPED, ""
    if isinstance(fault, typer.TyperException):
        return BAD_INPUT, f"{_usage(fault)}; see `isthmus --help`"
    text = " ".join(str(fault).split())
    if isinstance(fault, BadInput):
        return BAD_INPUT, text
    if isinstance(fault, RunFailed):
        return FAILED, text
    return FAILED, f"unexpected {type(fault).__name__}: {text[:200]}; add --debug to see where, and report it"


def _usage(fault: typer.TyperException) -> str:
    message = getattr(fault, "format_message", lambda: str(fault))()
    return " ".join(message.split()).rstrip(".")
