#!/usr/bin/env python3
"""Builds the demo's model: a few sentences wired by hand into a real Llama graph.

Attention and feed-forward weights are zero and embeddings are one-hot, so the next token
depends on the last one only. A real llama.cpp server then answers the same words at any
temperature, thinks when asked, calls a tool when one is offered, and fits its answer to a
JSON Schema (its grammar forbids what does not fit; `FAVOURITES` choose among the rest).
The chat template picks where a turn starts. The output is the same, byte for byte, each time.

    scripts/make_demo_model.py [OUT.gguf.xz]      needs gguf and numpy (requirements/dev.txt)
"""

from __future__ import annotations

import lzma
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

TARGET = Path(__file__).parents[1] / "src" / "jackfield" / "demo" / "tiny.gguf.xz"

# A word stands in one place only, over all lines: its successor is a function of the word.
ANSWER = ["Hello", " from", " Jackfield.", " This", " answer", " came", " out", " of", " a", " real", " model", " server",
          " on", " your", " own", " machine."]  # fmt: skip
AFTER_TOOL = ["The", " tool's", " reply", " has", " reached", " me."]
THOUGHT = ["One", " short", " thought", " before", " speaking"]
FREE_TEXT = "Lisbon"  # stands wherever a schema allows any text

TURNS = ["<|chat_turn|>", "<|tools_turn|>", "<|result_turn|>", "<|think_turn|>"]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *TURNS]
MARKUP = ["<tool_call>", "</tool_call>", "<think>", "</think>"]
END = "<|im_end|>"

# llama.cpp recognises the tool syntax (Hermes) and the thoughts by reading this template.
TEMPLATE = """\
{%- if tools %}<|im_start|>system
# Tools
{%- for tool in tools %}
{{ tool | tojson }}{%- endfor %}
For each call return
<tool_call>
{"name": ..., "arguments": ...}
</tool_call><|im_end|>
{%- endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{%- if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{%- endif %}
{%- if message.content %}{{ message.content }}{%- endif %}
{%- if message.tool_calls %}{%- for call in message.tool_calls %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{%- endfor %}{%- endif %}<|im_end|>
{%- endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{%- if messages[-1].role == 'tool' %}<|result_turn|>
{%- elif tools %}<|tools_turn|>
{%- elif enable_thinking is defined and enable_thinking %}<|think_turn|>
{%- else %}<|chat_turn|>{%- endif %}{%- endif %}"""

CERTAIN = 900.0  # logit of the one wired successor
ANY_LENGTH_OF_TEXT = 20.0
# Logits of single characters where a grammar leaves a choice: close what is open, then go on.
FAVOURITES = {'"': 97.0, "}": 90.0, "]": 83.0, ":": 70.0, ",": 60.0, "{": 35.0, "[": 30.0}


