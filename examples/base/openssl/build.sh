#!/bin/bash
# Left out: algorithms that nothing here uses, old engines, tests, and the static libraries, which would
# compile every file once more.
set -euo pipefail
unset CPPFLAGS
perl ./Configure --prefix="$PREFIX" --openssldir="$PREFIX/ssl" --libdir=lib shared \
  no-tests no-legacy no-engine no-module no-afalgeng no-comp no-srp no-gost no-idea no-seed no-camellia \
  no-aria no-bf no-cast no-des no-rc2 no-rc4 no-mdc2 no-md4 no-whirlpool no-sm2 no-sm3 no-sm4 \
  no-cmp no-ct no-dsa no-dtls no-ssl3 no-ts no-uplink no-siv no-ec2m "$CFLAGS" "$LDFLAGS"
make build_generated
make -j"$CPU_COUNT" libcrypto.so libssl.so apps/openssl
make LIBS= libcrypto.pc libssl.pc openssl.pc

mkdir -p "$PREFIX/bin" "$PREFIX/lib/pkgconfig" "$PREFIX/include/openssl" "$PREFIX/ssl/certs" "$PREFIX/ssl/private"
install -m755 apps/openssl "$PREFIX/bin/"
install -m644 apps/openssl.cnf "$PREFIX/ssl/"
install -m644 include/openssl/*.h "$PREFIX/include/openssl/"
install -m644 libcrypto.pc libssl.pc openssl.pc "$PREFIX/lib/pkgconfig/"
for name in crypto ssl; do
  install -m755 "lib$name.so.3" "$PREFIX/lib/"
  ln -s "lib$name.so.3" "$PREFIX/lib/lib$name.so"
done
touch "$PREFIX/ssl/certs/.keep" "$PREFIX/ssl/private/.keep"
