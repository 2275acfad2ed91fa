"""A terminal between somebody who types and a shell: the line that is being typed is shown, and run when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minikube_py.programs.commands import Session

ENTER, INTERRUPT, END, ERASE = ("\r", "\n"), "\x03", "\x04", ("\x7f", "\b")


class Terminal:
    """`code`: the exit code, once the shell has ended."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._line = ""
        self._last = 0
        self.code: int | None = None

    def greeting(self) -> bytes:
        return self._session.prompt.encode()

    def typed(self, data: bytes) -> bytes:
        """What the terminal shows after some keys."""
        shown = ""
        for letter in data.decode("utf-8", "replace"):
            shown += self._key(letter)
            if self.code is not None:
                break
        return shown.encode()

    def _key(self, letter: str) -> str:
        if letter in ENTER:
            return "\r\n" + self._run()
        if letter == INTERRUPT:
            self._line = ""
            return "^C\r\n" + self._session.prompt
        if letter == END and not self._line:
            self.code = self._last
            return "\r\n"
        if letter in ERASE:
            had, self._line = self._line, self._line[:-1]
            return "\b \b" if had else ""
        if letter.isprintable() or letter == "\t":
            self._line += letter
            return letter
        return ""

    def _run(self) -> str:
        line, self._line = self._line, ""
        words = line.split()
        if words[:1] == ["exit"]:
            self.code = int(words[1]) % 256 if len(words) > 1 and words[1].isdigit() else self._last
            return ""
        result = self._session.say(line)
        self._last = result.code
        return (result.stdout + result.stderr).replace("\n", "\r\n") + self._session.prompt
