#!/bin/bash
set -euo pipefail
export cf_cv_mixedcase=yes
./configure --prefix="$PREFIX" --build="$BUILD" --host="$HOST" --with-build-cc="$CC" \
  --with-shared --without-normal --without-debug --without-ada --without-manpages --without-tests \
  --without-cxx --without-cxx-binding --enable-widec --with-termlib=tinfo --disable-stripping \
  --enable-pc-files --with-pkg-config-libdir="$PREFIX/lib/pkgconfig" --disable-db-install \
  --with-default-terminfo-dir="$PREFIX/share/terminfo" \
  --with-terminfo-dirs="$PREFIX/share/terminfo:/usr/share/terminfo:/lib/terminfo"
make -j"$CPU_COUNT"
make install.libs install.progs install.includes
# The common terminals only: compiling all descriptions takes longer than compiling the library.
mkdir -p "$PREFIX/share/terminfo"
terminals=ansi,cygwin,dumb,linux,rxvt,rxvt-256color,screen,screen-256color,tmux,tmux-256color
terminals+=,vt100,vt102,vt220,xterm,xterm-color,xterm-16color,xterm-256color,alacritty,foot
LD_LIBRARY_PATH=$PWD/lib progs/tic -x -e "$terminals" -o "$PREFIX/share/terminfo" misc/terminfo.src
for name in ncurses form panel menu; do
  ln -sf "lib${name}w.so" "$PREFIX/lib/lib$name.so"
done
ln -sf libncursesw.so "$PREFIX/lib/libcurses.so"
for header in "$PREFIX"/include/ncursesw/*.h; do
  ln -sf "ncursesw/${header##*/}" "$PREFIX/include/${header##*/}"
done
