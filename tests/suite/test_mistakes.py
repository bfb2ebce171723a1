"""Every mistake in a suite is one line with its place and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ddbench.errors import SuiteError
from ddbench.suite import load_suite
from tests.suite.suites import write

A = "methods: {A: {generator: real, selector: first"

# The suite's text with § before the place of the mistake, and what is said of it.
STRUCTURE = [
    ("§studnets: [pixels]", "unknown key 'studnets'; did you mean 'students'?"),
    ("§student: [pixels]", "unknown key 'student'; did you mean 'students'?"),
    ("seeds: {§trainin: [0]}", "unknown key 'trainin'; did you mean 'training'?"),
    (f"{A}, §refiners: none}}}}", "unknown key 'refiners'; did you mean 'refiner'?"),
    ("matrix:\n  generator: [real]\n  §selectors: [first]", "unknown key 'selectors'; did you mean 'selector'?"),
    ("exclude: [{§students: pixels}]", "unknown key 'students'; did you mean 'student'?"),
    ("§zzz: 1", "unknown key 'zzz'; known: baseline, components, dataset, evaluate, evaluator, exclude, extends, "),
    ("§pool: 4x", "unknown key 'pool'; write `pool` in a row of `methods`, or in `matrix`"),
    ("§selector: first", "unknown key 'selector'; write `selector` in a row of `methods`, or in `matrix`"),
    (f"{A}, §ipc: 5}}}}", "unknown key 'ipc'; write `ipc` at the top level"),
    ("matrix:\n  generator: [real]\n  §ipc: [1]", "unknown key 'ipc'; write `ipc` at the top level"),
    ("<<: §3", "`<<` merges mappings, and this is none; write `<<: *name`"),
    ("methods:\n  §A: {generator: real}", "the key 'methods.A.selector' is missing; add `selector: …`"),
    ("§matrix: {generator: [real]}", "the key 'matrix.selector' is missing; add `selector: …`"),
    ("§ipc: 5", "'ipc' is 5: give a list, such as `[a, b]`"),
    ("ipc: [1, §two]", "'ipc.1' is 'two': input should be a valid integer"),
    ("ipc: [§'1']", "'ipc.0' is '1': input should be a valid integer"),
    ("ipc: [§1.0]", "'ipc.0' is 1.0: input should be a valid integer"),
    ("ipc: [§true]", "'ipc.0' is True: input should be a valid integer"),
    ("ipc: [§0]", "'ipc.0' is 0: input should be greater than or equal to 1"),
    ("§ipc: []", "'ipc' is []: list should have at least 1 item"),
    ("§ipc: [1, 5, 1]", "'ipc' is [1, 5, 1]: 1 occurs twice"),
    ("§students: pixels", "'students' is 'pixels': give a list, such as `[a, b]`"),
    ("students: [§5]", "'students.0' is 5: give the name of a component, or a mapping with the key 'use'"),
    ("students: [§{name: pixels}]", "'students.0' is {'name': 'pixels'}: give the name of a component"),
    ("students: [{§use: 5}]", "'students.0.use' is 5: input should be a valid string"),
    ("seeds: {§training: 3}", "'seeds.training' is 3: give a list, such as `[a, b]`"),
    ("seeds: {training: [§-1]}", "'seeds.training.0' is -1: input should be greater than or equal to 0"),
    ("seeds: {§training: [0, 0]}", "'seeds.training' is [0, 0]: 0 occurs twice"),
    ("seeds: {§selection: generations}", "'seeds.selection' is 'generations': give a list of seeds, or `generation`"),
    ("seeds: {§selection: null}", "'seeds.selection' is None: give a list of seeds, or `generation` to select"),
    ("seeds: {selection: [0, §-1]}", "'seeds.selection.1' is -1: input should be greater than or equal to 0"),
    ("§seeds: [0]", "'seeds' is [0]: give a mapping, such as `{key: value}`"),
    ("§suite: My Suite", "'; use lower-case letters, digits and hyphens, as in `my-name`"),
    ("§suite: 5", "'suite' is 5: input should be a valid string"),
    ("§evaluate: always", "'evaluate' is 'always': input should be 'last' or 'papers'"),
    ("§numerics: bf16", "'numerics' is 'bf16': input should be 'reference' or 'fast'"),
    ("methods: {A: {§generator: {use: noise}, selector: first}}", "define a generator with parameters under"),
    (f"{A}, §pool: 4.5}}}}", "'methods.A.pool' is 4.5: give a number of images per class"),
    (f"{A}, §pool: 0}}}}", "'methods.A.pool' is 0: give a number of images per class"),
    (f"{A}, §pool: 0x}}}}", "'methods.A.pool' is '0x': give a number of images per class"),
    (f"{A}, §pool: yes}}}}", "'methods.A.pool' is 'yes': give a number of images per class"),
    (f"{A}, §pool: true}}}}", "'methods.A.pool' is True: give a number of images per class"),
    ("methods: {A: {generator: real, §selector: [first]}}", "'methods.A.selector' is ['first']: give the name of"),
    ("methods: {§1: {generator: real, selector: first}}", "'methods.1' is 1: input should be a valid string"),
    ("matrix: {§generator: real, selector: [first]}", "'matrix.generator' is 'real': give a list, such as `[a, b]`"),
    ("matrix: {generator: [real], §selector: []}", "'matrix.selector' is []: list should have at least 1 item"),
    ("scorers: {§my/role: colour}", "'scorers.my/role' is 'my/role': string should match pattern"),
    ("scorers: {§a.b: colour}", "'scorers.a.b' is 'a.b': string should match pattern"),
    ("exclude: [{ipc: [§1.5]}]", "'exclude.0.ipc.0' is 1.5: input should be a valid integer"),
    ("exclude: [{§ipc: '1'}]", "'exclude.0.ipc' is '1': input should be a valid integer"),
    ("§exclude: {ipc: 1}", "'exclude' is {'ipc': 1}: give a list, such as `[a, b]`"),
]  # fmt: skip

NAMES = [
    ("§dataset: dot", "there is no dataset 'dot'; did you mean 'dots'?"),
    ("§evaluator: nearest", "there is no evaluator 'nearest'"),
    ("students: [pixels, §convnet33]", "there is no student 'convnet33'; did you mean 'convnet3'?"),
    ("students: [{§use: pixel}]", "there is no student 'pixel'; did you mean 'pixels'?"),
    ("scorers: {§teacher: color}", "there is no scorer 'color'; did you mean 'colour'?"),
    ("generators: {big: {§use: nois}}\nmethods: {A: {generator: big, selector: first}}",
     "there is no generator 'nois'; did you mean 'noise'?"),
    ("generators: {§real: {use: noise}}",
     "this variant of 'noise' has the name of another generator, 'real'; rename it"),
    ("generators: {loud: noise, §real: noise}\nmethods: {A: {generator: loud, selector: first}}",
     "this variant of 'noise' has the name of another generator, 'real'; rename it"),
    ("scorers: {§teacher: {use: trained-teacher, student: convnet}}", "there is no student 'convnet'; did you mean"),
    ("scorers: {§teacher: {use: trained-teacher, protocol: smoke}}", "there is no protocol 'smoke'; did you mean"),
    ("methods: {A: {§generator: reel, selector: first}}", "there is no generator 'reel'; did you mean 'real'?"),
    ("methods: {A: {generator: real, §selector: frist}}", "there is no selector 'frist'; did you mean 'first'?"),
    (f"{A}, §refiner: non}}}}", "there is no refiner 'non'; did you mean 'none'?"),
    ("matrix: {generator: [real, §nois], selector: [first]}", "there is no generator 'nois'; did you mean 'noise'?"),
    ("matrix:\n  generator: [real]\n  selector:\n    - first\n    - {§use: k-centre}",
     "there is no selector 'k-centre'; did you mean 'k-center'?"),
    ("§protocol: minimax-hard@7", "there is no protocol 'minimax-hard@7'; did you mean 'minimax-hard@1'?"),
    (f"{A}, §protocol: minimax@1}}}}", "there is no protocol 'minimax@1'"),
    ("matrix: {generator: [real], selector: [first], §protocol: minimax@1}", "there is no protocol 'minimax@1'"),
    ("students: [{use: pixels, §nmae: a}]", "student 'pixels': unknown parameter 'nmae'; did you mean 'name'?"),
    ("generators: {b: {use: noise, §blok: 2}}\nmethods: {A: {generator: b, selector: first}}",
     "generator 'noise': unknown parameter 'blok'; did you mean 'block'?"),
    ("generators: {b: {use: noise, §block: two}}\nmethods: {A: {generator: b, selector: first}}",
     "generator 'noise': parameter 'block' is 'two': input should be a valid integer"),
    ("scorers: {teacher: {use: colour, §seconds: .nan}}",
     "nan is not a finite number; write a finite number"),
    ("methods:\n  A:\n    generator: real\n    selector: {use: k-center, §start: middle}",
     "selector 'k-center': parameter 'start' is 'middle': input should be 'nearest-mean' or 'random'"),
    ("methods: {A: {generator: real, selector: {use: first, §pool: 4x}}}",
     "selector 'first' has no parameter 'pool'; write `pool: 4x` next to `selector`"),
    ("matrix: {generator: [real], selector: [{use: random, §pool: 4x}]}",
     "selector 'random' has no parameter 'pool'; write `{selector: random, pool: 4x}`"),
    ("matrix: {generator: [real], selector: [{use: k-center, start: random, §pool: 2}]}",
     "selector 'k-center' has no parameter 'pool'; write `{selector: {use: k-center, …}, pool: 2}`"),
    ("matrix: {generator: [real], selector: [{selector: random, §pool: lots}]}",
     "'matrix.selector.0.pool' is 'lots': give a number of images per class"),
    ("matrix: {generator: [real], selector: [{selector: random, §pol: 4x}]}",
     "unknown key 'pol'; did you mean 'pool'?"),
    ("matrix: {generator: [real], selector: [{selector: {§use: k-centre}, pool: 4}]}",
     "there is no selector 'k-centre'; did you mean 'k-center'?"),
    ("matrix: {generator: [real], selector: [§{pool: 4x}]}",
     "give the name of a component, or a mapping with the key 'use'"),
    ("scorers: {t: {use: timm, §modle: vit}}", "scorer 'timm': unknown parameter 'modle'; did you mean 'model'?"),
    ("protocol: {name: mine@1, §bach_size: 3}", "the field 'bach_size' is unknown; did you mean 'batch_size'?"),
    ("protocol: {extends: minimax-hard@1, optimizer: {§momentun: 0.9}}",
     "the field 'optimizer.momentun' is unknown; did you mean 'momentum'?"),
    ("dataset: {use: dots, §size: 3}", "dataset 'dots': unknown parameter 'size'; none is known"),
    ("students: [pixels, §pixels]", "'pixels' occurs twice; remove one or rename it"),
    ("matrix: {generator: [real], selector: [first, §first]}", "'real + first' occurs twice"),
    ("matrix: {generator: [real, real], selector: [§first]}", "'real + first' occurs twice"),
]  # fmt: skip

IMPOSSIBLE = [
    ("ipc: [1, §5]\nmethods: {A: {generator: noise, selector: first, pool: 2}}",
     "IPC 5 is larger than the pool of 'A', which has 2 images per class; lower the IPC or enlarge the pool"),
    ("ipc: [1, §5]\nmatrix: {generator: [noise], selector: [{selector: random, pool: 2}]}",
     "IPC 5 is larger than the pool of 'noise + random @2', which has 2 images per class"),
    ("ipc: [12, §13]", "'A' needs 13 images per class, but generator 'real' has 12; lower the IPC"),
    ("ipc: [§13]\nmethods: {A: {generator: real, selector: random, pool: 2x}}",
     "'A' needs 13 images per class, but generator 'real' has 12; lower the IPC"),
    ("ipc: [4, 5]\nmethods: {A: {generator: real, selector: random, §pool: 3x}}",
     "the pool of 'A' at IPC 5 needs 15 images per class, but generator 'real' has 12; lower `pool`, or remove it to "
     "choose from all images"),
    ("methods: {A: {generator: real, selector: random, §pool: 13}}",
     "the pool of 'A' at IPC 1 needs 13 images per class, but generator 'real' has 12; lower `pool`, or"),
    ("matrix: {generator: [real], selector: [first, {selector: random, §pool: 13}]}",
     "the pool of 'real + random @13' at IPC 1 needs 13 images per class, but generator 'real' has 12; lower `pool`"),
    ("matrix: {generator: [real], selector: [first], §pool: 13}",
     "the pool of 'real + first' at IPC 1 needs 13 images"),
    ("methods: {§A: {generator: dit-xl2, selector: first}}",
     "generator 'dit-xl2': class 'red' has no index in ImageNet-1k, which `classes: imagenet` needs; give a"),
    ("matrix: {§generator: [dit-xl2], selector: [first]}", "generator 'dit-xl2': class 'red' has no index in"),
    ("generators: {§fast: {use: dit-xl2, sampling_steps: 10}}\nmethods: {A: {generator: fast, selector: first}}",
     "generator 'dit-xl2': class 'red' has no index in"),
    ("set_scores: {}\n§scorers: {judge: colour}\n" + f"{A}}}}}",
     "`set_scores` needs the field 'teacher.embedding', but no scorer has the role 'teacher'; add `teacher: {use: …}` "
     "under `scorers`; scorers that write 'embedding': "),
    ("set_scores: {teacher: clip}\n"
     "scorers: {§clip: {use: open-clip, model: ViT-B-32, pretrained: openai}}\n" + f"{A}}}}}",
     "`set_scores` needs the field 'clip.embedding', but the scorer 'open-clip"),
    ("set_scores: {§techer: clip}", "unknown key 'techer'; did you mean 'teacher'?"),
    ("methods: {A: {generator: real, selector: brightest}}", "selector 'brightest' of 'A' needs the field "
     "'teacher.embedding', but no scorer has the role 'teacher'; add `teacher: {use: …}` under `scorers`; "
     "scorers that write 'embedding': "),
    ("§scorers: {judge: colour}\nmethods: {A: {generator: real, selector: brightest}}",
     "needs the field 'teacher.embedding', but no scorer has the role 'teacher'"),
    ("scorers: {§teacher: colour}\nmethods: {A: {generator: real, selector: {use: herding, field: teacher.clip}}}",
     "selector 'herding (field=teacher.clip)' of 'A' needs the field 'teacher.clip', but the scorer 'colour' writes "
     "only embedding, logits; scorers that write 'clip': none"),
    ("methods: {A: {generator: real, selector: typical}}\n§scorers: {judge: colour}",
     "selector 'typical' of 'A' needs the field 'teacher.embedding', but no scorer has the role 'teacher'"),
    ("scorers: {§teacher: colour}\nmethods: {A: {generator: real, selector: {use: sas, prototypes: mean, "
     "teacher: teacher}}}", "needs the class field 'teacher.mean', but the scorer 'colour' writes only column; "
     "scorers that write 'mean': trained-teacher"),
    ("methods: {A: {generator: real, selector: {use: s3, §field: s3.embedding}}}",
     "unknown parameter 'field'; write `teacher: ROLE` instead; its field `embedding` is read"),
    ("methods: {A: {generator: real, selector: {use: sas, §image: clip.image}}}",
     "unknown parameter 'image'; write `teacher: ROLE` instead, with `prototypes: mean` unless the scorer is CLIP"),
    ("methods: {A: {generator: real, selector: {use: mixed-score, §text: clip.text}}}",
     "unknown parameter 'text'; write `teacher: ROLE` instead"),
    ("methods: {A: {generator: real, selector: {use: pool-select, §temperature: 2}}}",
     "unknown parameter 'temperature'; write `tau` instead"),
    ("§cadence: papers", "unknown key 'cadence'"),
    ("scorers: {teacher: colour}\nmethods: {A: {generator: real, selector: sas}}",
     "needs the field 'clip.image', but no scorer has the role 'clip'; add `clip: {use: …}` under `scorers`; scorers "
     "that write 'image': open-clip"),
    ("scorers: {§teacher: {use: timm, model: resnet18.a1_in1k}}\n"
     "methods: {A: {generator: real, selector: confidence}}", "class 'red' has no index in ImageNet-1k"),
    (f"{A}, §labels: smooth}}}}",
     "'methods.A.labels' is 'smooth': input should be 'hard', 'soft', 'stored' or 'shuffled'"),
    (f"{A}, labels: {{use: soft, §techer: a}}}}}}", "unknown key 'techer'; did you mean 'teacher'?"),
    ("labels: {use: soft, §techer: a}", "unknown key 'techer'; did you mean 'teacher'?"),
    ("matrix: {generator: [real], selector: [first], labels: {use: soft, §wen: x}}", "unknown key 'wen'; did you mean"),
    (f"{A}, labels: {{use: soft, §tau: 0}}}}}}", "'methods.A.labels.tau' is 0: input should be greater than 0"),
    ("protocol: psr-kd@1\nmethods: {§A: {generator: real, selector: first}}",
     "protocol 'psr-kd@1' of 'A' needs soft labels, but its labels are hard; add "
     "`labels: {use: soft, teacher: …}`"),
    ("§labels: soft\nprotocol: minimax-hard@1",
     "'A' has soft labels, but neither its protocol 'minimax-hard@1' nor its refiner uses them"),
    (f"protocol: psr-kd@1\n{A}, §labels: {{use: soft, tau: 4}}}}}}",
     "the labels of 'A' have tau 4, but protocol 'psr-kd@1' uses 1.5; set tau to 1.5"),
    ("protocol: psr-kd@1\nlabels: {use: soft, teacher: judge}\n§scorers: {teacher: colour}",
     "'A' takes labels from the role 'judge', but no scorer has this role; add `judge: {use: …}` under `scorers`"),
    ("generators: {r: {use: rded, teacher: judge}}\nmethods: {A: {generator: r, selector: first}}\n"
     "§scorers: {teacher: colour}",
     "generator 'r' of 'A' asks the role 'judge', but no scorer has this role; add `judge: {use: …}` under `scorers`"),
    ("methods: {A: {generator: rded, selector: first}}\nscorers: {§teacher: open-clip}",
     "generator 'rded' of 'A' asks the role 'teacher', but the scorer 'open-clip' cannot classify the data set's"),
    ("generators: {§r: {use: rded, factor: 3}}\nmethods: {A: {generator: r, selector: first}}\nipc: [1]",
     "generator 'rded' cannot divide images of 8 px into 3 equal parts; choose a `factor` that divides"),
    ("generators: {r: {use: rded, factor: 2, images: 8}}\nmethods: {A: {generator: r, selector: first}}\nipc: [2, §3]",
     "'A' needs 3 images per class, but generator 'r' has 2; lower the IPC"),
    ("generators: {d: dm}\nmethods: {A: {generator: d, selector: random, §pool: 4x}}\nipc: [1]",
     "the pool of 'A' at IPC 1 needs 4 images per class, but generator 'd' has 1; lower `pool`, or remove it"),
    ("protocol: psr-kd@1\nlabels: {use: soft, teacher: clip}\nscorers: {§clip: open-clip}",
     "'A' takes labels from the role 'clip', but the scorer 'open-clip' cannot classify"),
    ("protocol: rded-kd@1\n§scorers: {teacher: colour}",
     "'A' takes labels from the role 'kd', but no scorer has this role; add `kd: {use: …}` under `scorers`"),
    (f"protocol: psr-kd@1\n{A}, §labels: shuffled}}}}",
     "protocol 'psr-kd@1' of 'A' needs soft labels, but its labels are shuffled"),
    (f"protocol: rded-kd@1\nscorers: {{kd: colour}}\n{A}, §labels: shuffled}}}}",
     "'A' has shuffled labels, but a teacher labels each batch of its protocol 'rded-kd@1'"),
    ("methods: {§A: {generator: noise, selector: first, refiner: doubt}}",
     "refiner 'doubt' of 'A' needs soft labels, but its labels are hard; add"),
    (f"{A}, §refiner: darken}}}}",
     "refiner 'darken' needs latents, but generator 'real' has none; choose a generator with latents"),
    ("students: [pixels, §convnet6]", "student 'convnet6'"),
    ("exclude: [{§student: pixel}]", "no cell has the student 'pixel'; did you mean 'pixels'?"),
    ("exclude: [{ipc: 1}, {§ipc: [2, 3]}]", "no cell has the ipc '3'; known: 1, 2"),
    ("exclude: [{§method: B}]", "no cell has the method 'B'; known: A"),
    ("methods: {A: {generator: real, selector: first}, B: {generator: noise, selector: random}}\n"
     "exclude: [§{method: A, selector: random}]", "the entry excludes no cell; no cell matches all its keys"),
    ("exclude: [§{}]", "an entry without keys excludes every cell; name what to exclude"),
    ("§exclude: [{ipc: 1}, {ipc: 2}]", "the entries exclude every cell"),
    ("methods: {}", "the suite has neither 'methods' nor 'matrix'; add a method"),
]  # fmt: skip


SIZES = [
    ("ipc: [§99999999999999]", "'ipc.0' is 99999999999999: input should be less than or equal to 100000"),
    (f"ipc: [§{'9' * 5000}]", "a whole number has more than 100 digits"),
    (f"{A}, §pool: 10000000}}}}", "give a number of images per class (200; at most 100,000) or a multiple of the IPC"),
    ("methods: {A: {generator: noise, selector: first, §pool: 99999x}}",
     "the pool of 'A' at IPC 2 has 199,998 images per class; 100,000 are allowed"),
    (f"exclude: {'[' * 33}{']' * 33}", "values are nested more than 32 deep; flatten them"),
    (f"exclude: {'[' * 3000}{']' * 3000}", "values are nested more than 32 deep; flatten them"),
    (f"seeds: {{generation: {list(range(2000))}, training: {list(range(1000))}}}",
     "the suite has 4,000,000 cells, and 1,000,000 are allowed; divide it into several suites"),
    (f"matrix: {{generator: {['g'] * 200}, selector: {['s'] * 200}}}", "the suite has 40,000 rows, and 20,000 are"),
    ("exclude:\n- &a {x: [1, 1, 1, 1, 1, 1, 1, 1, 1]}\n" + "".join(
        f"- &{name} [{', '.join([f'*{below}'] * 9)}]\n" for below, name in zip("abcdef", "bcdefg", strict=True)),
     "the file has more than 200,000 values; write fewer values or aliases"),
    (f"# {'x' * 2**19}", "cannot be read as text: it is larger than 512 KiB"),
]  # fmt: skip
TEXTS = [
    (r'methods: {§"a\nb": {generator: real, selector: first}}', "give a name without line breaks, tabs and spaces"),
    (r'methods: {§"\e[2J": {generator: real, selector: first}}', r"a text contains the character \x1b"),
    (r'methods: {§"\u202Egnp": {generator: real, selector: first}}', r"a text contains the character \u202e"),
    ('methods: {§" A": {generator: real, selector: first}}', "give a name without line breaks, tabs and spaces"),
    (f"methods: {{§{'long' * 31}: {{generator: real, selector: first}}}}", "string should have at most 120 characters"),
    ("methods: {§'': {generator: real, selector: first}}", "string should have at least 1 character"),
    (r'generators: {§"a\tb": {use: real}}', "give a name without line breaks, tabs and spaces"),
    (f"§suite: {'s' * 121}", "string should have at most 120 characters"),
    (f"{A}}}}}\nlabels: {{use: soft, §tau: .inf}}", "inf is not a finite number; write a finite number"),
    (f"{A}}}}}\nlabels: {{use: soft, §tau: -1e999}}", "-inf is not a finite number; write a finite number"),
]


@pytest.mark.parametrize(("text", "words"), [*STRUCTURE, *NAMES, *IMPOSSIBLE, *SIZES, *TEXTS])
def test_a_mistake_is_one_line_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    without = ("scorers",) if "scorers" not in text and "brightest" in text else ()
    path, place = write(tmp_path, text, without=without)
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    message = str(caught.value)
    assert words in message
    assert message.startswith(f"{path}{place}: " if place else str(path))
    assert "\n" not in message


@pytest.mark.parametrize("key", ["suite", "dataset", "protocol", "ipc", "students"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    path, _ = write(tmp_path, "", without=(key,))
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert str(caught.value) == f"{path}: the key '{key}' is missing; add `{key}: …`"


def test_a_long_value_does_not_make_a_long_message(tmp_path: Path) -> None:
    path, _ = write(tmp_path, f"methods: {list(range(1000))}")
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert len(caught.value.message) < 120


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied", "weights.safetensors")

    monkeypatch.setattr("ddbench.api.Component.fingerprint", refuse)
    path, _ = write(tmp_path, "")
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert str(caught.value) == "weights.safetensors: cannot be read: Permission denied; check its permissions"
