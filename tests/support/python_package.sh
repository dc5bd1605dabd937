# Sourced by the tests of the Python client, after daemon.sh: installs the package of this checkout into $dir, with nothing
# from a network, and leaves the checkout as it is. Sets PYTHON (Debian's, which has gRPC), PYTHONPATH and MEDIA.
PYTHON=/usr/bin/python3
$PYTHON -c 'import grpc, google.protobuf' 2>/dev/null || skip "python3-grpcio is not installed"
repository=$(dirname "$(dirname "$CONTINUO_SUPPORT")")
export PYTHONDONTWRITEBYTECODE=1 CONTINUO_PROTO=$repository/proto MEDIA=$dir/media
# A copy, so that what is built stays out of the checkout.
cp -r "$repository/clients/python" "$dir/python" && rm -rf "$dir"/python/{build,continuo/v1} || die "cannot copy the package"
$PYTHON -m pip install --quiet --no-index --no-build-isolation --no-deps --no-compile --target "$dir/site" --root-user-action ignore \
  --disable-pip-version-check "$dir/python" >"$dir/said" 2>&1 || die "the package does not install: $(cat "$dir/said")"
export PYTHONPATH=$dir/site:$repository/tests/clients/python
# python_tests MODULE...: of tests/clients/python.
python_tests() {
  (cd "$dir" && timeout "${PYTHON_TESTS_S:-240}" $PYTHON -W error::ResourceWarning -m unittest -v "$@") || fail "python: $*"
}
