"""LangChain's agent over all four wires."""

import sys

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI

root, key, model = sys.argv[1:]
called: list[str] = []


@tool
def weather(city: str) -> str:
    """Tell the weather."""
    called.append(city)
    return "18 °C"


MODELS = {
    "chat": ChatOpenAI(base_url=f"{root}/v1", api_key=key, model=model),
    "responses": ChatOpenAI(base_url=f"{root}/v1", api_key=key, model=model, use_responses_api=True),
    "messages": ChatAnthropic(base_url=root, api_key=key, model_name=model),
    "gemini": ChatGoogleGenerativeAI(base_url=root, api_key=key, model=model),
}
for wire, chat in MODELS.items():
    agent, asked = create_agent(chat, tools=[weather]), {"messages": [{"role": "user", "content": "The weather?"}]}
    whole = agent.invoke(asked)["messages"][-1].text
    pieces = [piece for piece, _ in agent.stream(asked, stream_mode="messages") if piece.type == "AIMessageChunk"]
    print(wire, "|", called, "|", whole, "|", "".join(piece.text for piece in pieces))
    called.clear()
