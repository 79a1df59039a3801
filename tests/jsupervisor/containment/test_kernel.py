"""The system calls that Python lacks."""

from __future__ import annotations

import ctypes
import errno
import os

import pytest

from jsupervisor.containment import kernel


def test_prctl_answers_what_the_kernel_says() -> None:
    assert 0 == kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS)


def test_a_refused_call_is_an_oserror() -> None:
    with pytest.raises(OSError) as caught:
        kernel.prctl(1 << 20)

    assert errno.EINVAL == caught.value.errno


def test_a_system_call_takes_numbers_buffers_and_nothing() -> None:
    with pytest.raises(OSError) as caught:
        kernel.syscall("kill", os.getpid(), 1 << 20)
    buffer = ctypes.create_string_buffer(b"/", 2)
    with pytest.raises(OSError) as wrong:
        kernel.syscall("execve", buffer, None, None)

    assert errno.EINVAL == caught.value.errno
    assert wrong.value.errno in (errno.EACCES, errno.EISDIR, errno.EPERM)


def test_a_mount_that_makes_no_sense_is_an_oserror() -> None:
    with pytest.raises(OSError):
        kernel.mount("", "/no such folder", "", 4096)


def test_to_unshare_what_does_not_exist_is_an_oserror() -> None:
    with pytest.raises(OSError):
        kernel.unshare(1)
