"""Whether an installation is safe to serve: settings, machine, database and email; each finding with its remedy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from campaign.checks import configuration, database, email, machine, sender_dns
from campaign.checks.finding import Finding
from campaign.config.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    "public address": configuration.public_address,
    "proxies": configuration.proxies,
    "processes": configuration.processes,
    "mail server set": configuration.mail_server,
    "debug mode": configuration.debug_mode,
    "file modes": machine.file_modes,
    "disk space": machine.disk_space,
    "disk speed": machine.disk_speed,
    "network disk": machine.network_disk,
    "clock": machine.clock,
    "open files": machine.open_files,
    "user": machine.user,
    "database": database.is_ready,
    "keys": database.keys,
    "durability": database.durability,
    "connections": database.connections,
    "database clock": database.clock,
    "Redis": database.redis,
    "mail server": email.connection,
}
DNS_CHECKS: dict[str, Check] = {
    "SPF": sender_dns.spf,
    "DKIM": sender_dns.dkim,
    "DMARC": sender_dns.dmarc,
    "bounces": sender_dns.mail_exchanger,
}


@dataclass(frozen=True, slots=True)
class Result:
    """The findings of one check; none if all is well."""

    check: str
    findings: list[Finding]


def run_checks(settings: Settings, *, with_dns: bool) -> Iterator[Result]:
    """Run each check in an application context, those of the sender's DNS only if `with_dns`."""
    for name, check in (CHECKS | DNS_CHECKS if with_dns else CHECKS).items():
        yield Result(name, list(check(settings)))
