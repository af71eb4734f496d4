"""The network of a host: links, addresses, arp_filter, serial ports, what configures it at boot."""

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from san.observe import interface_files, network, services
from san.observe.sections import UnreadableError, script
from san.render.firewall import FIREWALL
from san.render.network import SYSCTL

_NETWORK = f"""\
ip -json address show || exit
{{ read -r name </proc/sys/kernel/hostname; }} && echo "hostname $name"
for file in /proc/sys/net/ipv4/conf/*/arp_filter; do
  interface=${{file%/arp_filter}}
  value=  # dash reads byte by byte, and a sysctl ends after the first: no newline, status 1
  {{ read -r value <"$file" || [ -n "$value" ]; }} && echo "arp_filter ${{interface##*/}} $value"
done
for file in /sys/class/tty/tty[A-Z]*; do
  type=  # 0: a driver's place for a port that isn't there
  if [ -e "$file/type" ]; then read -r type <"$file/type"; fi
  if [ -e "$file" ] && [ "$type" != 0 ]; then echo "serial /dev/${{file##*/}}"; fi
done
for link in /dev/serial/by-*/*; do
  if [ -e "$link" ]; then echo "serial $link"; fi
done
if [ -e {SYSCTL} ]; then
  set -- /dev/null
  while read -r key equals value; do
    if [ "$equals" = = ]; then
      echo "setting $key $value"
      set -- "$@" "/proc/sys/$key"
    fi
  done <{SYSCTL}
  grep -sH '' "$@"  # whole values, which dash's read has not
fi
if [ -S {network.BUS} ]; then echo bus; fi
{services.shell(daemons=network.DAEMONS, units=network.UNITS)}
grep -sHE 'arp_filter|{interface_files.PATTERN}' {" ".join(network.SYSCTL_FILES)} \
{interface_files.NETWORKD_LINKS}/* {" ".join(interface_files.NETWORKD_FILES)} \
{interface_files.IFUPDOWN_FILE} {interface_files.IFUPDOWN_FILE}.d/*
if [ -e {FIREWALL} ]; then
  nft list table {network.FIREWALL_TABLE} 2>/dev/null |
    while read -r line; do echo "nft $line"; done
fi
exit 0
"""


class Network(FactBase[network.NetworkState]):
    """Links, addresses, arp_filter in force and persistent, hostname, manager, its files.

    And serial ports, and our table of nftables.

    .. code:: python

        state = host.get_fact(Network)
        state.interfaces["eth2"].has("192.168.1.1/24")
    """

    def command(self) -> StringCommand:
        """One `ip`, two `grep`, one `nft` where our files are installed; the rest are builtins."""
        return StringCommand(script({"network": _NETWORK}))

    def process(self, output: list[str]) -> network.NetworkState:
        """Parse; what can't be understood fails the host."""
        try:
            return network.parse(output)
        except UnreadableError as problem:
            raise FactProcessError(str(problem)) from None
