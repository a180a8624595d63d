#!/usr/bin/env bash
# ages.sh TARGET: cargo builds what is younger than its last build, and in a fresh clone every file is. Files that are as they were in the last
# clone built into TARGET, and directories with all that is in them, get the age back that they had there; the others stay young. Only for a target
# directory that nothing else builds into.
# ages.sh TARGET DIRECTORY: the same for a directory that was built meanwhile and goes into the program, where the first was called.
set -euo pipefail
ages=$1/ages
mkdir -p "$1"
if [[ -n ${2-} ]]; then
    [[ -e $ages ]] || exit 0
    built=$ages.$(basename "$2")
    now=$(cd "$2" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
    read -r before age 2>/dev/null <"$built" || before=
    if [[ $now == "$before" ]]; then
        find "$2" -exec touch -h -d "@$age" {} +
    else
        printf '%s %s\n' "$now" "$(date +%s.%N)" >"$built"
    fi
    exit
fi
# What was built from changed files would pass for what is committed.
if [[ -n $(git status --porcelain) ]]; then
    rm -f "$ages" "$ages".*
    exit
fi
files() { { git ls-files -s | cut -d ' ' -f 2- && git ls-tree -rd HEAD | cut -d ' ' -f 3-; } | awk '{ hash = $1; sub(/^[^\t]*\t/, ""); print hash "\t" $0 }'; }
[[ -e $ages ]] && awk -F '\t' 'NR == FNR { age[$1 FS $2] = $3; next } ($1 FS $2) in age { print age[$1 FS $2] "\t" $2 }' "$ages" <(files) |
    while IFS=$'\t' read -r age file; do touch -h -d "@$age" "$file"; done
# Sources that the tree's own path goes into are built for this one.
tree=$1/tree
if [[ $PWD != "$(cat "$tree" 2>/dev/null)" ]]; then
    git grep -lz CARGO_MANIFEST_DIR -- '*.rs' | xargs -0 touch
    echo "$PWD" >"$tree"
fi
paste <(files) <(files | cut -f 2 | tr '\n' '\0' | xargs -0 stat -c %.Y) >"$ages.new"
mv "$ages.new" "$ages"
