"""The hook implementations of isekai-core itself."""

from isekai_core.hookspecs import Register, hookimpl


@hookimpl
def isekai_register_seeders(register: Register) -> None:
    register("csv", "isekai_core.builtins.seed:CsvSeeder")


@hookimpl
def isekai_register_extractors(register: Register) -> None:
    register("file", "isekai_core.builtins.extract:FileExtractor")


@hookimpl
def isekai_register_loaders(register: Register) -> None:
    register("models", "isekai_core.builtins.load:ModelLoader")


@hookimpl
def isekai_register_slice_sources(register: Register) -> None:
    register("file", "isekai_core.builtins.slice_file:File")
    register("storage", "isekai_core.builtins.slice_storage:Storage")
    register("orm", "isekai_core.builtins.orm.database:Orm")


@hookimpl
def isekai_register_slice_targets(register: Register) -> None:
    register("file", "isekai_core.builtins.slice_file:File")
    register("storage", "isekai_core.builtins.slice_storage:Storage")
    register("orm", "isekai_core.builtins.orm.database:Orm")
