# Source this file. `once FOLDER COMMAND` builds an environment once. COMMAND fills FOLDER; after a kill, the next call starts again.
once() {
    mkdir -p "$(dirname "$1")"
    (
        flock 9
        test -e "$1/whole" && exit
        rm -rf "$1"
        bash -euo pipefail -c "$2" && touch "$1/whole"
    ) 9>"$1.lock"
}

# `cached NAME FILE PYTHON` prints the folder of an environment; its name depends on FILE's content and PYTHON's version.
cached() {
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/ddbench-ci/$1-$({ cat "$2" && "$3" --version; } | sha256sum | cut -c1-16)"
}
