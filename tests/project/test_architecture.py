"""The structure says what the program does: every stage and every plugin is in every place where it belongs."""

import ast
import re

import pytest
from repository import CORE, PACKAGES, PLUGINS, ROOT, TOOLS, modules, named, tracked_files, tree

from isekai_core import errors, hookspecs, types
from isekai_core.types import KINDS, STAGES
from isekai_core.types.slices import SLICE_STEPS

MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 50
SOURCES = [path for path in tracked_files(".py") if "migrations" not in path.parts]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

stages = pytest.mark.parametrize(("stage", "kind"), list(zip(STAGES, KINDS, strict=True)))
plugins = pytest.mark.parametrize("plugin", PLUGINS, ids=named(PLUGINS))
packages = pytest.mark.parametrize("package", PACKAGES.values(), ids=named(PACKAGES.values()))


# A stage has a module, a hook, an error, a protocol, a test and a heading, all of its name


@stages
def test_a_stage_has_its_module_and_its_test(stage, kind):
    assert (CORE / "pipeline" / f"{stage}.py").is_file()
    assert (ROOT / "tests" / "core" / "pipeline" / f"test_{stage}.py").is_file()


@stages
def test_a_stage_has_its_hook(stage, kind):
    hook = getattr(hookspecs, f"isekai_register_{kind}s")
    assert hasattr(hook, f"{hookspecs.PROJECT}_spec"), "the function is there, but is no hookspec"
    assert hook.__doc__


@stages
def test_a_stage_has_its_error(stage, kind):
    assert issubclass(getattr(errors, f"{stage.capitalize()}Error"), errors.StageError)


@stages
def test_a_stage_has_its_protocol(stage, kind):
    protocol = getattr(types, kind.capitalize())
    assert protocol._is_protocol
    # A loader has two methods: core owns what is around them.
    assert all(hasattr(protocol, method) for method in ([stage] if stage != "load" else ["plan", "write"]))


@stages
def test_a_stage_has_its_heading(stage, kind):
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\w+)", text, re.MULTILINE)
    assert stage.capitalize() in headings


def test_the_stages_stand_in_their_order_in_the_document():
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    headings = [name for name in re.findall(r"^## (\w+)", text, re.MULTILINE) if name.lower() in STAGES]
    assert headings == [stage.capitalize() for stage in STAGES]


# A step of a slice has a module, an error, a test and a heading, all of its name


@pytest.mark.parametrize("step", SLICE_STEPS)
def test_a_step_of_a_slice_has_its_module_its_error_its_test_and_its_heading(step):
    homes = [(CORE / "slicing", ROOT / "tests" / "core" / "slicing")]
    homes += [(package, plugin / "tests") for plugin, package in PACKAGES.items() if package.name == "isekai_postgres"]
    assert any((home / f"{step}.py").is_file() and list(tests.rglob(f"test_{step}.py")) for home, tests in homes)
    assert issubclass(getattr(errors, f"{step.capitalize()}Error"), errors.SliceError)
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert step.capitalize() in re.findall(r"^## (\w+)", text, re.MULTILINE)


def test_every_hook_is_used_by_a_plugin_in_this_repository():
    specs = {name for name in vars(hookspecs) if name.startswith("isekai_")}
    used = {
        node.name
        for path in [
            CORE / "builtins" / "plugin.py",
            *(package / "plugin.py" for package in PACKAGES.values() if package != CORE),
        ]
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef)
    }
    assert used == specs


def test_every_error_is_in_the_drawing_and_nothing_else():
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    drawn = {match.group() for line in errors.__doc__.splitlines()[2:] if (match := re.search(r"\w+", line))}
    assert drawn == classes


# A plugin folder is in every list


@plugins
def test_a_plugin_is_a_whole_distribution(plugin):
    package = PACKAGES[plugin]
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        assert (plugin / name).is_file(), name
    for name in ("plugin.py", "py.typed", "__init__.py"):
        assert (package / name).is_file(), name
    assert list((plugin / "tests").rglob("test_*.py"))


@plugins
def test_a_plugin_is_in_every_import_contract(plugin):
    name = PACKAGES[plugin].name
    contracts = {contract["name"]: contract for contract in TOOLS["importlinter"]["contracts"]}
    assert name in TOOLS["importlinter"]["root_packages"]
    assert name in contracts["core never imports a plugin"]["forbidden_modules"]
    assert name in contracts["plugins never import each other"]["modules"]
    assert name in contracts["plugins use the public surface of core only"]["source_modules"]


