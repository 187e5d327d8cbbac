#!/bin/bash
set -euo pipefail
# Left out: what no package here needs, and what would link to libraries that are not in the channel.
find . -name '*.exe' -delete
rm -rf Lib/idlelib Lib/tkinter Lib/turtledemo Lib/test Lib/ensurepip/_bundled Lib/lib2to3/tests
for module in _tkinter _uuid nis _crypt _gdbm _dbm ossaudiodev spwd; do
  export "py_cv_module_$module=n/a"
done
export OPT="-DNDEBUG -fwrapv -O2 -Wall"
own=()
if [ "$MM" = 3.11 ]; then own+=(--with-system-ffi); fi

./configure --prefix="$PREFIX" --build="$BUILD" --host="$HOST" --enable-shared \
  --enable-ipv6 --with-ensurepip=no --with-computed-gotos --with-openssl="$PREFIX" --with-system-expat \
  --disable-test-modules --with-dbmliborder= --with-platlibdir=lib --without-static-libpython "${own[@]}"
# One compiled file for each module; the optimised kinds are made by whoever asks for them.
sed -i 's/-o 0 -o 1 -o 2/-o 0/' Makefile
make -j"$CPU_COUNT"
make install

ln -sf "python$MM" "$PREFIX/bin/python"
rm -f "$PREFIX"/bin/idle* "$PREFIX"/bin/2to3*
rm -rf "$PREFIX/share/man"
find "$PREFIX/lib/python$MM" -name '*.opt-[12].pyc' -delete
# What names this build must not reach the extensions that are built later.
for file in "$PREFIX"/lib/python$MM/_sysconfigdata*.py "$PREFIX"/lib/python$MM/config-*/Makefile; do
  sed -i -e 's/-ffile-prefix-map=[^ "'"'"']*//g' -e "s|$BUILD_PREFIX|/usr|g" -e "s|$SRC_DIR|/usr/src/python|g" "$file"
done
"$PREFIX/bin/python" -m compileall -q -f "$PREFIX"/lib/python$MM/_sysconfigdata*.py
