"""Import every module as on a system without what POSIX alone has: ``python imported_without.py win32``."""

import importlib
import importlib.abc
import os
import pkgutil
import signal
import sys
from contextlib import suppress

HIDDEN = {"win32": "fcntl resource pwd grp termios pty tty syslog readline", "darwin": ""}
LACKS = {
    "win32": (
        "fork sysconf getuid geteuid getgid getegid getpgid setsid killpg sched_getaffinity statvfs fchmod"
        " O_NONBLOCK O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_ASYNC register_at_fork mkfifo posix_fadvise nice"
        " uname waitid WNOHANG getloadavg chown lchown"
    ),
    "darwin": "sched_getaffinity posix_fadvise O_ASYNC",
}
SIGNALS = {
    "win32": "SIGKILL SIGPIPE SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGIO SIGSTOP SIGQUIT",
    "darwin": "",
}
EXTRAS = ("torch", "umap", "annoy", "hnswlib", "tokenizers", "safetensors")
# What others import is theirs; here it is of this system.
OTHERS = (
    "concurrent.futures ctypes filelock httpx lance matplotlib.figure multiprocessing.pool numpy onnx"
    " onnxruntime PIL.Image pillow_heif pooch pyarrow.parquet rawpy rich.console scipy.sparse sklearn.base"
    " subprocess typer urllib.request"
)


class Hide(importlib.abc.MetaPathFinder):
    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def become(system: str) -> None:
    for name in OTHERS.split():
        with suppress(ImportError):
            importlib.import_module(name)
    for where, names in ((os, LACKS[system]), (signal, SIGNALS[system])):
        for name in names.split():
            if hasattr(where, name):
                delattr(where, name)
    hidden = HIDDEN[system].split()
    for name in hidden:
        sys.modules.pop(name, None)
    from lookalike.system import native

    native.library()  # that of this system is the one there is
    sys.meta_path.insert(0, Hide([*hidden, *EXTRAS]))
    sys.platform = system


def import_all() -> int:
    """Import all modules but those that need an extra; return how many there are."""
    import lookalike

    n = 0
    for module in pkgutil.walk_packages(lookalike.__path__, "lookalike."):
        if module.name != "lookalike.__main__":
            try:
                importlib.import_module(module.name)
                n += 1
            except ModuleNotFoundError as error:
                if error.name not in EXTRAS:
                    raise
    return n


if __name__ == "__main__":
    become(sys.argv[1])
    print(import_all())
