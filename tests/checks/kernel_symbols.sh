#!/bin/bash
# kernel_symbols.sh OBJECT...: of the kernels' objects, one a CPU level, nothing may be seen outside but the function that
# gives the table. A weak symbol (an inline function of a header) would be one of several copies of which the linker keeps
# any: a CPU could meet instructions that it lacks.
set -u
[ $# -gt 0 ] || { echo "kernel_symbols: no objects" >&2; exit 64; }
found=0
for object; do
  names=$(nm --defined-only --extern-only -C "$object") || exit 1
  tables=$(grep -c ' T continuo::rt::dsp::kernels_[a-z0-9]*()$' <<<"$names")
  [ "$tables" -eq 1 ] || { echo "kernel_symbols: $object gives $tables tables" >&2; found=1; }
  others=$(grep -v ' T continuo::rt::dsp::kernels_[a-z0-9]*()$' <<<"$names" | grep -v ' [VW] DW\.ref\.')
  [ -z "$others" ] || { echo "kernel_symbols: $object shows more than its table:" >&2; echo "$others" >&2; found=1; }
done
exit $found
