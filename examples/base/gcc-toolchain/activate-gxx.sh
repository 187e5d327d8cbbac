export CXX=@TRIPLET@-g++ GXX=@TRIPLET@-g++
if [ "${CONDA_BUILD:-0}" = 1 ] && [ -n "${PREFIX:-}" ]; then
  CXXFLAGS="-fvisibility-inlines-hidden -fmessage-length=0 ${CFLAGS:-}"
  CMAKE_ARGS="${CMAKE_ARGS:-} -DCMAKE_CXX_COMPILER=@TRIPLET@-g++"
  export CXXFLAGS CMAKE_ARGS
fi