def test_the_contract_on_cores_surface_names_every_module_that_is_not_public():
    public = {"conf", "errors", "models", "slicing", "testing", "types"}
    contracts = {contract["name"]: contract for contract in TOOLS["importlinter"]["contracts"]}
    forbidden = contracts["plugins use the public surface of core only"]["forbidden_modules"]
    entries = {path.stem for path in CORE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert {name.removeprefix("isekai_core.") for name in forbidden} == entries - public - {"__init__"}


@plugins
def test_a_plugin_is_type_checked(plugin):
    assert f"plugins/{plugin.name}/{PACKAGES[plugin].name}" in TOOLS["mypy"]["files"]
    assert f"$MYPY_CONFIG_FILE_DIR/plugins/{plugin.name}" in TOOLS["mypy"]["mypy_path"].split(":")


@plugins
def test_a_plugin_has_its_environments(plugin):
    short = plugin.name.removeprefix("isekai-")
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    lists = re.findall(r"\{([\w,]+)\}-py3", tox)
    # Once among all environments, once among those that test: alone on the oldest Python; with others on the newest.
    assert len(lists) == 2
    assert all(short in names.split(",") for names in lists)
    assert re.search(rf"^ +{short}: .*pytest.* \{{tox_root\}}/plugins/{plugin.name}/tests ", tox, re.MULTILINE)
    installed = re.findall(r"pip_install\} \{env:CORE\}(.*)$", tox, re.MULTILINE)
    # Alone in one environment, and with all others wherever all are together.
    assert f" {{env:{short.upper()}}}" in installed
    assert all(f"{{env:{short.upper()}}}" in line for line in installed if line.count("{env:") > 1)
    assert all(PACKAGES[plugin].name in line.split() for line in tox.splitlines() if "--pyargs" in line)


@plugins
def test_a_plugin_is_in_the_readme(plugin):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("|")]
    assert any(plugin.name in row.split("|")[1] for row in rows)


# What modules may be


@packages
def test_a_plugin_module_holds_hook_implementations_only(package):
    module = tree(package / ("builtins/plugin.py" if package == CORE else "plugin.py"))
    docstring, *rest = module.body
    assert isinstance(docstring, ast.Expr)
    for node in rest:
        if isinstance(node, ast.FunctionDef):
            assert [ast.unparse(decorator) for decorator in node.decorator_list] == ["hookimpl"], node.name
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            # The one thing that may stand between: a shorter name for the type of their argument.
            assert ast.unparse(node).startswith("Register = "), ast.unparse(node)


@packages
def test_no_exported_name_is_that_of_a_module_beside_it(package):
    for init in package.rglob("__init__.py"):
        beside = {path.stem for path in init.parent.iterdir() if path.suffix == ".py" or path.is_dir()} - {"__init__"}
        exported = [
            ast.literal_eval(node.value)
            for node in tree(init).body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        ]
        assert not beside & {name for names in exported for name in names}, init


def test_no_module_of_core_imports_the_root_that_only_reexports():
    for path in modules(CORE):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "isekai_core" or all(is_submodule(name.name) for name in node.names), path


def is_submodule(name):
    return (CORE / name).is_dir() or (CORE / f"{name}.py").is_file()


@packages
def test_every_module_says_why_it_is_there(package):
    for path in modules(package):
        source = path.read_text(encoding="utf-8")
        assert not source.strip() or ast.get_docstring(ast.parse(source)), path


PAGES = [CORE / "pipeline", CORE / "slicing", ROOT / "plugins" / "isekai-postgres" / "isekai_postgres"]


@pytest.mark.parametrize("folder", PAGES, ids=named(PAGES))
def test_the_page_of_a_large_folder_names_every_module_in_it_and_no_other(folder):
    page = ast.get_docstring(tree(folder / "__init__.py"))
    there = {path.name for path in folder.rglob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"[a-z_]+\.py", page)) == there


@pytest.mark.parametrize("path", SOURCES, ids=named(SOURCES))
def test_modules_and_functions_are_small(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES_OF_A_MODULE
    for node in ast.walk(tree(path)):
        if isinstance(node, FUNCTIONS):
            long = node.end_lineno - node.lineno + 1
            assert long <= MOST_LINES_OF_A_FUNCTION, f"{node.name}() has {long} lines"


# Tests mirror the tree


def mirrored(test, source):
    """Whether there is a module for the test file: of its name, or of the beginning of its name."""
    if test.stem == "test_conformance":
        return True  # Of all processors there: the suites of the kit.
    if test.stem.startswith("test_defects_"):
        return True  # Defects of another implementation, by their numbers.
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    return any(found for name in names for found in (*source.rglob(f"{name}.py"), *source.glob(name)))


TESTS = [path for path in sorted((ROOT / "tests" / "core").rglob("test_*.py")) if "__pycache__" not in path.parts]
PLUGIN_TESTS = [
    (path, package)
    for plugin, package in PACKAGES.items()
    if package != CORE
    for path in sorted((plugin / "tests").rglob("test_*.py"))
]


@pytest.mark.parametrize("test", TESTS, ids=named(TESTS))
def test_a_test_of_core_is_where_its_module_is(test):
    assert mirrored(test, CORE / test.parent.relative_to(ROOT / "tests" / "core"))


@pytest.mark.parametrize(("test", "package"), PLUGIN_TESTS, ids=named(test for test, _ in PLUGIN_TESTS))
def test_a_test_of_a_plugin_has_the_name_of_its_module(test, package):
    assert mirrored(test, package)
