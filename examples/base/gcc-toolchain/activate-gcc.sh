export HOST=@TRIPLET@ BUILD=@TRIPLET@
export CC=@TRIPLET@-gcc CPP=@TRIPLET@-cpp AR=@TRIPLET@-ar AS=@TRIPLET@-as LD=@TRIPLET@-ld NM=@TRIPLET@-nm
export RANLIB=@TRIPLET@-ranlib STRIP=@TRIPLET@-strip OBJCOPY=@TRIPLET@-objcopy OBJDUMP=@TRIPLET@-objdump
export READELF=@TRIPLET@-readelf
if [ "${CONDA_BUILD:-0}" = 1 ] && [ -n "${PREFIX:-}" ]; then
  # Paths of the build must not reach the files it makes.
  _fy_map="-ffile-prefix-map=${SRC_DIR:-$PWD}=/usr/src/${PKG_NAME:-package}-${PKG_VERSION:-0}"
  _fy_map="$_fy_map -ffile-prefix-map=$PREFIX=/usr/src/prefix"
  CPPFLAGS="-DNDEBUG -D_FORTIFY_SOURCE=2 -O2 -isystem $PREFIX/include"
  CFLAGS="-fPIC -O2 -pipe -fstack-protector-strong -fno-plt -ffunction-sections $_fy_map -isystem $PREFIX/include"
  LDFLAGS="-Wl,-O2 -Wl,--sort-common -Wl,--as-needed -Wl,-z,relro -Wl,-z,now -Wl,--disable-new-dtags"
  LDFLAGS="$LDFLAGS -Wl,--gc-sections -Wl,-rpath,$PREFIX/lib -Wl,-rpath-link,$PREFIX/lib -L$PREFIX/lib"
  CMAKE_ARGS="-DCMAKE_C_COMPILER=@TRIPLET@-gcc -DCMAKE_INSTALL_PREFIX=$PREFIX -DCMAKE_INSTALL_LIBDIR=lib"
  CMAKE_ARGS="$CMAKE_ARGS -DCMAKE_PREFIX_PATH=$PREFIX -DCMAKE_BUILD_TYPE=Release"
  export CPPFLAGS CFLAGS LDFLAGS CMAKE_ARGS
  unset _fy_map
fi
