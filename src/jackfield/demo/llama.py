"""The child process: one real llama.cpp server on the loopback, until standard input closes.

    python -m jackfield.demo.llama PORT       key on the first line of stdin, URL on stdout

The parent holds the other end of stdin, so the server ends with it, however it ends.
Knows the wheel `xllamacpp` and nothing of the client.
"""

from __future__ import annotations

import lzma
import os
import sys
import tempfile
from pathlib import Path

import xllamacpp

from jackfield.demo import CONTEXT_WINDOW, MODEL, MODEL_FILE

SLOTS = 4  # requests at the same time


def main(port: int) -> None:
    """Serve; never returns."""
    # llama.cpp writes its log where it likes; only the URL may reach the parent.
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    key = sys.stdin.readline().strip()
    with tempfile.TemporaryDirectory(prefix="jackfield-demo-") as folder:
        path = Path(folder, "tiny.gguf")
        path.write_bytes(lzma.decompress(MODEL_FILE.read_bytes()))
        server = xllamacpp.Server(_configure(path, port, key))
    # The file is mapped into memory; its name is no longer needed.
    print(server.listening_address, file=answer, flush=True)
    sys.stdin.read()
    # A generation in progress would hold an orderly exit up.
    os._exit(0)


def _configure(path: Path, port: int, key: str) -> xllamacpp.CommonParams:
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = [MODEL]
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.api_keys = [key]
    params.n_ctx = CONTEXT_WINDOW * SLOTS
    params.n_parallel = SLOTS
    params.n_predict = 4_096
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.use_jinja = True
    # Thoughts only when a request asks for them.
    params.default_template_kwargs = {"enable_thinking": "false"}
    return params


if __name__ == "__main__":
    main(int(sys.argv[1]))
