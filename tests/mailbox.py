"""A mail server that keeps what it is sent: as much of RFC 5321 as smtplib speaks."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from tests.live import wait_for


class Mailbox(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.letters: list[EmailMessage] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def letter_to(self, address: str) -> str:
        """The text of the last letter to an address, once there is one."""
        letters = wait_for(lambda: [each for each in self.letters if each["to"] == address], what=address)
        return str(letters[-1].get_content())


class _Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 ready")
        for line in self.rfile:
            match line[:4].upper():
                case b"DATA":
                    self._say("354 go on")
                    lines = iter(self.rfile.readline, b".\r\n")
                    content = b"".join(each.removeprefix(b".") for each in lines)
                    letter = email.message_from_bytes(content, policy=email.policy.default)
                    self.server.letters.append(letter)
                    self._say("250 kept")
                case b"QUIT":
                    self._say("221 goodbye")
                    return
                case _:
                    self._say("250 ok")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def open_mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        threading.Thread(target=mailbox.serve_forever, daemon=True).start()
        yield mailbox
        mailbox.shutdown()
