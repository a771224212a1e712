"""The demo's model is what its generator makes, and small."""

import importlib.util
import lzma
from pathlib import Path
from types import ModuleType

import pytest

from jackfield.demo import MODEL_FILE

GENERATOR = Path(__file__).parents[2] / "scripts" / "make_demo_model.py"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """Return scripts/make_demo_model.py as a module."""
    pytest.importorskip("gguf")
    spec = importlib.util.spec_from_file_location("make_demo_model", GENERATOR)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_generator_makes_the_very_model_that_is_shipped(generator: ModuleType, tmp_path: Path) -> None:
    generator.build(tmp_path / "tiny.gguf")

    assert (tmp_path / "tiny.gguf").read_bytes() == lzma.decompress(MODEL_FILE.read_bytes())


def test_no_word_stands_twice_in_what_the_model_says(generator: ModuleType) -> None:
    words = [*generator.ANSWER, *generator.AFTER_TOOL, *generator.THOUGHT]

    assert len(set(words)) == len(words)


def test_the_model_is_small_enough_to_ship() -> None:
    assert MODEL_FILE.stat().st_size < 10_000
