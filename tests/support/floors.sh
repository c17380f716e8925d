#!/usr/bin/env bash
# floors.sh CC DIR: every floor's library in DIR links whole with the floors below it alone, so that a call that goes
# up is an error.
set -euo pipefail
cc=$1 dir=$2
libs=(-ljson-c -lcrypto -lyaml -luv -lcurl -larchive -lncursesw -lpthread -lm)
declare -A below=(
  [base]="" [bus]="base" [loop]="base" [scenario]="base"
  [trace]="bus scenario base" [sim]="scenario bus base" [node]="scenario loop base"
  [check]="node scenario loop base"
  [session]="sim node trace scenario loop bus base" [batch]="session sim node trace scenario loop bus base"
  [compare]="session sim node trace scenario loop bus base"
  [ui]="session sim node trace scenario loop bus base"
)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
passed=0 failed=0
for floor in "${!below[@]}"; do
  lower=()
  for l in ${below[$floor]}; do lower+=("$dir/lib$l.a"); done
  if "$cc" -shared -o "$out/$floor.so" -Wl,--no-undefined -Wl,--whole-archive "$dir/lib$floor.a" \
    -Wl,--no-whole-archive "${lower[@]}" "${libs[@]}" 2>"$out/errors"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "$floor calls upwards:"
    grep 'undefined reference' "$out/errors" || cat "$out/errors"
  fi
done
# The fronts see the public headers and base, nothing between.
source=$(cd "$(dirname "$0")/../.." && pwd)
if grep -nE '#include "(bus|loop|scenario|trace|sim|node|session)/' "$source"/ui/*.[ch] "$source"/src/batch/*.[ch] \
  "$source"/src/compare/*.[ch] "$source"/src/main.c "$source"/src/options.[ch]; then
  echo "a front includes a floor below it"
  failed=$((failed + 1))
else
  passed=$((passed + 1))
fi
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
