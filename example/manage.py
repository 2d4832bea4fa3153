"""Django's command line for the example shop."""

import os
import sys
from pathlib import Path


def main() -> None:
    # Run from anywhere: the package `example` lies one directory up.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
