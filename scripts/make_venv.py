"""Make a virtual environment, or say what is missing. Any Python 3 can run this, if only to be told off."""

import os
import shutil
import subprocess
import sys

OLDEST = (3, 11)


def main(target):
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST:
        return "%s is Python %s; 3.11 or later is needed. Name one: make PYTHON=python3.12 ..." % (
            sys.executable,
            version,
        )
    if os.path.isdir(target) and os.listdir(target) and not os.path.exists(os.path.join(target, "pyvenv.cfg")):
        return "%s is there, but is no virtual environment. Name another: make VENV=..." % target
    for command in commands(target):
        print("making %s with Python %s" % (target, version))
        done = subprocess.run(command, check=False)
        if done.returncode == 0:
            return None
    return (
        "This Python cannot make virtual environments: it lacks ensurepip.\n"
        "Install it (Debian, Ubuntu: apt install python3-venv), or virtualenv, or uv,\n"
        "or name another Python: make PYTHON=..."
    )


def commands(target):
    """The ways to make an environment with pip in it that this machine has."""
    if can_import("venv") and can_import("ensurepip"):
        yield [sys.executable, "-m", "venv", "--clear", target]
    if can_import("virtualenv"):
        yield [sys.executable, "-m", "virtualenv", "--quiet", "--clear", target]
    uv = shutil.which("uv")
    if uv:
        yield [uv, "venv", "--quiet", "--seed", "--clear", "--python", sys.executable, target]


def can_import(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True


if __name__ == "__main__":
    # A Python inside another environment would otherwise hand that one's settings on.
    os.environ.pop("__PYVENV_LAUNCHER__", None)
    sys.exit(main(sys.argv[1]))
