"""The demo's model behind a real llama.cpp server, with room for an agent's long instructions.

    python tests/peers/clients/model.py       prints its address; ends with its standard input

Its tokens are single bytes, so that what is 10,000 tokens elsewhere is 40,000 here.
"""

from __future__ import annotations

import lzma
import os
import sys
import tempfile
from pathlib import Path

import xllamacpp

from jackfield.demo import MODEL, MODEL_FILE

WINDOW = 131_072
SLOTS = 2


def main() -> None:
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    params = xllamacpp.CommonParams()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tiny.gguf")
        path.write_bytes(lzma.decompress(MODEL_FILE.read_bytes()))
        params.model.path = str(path)
        params.model_alias = [MODEL]
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.n_ctx = WINDOW * SLOTS
        params.n_parallel = SLOTS
        params.n_predict = 1_024
        params.cpuparams.n_threads = 1
        params.warmup = False
        params.use_jinja = True
        params.default_template_kwargs = {"enable_thinking": "false"}
        server = xllamacpp.Server(params)
    print(server.listening_address, file=said, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
