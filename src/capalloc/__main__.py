"""``python -m capalloc``: the command line where the command itself is not on the path."""

from capalloc.shell import main

if __name__ == "__main__":
    main()