def build(out: Path) -> None:
    """Write the GGUF file."""
    tokens, kinds, merges = build_vocabulary()
    logits = build_logits(tokens)
    writer = gguf.GGUFWriter(out, "llama")
    width = -(-len(tokens) // 64) * 64
    write_header(writer, len(tokens), width)
    write_tokenizer(writer, tokens, kinds, merges)
    write_tensors(writer, logits, width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# -- tokens ------------------------------------------------------------------------


def printable_bytes() -> list[str]:
    """Return GPT-2's printable stand-in for each byte, in byte order."""
    kept = {*range(33, 127), *range(161, 173), *range(174, 256)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in kept else chr(next(spare)) for byte in range(256)]


BYTES = printable_bytes()


def spell(text: str) -> str:
    """Return text as the vocabulary spells it."""
    return "".join(BYTES[byte] for byte in text.encode("utf-8"))


def build_vocabulary() -> tuple[list[str], list[int], list[str]]:
    """Return tokens, their kinds, and the merges that make each word one token."""
    tokens, merges = list(BYTES), []
    for word in [*ANSWER, *AFTER_TOOL, *THOUGHT, FREE_TEXT]:
        spelled = spell(word)
        for end in range(2, len(spelled) + 1):
            if spelled[:end] not in tokens:
                tokens.append(spelled[:end])
                merges.append(f"{spelled[: end - 1]} {spelled[end - 1]}")
    kinds = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(CONTROL)
    kinds += [gguf.TokenType.USER_DEFINED] * len(MARKUP)
    return [*tokens, *CONTROL, *MARKUP], [int(kind) for kind in kinds], merges


# -- weights -----------------------------------------------------------------------


def build_logits(tokens: list[str]) -> np.ndarray:
    """Return the table of logits [next token, last token]."""
    number = {token: index for index, token in enumerate(tokens)}

    def find(text: str) -> int:
        return number[text] if text in number else number[spell(text)]

    base = build_preferences(tokens, find)
    table = np.tile(3 * base[:, None], (1, len(tokens)))
    chains = [
        ["<|chat_turn|>", *ANSWER, END],
        ["<|think_turn|>", "<think>", *THOUGHT, "</think>", ANSWER[0]],
        ["<|result_turn|>", *AFTER_TOOL, END],
        ["<|tools_turn|>", "<tool_call>", "\n", "{", '"', FREE_TEXT, '"'],
        [":", "4", "2"],
        ["<|endoftext|>", ANSWER[0]],  # a bare completion says the answer too
        ["<|im_start|>", ANSWER[0]],
    ]
    for chain in chains:
        for last, following in pairwise(chain):
            table[find(following), find(last)] = CERTAIN
    return table


def build_preferences(tokens: list[str], find: Callable[[str], int]) -> np.ndarray:
    """Return each token's logit where nothing is wired."""
    base = np.full(len(tokens), 10.0)
    base[[len(token) > 1 for token in tokens]] = ANY_LENGTH_OF_TEXT
    for rank in range(26):
        base[find(chr(97 + rank))] = base[find(chr(65 + rank))] = 40.0 - 0.01 * rank
    for digit in range(10):
        base[find(str(digit))] = 50.0 - digit
    for text, logit in FAVOURITES.items():
        base[find(text)] = logit
    base[[*range(33), 127]] = 0.0  # no white space where it is optional
    base[128:256] = -20.0  # no broken UTF-8
    base[[find(text) for text in CONTROL + MARKUP]] = -50.0
    base[find(END)] = 100.0  # stop as soon as a grammar allows it
    base[find("</tool_call>")] = 65.0
    return base


# -- file --------------------------------------------------------------------------

HEAD = 32
INNER = 64


def write_header(writer: gguf.GGUFWriter, vocabulary: int, width: int) -> None:
    """Write what a Llama graph must say of itself."""
    writer.add_name("jackfield-demo")
    writer.add_context_length(131_072)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(int(gguf.LlamaFileType.ALL_F32))


def write_tokenizer(writer: gguf.GGUFWriter, tokens: list[str], kinds: list[int], merges: list[str]) -> None:
    """Write the vocabulary and the chat template."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def write_tensors(writer: gguf.GGUFWriter, logits: np.ndarray, width: int) -> None:
    """Write one block that passes its input on, between one-hot embeddings and the table."""
    vocabulary = len(logits)
    embedding = np.zeros((vocabulary, width), np.float32)
    embedding[np.arange(vocabulary), np.arange(vocabulary)] = 1.0
    output = np.zeros((vocabulary, width), np.float32)
    output[:, :vocabulary] = logits / np.sqrt(width)  # the last norm scales a one-hot row by sqrt(width)
    ones = np.ones(width, np.float32)
    shapes = {
        "attn_q": (HEAD, width), "attn_k": (HEAD, width), "attn_v": (HEAD, width), "attn_output": (width, HEAD),
        "ffn_gate": (INNER, width), "ffn_up": (INNER, width), "ffn_down": (width, INNER),
    }  # fmt: skip
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("blk.0.attn_norm.weight", ones)
    writer.add_tensor("blk.0.ffn_norm.weight", ones)
    for name, shape in shapes.items():
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros(shape, np.float32))


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "tiny.gguf")
        build(plain)
        content = plain.read_bytes()
    target.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))
    print(f"{target}: {len(content)} bytes, {target.stat().st_size} compressed")


if __name__ == "__main__":
    main()
