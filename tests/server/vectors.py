"""The child process of a test: the demo's model behind a real llama.cpp server that gives vectors.

python -m tests.server.vectors FOLDER     URL on stdout; ends with its standard input
"""

from __future__ import annotations

import lzma
import os
import sys
from pathlib import Path

import xllamacpp

from jackfield.demo import MODEL, MODEL_FILE


def main(folder: Path) -> None:
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    path = folder / "tiny.gguf"
    path.write_bytes(lzma.decompress(MODEL_FILE.read_bytes()))
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = [MODEL]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_ctx = 1024
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, file=answer, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
