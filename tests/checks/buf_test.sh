#!/bin/bash
# buf_test.sh ROOT: `buf lint` and `buf breaking` have nothing to say of the contract, and can say something. Skipped where there is no buf.
set -u
command -v buf >/dev/null || { echo "skipped: buf is not installed"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
export BUF_CACHE_DIR=$dir/cache
cp -r "$1/proto" "$dir/proto" && cd "$dir/proto" || exit 1
failed=0
breaking() { buf breaking --against released/continuo-v1.binpb --exclude-imports; }
buf lint || { echo "buf lint found something"; failed=1; }
breaking || { echo "buf breaking found something"; failed=1; }
sed -i 's/bool dry_run = 5;/bool dryRun = 5;/' continuo/v1/edit.proto
buf lint >said 2>&1 && { echo "a field's name in another case was not caught"; failed=1; }
grep -q dryRun said || { echo "buf lint does not name the field:"; cat said; failed=1; }
sed -i 's/bool dryRun = 5;/string dry_run = 5;/' continuo/v1/edit.proto
breaking >said 2>&1 && { echo "a field's other type was not caught"; failed=1; }
grep -q dry_run said || { echo "buf breaking does not name the field:"; cat said; failed=1; }
exit $failed
