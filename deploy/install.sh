#!/bin/sh
# Installs the campaign on a Debian server, from a copy of the repository:  sudo deploy/install.sh love.example.org
#
# PostgreSQL, Redis and nginx come from Debian. It may be run again, also to upgrade; settings and keys that are there
# stay as they are. docs/operations.md explains each step.
set -eu
cd "$(dirname "$0")/.."

host=${1:?usage: deploy/install.sh HOST, for example love.example.org}
code=/opt/campaign settings=/etc/campaign

[ "$(id -u)" = 0 ] || { echo "install: run this as root" >&2; exit 1; }
case $host in *[!a-z0-9.-]* | .* | -* | '') echo "install: '$host' is not a host name" >&2; exit 1 ;; esac

# Whether systemd runs this machine; in a chroot or a container it does not.
has_systemd() {
    [ -d /run/systemd/system ]
}

install_packages() {
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-upgrade --no-install-recommends \
        ca-certificates make nginx-light openssl postgresql python3 redis-server >/dev/null
}

copy_code() {
    id campaign >/dev/null 2>&1 || useradd --system --home-dir /var/lib/campaign --shell /usr/sbin/nologin campaign
    usermod -a -G campaign www-data # nginx may use the socket
    mkdir -p "$code"
    for name in campaign templates static tools docs deploy; do
        rm -rf "${code:?}/$name.new"
        cp -R "$name" "$code/$name.new"
        rm -rf "${code:?}/$name"
        mv "$code/$name.new" "$code/$name"
    done
    cp requirements.txt pyproject.toml wsgi.py .flaskenv LICENSE THIRD_PARTY_NOTICES.md "$code/"
    (cd "$code" && tools/setup requirements.txt && .venv/bin/python -m compileall -q campaign)
    chmod -R go=u,go-w "$code"
}

write_settings() {
    install -d -m 700 "$settings"
    install -d -m 700 -o campaign -g campaign /var/lib/campaign
    [ -e "$settings/secret.key" ] || (umask 077 && openssl rand -base64 48 >"$settings/secret.key")
    [ -e "$settings/campaign.env" ] ||
        (umask 077 && sed "s/love\.example\.org/$host/g" deploy/systemd/campaign.env >"$settings/campaign.env")
    install -m 755 deploy/campaign /usr/local/bin/campaign
}

make_database() {
    has_systemd || service postgresql start >/dev/null
    has_systemd || service redis-server start >/dev/null
    as_postgres="setpriv --reuid postgres --regid postgres --init-groups"
    $as_postgres psql -qtAc "SELECT 1 FROM pg_roles WHERE rolname = 'campaign'" | grep -q 1 ||
        $as_postgres createuser campaign
    $as_postgres psql -qtAc "SELECT 1 FROM pg_database WHERE datname = 'campaign'" | grep -q 1 ||
        $as_postgres createdb --owner campaign campaign
    campaign init
}

serve() {
    install -m 644 deploy/systemd/campaign.service /etc/systemd/system/campaign.service
    if has_systemd; then
        systemctl daemon-reload
        systemctl enable --quiet campaign
        systemctl restart campaign
    fi
}

# nginx needs a certificate to start; until there is a real one, it gets one that browsers warn of.
set_up_nginx() {
    certificate=$settings/tls
    if [ ! -e "$certificate/fullchain.pem" ]; then
        install -d -m 700 "$certificate"
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$host" -addext "subjectAltName=DNS:$host" \
            -keyout "$certificate/privkey.pem" -out "$certificate/fullchain.pem" 2>/dev/null
        chmod 600 "$certificate/privkey.pem"
        echo "The certificate is one of our own: browsers warn of it. Replace it as docs/operations.md says."
    fi
    install -d -o www-data /var/cache/nginx/campaign
    sed "s/love\.example\.org/$host/g" deploy/nginx/campaign.conf >/etc/nginx/conf.d/campaign.conf
    install -m 644 deploy/nginx/campaign-kept.conf /etc/nginx/campaign-kept.conf
    nginx -t -q
    if has_systemd; then systemctl reload-or-restart nginx; else service nginx restart >/dev/null; fi
}

install_packages
copy_code
write_settings
make_database
serve
set_up_nginx
echo "Installed. Set the mail server in $settings/campaign.env, then: systemctl restart campaign; campaign check --dns"
