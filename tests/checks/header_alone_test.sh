#!/bin/bash
# header_alone_test.sh CXX: plants a header that leans on its includer and one without a guard; both must fail to build,
# a good one must build.
set -u
here=$(dirname "$(readlink -f "$0")")
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir"/src/{good,leaning,unguarded}
cp "$here/header_alone_test/CMakeLists.txt" "$dir/src/"
cp "$here/header_alone.cmake" "$dir/"
printf '#pragma once\n#include <vector>\ninline std::vector<int> numbers() { return {}; }\n' >"$dir/src/good/good.hpp"
printf '#pragma once\ninline std::vector<int> numbers() { return {}; }\n' >"$dir/src/leaning/leaning.hpp"
printf 'struct Twice {};\n' >"$dir/src/unguarded/unguarded.hpp"
cmake -S "$dir/src" -B "$dir/build" -G Ninja -DCMAKE_CXX_COMPILER="$1" >"$dir/log" 2>&1 || { cat "$dir/log"; exit 1; }
failed=0
cmake --build "$dir/build" --target alone_good >"$dir/log" 2>&1 || { echo "a good header did not build"; cat "$dir/log"; failed=1; }
for sin in leaning unguarded; do
  if cmake --build "$dir/build" --target "alone_$sin" >"$dir/log" 2>&1; then echo "a header that is $sin was not caught"; failed=1; fi
  grep -q "$sin.hpp" "$dir/log" || { echo "the error of $sin does not name its header"; cat "$dir/log"; failed=1; }
done
exit $failed
