#!/bin/sh
# Makes a machine one of a highly available cluster, from /etc/campaign/cluster.env (deploy/ha/cluster.env is its
# model). As root, on Debian 12; docs/operations.md, "High availability", has the order.
#
#     deploy/ha/setup.sh database 1       the first database machine: etcd, Patroni with PostgreSQL, Redis and Sentinel
#     deploy/ha/setup.sh application      a machine that runs the application: HAProxy and PgBouncer
#     deploy/ha/setup.sh render 1 FOLDER  only write the configurations of a machine (1, 2, 3, application) to FOLDER
#
# It may be run again, to apply changed settings. It writes no file of Redis and Sentinel that they have changed, and
# what is in the section bootstrap of Patroni's file is read only once.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
settings=${CLUSTER_ENV:-/etc/campaign/cluster.env}

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Sets $value to that of a setting. Nothing in the file is evaluated.
read_setting() {
    value=$(sed -n "s/^$1=//p" "$settings")
    case $value in '' | change-me) fail "$1 is not set in $settings" ;; esac
}

# Prints a sed script that fills in the settings for a machine.
replacements() {
    for name in NODE1 NODE2 NODE3 LOCAL; do
        read_setting $name
        case $value in *[!0-9.]*) fail "$name must be an IPv4 address, and not '$value'" ;; esac
        echo "s|@$name@|$value|g"
        [ "$name" != "NODE$1" ] || echo "s|@ADDRESS@|$value|g; s|@NAME@|db$1|g"
        [ "$name" != NODE1 ] || first=$value
    done
    read_setting APPLICATION
    printf '%s' "$value" | grep -Eqx '[0-9.]+/[0-9]+' || fail "APPLICATION must be a network such as 10.0.0.0/24"
    echo "s|@APPLICATION@|$value|g"
    for name in SUPERUSER REPLICATION REWIND PATRONI APPLICATION REDIS; do
        read_setting "${name}_PASSWORD"
        case $value in *[!A-Za-z0-9]*) fail "${name}_PASSWORD may have letters and digits only" ;; esac
        [ "${#value}" -ge 16 ] || fail "${name}_PASSWORD must have at least 16 characters"
        echo "s|@${name}_PASSWORD@|$value|g"
    done
    if [ "$1" = 1 ]; then echo "/@REPLICAOF@/d"; else echo "s|@REPLICAOF@|replicaof $first 6379|"; fi
}

# render MACHINE FOLDER
render() {
    [ -r "$settings" ] || fail "$settings cannot be read; copy deploy/ha/cluster.env there and edit it"
    case $1 in
        [123]) files="etcd.env patroni.yml post_bootstrap.sh redis.conf sentinel.conf" ;;
        application) files="haproxy.cfg pgbouncer.ini userlist.txt" ;;
        *) fail "'$1' is no machine: 1, 2, 3 or application" ;;
    esac
    script=$(replacements "$1")
    mkdir -p "$2"
    for file in $files; do
        printf '%s\n' "$script" | sed -f - "$here/$file" >"$2/$file"
    done
}

install_packages() (
    umask 022
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-upgrade --no-install-recommends "$@" >/dev/null
)

# put OWNER MODE FILE TARGET
put() {
    install -D -o "$1" -g "$1" -m "$2" "$rendered/$3" "$4"
}

# The same, unless the program has taken the file over.
put_once() {
    grep -q "^# $4: " "$4" 2>/dev/null || put "$@"
}

set_up_database() {
    # Debian would make a PostgreSQL of its own, on the port that Patroni's needs.
    if ! [ -e /etc/postgresql-common/createcluster.conf ]; then
        install -d -m 755 /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
        chmod 644 /etc/postgresql-common/createcluster.conf
    fi
    ! [ -e /etc/postgresql/15/main ] ||
        fail "there is a PostgreSQL here; save its data (campaign backup), then: pg_dropcluster --stop 15 main"
    keep_off etcd patroni redis-server redis-sentinel
    install_packages etcd-client etcd-server patroni postgresql-15 postgresql-client-15 \
        python3-etcd redis-sentinel redis-server
    put root 644 etcd.env /etc/default/etcd
    put postgres 600 patroni.yml /etc/patroni/config.yml
    put postgres 700 post_bootstrap.sh /etc/patroni/post_bootstrap.sh
    put_once redis 640 redis.conf /etc/redis/redis.conf
    put_once redis 640 sentinel.conf /etc/redis/sentinel.conf
    install -D -m 644 "$here/watchdog.conf" /etc/systemd/system/patroni.service.d/watchdog.conf
    start etcd patroni redis-server redis-sentinel
}

set_up_application() {
    keep_off haproxy pgbouncer
    install_packages haproxy pgbouncer
    put root 600 haproxy.cfg /etc/haproxy/haproxy.cfg
    haproxy -c -q -f /etc/haproxy/haproxy.cfg
    put postgres 640 pgbouncer.ini /etc/pgbouncer/pgbouncer.ini
    put postgres 600 userlist.txt /etc/pgbouncer/userlist.txt
    start haproxy pgbouncer
}

has_systemd() {
    [ -d /run/systemd/system ]
}

# Debian starts what it installs at once, with a configuration of its own.
keep_off() {
    for service; do
        ! has_systemd || systemctl cat "$service" >/dev/null 2>&1 || systemctl mask --quiet "$service"
    done
}

start() {
    if ! has_systemd; then
        echo "Without systemd nothing is started here: $*"
        return
    fi
    systemctl daemon-reload
    systemctl unmask --quiet "$@"
    systemctl enable --quiet "$@"
    # Without waiting: the first etcd is ready only when there is a second.
    systemctl reload-or-restart --no-block "$@"
    echo "Started: $*"
}

case ${1-} in
    render)
        [ $# = 3 ] || fail "usage: setup.sh render 1|2|3|application FOLDER"
        render "$2" "$3"
        exit
        ;;
    database) machine=${2-} ;;
    application) machine=application ;;
    *) fail "usage: setup.sh database 1|2|3, setup.sh application, setup.sh render MACHINE FOLDER" ;;
esac
[ "$(id -u)" = 0 ] || fail "run this as root"
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT
render "$machine" "$rendered"
"set_up_$1"
