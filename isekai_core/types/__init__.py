"""What flows through ISEKAI: keys, payloads, resources, specs and the protocols of processors.

The lowest layer: standard library only, no Django, no pluggy. Third parties compile against these
names, so they are few, typed and stable.
"""

from isekai_core.types.codec import decode, encode
from isekai_core.types.keys import Key
from isekai_core.types.load import FileValue, LoadItem
from isekai_core.types.payloads import RECORD_MEDIA_TYPE, Body, MemoryBody, Payload, PayloadKind, Spool
from isekai_core.types.protocols import Extractor, Loader, Miner, Seeder, Transformer, accepts_key, accepts_name
from isekai_core.types.resources import Extraction, Mined, ResourceView, Seed
from isekai_core.types.specs import BlobRef, ModelRef, Ref, ResourceRef, Spec, Text
from isekai_core.types.stages import KINDS, STAGES, Stage, State

__all__ = [
    "KINDS",
    "RECORD_MEDIA_TYPE",
    "STAGES",
    "BlobRef",
    "Body",
    "Extraction",
    "Extractor",
    "FileValue",
    "Key",
    "LoadItem",
    "Loader",
    "MemoryBody",
    "Mined",
    "Miner",
    "ModelRef",
    "Payload",
    "PayloadKind",
    "Ref",
    "ResourceRef",
    "ResourceView",
    "Seed",
    "Seeder",
    "Spec",
    "Spool",
    "Stage",
    "State",
    "Text",
    "Transformer",
    "accepts_key",
    "accepts_name",
    "decode",
    "encode",
]
