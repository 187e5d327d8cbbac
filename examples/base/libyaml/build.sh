#!/bin/bash
# The source as tagged has no configure script; the library is eight files.
set -euo pipefail
IFS=. read -r major minor patch <<< "$PKG_VERSION"
cat > config.h <<H
#define YAML_VERSION_MAJOR $major
#define YAML_VERSION_MINOR $minor
#define YAML_VERSION_PATCH $patch
#define YAML_VERSION_STRING "$PKG_VERSION"
H
mkdir -p "$PREFIX/lib/pkgconfig" "$PREFIX/include"
$CC $CPPFLAGS $CFLAGS -DHAVE_CONFIG_H -I. -Iinclude -shared -Wl,-soname,libyaml-0.so.2 src/*.c \
  -o "$PREFIX/lib/libyaml-0.so.2.0.9" $LDFLAGS
ln -s libyaml-0.so.2.0.9 "$PREFIX/lib/libyaml-0.so.2"
ln -s libyaml-0.so.2 "$PREFIX/lib/libyaml.so"
cp include/yaml.h "$PREFIX/include/"
cat > "$PREFIX/lib/pkgconfig/yaml-0.1.pc" <<PC
prefix=$PREFIX
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: LibYAML
Version: $PKG_VERSION
Description: Library to parse and emit YAML
Libs: -L\${libdir} -lyaml
Cflags: -I\${includedir}
PC
