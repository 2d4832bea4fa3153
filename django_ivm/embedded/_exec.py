"""Become a PostgreSQL program: drop root, ask to die with the parent, exec.

Run by path in a Python of its own (``-I -S``), so that nothing has to happen between fork and exec in a
process with threads. Arguments: mode, parent's process id, library path ("" for none), program and its own.
"""

import ctypes
import os
import pwd
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
INSIDE_UID = 1000  # anything but 0: the server only refuses to be root


def enter_user_namespace() -> None:
    """Stay the same user on disk, but no longer see oneself as root."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        errno = ctypes.get_errno()
        raise OSError(errno, f"unshare: {os.strerror(errno)}")
    # The kernel takes a group map only from a process that has given up setgroups.
    maps = {"setgroups": "deny", "uid_map": f"{INSIDE_UID} {uid} 1", "gid_map": f"{INSIDE_UID} {gid} 1"}
    for name, text in maps.items():
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    if os.geteuid() == 0:
        raise OSError("still root inside the user namespace")


def become_nobody() -> None:
    uid, gid = nobody()
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return entry.pw_uid, entry.pw_gid


def die_with(parent: int) -> None:
    """After the change of user, which would clear the signal again."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that started the server is gone")


def main(arguments: list[str]) -> None:
    mode, parent, libraries, *command = arguments
    try:
        if mode == "userns":
            enter_user_namespace()
        elif mode == "nobody":
            become_nobody()
    except (OSError, AttributeError) as error:
        sys.exit(f"cannot drop root ({mode}): {error}")
    die_with(int(parent))
    if libraries:
        os.environ["LD_LIBRARY_PATH"] = libraries
    try:
        os.execv(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
