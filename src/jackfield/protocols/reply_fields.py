"""Which further fields of a reply belong to which wire: none is written into another wire's body.

`ChatResponse.extras` is flat and holds what any server adds, so only names that one wire alone
uses stand here; what nobody here knows goes on to every reader.
"""

from __future__ import annotations

OWN: dict[str, frozenset[str]] = {
    "openai-responses": frozenset((
        "background", "billing", "completed_at", "content_filters", "conversation", "frequency_penalty",
        "instructions", "max_output_tokens", "max_tool_calls", "moderation", "parallel_tool_calls",
        "presence_penalty", "previous_response_id", "prompt_cache_key", "prompt_cache_retention", "reasoning", "safety_identifier", "store",
        "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user",
    )),
    "anthropic-messages": frozenset(("container", "context_management", "stop_details", "stop_sequence")),
    "google-generative-ai": frozenset(("createTime", "promptFeedback", "modelStatus", "candidates")),
    "bedrock-converse-stream": frozenset(("metrics", "performanceConfig", "additionalModelResponseFields")),
    "ollama": frozenset((
        "total_duration", "load_duration", "prompt_eval_duration", "eval_duration", "done_reason",
    )),
}  # fmt: skip


def foreign_fields(api: str) -> frozenset[str]:
    """Return the fields that only other wires than `api` have in a reply."""
    return frozenset[str]().union(*(names for wire, names in OWN.items() if wire != api))
