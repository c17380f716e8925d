#!/usr/bin/env bash
# Screens as tests: plays every *.keys file and compares each screen that it saves with the *.screen file of that name.
#   run.sh LOCKSTEP SOURCE-DIR [NAME...]
# A keys file's comments say how it is run:   # args: --size 160x48 scenarios/m0_baseline.yaml
#                                             # exit: 3        (the exit code that is expected; 0 otherwise)
#                                             # before: --batch --out run faults.yaml   (a run for replay, before)
#                                             # before exit: 1 (of that; 0 otherwise)
#                                             # config: config (the folder of keys.yaml and theme.yaml; none otherwise)
# UPDATE=1 takes the screens as they are now: look at them before they are kept.
set -euo pipefail
lockstep=$(realpath "${1:?usage: run.sh LOCKSTEP SOURCE-DIR [NAME...]}")
source_dir=$(realpath "${2:?usage: run.sh LOCKSTEP SOURCE-DIR [NAME...]}")
shift 2
here=$source_dir/tests/ui
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

play() { # NAME: prints what is wrong, nothing when all is well
  local name=$1 keys=$here/$1.keys dir=$work/$1 code=0 want want_before args before config screen
  mkdir "$dir"
  cp -r "$source_dir/scenarios" "$dir/scenarios"
  cp -r "$here/config" "$dir/config"
  cp "$here"/*.yaml "$source_dir"/tests/nodes/ui_*.py "$dir"
  args=$(sed -n 's/^# args: //p' "$keys" | head -n 1)
  want=$(sed -n 's/^# exit: //p' "$keys" | head -n 1)
  config=$(sed -n 's/^# config: //p' "$keys" | head -n 1)
  before=$(sed -n 's/^# before: //p' "$keys" | head -n 1)
  if [[ -n $before ]]; then
    # shellcheck disable=SC2086
    (cd "$dir" && timeout 120 "$lockstep" $before >/dev/null 2>err) || code=$?
    want_before=$(sed -n 's/^# before exit: //p' "$keys" | head -n 1)
    [[ $code == "${want_before:-0}" ]] || echo "exit code $code before: $(cat "$dir/err")"
    code=0
  fi
  # shellcheck disable=SC2086 # the arguments are words
  (cd "$dir" && LC_ALL=C.UTF-8 LOCKSTEP_CONFIG=$config timeout 120 "$lockstep" \
    ${args:-scenarios/m0_baseline.yaml} --keys "$keys" 2>err) || code=$?
  [[ $code == "${want:-0}" ]] || echo "exit code $code instead of ${want:-0}: $(cat "$dir/err")"
  for screen in $(sed -n 's/^screen //p' "$keys"); do
    if [[ ! -e $dir/$screen ]]; then
      echo "$screen was not saved"
    elif sed 1d "$dir/$screen" | grep -E '[0-9] (us|ms|s|min)([^a-z]|$)' | grep -vE -- '- of [0-9]+ (ms|s|min)'; then
      echo "$screen has a virtual time that cannot be typed back" # the header's, and limits of waiting, have a blank
    elif [[ -n ${UPDATE:-} ]]; then
      cp "$dir/$screen" "$here/$screen"
    elif ! diff -u "$here/$screen" "$dir/$screen"; then
      echo "$screen differs"
    fi
  done
}

for keys in "$here"/*.keys; do
  name=$(basename "$keys" .keys)
  (($# == 0)) || [[ " $* " == *" $name "* ]] || continue
  wrong=$(play "$name" 2>&1)
  if [[ -z $wrong ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf '== %s\n%s\n' "$name" "$wrong"
  fi
done
echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
