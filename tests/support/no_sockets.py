"""Run a program that gets no socket, nor does what it starts: `python -m tests.support.no_sockets PROGRAM ...`.

A filter of the kernel (seccomp(2), SECCOMP_SET_MODE_FILTER) refuses socket(2) with EACCES. It is inherited by every
child, and nothing takes it off.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

__all__ = ["refuse_sockets"]

# linux/audit.h, and asm/unistd.h: the architecture and its number of socket(2).
_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


def refuse_sockets() -> None:
    """From now on socket(2) fails in this process and its children.

    Raises:
        OSError: the kernel takes no filter.
        KeyError: this architecture is not known.
    """
    architecture, number = _SOCKET[platform.machine()]
    program = b"".join(
        struct.pack("HBBI", *one)
        for one in (
            (_LOAD, 0, 0, 4),
            (_JUMP_IF_EQUAL, 0, 3, architecture),
            (_LOAD, 0, 0, 0),
            (_JUMP_IF_EQUAL, 0, 1, number),
            (_RETURN, 0, 0, _ERRNO | errno.EACCES),
            (_RETURN, 0, 0, _ALLOW),
        )
    )
    held = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, described, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "the kernel takes no filter")


if __name__ == "__main__":
    refuse_sockets()
    os.execvp(sys.argv[1], sys.argv[1:])
