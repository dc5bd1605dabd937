#!/bin/bash
# `continuo api`: the contract comes out of the program, without a daemon and without the source; it is whole, compiles alone,
# and never overwrites.
. "$(dirname "$0")/../support/daemon.sh"
proto=$(dirname "$(dirname "$CONTINUO_SUPPORT")")/proto
cd "$dir" || exit 1
export CONTINUO_SERVER=unix:$dir/nobody

expect "export" continuo api export new/api
cp "$dir/said" names
count=$(wc -l <names)
while read -r name; do
  case $name in
    *.proto) cmp -s "new/api/$name" "$proto/$name" || fail "$name is not the tree's" ;;
    continuo.protoset) ;;
    *) fail "a file that nobody knows: $name" ;;
  esac
done <names
[ "$count" -eq "$(find new/api -type f | wc -l)" ] || fail "not the files that were told: $(find new/api)"
[ "$((count - 1))" -eq "$(find "$proto" -name '*.proto' | wc -l)" ] || fail "not all files of the contract: $(cat names)"
(cd new/api && protoc -I . --include_imports --include_source_info --descriptor_set_out="$dir/again" $(grep 'proto$' "$dir/names")) ||
  fail "the files do not compile alone"
cmp -s again new/api/continuo.protoset || fail "the descriptor set is not that of the files"

continuo api export new/api --json >said.json || fail "a second export of the same"
[ "$(json files.0 <said.json)" = "$(head -n 1 names)" ] || fail "--json: $(cat said.json)"
[ "$(json folder <said.json)" = new/api ] || fail "--json: $(cat said.json)"
rm new/api/google/rpc/status.proto
echo "// mine" >>new/api/continuo/v1/types.proto
expect_exit 73 "types.proto" continuo api export new/api
[ ! -e new/api/google/rpc/status.proto ] || fail "half an export was written"
: >file
expect_exit 73 "WRITE_FAILED" continuo api export file
expect_exit 64 "FOLDER" continuo api export
expect_exit 64 "FOLDER" continuo api export ""
expect_exit 64 "USAGE" continuo api
if [ -e /dev/full ]; then
  continuo api list >/dev/full 2>said; code=$?
  [ $code -eq 74 ] || fail "a full disk behind 'api list': exit $code, $(cat said)"
fi

# Every method and every operation, with the role that the files name.
expect "list" continuo api list
[ "$(wc -l <said)" -eq "$(cat "$proto"/continuo/v1/*.proto | grep -cE '^ +rpc ')" ] || fail "not every method: $(cat said)"
grep -qP '^SessionService\tWatch\tviewer\tWatchRequest\tstream WatchResponse$' said || fail "Watch: $(cat said)"
grep -qP '^MediaService\tUploadMedia\tengineer\tstream UploadMediaRequest\tUploadMediaResponse$' said || fail "UploadMedia: $(cat said)"
grep -q nobody said && fail "a method without a role: $(cat said)"
continuo api list --json | while read -r line; do echo "$line" | json role; done | sort -u >roles
printf 'ROLE_%s\n' ADMIN ENGINEER OPERATOR VIEWER | cmp -s - roles || fail "roles: $(cat roles)"
expect "operations" continuo api list --operations
[ "$(wc -l <said)" -eq "$(grep -c operation_role "$proto/continuo/v1/edit.proto")" ] || fail "not every operation: $(cat said)"
grep -qP '^set_params\toperator\tSetParams$' said || fail "set_params: $(cat said)"
continuo api list --operations --json | head -n 1 | json operation >/dev/null || fail "operations as JSON"

[ "$(continuo __complete words api | head -n 2 | tr '\n' ' ')" = "export list " ] || fail "Tab after api"
exit $failures
