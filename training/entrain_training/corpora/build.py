"""Corpora from their published sources, and whether a folder of corpora is what the models learned from.

    python3 -m entrain_training.corpora.build OUT [SOURCE ...] [--clones DIR]    fetch, read, clean, write, compare
    python3 -m entrain_training.corpora.build --check FOLDER                     compare the files of a folder only

A source is a git repository at a revision, which names its content by hash; git fetches it and checks that. With --clones repositories
are taken from DIR/OWNER+NAME. What is written is compared with the SHA-256 in manifest.json, of the lines before gzip. Only standard Python and git are needed.
"""
import argparse
import gzip
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

from .clean import FEWEST_TURNS
from .readers import READERS

MANIFEST = json.loads(Path(__file__).with_name("manifest.json").read_text(encoding="utf-8"))


def git(folder, *arguments, feed=None):
    return subprocess.run(["git", "-C", str(folder), *arguments], input=feed, check=True, stdout=subprocess.PIPE).stdout


def clone(entry, folder):
    """A bare clone of the one revision."""
    subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)
    git(folder, "fetch", "-q", "--depth", "1", f"https://github.com/{entry['repository']}", entry["revision"])
    return folder


def source_files(folder, entry):
    """[(path, bytes)] of the files of a source at its revision: groups in the order of the manifest, sorted by path in a group."""
    listed = git(folder, "ls-tree", "-r", "--name-only", entry["revision"]).decode().splitlines()
    paths = [path for start in entry["files"] for path in sorted(path for path in listed if path.startswith(start))]
    answer = git(folder, "cat-file", "--batch", feed="".join(f"{entry['revision']}:{path}\n" for path in paths).encode())
    at, files = 0, []
    for path in paths:  # each as "ID blob SIZE\n", its bytes, "\n"
        line_end = answer.index(b"\n", at)
        size = int(answer[at:line_end].split()[2])
        files.append((path, answer[line_end + 1:line_end + 1 + size]))
        at = line_end + size + 2
    return files


def lines_of(source, dialogues):
    """The JSON lines of a source: those that are too short, that came before or that the manifest leaves out are dropped."""
    entry, known = MANIFEST[source], set()
    for number, (context, turns) in enumerate(dialogues):
        key = json.dumps(turns)
        if len(turns) < FEWEST_TURNS or key in known or number in entry.get("leftOut", []):
            continue
        known.add(key)
        item = {"source": source, "license": entry["license"], "context": context, "turns": turns}
        yield json.dumps(item, ensure_ascii=False) + "\n"


def write_source(source, text, folder):
    path = Path(folder, f"{source}.jsonl.gz")
    with open(path, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
        packed.write(text)
    return path


def is_known(source, text):
    """Whether the lines are those of the manifest; says so."""
    found, wanted = hashlib.sha256(text).hexdigest(), MANIFEST[source]["sha256"]
    print(f"{source}: {text.count(bytes([10])):,} dialogues, {'as known' if found == wanted else f'not as known: SHA-256 {found}, expected {wanted}'}")
    return found == wanted


def build(source, out, clones):
    entry = MANIFEST[source]
    if source not in READERS:
        print(f"{source}: no reader; take github.com/{entry['repository']} at {entry['revision']}")
        return False
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(clones, entry["repository"].replace("/", "+")) if clones else clone(entry, scratch)
        text = "".join(lines_of(source, READERS[source](source_files(folder, entry)))).encode("utf-8")
    write_source(source, text, out)
    return is_known(source, text)


def check(folder):
    files = [(source, Path(folder, f"{source}.jsonl.gz")) for source in MANIFEST]
    return [is_known(source, gzip.decompress(path.read_bytes())) for source, path in files if path.exists()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", help="folder for SOURCE.jsonl.gz")
    parser.add_argument("sources", nargs="*", help="those to build; all that have a reader if none is named")
    parser.add_argument("--clones", help="folder of repositories that are there already")
    parser.add_argument("--check", metavar="FOLDER", help="compare a folder's files and build nothing")
    options = parser.parse_args()
    if options.check:
        held = check(options.check)
    elif options.out:
        Path(options.out).mkdir(parents=True, exist_ok=True)
        held = [build(source, options.out, options.clones) for source in options.sources or READERS]
    else:
        parser.error("expected a folder for the corpora, or --check FOLDER")
    raise SystemExit(0 if held and all(held) else 1)


if __name__ == "__main__":
    main()
