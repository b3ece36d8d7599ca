# Sourced by the scripts beside it: Debian packages, installed only by those who may, without a question asked.

say() { printf '%s\n' "$@" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }
}

install_packages() {
    may_install || return 1
    say "正在安装系统软件包 / Installing system packages: $*"
    # An index that cannot be refreshed may still know the packages; if not, the next line says so.
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >&2
}
