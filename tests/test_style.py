"""The rules of CONTRIBUTING.md that a program can check."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "jackfield"
FILES = sorted(SOURCE.rglob("*.py"))

LONGEST_FILE = 300
LONGEST_FUNCTION = 50
VAGUE_VERBS = ("get_", "do_", "handle_", "process_", "manage_")
# The border to foreign code: a plugin may raise anything, and its name is told with the error.
CATCHES_ALL = {
    "src/jackfield/admin/admin.py",
    "src/jackfield/gateway/gateway.py",
    "src/jackfield/gateway/behind.py",
    "src/jackfield/plugins/load.py",
}
# `click` and `uvicorn` call these by their own names.
FOREIGN_NAMES = {"get_command", "handle_hup"}
VAGUE_NOUNS = {"utils", "util", "helpers", "helper", "common", "misc", "shared"}
PROVIDER_WORDS = {"provider", "provider_id"}


@cache
def trees() -> dict[Path, ast.Module]:
    """Return every file's tree; made when it is wanted: each test process reads this file."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def spot(path: Path, node: ast.stmt | ast.expr) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


@cache
def nodes() -> dict[Path, list[ast.AST]]:
    """Return every file's nodes; to find them is most of the time of each rule."""
    return {path: list(ast.walk(tree)) for path, tree in trees().items()}


def walk(*kinds: type[ast.AST]) -> Iterator[tuple[Path, ast.AST]]:
    for path, found in nodes().items():
        for node in found:
            if isinstance(node, kinds):
                yield path, node


def names_provider(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in PROVIDER_WORDS or (isinstance(node, ast.Attribute) and ast.unparse(node).endswith("info.id"))
        case ast.Call(func=ast.Attribute(value=owner)):
            return names_provider(owner)
        case _:
            return False


def is_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str(value)):
            return value != ""
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return any(map(is_text, parts))
        case ast.Dict(keys=keys):
            return any(key is not None and is_text(key) for key in keys)
        case _:
            return False


def test_a_provider_is_data_and_compared_with_no_name() -> None:
    found = []
    for path, node in walk(ast.Compare):
        assert isinstance(node, ast.Compare)
        sides = [node.left, *node.comparators]
        if any(map(names_provider, sides)) and any(map(is_text, sides)):
            found.append(f"{spot(path, node)} {ast.unparse(node)}")

    assert found == []


def test_a_provider_is_matched_with_no_name() -> None:
    found = []
    for path, node in walk(ast.Match):
        assert isinstance(node, ast.Match)
        cases = [each.value for each in ast.walk(node) if isinstance(each, ast.MatchValue)]
        if names_provider(node.subject) and any(map(is_text, cases)):
            found.append(spot(path, node))

    assert found == []


def test_files_fit_a_sitting() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_fit_a_screen() -> None:
    found = {}
    for path, node in walk(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > LONGEST_FUNCTION:
            found[f"{spot(path, node)} {node.name}"] = length

    assert found == {}


def test_no_error_is_swallowed_without_its_name() -> None:
    found = []
    for path, node in walk(ast.ExceptHandler):
        assert isinstance(node, ast.ExceptHandler)
        if ast.unparse(node.body[-1]) == "raise":
            continue
        caught = (
            {each.id for each in ast.walk(node.type) if isinstance(each, ast.Name)} if node.type else {"everything"}
        )
        if caught & {"everything", "Exception", "BaseException"} and str(path.relative_to(ROOT)) not in CATCHES_ALL:
            found.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert found == []


def test_functions_have_verbs_that_say_something() -> None:
    found = []
    for path, node in walk(ast.FunctionDef, ast.AsyncFunctionDef):
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.lstrip("_").startswith(VAGUE_VERBS) and node.name not in FOREIGN_NAMES:
            found.append(f"{spot(path, node)} {node.name}")

    assert found == []


def test_files_have_nouns_that_say_something() -> None:
    assert [path for path in FILES if path.stem in VAGUE_NOUNS or path.parent.name in VAGUE_NOUNS] == []


def test_a_module_says_what_it_holds() -> None:
    assert [path for path, tree in trees().items() if not ast.get_docstring(tree)] == []


def test_every_exported_name_exists_and_the_list_is_sorted() -> None:
    for path, found in nodes().items():
        if not any(isinstance(node, ast.Name) and node.id == "__all__" for node in found):
            continue
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        module = import_module(name)
        exported = list(module.__all__)

        assert [each for each in exported if not hasattr(module, each)] == [], name
        assert exported == sorted(exported), name


def test_every_path_that_the_architecture_names_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:[\w.-]+/)*[\w.-]+(?:\.(?:py|md|toml|json)|/))`", text))
    found = {name for name in named if (ROOT / name).exists() or any(SOURCE.rglob(name))}

    assert len(named) > 10
    assert named - found == set()


def test_nothing_of_a_developers_machine_stands_in_the_tree() -> None:
    pattern = re.compile(r"/(?:work|farm|root|home/\w+)/\w")
    folders = ("src", "tests", "scripts", "bench", "docs")
    files = [
        path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".md", ".toml"}
    ]
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in [*files, *ROOT.glob("*.md")]
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line) and path != Path(__file__)
    ]

    assert found == []
