#!/bin/bash
# Copies the shared objects of the machine's C library; asks the compiler where they are.
set -euo pipefail
gcc=/usr/bin/$TRIPLET-gcc
[ -x "$gcc" ] || gcc=/usr/bin/gcc
root=$PREFIX/$CONDA_TRIPLET/sysroot
mkdir -p "$root/lib" "$root/lib64"
for name in libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1 libutil.so.1 libresolv.so.2 \
            libanl.so.1 libnsl.so.1 libthread_db.so.1 libBrokenLocale.so.1; do
  at=$($gcc -print-file-name=$name)
  if [ -f "$at" ]; then install -m644 "$at" "$root/lib/$name"; fi
done
where=$(dirname "$($gcc -print-file-name=libc.so.6)")
for loader in "$where"/ld-linux*.so.*; do
  install -m755 "$loader" "$root/lib/"
  install -m755 "$loader" "$root/lib64/"
done
