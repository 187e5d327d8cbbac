#!/bin/bash
# Writes small programs that run the machine's own compiler, and the script that activates them.
set -euo pipefail
bin=$PREFIX/bin
on=$PREFIX/etc/conda/activate.d
off=$PREFIX/etc/conda/deactivate.d
mkdir -p "$bin" "$on" "$off"

wrap() {  # wrap NAME TOOL: the machine's tool, with its triplet in front where it has one
  local real=/usr/bin/$TRIPLET-$2
  [ -x "$real" ] || real=/usr/bin/$2
  printf '#!/bin/sh\nexec %s "$@"\n' "$real" > "$bin/$CONDA_TRIPLET-$1"
  chmod 755 "$bin/$CONDA_TRIPLET-$1"
}

if [ "$KIND" = gcc ]; then
  for tool in gcc cpp ar as ld nm objcopy objdump ranlib readelf strip size strings; do
    wrap $tool $tool
  done
  wrap cc gcc
else
  wrap g++ g++
  wrap c++ g++
fi
sed "s|@TRIPLET@|$CONDA_TRIPLET|g" "$RECIPE_DIR/activate-$KIND.sh" > "$on/activate-$KIND.sh"
sed -n 's/^export \(.*\)$/\1/p' "$on/activate-$KIND.sh" | tr ' ' '\n' | sed -n 's/^\([A-Z]*\)=.*/unset \1/p' \
  > "$off/deactivate-$KIND.sh"
