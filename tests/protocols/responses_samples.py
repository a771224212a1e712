"""Small bodies of the Responses wire that use all of it, for tests that break them value by value."""

from __future__ import annotations

from typing import Any

FUNCTION = {"type": "function", "name": "n", "description": "d", "parameters": {"type": "object"}, "strict": True}
REASONING: dict[str, Any] = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "t"}],
    "content": [{"type": "reasoning_text", "text": "t"}],
    "encrypted_content": "e",
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "i", "name": "n", "arguments": "{}", "status": "completed"}
CUSTOM = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "j", "name": "c", "input": "x"}
PICTURE = {"type": "image_generation_call", "id": "ig_1", "result": "aGk=", "output_format": "png"}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
SAID: dict[str, Any] = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "status": "completed",
    "content": [
        {
            "type": "output_text",
            "text": "t",
            "annotations": [
                {"type": "url_citation", "url": "https://x.test", "title": "T", "start_index": 0, "end_index": 1},
                {"type": "file_citation", "file_id": "f", "filename": "n", "index": 0},
            ],
            "logprobs": [{"token": "t", "logprob": -0.5, "bytes": [116], "top_logprobs": [{"token": "u", "logprob": -1}]}],
        },
        {"type": "refusal", "refusal": "r"},
    ],
}  # fmt: skip
USAGE = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1},
    "output_tokens": 2,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 5,
}
REQUEST: dict[str, Any] = {
    "model": "m",
    "instructions": "s",
    "input": [
        {"role": "developer", "content": "s"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit"}},
                {"type": "input_image", "image_url": "data:image/png;base64,aGk=", "detail": "low"},
                {"type": "input_file", "filename": "f", "file_data": "data:application/pdf;base64,aGk="},
                {"type": "input_file", "filename": "f", "file_data": "data:text/plain;base64,aGk="},
                {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
            ],
        },
        REASONING,
        SAID,
        CALL,
        CUSTOM,
        SEARCH,
        PICTURE,
        {"type": "function_call_output", "call_id": "i", "output": [{"type": "input_text", "text": "t"}]},
        {"type": "custom_tool_call_output", "call_id": "j", "output": "t"},
        {"id": "msg_0"},
    ],
    "tools": [FUNCTION, {"type": "web_search"}, {"type": "custom", "name": "c", "format": {"type": "text"}}],
    "tool_choice": {"type": "function", "name": "n"},
    "parallel_tool_calls": False,
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "strict": True}, "verbosity": "low"},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
    "top_logprobs": 2,
    "max_output_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.5,
    "store": False,
    "previous_response_id": "resp_0",
    "metadata": {"a": "b"},
    "service_tier": "flex",
    "prompt_cache_key": "k",
    "safety_identifier": "u",
    "user": "u",
    "stream": True,
}
REPLY: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "output": [REASONING, SAID, CALL, CUSTOM, SEARCH, PICTURE],
    "usage": USAGE,
    "metadata": {},
}
STREAM: list[dict[str, Any]] = [
    {"type": "response.created", "response": {"id": "resp_1", "model": "m", "output": []}, "sequence_number": 0},
    {"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs_1", "summary": []}},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 0, "delta": "t"},
    {"type": "response.reasoning_summary_text.delta", "output_index": 0, "summary_index": 1, "delta": "u"},
    {"type": "response.output_item.done", "output_index": 0, "item": REASONING},
    {"type": "response.output_item.added", "output_index": 1, "item": {"type": "message", "id": "msg_1", "content": []}},
    {"type": "response.content_part.added", "output_index": 1, "part": {"type": "output_text", "text": ""}},
    {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "item_id": "msg_1", "delta": "t",
     "logprobs": [{"token": "t", "logprob": -0.5}]},
    {"type": "response.output_text.annotation.added", "output_index": 1, "content_index": 0,
     "annotation": {"type": "url_citation", "url": "https://x.test"}},
    {"type": "response.refusal.delta", "output_index": 1, "content_index": 1, "delta": "r"},
    {"type": "response.output_text.done", "output_index": 1, "content_index": 0, "text": "tt"},
    {"type": "response.output_item.done", "output_index": 1, "item": SAID},
    {"type": "response.output_item.added", "output_index": 2, "item": {**CALL, "arguments": ""}},
    {"type": "response.function_call_arguments.delta", "output_index": 2, "item_id": "fc_1", "delta": "{"},
    {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{}"},
    {"type": "response.custom_tool_call_input.delta", "item_id": "ctc_1", "delta": "x"},
    {"type": "response.output_item.done", "output_index": 4, "item": SEARCH},
    {"type": "response.output_item.done", "output_index": 5, "item": PICTURE},
    {"type": "response.completed", "response": REPLY},
]  # fmt: skip
TEXT = '{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"%s"}'
END = '{"type":"response.completed","response":{"status":"completed","output":[]}}'
