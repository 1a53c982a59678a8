# Sourced: names and addresses of the lab's gateway of 2017. All addresses are private or reserved for documentation
# (RFC 5737), and go to hosts that the lab makes itself.
lab_label=iris.lab=gateway2017
lab_network=edgex-network
lab_subnet=172.30.77.0/24

lan_interface=iris-lan
lan_subnet=10.77.0.0/24
lan_gateway=10.77.0.1        # the gateway's own address on the LAN
thermostat_address=10.77.0.21
tower_address=10.77.0.22

wan_interface=iris-wan
wan_gateway=198.51.100.1     # the gateway's own address towards the outside
outside_subnets="198.51.100.0/24 203.0.113.64/28" # no wider than needed: a machine's own mirror may be beside it
ingest_address=198.51.100.10 # where export-distro sends events (MQTT 1883)
dns_address=198.51.100.53
attacker_address=198.51.100.77
download_address=198.51.100.80
victim_address=198.51.100.200
listed_address=203.0.113.66  # on the lab's threat list

namespaces="iris-thermostat iris-tower iris-outside"
lab_state="${IRIS_LAB_STATE:-$root/var/lab/gateway2017}"
