"""Audio as files of this machine, which Django's own storage writes by more than a dozen system calls."""

from __future__ import annotations

import os
from typing import Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class AudioFiles(FileSystemStorage):
    """Django's storage, but a name that is free, in a folder that is there, is written at once.

    Django asks first whether the name is free, makes the folder, locks the file and sets its mode afterwards. In a
    worker each of these calls lets another thread take the interpreter, for which this one then waits.
    """

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """The path under which it is now: another than `name` where that is taken."""
        if name is not None and isinstance(content, File):
            try:
                file = os.open(self.path(name), _NEW, self.file_permissions_mode or 0o666)
            except (FileExistsError, FileNotFoundError):
                pass  # Django finds another name, or makes the folder
            else:
                try:
                    for chunk in content.chunks():
                        _write(file, chunk)
                finally:
                    os.close(file)
                return name
        return super().save(name, content, max_length)


def _write(file: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file, rest) :]
