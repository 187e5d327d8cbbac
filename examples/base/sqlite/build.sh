#!/bin/bash
set -euo pipefail
$CC -O1 -DHAVE_REALPATH -o jimsh jimtcl/autosetup/jimsh0.c
# SQLite's scripts set the encoding of their files, which Jim neither needs nor knows.
cat > tclsh.tcl <<'TCL'
proc fconfigure {args} {}
set argv0 [lindex $argv 0]
set argv [lrange $argv 1 end]
set argc [llength $argv]
source $argv0
TCL
tclsh="TCLSH_CMD=$PWD/jimsh $PWD/tclsh.tcl"

mkdir made
cd made
../sqlite/configure --prefix="$PREFIX" --build="$BUILD" --host="$HOST" --disable-tcl --disable-static \
  --disable-readline "$tclsh" >/dev/null
make "$tclsh" sqlite3.h sqlite3.c shell.c sqlite3.pc

options="-DSQLITE_THREADSAFE=1 -DSQLITE_ENABLE_COLUMN_METADATA -DSQLITE_ENABLE_FTS5
  -DSQLITE_ENABLE_MATH_FUNCTIONS -DHAVE_USLEEP=1"
mkdir -p "$PREFIX/lib/pkgconfig" "$PREFIX/include" "$PREFIX/bin"
$CC $CPPFLAGS $CFLAGS $options -shared -Wl,-soname,libsqlite3.so.0 sqlite3.c \
  -o "$PREFIX/lib/libsqlite3.so.0.8.6" $LDFLAGS -lm -ldl -lpthread
ln -s libsqlite3.so.0.8.6 "$PREFIX/lib/libsqlite3.so.0"
ln -s libsqlite3.so.0 "$PREFIX/lib/libsqlite3.so"
$CC $CPPFLAGS $CFLAGS $options -DHAVE_READLINE=1 -DSQLITE_HAVE_ZLIB=1 -I. shell.c \
  -o "$PREFIX/bin/sqlite3" $LDFLAGS -lsqlite3 -lreadline -lz -lm
cp sqlite3.h ../sqlite/src/sqlite3ext.h "$PREFIX/include/"
cp sqlite3.pc "$PREFIX/lib/pkgconfig/"
