"""The texts are true: links lead somewhere, files exist, tables say what the code says."""

import importlib
import importlib.util
import re

import pytest
from texts import README, ROOT, TEXTS

import gluon_attn
from gluon_attn import list_attentions, list_models

_spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
generate = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(generate)


#: what the steps of CONTRIBUTING make
NEW = {"gluon_attn/attention/gather_excite.py", "benchmarks/lib/torch_attention/gather_excite.py"}


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name):
    text = re.sub(r"^```.*?^```", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            assert target.startswith("https://"), target
            continue
        file = (ROOT / name).parent / path if path else ROOT / name
        assert file.is_file(), f"{name}: {target}"
        headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings], target


def test_files_that_the_texts_name_exist():
    for name in TEXTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        named = re.findall(r"`((?:gluon_attn|tests|benchmarks|configs|docs)/[\w./-]+)`", text)
        missing = [path for path in named if not (ROOT / path).exists()]
        assert set(missing) <= (NEW if name == "CONTRIBUTING.md" else set()), name


def test_tables_say_what_the_code_says():
    done = generate.files()
    stale = [path.name for path, text in done.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run python docs/generate.py"


def test_a_google_docstring_becomes_a_list_of_options():
    text = "One, https://x.org/a_b\n\ny = x * w_1.\n\nArgs:\n    channels: C.\n    r_d: over\n        two lines (16).\n"
    assert generate.markdown(text) == (
        "One, <https://x.org/a_b>\n\ny = x \\* w\\_1.\n\nOptions:\n\n- `channels`: C.\n- `r_d`: over two lines (16)."
    )


def test_the_readme_is_short_and_counts_right():
    assert len(README.splitlines()) < 160
    assert f"{len(list_attentions())} attentions, {len(list_models())} models" in README


def test_the_reference_has_every_public_name():
    named = re.findall(r"^::: (\S+)$", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.MULTILINE)
    public = {f"gluon_attn.{name}" for name in gluon_attn.__all__} - {"gluon_attn.__version__", "gluon_attn.convert"}
    assert public <= set(named)
    for name in set(named) - public:
        module, _, symbol = name.rpartition(".")
        assert hasattr(importlib.import_module(module), symbol), name
