"""Plugins that are sound as far as `plugins list` looks, because it imports no processor."""

from installed.broken import MINER, NAME, PLUGIN, REINSTALL, Broken, before

# What `plugins list` cannot see, because it imports no processor; `plugins check` has to.
WHEN_USED = [
    Broken(
        "no such class",
        used=("acme_broken.mine:WordMiner", "there is no 'WordMiner' in it (did you mean 'WordsMiner'?)"),
        mine=MINER.replace("WordMiner", "WordsMiner"),
    ),
    Broken(
        "no such module",
        used=("its own module acme_broken.mine is missing", REINSTALL),
        mine=None,
    ),
    Broken(
        "a missing dependency of its processor",
        used=("needs acme_tokens, which is not installed", f"pip install '{NAME}[fast]'"),
        mine=f"import acme_tokens\n{MINER}",
        requires=('acme-tokens>=3; extra == "fast"',),
        extras=("fast",),
    ),
    Broken(
        "sys.exit in the module of its processor",
        used=("calls sys.exit(4) while it is imported",),
        mine="raise SystemExit(4)\n",
    ),
    Broken(
        "no Exception in the module of its processor",
        used=("raised Stop: enough", "mine.py:3)"),
        mine="class Stop(BaseException):\n    pass\nraise Stop('enough')\n",
    ),
    Broken(
        "a function for a class",
        used=("acme_broken.mine:WordMiner is no class but a function",),
        mine="def WordMiner(resource):\n    return []\n",
    ),
    Broken(
        "a class without the method",
        used=("acme_broken.mine:WordMiner is no miner: it has no method mine()",),
        mine=MINER.replace("def mine", "def find"),
    ),
]

# What is wrong with the class in a way that nobody thinks of: asking it fails.
WHEN_SHOWN = [
    Broken(
        "a default that cannot be shown",
        used=("acme_broken.mine:WordMiner cannot be shown: AttributeError",),
        mine=f"class Silent:\n    def __repr__(self):\n        return self.text\n\n{MINER}"
        "\n    def __init__(self, words=Silent()):\n        pass\n",
    ),
    Broken(
        "a docstring that is no text",
        used=("__doc__ is 5, expected a text",),
        mine=f"{MINER}\n    __doc__ = 5\n",
    ),
    Broken(
        "a signature that is none",
        used=("acme_broken.mine:WordMiner cannot be shown: TypeError",),
        mine=f"{MINER}\n    __signature__ = 'words'\n",
    ),
]

# What even the class does not show, only an object of it; of these, a pipeline names the class and the place.
WHEN_MADE = [
    Broken(
        "a constructor that fails",
        used=("acme_broken.mine.WordMiner raised RuntimeError: no licence",),
        mine=f"{MINER}\n    def __init__(self):\n        raise RuntimeError('no licence')\n",
    ),
    Broken(
        "a constructor that misses a library",
        used=("acme_broken.mine.WordMiner raised ModuleNotFoundError: No module named 'acme_tokens'",),
        mine=f"{MINER}\n    def __init__(self):\n        import acme_tokens\n",
    ),
    Broken(
        "nothing that it accepts",
        used=("WordMiner of acme-broken is no miner: it lacks accepts",),
        mine=MINER.replace("accepts", "reads"),
    ),
    Broken(
        "a text for what it accepts",
        used=("accepts of WordMiner of acme-broken is a list of patterns such as ('text/html',), got '*'",),
        mine=MINER.replace('("*",)', '"*"'),
    ),
]

# What is odd, does no harm, and must do none to others.
ODD = [
    Broken("prints at import", plugin=before("print('welcome to acme')")),
    Broken("prints in its hook", plugin=f"{PLUGIN}    print('welcome to acme')\n"),
    Broken(
        "puts something in the place of standard output", plugin=before("import io, sys\nsys.stdout = io.StringIO()")
    ),
    Broken("goes to another folder", plugin=before("import os\nos.chdir('/')")),
]
