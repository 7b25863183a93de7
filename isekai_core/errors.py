"""Every error of ISEKAI, in one tree. Each says, in `then`, what the engine does next.

IsekaiError
├── ConfigurationError          stop: nothing was started; exit status 2
│   ├── SettingError            a setting or isekai.toml
│   ├── OptionError             an option of a processor, with its path
│   ├── PipelineNotFound        no pipeline of that name
│   ├── PipelineMisfit          two stages of a pipeline cannot meet
│   ├── ProcessorNotFound       no processor of that name
│   ├── ProcessorAmbiguous      two plugins claim the short name
│   └── PluginUnusable          the plugin is in quarantine
├── RunError                    stop: the run cannot go on
│   └── RunBusy                 another process works on this pipeline
├── SliceError                  stop: nothing is half written
│   ├── PlanError               importers and jobs that do not fit; nothing was written; exit status 2
│   ├── ExportError             the source cannot be read
│   ├── BundleError             the files are there already, incomplete or changed
│   ├── StagingError            the bundle does not fit the target; nothing was changed there
│   └── MergeError              the target refuses the rows; everything is as it was
└── StageError                  fail: this resource fails, everything else goes on
    ├── SeedError
    ├── ExtractError
    │   └── TemporaryError      retry: with backoff, or after what the source asked for
    ├── MineError
    ├── TransformError
    ├── LoadError
    └── SkipResource            skip: not an error, this resource is not wanted
"""

from typing import ClassVar, Literal

Then = Literal["stop", "fail", "retry", "skip"]


class IsekaiError(Exception):
    """Whatever ISEKAI raises on purpose.

    then: what the engine does next: `stop` the run, `fail` the resource, `retry` it, or `skip` it.

    Messages are lower case, without a full stop; they say what was expected and what was got, and
    the next command to type where there is one.
    """

    then: ClassVar[Then] = "fail"


class ConfigurationError(IsekaiError):
    """What was asked for cannot be composed; nothing was started."""

    then = "stop"


class SettingError(ConfigurationError):
    """A setting, or an entry of isekai.toml, is not what it should be."""


class OptionError(ConfigurationError):
    """An option of a processor is unknown, missing or of the wrong type; the message begins with its path."""


class PipelineNotFound(ConfigurationError):
    """There is no pipeline of that name."""


class PipelineMisfit(ConfigurationError):
    """What one processor of a pipeline gives is nothing that the next stage takes."""


class ProcessorNotFound(ConfigurationError):
    """No installed plugin registers a processor of that name."""


class ProcessorAmbiguous(ConfigurationError):
    """Two plugins register the same short name, and nothing says which one is meant."""


class PluginUnusable(ConfigurationError):
    """The plugin that registers the processor is in quarantine."""


class RunError(IsekaiError):
    """The run cannot go on. What is done is kept; the same command continues."""

    then = "stop"


class RunBusy(RunError):
    """Another process works on this pipeline."""


class SliceError(IsekaiError):
    """A slice cannot be cut, kept or loaded. There is no half bundle, and the target is as it was."""

    then = "stop"


class PlanError(SliceError):
    """Importers, jobs or arguments do not fit the models, or one another; nothing was written."""


class ExportError(SliceError):
    """The source cannot be read; no bundle is left behind."""


class BundleError(SliceError):
    """A bundle is there already, is incomplete, or was changed."""


class StagingError(SliceError):
    """The bundle does not fit the target, or cannot be put beside it; nothing was changed there."""


class MergeError(SliceError):
    """The target refuses the rows; everything there is as it was."""


class StageError(IsekaiError):
    """A resource cannot pass a stage. The resource fails with this message; everything else goes on."""


class SeedError(StageError):
    """A seeder cannot go on; what it gave before is kept."""


class ExtractError(StageError):
    """The bytes cannot be had, and trying again would not help."""


class TemporaryError(ExtractError):
    """The bytes cannot be had now. The engine tries again.

    retry_after: seconds that the source asked to wait; None leaves it to the engine's backoff.
    """

    then = "retry"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class MineError(StageError):
    """The payload cannot be mined."""


class TransformError(StageError):
    """The payload cannot become a spec."""


class LoadError(StageError):
    """The spec cannot become a row."""


class SkipResource(StageError):
    """Raised by a processor: this resource is not wanted. Its message is kept as the reason."""

    then = "skip"
