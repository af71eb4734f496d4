"""cluster-glue's STONITH plugins, by the parameters that each has.

As `stonith -n` and `stonith -m` of cluster-glue 1.0.12 name them (Debian 12 and 13). A plugin that
isn't here is asked for its own on the node.
"""

from collections.abc import Mapping

PARAMETERS: Mapping[str, frozenset[str]] = {
    plugin: frozenset(names.split())
    for plugin, names in {
        "apcmaster": "ipaddr login password",
        "apcmastersnmp": "ipaddr port community",
        "apcsmart": "ttydev hostlist",
        "baytech": "ipaddr login password",
        "bladehpi": "entity_root soft_reset",
        "cyclades": "ipaddr login serialport",
        "drac3": "host login password",
        "external/drac5": "hostname ipaddr userid",
        "external/dracmc-telnet": "nodename cyclades_ip cyclades_port servername username password",
        "external/hetzner": "hostname remote_ip",
        "external/hmchttp": "hostlist hmc_ipaddr user password",
        "external/ibmrsa": "hostname ipaddr userid passwd type",
        "external/ibmrsa-telnet": "nodename ip_address username password",
        "external/ipmi": "hostname ipaddr userid passwd interface passwd_method priv ipmitool",
        "external/ippower9258": "deviceip username password hostlist",
        "external/libvirt": "hostlist hypervisor_uri reboot_method reset_method",
        "external/nut": (
            "hostname ups username password poweron poweroff reset statusvar upscmd upsc"
        ),
        "external/rackpdu": "hostlist pduip community oid names_oid outlet_config",
        "external/riloe": (
            "hostlist ilo_hostname ilo_user ilo_password "
            "ilo_can_reset ilo_protocol ilo_powerdown_method ilo_proxyhost ilo_proxyport"
        ),
        "external/ssh": "hostlist livedangerously",
        "external/vcenter": (
            "VI_SERVER VI_PORTNUMBER VI_PROTOCOL VI_SERVICEPATH "
            "VI_CREDSTORE HOSTLIST RESETPOWERON PERL_LWP_SSL_VERIFY_HOSTNAME"
        ),
        "external/vmware": "device_host host_map",
        "external/xen0": "hostlist dom0 run_dump dump_dir",
        "external/xen0-ha": "hostlist dom0_cluster_ip timeout stop_timeout",
        "ibmhmc": "ipaddr managedsyspat password",
        "ipmilan": "hostname ipaddr port auth priv login password reset_method",
        "meatware": "hostlist",
        "nw_rpc100s": "ttydev hostlist",
        "rcd_serial": "hostlist ttydev dtr_rts msduration",
        "rps10": "serial_to_targets",
        "ssh": "hostlist",
        "wti_mpc": "ipaddr port community mib-version",
        "wti_nps": "ipaddr password",
    }.items()
}
"""Parameters by plugin."""
